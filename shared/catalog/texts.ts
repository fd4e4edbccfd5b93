import { Buffer } from 'node:buffer';
import { radixSort } from './radix-sort.ts';

/** Fewer than so many are sorted by comparing them. */
const comparedMax = 64;
/** Octets that one key of 32 bits tells at most. */
const octetsInKey = 8;

/** ASCII texts by number, in one piece of memory: as objects they would take several times as much, and every collection would look at them. */
export class Texts {
  #octets: Buffer;
  /** Where each text ends, behind a zero for the first one to start at. */
  #ends: Uint32Array;
  #size = 0;

  /** With room for so many. */
  constructor(room = { texts: 64, octets: 4096 }) {
    this.#octets = Buffer.allocUnsafe(room.octets);
    this.#ends = new Uint32Array(room.texts + 2);
  }

  get size(): number {
    return this.#size;
  }

  /** Gives the number of the text. */
  add(text: string): number {
    const start = this.#room(text.length);
    for (let at = 0; at < text.length; at++) this.#octets[start + at] = text.charCodeAt(at);
    this.#ends[++this.#size] = start + text.length;
    return this.#size - 1;
  }

  /** The same for a text that is octets, those before `to`; `prefix` comes before them. */
  addOctets(octets: Uint8Array, from: number, to: number, prefix = ''): number {
    let place = this.#room(prefix.length + to - from);
    const own = this.#octets;
    for (let at = 0; at < prefix.length; at++) own[place++] = prefix.charCodeAt(at);
    for (let at = from; at < to; at++) own[place++] = octets[at] as number;
    this.#ends[++this.#size] = place;
    return this.#size - 1;
  }

