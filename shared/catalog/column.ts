type Numbers = Float64Array | Int32Array;

/** A column of numbers that grows at its end, without an object for any. */
export class Column<T extends Numbers = Float64Array> {
  #values: T;
  length = 0;

  /** With room for so many: what grows is copied, and memory that is touched for the first time takes long. */
  constructor(kind: new (length: number) => T, room = 64) {
    this.#values = new kind(Math.max(room, 1));
  }

  push(value: number): void {
    if (this.length === this.#values.length) {
      const larger = new (this.#values.constructor as new (length: number) => T)(2 * this.length);
      larger.set(this.#values);
      this.#values = larger;
    }
    this.#values[this.length++] = value;
  }

  at(place: number): number {
    return this.#values[place] as number;
  }

  /** The numbers of these stretches, one after the other. */
  gathered(stretches: readonly { readonly start: number; readonly end: number }[]): T {
    if (stretches.every(({ start }, place) => start === (stretches[place - 1]?.end ?? 0))) {
      return this.#part(0, stretches.at(-1)?.end ?? 0);
    }
    const length = stretches.reduce((sum, { start, end }) => sum + end - start, 0);
    const whole = new (this.#values.constructor as new (length: number) => T)(length);
    let next = 0;
    for (const { start, end } of stretches) {
      whole.set(this.#part(start, end), next);
      next += end - start;
    }
    return whole;
  }

  #part(start: number, end: number): T {
    return this.#values.subarray(start, end) as T;
  }
}
