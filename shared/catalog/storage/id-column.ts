import { NumberColumn } from './number-column.ts';

/** The place of an octet in an alphabet that has it not. */
const outside = 0x80;

/** What most ids are made of, any octet as likely as the others: each takes so many bits. */
const alphabets = [
  alphabet(4, '0123456789abcdef'),
  alphabet(5, 'abcdefghijklmnopqrstuvwxyz234567'),
  alphabet(6, 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'),
];

type Alphabet = { readonly bits: number; readonly octets: Uint8Array; readonly places: Uint8Array };

function alphabet(bits: number, text: string): Alphabet {
  const octets = Uint8Array.from(text, (octet) => octet.charCodeAt(0));
  const places = new Uint8Array(256).fill(outside);
  for (const [place, octet] of octets.entries()) places[octet] = place;
  return { bits, octets, places };
}

const isHexadecimal = (octet: number) => (alphabets[0]?.places[octet] as number) < outside;

/**
 * ASCII texts that are mostly ids, to be written one behind the other. What they have in common is told once: their lead is the first octet
 * that begins one of them and is no hexadecimal digit, as some servers put it before all of their ids and we before those that would begin with a digit; their tail
 * is what ends all of them, as it tells the host in others.
 */
export class IdColumn {
  #octets: Uint8Array = new Uint8Array(0);
  /** Where each text begins, without its lead, and ends. */
  #spans = new Uint32Array(512);
  #hasLead = new Uint8Array(256);
  readonly #lengths = new NumberColumn();
  #count = 0;
  #size = 0;
  #tail = 0;
  lead = 0;

  /** At least as many octets as there are to be written. */
  get size(): number {
    return this.#size;
  }

  /** Adds a text: those octets, before `to`; all texts are in the same piece of memory, and stay there until the column is cleared. */
  add(octets: Uint8Array, from: number, to: number): void {
    const place = this.#count++;
    if (place === this.#hasLead.length) this.#grow();
    this.#octets = octets;
    let start = from;
    if (from < to) {
      const first = octets[from] as number;
      if (this.lead === 0 && !isHexadecimal(first)) this.lead = first;
      if (first === this.lead) start++;
    }
    this.#hasLead[place] = start - from;
    this.#spans[2 * place] = start;
    this.#spans[2 * place + 1] = to;
    this.#size += to - start;
    if (place === 0) this.#tail = to - start;
    else if (this.#tail > 0) this.#shortenTail(start, to);
  }

  #shortenTail(start: number, end: number): void {
    const octets = this.#octets;
    const endOfFirst = this.#spans[1] as number;
    const max = Math.min(this.#tail, end - start);
    let tail = 0;
    while (tail < max && octets[end - 1 - tail] === octets[endOfFirst - 1 - tail]) tail++;
    this.#tail = tail;
  }

  #grow(): void {
    const spans = new Uint32Array(2 * this.#spans.length);
    spans.set(this.#spans);
    this.#spans = spans;
    const hasLead = new Uint8Array(2 * this.#hasLead.length);
    hasLead.set(this.#hasLead);
    this.#hasLead = hasLead;
  }

  /** What ends all texts. */
  get tail(): Uint8Array {
    const end = this.#spans[1] as number;
    return this.#count === 0 ? new Uint8Array(0) : this.#octets.subarray(end - this.#tail, end);
  }

  /** Of each text, in its place: twice the number of octets that are left, and one more where the lead was. */
  lengths(): NumberColumn {
    const lengths = this.#lengths;
    lengths.clear();
    for (let place = 0; place < this.#count; place++) {
      const length = (this.#spans[2 * place + 1] as number) - (this.#spans[2 * place] as number) - this.#tail;
      lengths.push(2 * length + (this.#hasLead[place] as number));
    }
    return lengths;
  }

  /** Puts what is left of the texts into octets, from `start` on. Gives the bits that each octet takes, and where they end. */
  put(into: Uint8Array, start: number, isDense: boolean): { readonly bits: number; readonly end: number } {
    for (const { bits, places } of isDense ? alphabets : []) {
      const end = this.#putPlaces(into, start, bits, places);
      if (end >= 0) return { bits, end };
    }
    let next = start;
    const octets = this.#octets;
    for (let place = 0; place < this.#count; place++) {
      const to = (this.#spans[2 * place + 1] as number) - this.#tail;
      for (let at = this.#spans[2 * place] as number; at < to; at++) into[next++] = octets[at] as number;
    }
    return { bits: 8, end: next };
  }

  /** −1: there is an octet that has no place. */
  #putPlaces(into: Uint8Array, start: number, bits: number, places: Uint8Array): number {
    const octets = this.#octets;
    const spans = this.#spans;
    const count = this.#count;
    const tail = this.#tail;
    let next = start;
    let held = 0;
    let free = 8;
    for (let place = 0; place < count; place++) {
      const to = (spans[2 * place + 1] as number) - tail;
      let all = 0;
      for (let at = spans[2 * place] as number; at < to; at++) {
        const own = places[octets[at] as number] as number;
        all |= own;
        held = (held << bits) | own;
        free -= bits;
        if (free > 0) continue;
        into[next++] = held >> -free;
        free += 8;
      }
      if (all >= outside) return -1;
    }
    if (free < 8) into[next++] = held << free;
    return next;
  }

  clear(): void {
    this.#count = 0;
    this.#size = 0;
    this.#tail = 0;
    this.lead = 0;
  }
}

/** The octets of texts that took so many bits each, one behind the other, as `IdColumn.put` put them. */
export function readPut(from: Buffer, count: number, bits: number): Buffer {
  if (bits === 8) return from;
  const alphabet = alphabets.find((one) => one.bits === bits);
  if (alphabet === undefined) throw new RangeError(`no ids have octets of ${bits} bits`);
  const octets = Buffer.allocUnsafe(count);
  const mask = (1 << bits) - 1;
  let next = 0;
  let held = 0;
  let left = 0;
  for (let at = 0; at < count; at++) {
    if (left < bits) {
      held = (held << 8) | (from[next++] as number);
      left += 8;
    }
    left -= bits;
    octets[at] = alphabet.octets[(held >> left) & mask] as number;
  }
  return octets;
}
