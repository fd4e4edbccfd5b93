/** How whole numbers are put: each as how much it is above the least, in so many bits. */
export type NumberForm = { readonly least: number; readonly bits: number };

/** Numbers of more bits are put in parts of so many. */
const partBits = 16;
const partSize = 2 ** partBits;

/** The form that takes least. Numbers are integers of 0 … 2^53 − 1. */
export function numberForm(numbers: ArrayLike<number>): NumberForm {
  let least = Number.POSITIVE_INFINITY;
  let most = 0;
  for (let place = 0; place < numbers.length; place++) {
    const number = numbers[place] as number;
    if (number < least) least = number;
    if (number > most) most = number;
  }
  if (numbers.length === 0) return { least: 0, bits: 0 };
  let bits = 0;
  for (let span = most - least; span >= 1; span /= 2) bits++;
  return { least, bits };
}

/** Octets that so many numbers take. */
export function octetsOfNumbers(count: number, bits: number): number {
  return Math.ceil((count * bits) / 8);
}

/** Puts them into octets, from `start` on. */
export function putNumbers(
  into: Uint8Array,
  start: number,
  numbers: ArrayLike<number>,
  { least, bits }: NumberForm,
): void {
  let next = start;
  let held = 0;
  let free = 8;
  for (let place = 0; place < numbers.length; place++) {
    const number = (numbers[place] as number) - least;
    for (let left = bits; left > 0; ) {
      const width = ((left - 1) % partBits) + 1;
      left -= width;
      const part = left === 0 && bits <= partBits ? number : Math.floor(number / 2 ** left) % partSize;
      held = (held << width) | part;
      free -= width;
      while (free <= 0) {
        into[next++] = held >> -free;
        free += 8;
      }
    }
  }
  if (free < 8) into[next] = held << free;
}

/** Reads so many that were put like this. */
export function readNumbers(from: Uint8Array, count: number, { least, bits }: NumberForm): number[] {
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
