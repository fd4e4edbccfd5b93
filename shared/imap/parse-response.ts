import { Buffer } from 'node:buffer';
import { imapLimits } from './limits.ts';
import { decodeOctets, type ImapResponse, type ImapValue, type ResponseCode, type ResponseStatus } from './response.ts';

const octet = {
  nul: 0x00,
  space: 0x20,
  quote: 0x22,
  open: 0x28,
  close: 0x29,
  plus: 0x2b,
  bracketOpen: 0x5b,
  backslash: 0x5c,
  bracketClose: 0x5d,
  braceOpen: 0x7b,
  braceClose: 0x7d,
  tilde: 0x7e,
} as const;

const statusWords: ReadonlySet<string> = new Set<ResponseStatus>(['OK', 'NO', 'BAD', 'BYE', 'PREAUTH']);

/**
 * Reads one whole response (RFC 9051 §9) from `start` to `end`, the final line break excluded, literals in place. Nothing
 * that is returned refers to `bytes`. Never throws: what makes no sense is `malformed`.
 */
export function parseResponse(bytes: Buffer, start: number, end: number): ImapResponse {
  // QUIRK: some servers pad responses with NUL octets.
  let at = start;
  while (at < end && bytes[at] === octet.nul) at++;
  if (bytes[at] === octet.plus) return { kind: 'continuation', text: bytes.toString('latin1', at + 1, end).trim() };
  const reader = new ValueReader(bytes, at, end);
  const tag = reader.word();
  try {
    return tag === '*' ? readUntagged(reader) : readTagged(tag, reader);
  } catch (error) {
    if (!(error instanceof MalformedResponse)) throw error;
    return { kind: 'malformed', tag: tag === '*' ? null : tag };
  }
}

class MalformedResponse extends Error {
  override readonly name = 'MalformedResponse';
}

function readUntagged(reader: ValueReader): ImapResponse {
  const first = reader.word();
  if (first === '') throw new MalformedResponse();
  if (/^\d{1,10}$/.test(first)) {
    return { kind: 'data', number: Number(first), name: reader.word().toUpperCase(), values: reader.values() };
  }
  const name = first.toUpperCase();
  if (statusWords.has(name)) return readStatus(null, name as ResponseStatus, reader);
  return { kind: 'data', number: null, name, values: reader.values() };
}

function readTagged(tag: string, reader: ValueReader): ImapResponse {
  const status = reader.word().toUpperCase();
  if (!statusWords.has(status)) throw new MalformedResponse();
  return readStatus(tag, status as ResponseStatus, reader);
}

function readStatus(tag: string | null, status: ResponseStatus, reader: ValueReader): ImapResponse {
  const code = reader.code();
  return { kind: 'status', tag, status, code, text: reader.rest() };
}

/** Walks over the octets of one response. */
class ValueReader {
  readonly #bytes: Buffer;
  readonly #end: number;
  #at: number;
  #count = 0;

  constructor(bytes: Buffer, start: number, end: number) {
    this.#bytes = bytes;
    this.#at = start;
    this.#end = end;
  }

