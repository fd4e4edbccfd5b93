/** Numbers of more bits are put in parts of so many. */
const partBits = 16;
const partSize = 2 ** partBits;
/** What the operators on bits take. */
const wordBits = 32;
const wordSize = 2 ** wordBits;

/** Whole numbers, 0 … 2^53 − 1, to be written as how much each is above the least of them. */
export class NumberColumn {
  #numbers = new Float64Array(256);
  #least = Number.POSITIVE_INFINITY;
  #most = 0;
  count = 0;

  push(number: number): void {
    if (this.count === this.#numbers.length) {
      const larger = new Float64Array(2 * this.count);
      larger.set(this.#numbers);
      this.#numbers = larger;
    }
    this.#numbers[this.count++] = number;
    if (number < this.#least) this.#least = number;
    if (number > this.#most) this.#most = number;
  }

  at(place: number): number {
    return this.#numbers[place] as number;
  }

  get least(): number {
    return this.count === 0 ? 0 : this.#least;
  }

  /** Bits that each number takes. */
  get bits(): number {
    const span = this.#most - this.least;
    const high = Math.floor(span / wordSize);
    return high > 0 ? 2 * wordBits - Math.clz32(high) : wordBits - Math.clz32(span);
  }

  /** Puts the numbers into octets, from `start` on. */
  put(into: Uint8Array, start: number): void {
    const numbers = this.#numbers;
    const { count, least, bits } = this;
    let next = start;
    let held = 0;
    let free = 8;
    for (let place = 0; place < count; place++) {
      const number = (numbers[place] as number) - least;
      for (let left = bits; left > 0; ) {
        const width = ((left - 1) % partBits) + 1;
        left -= width;
        const part = bits <= wordBits ? number >>> left : Math.floor(number / 2 ** left);
        held = (held << width) | (part % partSize);
        free -= width;
        while (free <= 0) {
          into[next++] = held >> -free;
          free += 8;
        }
      }
    }
    if (free < 8) into[next] = held << free;
  }

  clear(): void {
    this.count = 0;
    this.#least = Number.POSITIVE_INFINITY;
    this.#most = 0;
  }
}

/** Octets that so many numbers take. */
export function octetsOfNumbers(count: number, bits: number): number {
  return Math.ceil((count * bits) / 8);
}

/** No block has so many entries, nor a number so many bits: bytes that say so are none of ours. */
const countMax = 2 ** 20;
const bitsMax = 53;

/** Reads so many numbers that were put like this. Throws a `RangeError` where none can have been. */
export function readNumbers(
  from: Uint8Array,
  count: number,
  { least, bits }: { readonly least: number; readonly bits: number },
): number[] {
  if (count > countMax || bits > bitsMax) throw new RangeError(`a column of ${count} numbers of ${bits} bits`);
  const numbers: number[] = [];
  let next = 0;
  let held = 0;
  let left = 0;
  for (let place = 0; place < count; place++) {
    let number = 0;
    for (let missing = bits; missing > 0; ) {
      const width = ((missing - 1) % partBits) + 1;
      missing -= width;
      for (; left < width; left += 8) held = ((held << 8) | (from[next++] as number)) & 0xff_ffff;
      left -= width;
      number = number * 2 ** width + ((held >> left) & (2 ** width - 1));
    }
    numbers.push(least + number);
  }
  return numbers;
}
