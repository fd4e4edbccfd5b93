import { NumberColumn } from './number-column.ts';

const none = new Uint8Array(0);
const noWords = new DataView(none.buffer);

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

/** Per octet a bit for each alphabet that has it. */
const alphabetsOf = Uint8Array.from({ length: 256 }, (_, octet) =>
  alphabets.reduce((bits, { places }, index) => bits | (places[octet] === outside ? 0 : 1 << index), 0),
);
const inAll = (1 << alphabets.length) - 1;
/** 1 for each octet that was there: memory that was used before is fast. */
const seen = new Uint8Array(256);

/** Texts by which a column is judged. */
const judgedTexts = 8;
/** What fewer octets end is not worth being found: a match takes some itself. */
const sharedEndMin = 8;
/** Longer ones, in the mean, name others that come again. */
const denseOctetsMax = 40;

/**
 * Texts of ASCII that are mostly ids, to be written one behind the other. What they have in common is told once: their lead is the first
 * octet that begins one of them and is no hexadecimal digit, as some servers put it before all of their ids and we before those that would
 * begin with a digit; their tail is what ends all of them, as it tells the host in others.
 */
export class IdColumn {
  #octets: Uint8Array = none;
  /** The same. */
  #words: DataView = noWords;
  /** Where each text begins, without its lead, and ends. */
  #spans = new Uint32Array(512);
  #hasLead = new Uint8Array(256);
  readonly #lengths = new NumberColumn();
  #count = 0;
  #size = 0;
  #tail = 0;
  #lead = -1;

  /** One more than the octet; 0: there is none. */
  get lead(): number {
    return this.#lead + 1;
  }

  /** At least as many octets as there are to be written. */
  get size(): number {
    return this.#size;
  }

  /** Adds a text: those octets, before `to`; all texts are in the same piece of memory, and stay there until the column is cleared. */
  add(octets: Uint8Array, from: number, to: number): void {
    const place = this.#count++;
    if (place === this.#hasLead.length) this.#grow();
    if (octets !== this.#octets) {
      this.#octets = octets;
      this.#words = new DataView(octets.buffer, octets.byteOffset, octets.length);
    }
    let start = from;
    if (from < to) {
      const first = octets[from] as number;
      if (this.#lead < 0 && !isHexadecimal(first)) this.#lead = first;
      if (first === this.#lead) start++;
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
    const words = this.#words;
    let tail = 0;
    // Four at a time, for most have it all.
    while (tail + 4 <= max && words.getUint32(end - tail - 4) === words.getUint32(endOfFirst - tail - 4)) tail += 4;
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
    return this.#count === 0 ? none : this.#octets.subarray(end - this.#tail, end);
  }

  /** Of each text, in its place: twice the number of octets that are left, and one more where the lead was. */
  lengths(): NumberColumn {
    const lengths = this.#lengths;
    lengths.clear();
    for (let place = 0; place < this.#count; place++) {
      lengths.push(2 * (this.#endAt(place) - this.#startAt(place)) + (this.#hasLead[place] as number));
    }
    return lengths;
  }

  #startAt(place: number): number {
    return this.#spans[2 * place] as number;
  }

  #endAt(place: number): number {
    return (this.#spans[2 * place + 1] as number) - this.#tail;
  }

  /**
   * Whether deflate would find nothing, by the first texts: they are no longer than hashes, have little in common with those before them, and
   * most octets of an alphabet.
   */
  get isDense(): boolean {
    const octets = this.#octets;
    seen.fill(0);
    let [distinct, all, shared, common] = [0, 0, 0, inAll];
    for (let place = 0; place < Math.min(this.#count, judgedTexts); place++) {
      const [start, end] = [this.#startAt(place), this.#endAt(place)];
      for (let at = start; at < end; at++) {
        const octet = octets[at] as number;
        if (seen[octet] === 1) continue;
        seen[octet] = 1;
        distinct += 1;
        common &= alphabetsOf[octet] as number;
      }
      all += end - start;
      if (place > 0) shared += this.#sharedWithLast(place);
    }
    if (this.#size > denseOctetsMax * this.#count || 4 * shared > all) return false;
    const { bits } = alphabets.find((_, index) => (common & (1 << index)) !== 0) ?? { bits: 8 };
    return bits < 8 && (distinct >= 0.75 * 2 ** bits || all < 4 * 2 ** bits);
  }

  /** How many octets begin, and end, a text as they do the one before. */
  #sharedWithLast(place: number): number {
    const octets = this.#octets;
    const [start, end] = [this.#startAt(place), this.#endAt(place)];
    const [startBefore, endBefore] = [this.#startAt(place - 1), this.#endAt(place - 1)];
    const max = Math.min(end - start, endBefore - startBefore);
    let beginning = 0;
    while (beginning < max && octets[start + beginning] === octets[startBefore + beginning]) beginning++;
    let ending = 0;
    while (ending < max - beginning && octets[end - 1 - ending] === octets[endBefore - 1 - ending]) ending++;
    return beginning + (ending >= sharedEndMin && max > 2 * sharedEndMin ? ending : 0);
  }

  /** Puts what is left of the texts into octets, from `start` on. Gives the bits that each octet takes, and where they end. */
  put(into: Uint8Array, start: number, isDense: boolean): { readonly bits: number; readonly end: number } {
    for (const { bits, places } of isDense ? alphabets : []) {
      const end = bits === 4 ? this.#putPairs(into, start, places) : this.#putPlaces(into, start, bits, places);
      if (end >= 0) return { bits, end };
    }
    let next = start;
    const octets = this.#octets;
    for (let place = 0; place < this.#count; place++) {
      const to = this.#endAt(place);
      for (let at = this.#startAt(place); at < to; at++) into[next++] = octets[at] as number;
    }
    return { bits: 8, end: next };
  }

  /** As `#putPlaces` would with four bits: the places of two octets make one. */
  #putPairs(into: Uint8Array, start: number, places: Uint8Array): number {
    const octets = this.#octets;
    const spans = this.#spans;
    const count = this.#count;
    const tail = this.#tail;
    let next = start;
    let all = 0;
    let held = -1;
    for (let place = 0; place < count; place++) {
      const to = (spans[2 * place + 1] as number) - tail;
      let at = spans[2 * place] as number;
      if (held >= 0 && at < to) {
        const low = places[octets[at++] as number] as number;
        all |= low;
        into[next++] = (held << 4) | low;
        held = -1;
      }
      for (; at + 1 < to; at += 2) {
        const high = places[octets[at] as number] as number;
        const low = places[octets[at + 1] as number] as number;
        all |= high | low;
        into[next++] = (high << 4) | low;
      }
      if (at < to) {
        held = places[octets[at] as number] as number;
        all |= held;
      }
      if (all >= outside) return -1;
    }
    if (held >= 0) into[next++] = held << 4;
    return next;
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

  /** Lets go of the texts. */
  clear(): void {
    this.#octets = none;
    this.#words = noWords;
    this.#count = 0;
    this.#size = 0;
    this.#tail = 0;
    this.#lead = -1;
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