  /** Where so many more octets, and the end of a text, can be put. */
  #room(length: number): number {
    const start = this.#ends[this.#size] as number;
    const end = start + length;
    if (end > this.#octets.length) this.#octets = grown(this.#octets, Buffer.allocUnsafe(2 * end));
    if (this.#size + 1 === this.#ends.length) this.#ends = grown(this.#ends, new Uint32Array(2 * this.#ends.length));
    return start;
  }

  /** Of all texts, until another one is added. */
  get octets(): Buffer {
    return this.#octets;
  }

  startOf(number: number): number {
    return this.#ends[number] as number;
  }

  endOf(number: number): number {
    return this.#ends[number + 1] as number;
  }

  at(number: number): string {
    return this.#octets.toString('latin1', this.#ends[number], this.#ends[number + 1]);
  }

  /** Whether the text of this number is those octets, before `to`. */
  is(number: number, octets: Uint8Array, from: number, to: number): boolean {
    const own = this.#octets;
    let place = this.#ends[number] as number;
    if ((this.#ends[number + 1] as number) - place !== to - from) return false;
    for (let at = from; at < to; at++) if (own[place++] !== octets[at]) return false;
    return true;
  }

  /**
   * Sorts numbers of items in place by the text of each; those of the same text by number. Gives, for each place, 1 where the text is that
   * of the place before.
   */
  sort(items: Uint32Array, textOf: ArrayLike<number>): Uint8Array {
    const same = new Uint8Array(items.length);
    if (items.length < comparedMax) {
      this.#sortFew(items, textOf, 0, same);
      return same;
    }
    let isAscending = true;
    for (let place = 1; place < items.length && isAscending; place++) {
      isAscending = (items[place - 1] as number) < (items[place] as number);
    }
    if (!isAscending) items.sort();
    this.#sortMany(items, textOf, 0, same);
    return same;
  }

  /** The first `depth` octets of all are the same, and the items are in order. */
  #sortMany(items: Uint32Array, textOf: ArrayLike<number>, depth: number, same: Uint8Array): void {
    const from = this.#sharedDepth(items, textOf, depth);
    const { ranks, bits } = this.#ranksAt(items, textOf, from);
    const octets = Math.floor(32 / bits);
    const keys = new Uint32Array(items.length);
    for (let place = 0; place < items.length; place++) {
      keys[place] = this.#keyAt(textOf[items[place] as number] as number, from, octets, ranks, bits);
    }
    radixSort(items, keys);
    const lastRank = 2 ** bits - 1;
    for (let start = 0, end = 0; start < items.length; start = end) {
      const key = keys[start] as number;
      for (end = start + 1; end < items.length && keys[end] === key; ) end++;
      if (end === start + 1) continue;
      // A text that ends within the octets of the key is that of all.
      if ((key & lastRank) === 0) same.fill(1, start + 1, end);
      else if (end - start < comparedMax)
        this.#sortFew(items.subarray(start, end), textOf, from + octets, same.subarray(start, end));
      else this.#sortMany(items.subarray(start, end), textOf, from + octets, same.subarray(start, end));
    }
  }

  /** The octets that the texts have next, which are fewer than 256, as ranks above that of an end, and the bits that these take. The fewer there are, the more are in one key. */
  #ranksAt(items: Uint32Array, textOf: ArrayLike<number>, from: number): { ranks: Uint8Array; bits: number } {
    const own = this.#octets;
    const ranks = new Uint8Array(256);
    for (let place = 0; place < items.length; place++) {
      const text = textOf[items[place] as number] as number;
      const start = (this.#ends[text] as number) + from;
      const end = Math.min(this.#ends[text + 1] as number, start + octetsInKey);
      for (let at = start; at < end; at++) ranks[own[at] as number] = 1;
    }
    let rank = 0;
    for (let octet = 0; octet < ranks.length; octet++) if (ranks[octet] === 1) ranks[octet] = ++rank;
    return { ranks, bits: Math.max(32 - Math.clz32(rank), 32 / octetsInKey) };
  }

  #keyAt(text: number, from: number, octets: number, ranks: Uint8Array, bits: number): number {
    const own = this.#octets;
    const end = this.#ends[text + 1] as number;
    const start = (this.#ends[text] as number) + from;
    let key = 0;
    for (let at = start; at < start + octets; at++) {
      key = (key << bits) | (at < end ? (ranks[own[at] as number] as number) : 0);
    }
    return key >>> 0;
  }

  #sortFew(items: Uint32Array, textOf: ArrayLike<number>, depth: number, same: Uint8Array): void {
    for (let next = 1; next < items.length; next++) {
      const item = items[next] as number;
      const text = textOf[item] as number;
      let place = next;
      for (; place > 0; place--) {
        const other = items[place - 1] as number;
        if ((this.#compare(textOf[other] as number, text, depth) || other - item) <= 0) break;
        items[place] = other;
      }
      items[place] = item;
    }
    for (let place = 1; place < items.length; place++) {
      const [before, text] = [textOf[items[place - 1] as number] as number, textOf[items[place] as number] as number];
      same[place] = Number(this.#compare(before, text, depth) === 0);
    }
  }

  /** How many octets all have in common. */
  #sharedDepth(items: Uint32Array, textOf: ArrayLike<number>, depth: number): number {
    const first = textOf[items[0] as number] as number;
    let shared = depth;
    while (this.#octet(first, shared) > 0) shared++;
    for (let place = 1; place < items.length && shared > depth; place++) {
      const text = textOf[items[place] as number] as number;
      let at = depth;
      while (at < shared && this.#octet(text, at) === this.#octet(first, at)) at++;
      shared = at;
    }
    return shared;
  }

  /** 0 behind the end. */
  #octet(text: number, at: number): number {
    const octet = (this.#ends[text] as number) + at;
    return octet < (this.#ends[text + 1] as number) ? (this.#octets[octet] as number) : 0;
  }

  /** As numbers compare, of which the smaller one is negative; both have the octets before `from` in common. */
  #compare(a: number, b: number, from: number): number {
    const octets = this.#octets;
    const [endOfA, endOfB] = [this.#ends[a + 1] as number, this.#ends[b + 1] as number];
    let atA = (this.#ends[a] as number) + from;
    let atB = (this.#ends[b] as number) + from;
    for (; atA < endOfA && atB < endOfB; atA++, atB++) {
      const difference = (octets[atA] as number) - (octets[atB] as number);
      if (difference !== 0) return difference;
    }
    return Math.max(endOfA - atA, 0) - Math.max(endOfB - atB, 0);
  }
}

/** Texts of which each has one number, however often it is named. */
export class Names {
  readonly texts: Texts;
  /** Numbers, each one more than it is, at or behind the place that its text has by its hash; 0: free. Behind each number is the hash. */
  #places: Uint32Array;
  #count = 0;

  /** With room for so many. */
  constructor(texts: Texts, room = 0) {
    this.texts = texts;
    this.#places = new Uint32Array(2 * 2 ** Math.max(12, Math.ceil(Math.log2(2 * room + 1))));
  }

  numberOf(text: string): number {
    const octets = Buffer.from(text, 'latin1');
    return this.numberOfOctets(octets, 0, octets.length);
  }

  /** The same for a text that is octets, those before `to`. */
  numberOfOctets(octets: Uint8Array, from: number, to: number): number {
    const places = this.#places;
    const hash = hashOf(octets, from, to) >>> 0;
    const mask = places.length - 1;
    let place = (2 * hash) & mask;
    for (; places[place] !== 0; place = (place + 2) & mask) {
      const known = (places[place] as number) - 1;
      if (places[place + 1] === hash && this.texts.is(known, octets, from, to)) return known;
    }
    const number = this.texts.addOctets(octets, from, to);
    places[place] = number + 1;
    places[place + 1] = hash;
    if (++this.#count * 4 > places.length) this.#grow();
    return number;
  }

  #grow(): void {
    const known = this.#places;
    const places = new Uint32Array(4 * known.length);
    const mask = places.length - 1;
    for (let from = 0; from < known.length; from += 2) {
      if (known[from] === 0) continue;
      let place = (2 * (known[from + 1] as number)) & mask;
      while (places[place] !== 0) place = (place + 2) & mask;
      places[place] = known[from] as number;
      places[place + 1] = known[from + 1] as number;
    }
    this.#places = places;
  }
}

/** FNV-1a, in 32 bits. */
function hashOf(octets: Uint8Array, from: number, to: number): number {
  let hash = 0x811c9dc5;
  for (let at = from; at < to; at++) hash = Math.imul(hash ^ (octets[at] as number), 0x01000193);
  // Its lowest bits depend on the lowest bits of the text only.
  return hash ^ (hash >>> 15);
}

type NumberOfOctets = (octets: Buffer, from: number, to: number) => number;

/** What was worked out of the texts that came last: each is at a place of its own until another one takes it. */
export class RememberedTexts {
  readonly #octets = Buffer.allocUnsafe(rememberedMax * rememberedOctetsMax);
  readonly #lengths = new Uint8Array(rememberedMax);
  readonly #numbers = new Float64Array(rememberedMax);
  readonly #numberOf: NumberOfOctets;

  constructor(numberOf: NumberOfOctets) {
    this.#numberOf = numberOf;
  }

  /** The number that belongs to the octets, which are not empty: as it is remembered, or as it is worked out. */
  recall(octets: Buffer, from: number, to: number): number {
    const length = to - from;
    if (length > rememberedOctetsMax) return this.#numberOf(octets, from, to);
    const place = hashOf(octets, from, to) & (rememberedMax - 1);
    const start = place * rememberedOctetsMax;
    const own = this.#octets;
    let same = this.#lengths[place] === length ? 0 : length;
    while (same < length && own[start + same] === octets[from + same]) same++;
    if (same === length && this.#lengths[place] === length) return this.#numbers[place] as number;
    const number = this.#numberOf(octets, from, to);
    for (let at = 0; at < length; at++) own[start + at] = octets[from + at] as number;
    this.#lengths[place] = length;
    this.#numbers[place] = number;
    return number;
  }
}

const rememberedMax = 1 << 14;
const rememberedOctetsMax = 96;

function grown<T extends Uint8Array | Uint32Array>(values: T, larger: T): T {
  larger.set(values);
  return larger;
}
