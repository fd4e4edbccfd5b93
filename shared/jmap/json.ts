import { RequestError } from './errors.ts';
import type { JsonObject, JsonValue } from './scalars.ts';

/** How deep arrays and objects may nest. */
export const maxJsonDepth = 128;

/**
 * Parses I-JSON (RFC 7493), which RFC 8620 §1.5 demands: no duplicate member, no lone surrogate or noncharacter, no
 * number beyond a double. Objects have a null prototype. Throws `RequestError` `notJSON` that tells where it went wrong.
 */
export function parseJson(text: string): JsonValue {
  let at = 0;
  const value = parseValue(0);
  skipSpace();
  return at === text.length ? value : fail('expected the end');

  function parseValue(depth: number): JsonValue {
    skipSpace();
    switch (text[at]) {
      case '{':
        return parseObject(depth + 1);
      case '[':
        return parseArray(depth + 1);
      case '"':
        return parseString();
      case 't':
        return parseWord('true', true);
      case 'f':
        return parseWord('false', false);
      case 'n':
        return parseWord('null', null);
      default:
        return parseNumber();
    }
  }

  function parseObject(depth: number): JsonObject {
    const object: JsonObject = Object.create(null);
    enter(depth);
    if (skip('}')) return object;
    do {
      skipSpace();
      const start = at;
      const name = parseString();
      if (name in object) fail('found a member for the second time', start);
      if (!skip(':')) fail('expected ":"');
      object[name] = parseValue(depth);
    } while (skip(','));
    return skip('}') ? object : fail('expected "," or "}"');
  }

  function parseArray(depth: number): JsonValue[] {
    const array: JsonValue[] = [];
    enter(depth);
    if (skip(']')) return array;
    do array.push(parseValue(depth));
    while (skip(','));
    return skip(']') ? array : fail('expected "," or "]"');
  }

  /** Steps over the opening bracket. */
  function enter(depth: number): void {
    if (depth > maxJsonDepth) fail(`found more than ${maxJsonDepth} levels`);
    at += 1;
  }

  function parseString(): string {
    if (text[at] !== '"') fail('expected a string');
    const start = at;
    let escaped = false;
    let suspicious = false;
    at += 1;
    for (let code = text.charCodeAt(at); code !== quotation; code = text.charCodeAt(at)) {
      if (code === backslash) escaped = true;
      else if (code >= 0xd800) suspicious = true;
      else if (!(code >= 0x20)) fail(at < text.length ? 'found a control character' : 'expected the end of the string');
      at += code === backslash ? 2 : 1;
    }
    at += 1;
    const parsed = escaped ? unescaped(start, at) : text.slice(start + 1, at - 1);
    if ((suspicious || escaped) && forbidden.test(parsed)) fail('found a lone surrogate or a noncharacter', start);
    return parsed;
  }

  function unescaped(start: number, end: number): string {
    try {
      return JSON.parse(text.slice(start, end));
    } catch {
      return fail('found an unknown escape in the string', start);
    }
  }

  function parseNumber(): number {
    numberPattern.lastIndex = at;
    const digits = numberPattern.exec(text)?.[0];
    if (digits === undefined) return fail('expected a value');
    const number = Number(digits);
    if (!Number.isFinite(number)) fail('found a number that is too large');
    at += digits.length;
    return number;
  }

  function parseWord<T extends JsonValue>(word: string, value: T): T {
    if (!text.startsWith(word, at)) fail('expected a value');
    at += word.length;
    return value;
  }

  function skip(character: string): boolean {
    skipSpace();
    if (text[at] !== character) return false;
    at += 1;
    return true;
  }

  function skipSpace(): void {
    while (isSpace(text.charCodeAt(at))) at += 1;
  }

  function fail(what: string, where = at): never {
    throw new RequestError('notJSON', `Could not parse the request: ${what} at position ${where}`);
  }
}

const quotation = 0x22;
const backslash = 0x5c;
const forbidden = /[\p{Cs}\p{Noncharacter_Code_Point}]/u;
const numberPattern = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;

function isSpace(code: number): boolean {
  return code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09;
}
