import type { SieveLimits } from './limits.ts';
import type { ResponseCode, SieveResponse, SieveValue } from './response.ts';

/** The server sent what is no response; what follows cannot be made sense of. */
export class MalformedResponse extends Error {
  override readonly name = 'MalformedResponse';
}

/** Parses one response, without its line end (RFC 5804 §4). Throws `MalformedResponse`. */
export function parseResponse(octets: Buffer, limits: Pick<SieveLimits, 'responseValuesMax'>): SieveResponse {
  try {
    return parseStrictly(octets, limits);
  } catch (error) {
    const meant = error instanceof MalformedResponse ? unescapedQuotes(octets) : null;
    if (meant === null) throw error;
    return meant;
  }
}

/**
 * QUIRK(cyrus 3.6): a quote within a quoted string has no backslash before it, in names of scripts and in texts: `"my "own" script"`.
 * What was meant is what is between the first quote of the line and the last one.
 */
function unescapedQuotes(octets: Buffer): SieveResponse | null {
  const line = octets.toString('latin1');
  const [, inner, atom] = /^"([^\r\n]*)"(?: (ACTIVE))?$/i.exec(line) ?? [];
  if (inner !== undefined) {
    const name: SieveValue = { kind: 'string', octets: Buffer.from(inner, 'latin1') };
    return { kind: 'data', values: atom === undefined ? [name] : [name, { kind: 'atom', text: atom }] };
  }
  const [, status, code, text] = /^(OK|NO|BYE)(?: \(([\w/-]+)\))? "([^\r\n]*)"$/i.exec(line) ?? [];
  if (status === undefined || text === undefined) return null;
  return {
    kind: 'status',
    status: status.toUpperCase() as 'OK' | 'NO' | 'BYE',
    code: code === undefined ? null : { name: code.toUpperCase(), values: [] },
    text: Buffer.from(text, 'latin1').toString('utf8'),
  };
}

function parseStrictly(octets: Buffer, limits: Pick<SieveLimits, 'responseValuesMax'>): SieveResponse {
  const values = new Parser(octets, limits.responseValuesMax).values();
  const [first, ...rest] = values;
  if (first?.kind === 'string') return { kind: 'data', values };
  const status = first?.kind === 'atom' ? first.text.toUpperCase() : '';
  if (status !== 'OK' && status !== 'NO' && status !== 'BYE') throw new MalformedResponse();
  const code = rest[0]?.kind === 'list' ? codeOf(rest[0].values) : null;
  const text = code === null ? rest[0] : rest[1];
  if (rest.length > (code === null ? 1 : 2) || (text !== undefined && text.kind !== 'string')) {
    throw new MalformedResponse();
  }
  return { kind: 'status', status, code, text: text?.octets.toString('utf8') ?? '' };
}

function codeOf([name, ...values]: readonly SieveValue[]): ResponseCode {
  if (name?.kind !== 'atom') throw new MalformedResponse();
  return { name: name.text.toUpperCase(), values };
}

const [space, quote, open, close, backslash, brace] = [0x20, 0x22, 0x28, 0x29, 0x5c, 0x7b];

class Parser {
  readonly #octets: Buffer;
  #valuesLeft: number;
  #at = 0;

  constructor(octets: Buffer, valuesMax: number) {
    this.#octets = octets;
    this.#valuesLeft = valuesMax;
  }

  values(): SieveValue[] {
    const values = this.#list(0);
    if (this.#at < this.#octets.length) throw new MalformedResponse();
    return values;
  }

  /** Values up to the end, or to the parenthesis that closes them. */
  #list(depth: number): SieveValue[] {
    const values: SieveValue[] = [];
    for (;;) {
      const from = this.#at;
      while (this.#octets[this.#at] === space) this.#at++;
      const next = this.#octets[this.#at];
      if (next === undefined || next === close) return values;
      if (values.length > 0 && this.#at === from) throw new MalformedResponse();
      if (--this.#valuesLeft < 0) throw new MalformedResponse();
      values.push(this.#value(next, depth));
    }
  }

  #value(first: number, depth: number): SieveValue {
    if (first === quote) return { kind: 'string', octets: this.#quoted() };
    if (first === brace) return { kind: 'string', octets: this.#literal() };
    if (first !== open) return { kind: 'atom', text: this.#atom() };
    // Response codes hold lists in theory, and nothing that we read in them is one.
    if (depth > 1) throw new MalformedResponse();
    this.#at++;
    const values = this.#list(depth + 1);
    if (this.#octets[this.#at++] !== close) throw new MalformedResponse();
    return { kind: 'list', values };
  }

  #quoted(): Buffer {
    const octets: number[] = [];
    for (this.#at++; ; this.#at++) {
      let octet = this.#octets[this.#at];
      if (octet === quote) break;
      if (octet === backslash) octet = this.#octets[++this.#at];
      if (octet === undefined) throw new MalformedResponse();
      octets.push(octet);
    }
    this.#at++;
    return Buffer.from(octets);
  }

  /** That all of it is there, the reader has made sure. */
  #literal(): Buffer {
    const lineEnd = this.#octets.indexOf(0x0a, this.#at);
    const size = Number(/^\{(\d+)\+?\}\r?\n$/.exec(this.#octets.toString('latin1', this.#at, lineEnd + 1))?.[1]);
    if (!Number.isSafeInteger(size)) throw new MalformedResponse();
    this.#at = lineEnd + 1 + size;
    if (this.#at > this.#octets.length) throw new MalformedResponse();
    return this.#octets.subarray(lineEnd + 1, this.#at);
  }

  #atom(): string {
    const from = this.#at;
    while (isAtomOctet(this.#octets[this.#at])) this.#at++;
    if (this.#at === from) throw new MalformedResponse();
    return this.#octets.toString('latin1', from, this.#at);
  }
}

function isAtomOctet(octet: number | undefined): boolean {
  if (octet === undefined || octet <= space || octet >= 0x7f) return false;
  return octet !== quote && octet !== open && octet !== close && octet !== backslash && octet !== brace;
}
