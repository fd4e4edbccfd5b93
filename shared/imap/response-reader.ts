import { Buffer } from 'node:buffer';
import type { ImapLimits } from './limits.ts';
import { parseResponse } from './parse-response.ts';
import type { ImapResponse } from './response.ts';

const LF = 0x0a;
const CR = 0x0d;
/** What a reader may hold on to between responses. */
const idleOctets = 16 * 1024;

/** Takes a response, without its final line break, before it is parsed; false: it is to be parsed. The octets are others later. */
export type TakeOctets = (bytes: Buffer, start: number, end: number) => boolean;

/** The server sent a response larger than the limit; what follows cannot be made sense of. */
export class ResponseTooLarge extends Error {
  override readonly name = 'ResponseTooLarge';
}

/**
 * Cuts a stream of octets into responses (RFC 9051 §2.2.2): a line, and while it ends in a literal's size, the literal and
 * the next line. Each octet is copied at most once before it is parsed, and scanned once.
 */
export class ResponseReader {
  readonly #octetsMax: number;
  /** What arrived of responses that are not complete; the first `#length` octets count. */
  #pending = Buffer.alloc(0);
  #length = 0;
  /** Where the current line starts; beyond `#length` while a literal before it is incomplete. */
  #line = 0;
  /** From where its end is looked for. */
  #scan = 0;

  constructor(limits: Pick<ImapLimits, 'responseOctetsMax'>) {
    this.#octetsMax = limits.responseOctetsMax;
  }

  /** Hands over every response that is complete now, parsed unless `takeOctets` takes it as it is. Throws `ResponseTooLarge`. */
  push(chunk: Buffer, take: (response: ImapResponse) => void, takeOctets: TakeOctets = () => false): void {
    const bytes = this.#length === 0 ? chunk : this.#append(chunk);
    const length = bytes === chunk ? chunk.length : this.#length;
    const start = this.#cut(bytes, length, (from, to) => {
      if (!takeOctets(bytes, from, to)) take(parseResponse(bytes, from, to));
    });
    this.#keep(bytes, start, length);
  }

  /** Finds whole responses and returns where the first incomplete one starts. */
  #cut(bytes: Buffer, length: number, take: (start: number, end: number) => void): number {
    let start = 0;
    let line = this.#line;
    let scan = this.#scan;
    for (;;) {
      const found = scan < length ? bytes.indexOf(LF, scan) : -1;
      if (found < 0 || found >= length) break;
      const size = literalSize(bytes, start, line, found);
      if (size === null) {
        const end = found > start && bytes[found - 1] === CR ? found - 1 : found;
        if (end > start) take(start, end);
        start = found + 1;
      }
      line = found + 1 + (size ?? 0);
      scan = line;
      if (line - start > this.#octetsMax) throw new ResponseTooLarge();
    }
    if (length - start > this.#octetsMax) throw new ResponseTooLarge();
    this.#line = line - start;
    this.#scan = Math.max(scan, length) - start;
    return start;
  }

  #append(chunk: Buffer): Buffer {
    const length = this.#length + chunk.length;
    if (length > this.#pending.length) {
      const grown = Buffer.allocUnsafe(Math.max(length, this.#line, 2 * this.#pending.length));
      this.#pending.copy(grown, 0, 0, this.#length);
      this.#pending = grown;
    }
    chunk.copy(this.#pending, this.#length);
    this.#length = length;
    return this.#pending;
  }

  #keep(bytes: Buffer, start: number, length: number): void {
    if (bytes === this.#pending) {
      if (start > 0) bytes.copyWithin(0, start, length);
    } else {
      const rest = length - start;
      if (rest > this.#pending.length) this.#pending = Buffer.allocUnsafe(Math.max(rest, idleOctets));
      bytes.copy(this.#pending, 0, start, length);
    }
    this.#length = length - start;
    if (this.#length === 0 && this.#pending.length > idleOctets) this.#pending = Buffer.alloc(0);
  }
}

/** The size of the literal that a line announces at its end, or null. */
function literalSize(bytes: Buffer, start: number, lineStart: number, lineEnd: number): number | null {
  let at = lineEnd - 1;
  if (bytes[at] === CR) at--;
  if (at <= lineStart || bytes[at] !== 0x7d) return null;
  let size = 0;
  let factor = 1;
  for (at--; at >= lineStart; at--) {
    const digit = (bytes[at] as number) - 0x30;
    if (digit < 0 || digit > 9) break;
    size += digit * factor;
    factor *= 10;
  }
  if (factor === 1 || at < lineStart || bytes[at] !== 0x7b) return null;
  return mayHoldLiteral(bytes, start) ? size : null;
}

/** Data may; the text of a status response and of a continuation never does, whatever it looks like. */
function mayHoldLiteral(bytes: Buffer, start: number): boolean {
  if (bytes[start] !== 0x2a) return false;
  const digit = (bytes[start + 2] ?? 0) - 0x30;
  if (digit >= 0 && digit <= 9) return true;
  return !/^\* +(?:OK|NO|BAD|BYE|PREAUTH)\b/i.test(bytes.toString('latin1', start, start + 16));
}
