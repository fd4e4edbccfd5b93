/** Numbers that look random and are the same for the same seed. */
export interface Random {
  /** A whole number from 0 up to, not including, the limit. */
  below(limit: number): number;
  /** A whole number between the two, both included. */
  between(least: number, most: number): number;
  /** true as often as the probability (0 to 1) says. */
  chance(probability: number): boolean;
  pick<T>(choices: readonly T[]): T;
  /** So many hexadecimal digits. */
  hex(digits: number): string;
  bytes(length: number): Buffer;
}

/** Mulberry32: small, fast, and good enough for a mailbox. */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const below = (limit: number): number => Math.floor(next() * limit);
  return {
    below,
    between: (least, most) => least + below(most - least + 1),
    chance: (probability) => next() < probability,
    pick: (choices) => choices[below(choices.length)] as (typeof choices)[number],
    hex: (digits) => Array.from({ length: digits }, () => below(16).toString(16)).join(''),
    bytes: (length) => Buffer.from(Array.from({ length }, () => below(256))),
  };
}
