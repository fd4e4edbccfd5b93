/** A column of numbers that grows at its end, without an object for any. */
export class Column {
  #values = new Float64Array(1 << 10);
  length = 0;

  push(value: number): void {
    if (this.length === this.#values.length) {
      const larger = new Float64Array(2 * this.length);
      larger.set(this.#values);
      this.#values = larger;
    }
    this.#values[this.length++] = value;
  }

  /** The numbers from `start` to before `end`. */
  slice(start: number, end: number): Float64Array {
    return this.#values.subarray(start, Math.min(end, this.length));
  }
}