  /** The next word, up to a space; empty at the end. */
  word(): string {
    this.#skipSpaces();
    const start = this.#at;
    while (this.#at < this.#end && this.#bytes[this.#at] !== octet.space) this.#at++;
    return this.#bytes.toString('latin1', start, this.#at);
  }

  /** What is left, as text. */
  rest(): string {
    this.#skipSpaces();
    return decodeOctets(this.#bytes.subarray(this.#at, this.#end)).trim();
  }

  /** The values up to the end. */
  values(): ImapValue[] {
    return this.#valuesUntil(-1, 0);
  }

  /** The bracketed code at the start of a status response's text. One that makes no sense is left in the text. */
  code(): ResponseCode | null {
    this.#skipSpaces();
    if (this.#bytes[this.#at] !== octet.bracketOpen) return null;
    const end = this.#codeEnd();
    if (end < 0) return null;
    const inner = new ValueReader(this.#bytes, this.#at + 1, end);
    const name = inner.word().toUpperCase();
    this.#at = end + 1;
    try {
      return { name, values: inner.values() };
    } catch (error) {
      if (!(error instanceof MalformedResponse)) throw error;
      return { name, values: [] };
    }
  }

  /** Where the code's closing bracket is: brackets within it (a keyword such as `[x]`) pair up, unless they do not. */
  #codeEnd(): number {
    let depth = 0;
    for (let at = this.#at; at < this.#end; at++) {
      if (this.#bytes[at] === octet.bracketOpen) depth++;
      else if (this.#bytes[at] === octet.bracketClose && --depth === 0) return at;
    }
    const first = this.#bytes.indexOf(octet.bracketClose, this.#at);
    return first < this.#end ? first : -1;
  }

  #valuesUntil(close: number, depth: number): ImapValue[] {
    const bytes = this.#bytes;
    const values: ImapValue[] = [];
    for (;;) {
      this.#skipSpaces();
      if (this.#at >= this.#end) {
        if (close === -1) return values;
        throw new MalformedResponse();
      }
      const first = bytes[this.#at];
      if (first === close) {
        this.#at++;
        return values;
      }
      if (++this.#count > imapLimits.responseValuesMax) throw new MalformedResponse();
      if (first === octet.open) {
        this.#at++;
        values.push(depth < imapLimits.listDepthMax ? this.#valuesUntil(octet.close, depth + 1) : this.#skipList());
      } else if (first === octet.quote) {
        values.push(this.#quoted());
      } else if (first === octet.braceOpen) {
        values.push(this.#literal());
      } else if (first === octet.tilde && bytes[this.#at + 1] === octet.braceOpen) {
        this.#at++;
        values.push(this.#literal());
      } else if (first === octet.close) {
        throw new MalformedResponse();
      } else {
        values.push(this.#atom());
      }
    }
  }

  /** Passes over a list that nests too deep, without nesting itself. */
  #skipList(): null {
    let depth = 1;
    while (depth > 0) {
      if (this.#at >= this.#end) throw new MalformedResponse();
      const current = this.#bytes[this.#at];
      if (current === octet.quote) this.#quoted();
      else if (current === octet.braceOpen) this.#literal();
      else {
        if (current === octet.open) depth++;
        else if (current === octet.close) depth--;
        this.#at++;
      }
    }
    return null;
  }

  #quoted(): string {
    const bytes = this.#bytes;
    const start = ++this.#at;
    let plain = true;
    let at = start;
    for (; ; at++) {
      if (at >= this.#end) throw new MalformedResponse();
      const current = bytes[at] as number;
      if (current === octet.quote) break;
      if (current === octet.backslash) {
        plain = false;
        at++;
      } else if (current >= 0x80) plain = false;
    }
    this.#at = at + 1;
    if (plain) return bytes.toString('latin1', start, at);
    return decodeOctets(bytes.subarray(start, at)).replace(/\\([\s\S])/g, '$1');
  }

  #literal(): Buffer {
    const bytes = this.#bytes;
    let at = this.#at + 1;
    let size = 0;
    for (; at < this.#end && bytes[at] !== octet.braceClose; at++) {
      const digit = (bytes[at] as number) - 0x30;
      if (digit < 0 || digit > 9 || size > imapLimits.responseOctetsMax) throw new MalformedResponse();
      size = size * 10 + digit;
    }
    const start = bytes.indexOf(0x0a, at) + 1;
    if (start === 0 || start > at + 3 || start + size > this.#end) throw new MalformedResponse();
    this.#at = start + size;
    return Buffer.from(bytes.subarray(start, start + size));
  }

  #atom(): string | null {
    const bytes = this.#bytes;
    const start = this.#at;
    let at = start;
    let ascii = true;
    for (; at < this.#end; at++) {
      const current = bytes[at] as number;
      if (current === octet.space || current === octet.open || current === octet.close) break;
      if (current === octet.bracketOpen && isSectionName(bytes, start, at)) at = this.#sectionEnd(at);
      else if (current >= 0x80) ascii = false;
    }
    this.#at = at;
    const text = ascii ? bytes.toString('latin1', start, at) : decodeOctets(bytes.subarray(start, at));
    return text.length === 3 && text.toUpperCase() === 'NIL' ? null : text;
  }

  /** The offset of the bracket that closes `BODY[…]`: not one within the list of header fields, whose names may be anything. */
  #sectionEnd(open: number): number {
    const bytes = this.#bytes;
    let depth = 0;
    for (let at = open + 1; at < this.#end; at++) {
      const current = bytes[at];
      if (current === octet.bracketClose && depth === 0) return at;
      if (current === octet.open) depth++;
      else if (current === octet.close) depth--;
      else if (current === octet.quote || current === octet.braceOpen) {
        this.#at = at;
        if (current === octet.quote) this.#quoted();
        else this.#literal();
        at = this.#at - 1;
      }
    }
    throw new MalformedResponse();
  }

  #skipSpaces(): void {
    while (this.#at < this.#end && this.#bytes[this.#at] === octet.space) this.#at++;
  }
}

/** Only after these words a bracket opens a section; elsewhere (flags, names) it is an ordinary character. */
function isSectionName(bytes: Buffer, start: number, end: number): boolean {
  const length = end - start;
  return (
    (length === 4 || length === 6 || length === 11) &&
    /^(?:BODY|BINARY|BINARY\.SIZE)$/i.test(bytes.toString('latin1', start, end))
  );
}
