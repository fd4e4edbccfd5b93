import { Buffer } from 'node:buffer';
import { decodeCharset } from './charset.ts';
import { commentEnd, quotedStringEnd, unescapeQuotedPairs } from './comments.ts';
import { unfold } from './unfold.ts';

/** A parameter as it stands in a header field or a BODYSTRUCTURE: not decoded, so `filename*0*` is a name. */
export type RawParameter = readonly [name: string, value: string];

/** A decoded parameter; `isExtended`: written per RFC 2231 with a charset, so that no other decoding may follow. */
export type Parameter = { readonly value: string; readonly isExtended: boolean };

/** Parameters read from one field; what follows is ignored. */
const parametersMax = 1_000;

/**
 * Cuts a structured MIME field such as Content-Type (RFC 2045 §5.1) into its value and its parameters, without comments and
 * quotes. Forgiving: blanks in an unquoted value and a quote that never closes end at the next semicolon, and a parenthesis
 * within a word (`invoice(1).pdf`) is part of the word. Linear; never throws.
 */
export function splitParameters(raw: string): { value: string; parameters: RawParameter[] } {
  const text = unfold(raw);
  const read = wordReader(text);
  const parameters: RawParameter[] = [];
  const { word: value, end } = read(0, ';', true);
  let at = end;
  while (at < text.length && parameters.length < parametersMax) {
    const name = read(at + 1, ';=', true);
    at = name.end;
    if (text[at] !== '=') continue;
    const { word, end: wordEnd } = read(at + 1, ';', false);
    at = wordEnd;
    if (name.word !== '') parameters.push([name.word.toLowerCase(), word]);
  }
  return { value, parameters };
}

/** Reads from `start` to the first of the `ends`, or to the end of the text. */
type ReadWord = (start: number, ends: string, isTokenOnly: boolean) => { readonly word: string; readonly end: number };

/**
 * A reader of words: a quoted-string, behind which all is passed over, or a run of characters without the blanks around it.
 * Comments are left out; where a value may be more than a token, only those at its start or behind a blank.
 */
function wordReader(text: string): ReadWord {
  // What was once found not to close is not searched for again: that keeps hostile values linear.
  let opensComment = true;
  let opensQuote = true;
  return (start, ends, isTokenOnly) => {
    const kept: string[] = [];
    let quoted: string | null = null;
    let isBlankBefore = true;
    let isEmpty = true;
    let at = start;
    while (at < text.length) {
      const char = text[at] ?? '';
      if (ends.includes(char)) break;
      let end = -1;
      if (char === '(' && opensComment && (isTokenOnly || isBlankBefore)) {
        end = commentEnd(text, at);
        opensComment = end > 0;
      } else if (char === '"' && opensQuote && isEmpty) {
        end = quotedStringEnd(text, at);
        opensQuote = end > 0;
        if (end > 0) quoted ??= unescapeQuotedPairs(text.slice(at + 1, end - 1));
      } else {
        isBlankBefore = char === ' ' || char === '\t';
        isEmpty &&= isBlankBefore;
        kept.push(char);
      }
      at = end > 0 ? end : at + 1;
    }
    return { word: quoted ?? kept.join('').trim(), end: at };
  };
}

/**
 * Decodes parameters per RFC 2231: joins continuations (`name*0`, `name*1*`) and decodes what carries a charset
 * (`name*=utf-8'en'%e2%82%ac`). An extended parameter wins over a plain one; of two alike the first wins. Names come out in
 * lower case.
 */
export function decodeParameters(raw: readonly RawParameter[]): Map<string, Parameter> {
  const plain = new Map<string, Parameter>();
  const segmentsOf = new Map<string, Map<number, Segment>>();
  for (const [name, value] of raw) {
    const match = /^([^*]+)(?:\*(\d{1,4}))?(\*)?$/.exec(name.toLowerCase());
    if (!match) continue;
    const [, base = '', section, star] = match;
    if (section === undefined && star === undefined) {
      if (!plain.has(base)) plain.set(base, { value, isExtended: false });
      continue;
    }
    const segments = segmentsOf.get(base) ?? new Map<number, Segment>();
    segmentsOf.set(base, segments);
    const index = Number(section ?? 0);
    if (!segments.has(index)) segments.set(index, { text: value, isEncoded: star !== undefined });
  }
  const decoded = new Map(plain);
  for (const [base, segments] of segmentsOf) {
    const parameter = joinSegments(segments);
    if (parameter) decoded.set(base, parameter);
  }
  return decoded;
}

type Segment = { readonly text: string; readonly isEncoded: boolean };

/** The segments from 0 on, as far as there is no gap; null if there is no segment 0. */
function joinSegments(segments: ReadonlyMap<number, Segment>): Parameter | null {
  const first = segments.get(0);
  if (!first) return null;
  const [, charset = null, text = first.text] = (first.isEncoded && /^([^']*)'[^']*'(.*)$/s.exec(first.text)) || [];
  const octets: Buffer[] = [];
  let isExtended = false;
  let segment: Segment | undefined = { text, isEncoded: first.isEncoded };
  for (let index = 1; segment; index++) {
    isExtended ||= segment.isEncoded;
    octets.push(segment.isEncoded ? percentDecode(segment.text) : Buffer.from(segment.text));
    segment = segments.get(index);
  }
  return { value: decodeCharset(Buffer.concat(octets), charset).text, isExtended };
}

/** A `%` without two hexadecimal digits stands for itself. */
function percentDecode(text: string): Buffer {
  const latin1 = Buffer.from(text, 'utf8').toString('latin1');
  const octets = latin1.replace(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  return Buffer.from(octets, 'latin1');
}
