import { Buffer } from 'node:buffer';

/** Fewer than so many are sorted by comparing them. */
const comparedMax = 24;
/** What is sorted at once: numbers below it stand behind four octets in one exact number. */
const itemsMax = 2 ** 21;

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
    const start = this.#room(prefix.length + to - from);
    let place = start;
    for (let at = 0; at < prefix.length; at++) this.#octets[place++] = prefix.charCodeAt(at);
    for (let at = from; at < to; at++) this.#octets[place++] = octets[at] as number;
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

  isSame(a: number, b: number): boolean {
    return a === b || this.#compare(a, b, 0) === 0;
  }

  /** Whether the text of this number is that one. */
  is(number: number, text: string): boolean {
    const start = this.#ends[number] as number;
    if ((this.#ends[number + 1] as number) - start !== text.length) return false;
    let at = 0;
    while (at < text.length && this.#octets[start + at] === text.charCodeAt(at)) at++;
    return at === text.length;
  }

  /** Sorts numbers of items in place by the text of each; those of the same text by number. */
  sort(items: Uint32Array, textOf: ArrayLike<number>): void {
    if (textOf.length > itemsMax) throw new Error(`Too many to be sorted at once: ${textOf.length}`);
    if (items.length < comparedMax) this.#sortFew(items, textOf, 0);
    else this.#sortMany(items, textOf, 0);
  }

  /** The first `depth` octets of all are the same. */
  #sortMany(items: Uint32Array, textOf: ArrayLike<number>, depth: number): void {
    const from = this.#sharedDepth(items, textOf, depth);
    const keys = this.#sortByFourOctets(items, textOf, from);
    for (let start = 0, end = 0; start < items.length; start = end) {
      const octets = Math.floor((keys[start] as number) / itemsMax);
      for (end = start + 1; end < items.length && Math.floor((keys[end] as number) / itemsMax) === octets; ) end++;
      // A text that ends within the four octets is that of all.
      if (end === start + 1 || (octets & 0xff) === 0) continue;
      const alike = items.subarray(start, end);
      if (alike.length < comparedMax) this.#sortFew(alike, textOf, from + 4);
      else this.#sortMany(alike, textOf, from + 4);
    }
  }

  /** Gives the four octets from `from` on of each, and behind them its number. */
  #sortByFourOctets(items: Uint32Array, textOf: ArrayLike<number>, from: number): Float64Array {
    const keys = new Float64Array(items.length);
    for (let place = 0; place < items.length; place++) {
      const item = items[place] as number;
      keys[place] = this.#fourOctets(textOf[item] as number, from) * itemsMax + item;
    }
    keys.sort();
    for (let place = 0; place < items.length; place++) items[place] = (keys[place] as number) % itemsMax;
    return keys;
  }

  #sortFew(items: Uint32Array, textOf: ArrayLike<number>, depth: number): void {
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

  #fourOctets(text: number, from: number): number {
    const octets =
      (this.#octet(text, from) << 24) |
      (this.#octet(text, from + 1) << 16) |
      (this.#octet(text, from + 2) << 8) |
      this.#octet(text, from + 3);
    return octets >>> 0;
  }

  /** 0 behind the end. */
  #octet(text: number, at: number): number {
    const octet = (this.#ends[text] as number) + at;
    return octet < (this.#ends[text + 1] as number) ? (this.#octets[octet] as number) : 0;
  }

  #compare(a: number, b: number, from: number): number {
    for (let at = from; ; at++) {
      const octet = this.#octet(a, at);
      const difference = octet - this.#octet(b, at);
      if (difference !== 0 || octet === 0) return difference;
    }
  }
}

/** Texts of which each has one number, however often it is named. */
export class Names {
  readonly texts: Texts;
  /** Numbers, each one more than it is, at or behind the place that its text has by its hash; 0: free. */
  #places: Uint32Array;
  #count = 0;

  /** With room for so many. */
  constructor(texts: Texts, room = 0) {
    this.texts = texts;
    this.#places = new Uint32Array(2 ** Math.max(12, Math.ceil(Math.log2(2 * room + 1))));
  }

  numberOf(text: string): number {
    const place = this.#placeOf(text);
    const known = this.#places[place] as number;
    if (known > 0) return known - 1;
    const number = this.texts.add(text);
    this.#places[place] = number + 1;
    if (++this.#count * 2 > this.#places.length) this.#grow();
    return number;
  }

  #placeOf(text: string): number {
    const mask = this.#places.length - 1;
    let place = hashOf(text) & mask;
    for (; ; place = (place + 1) & mask) {
      const known = this.#places[place] as number;
      if (known === 0 || this.texts.is(known - 1, text)) return place;
    }
  }

  #grow(): void {
    const known = this.#places.filter((number) => number > 0);
    this.#places = new Uint32Array(4 * this.#places.length);
    for (const number of known) this.#places[this.#placeOf(this.texts.at(number - 1))] = number;
  }
}

/** FNV-1a, in 32 bits. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  // Its lowest bits depend on the lowest bits of the text only.
  return hash ^ (hash >>> 15);
}

/** What was worked out of the texts that came last: each is at a place of its own until another one takes it. */
export class RememberedTexts {
  readonly #octets = Buffer.allocUnsafe(rememberedMax * rememberedOctetsMax);
  readonly #lengths = new Uint8Array(rememberedMax);
  readonly #numbers = new Float64Array(rememberedMax);

  /** The number that belongs to the octets, which are not empty: as it is remembered, or as `numberOf` has it. */
  recall(octets: Uint8Array, from: number, to: number, numberOf: () => number): number {
    const length = to - from;
    if (length > rememberedOctetsMax) return numberOf();
    let hash = 0x811c9dc5;
    for (let at = from; at < to; at++) hash = Math.imul(hash ^ (octets[at] as number), 0x01000193);
    const place = (hash ^ (hash >>> 15)) & (rememberedMax - 1);
    const start = place * rememberedOctetsMax;
    let same = this.#lengths[place] === length ? 0 : length;
    while (same < length && this.#octets[start + same] === octets[from + same]) same++;
    if (same === length && this.#lengths[place] === length) return this.#numbers[place] as number;
    const number = numberOf();
    for (let at = 0; at < length; at++) this.#octets[start + at] = octets[from + at] as number;
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
