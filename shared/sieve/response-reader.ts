import type { SieveLimits } from './limits.ts';
import { parseResponse } from './parse-response.ts';
import type { SieveResponse } from './response.ts';

/** The server sent a response larger than the limit. */
export class ResponseTooLarge extends Error {
  override readonly name = 'ResponseTooLarge';
}

/**
 * Cuts a stream of octets into responses: a line, and while it ends in a literal's size, the literal and the next line
 * (RFC 5804 §1.1). Each octet is scanned once.
 */
export class ResponseReader {
  readonly #limits: Pick<SieveLimits, 'responseValuesMax'>;
  /** Octets of one response. */
  octetsMax: number;
  #pending: Buffer = Buffer.alloc(0);
  /** Where the current line starts, beyond what is there while a literal before it is incomplete; and from where its end is looked for. */
  #line = 0;
  #scan = 0;

  constructor(octetsMax: number, limits: Pick<SieveLimits, 'responseValuesMax'>) {
    this.octetsMax = octetsMax;
    this.#limits = limits;
  }

  /** Whether nothing is left over. */
  get isEmpty(): boolean {
    return this.#pending.length === 0;
  }

  /**
   * Hands over every response that is complete now, and stops when `take` answers false: what follows is left. Throws
   * `ResponseTooLarge` and `MalformedResponse`.
   */
  push(chunk: Buffer, take: (response: SieveResponse) => boolean): void {
    this.#pending = this.#pending.length === 0 ? chunk : Buffer.concat([this.#pending, chunk]);
    for (;;) {
      const found = this.#scan < this.#pending.length ? this.#pending.indexOf(0x0a, this.#scan) : -1;
      if (found < 0) {
        this.#scan = Math.max(this.#scan, this.#pending.length);
        if (this.#pending.length > this.octetsMax || this.#line > this.octetsMax) throw new ResponseTooLarge();
        return;
      }
      const size = literalSize(this.#pending, this.#line, found);
      this.#line = found + 1 + (size ?? 0);
      this.#scan = this.#line;
      if (this.#line > this.octetsMax) throw new ResponseTooLarge();
      if (size === null && !this.#cut(take)) return;
    }
  }

  /** Parses the response that ends where the next line starts. */
  #cut(take: (response: SieveResponse) => boolean): boolean {
    const isCrLf = this.#pending[this.#line - 2] === 0x0d;
    const response = this.#pending.subarray(0, this.#line - (isCrLf ? 2 : 1));
    this.#pending = this.#pending.subarray(this.#line);
    this.#line = 0;
    this.#scan = 0;
    return take(parseResponse(response, this.#limits));
  }
}

/** The size of the literal that a line announces at its end, or null. A quoted string cannot end so, for it ends in a quote. */
function literalSize(bytes: Buffer, lineStart: number, lineEnd: number): number | null {
  const tail = bytes.toString('latin1', Math.max(lineStart, lineEnd - 16), lineEnd);
  const [, digits] = /\{(\d{1,10})\+?\}\r?$/.exec(tail) ?? [];
  return digits === undefined ? null : Number(digits);
}
