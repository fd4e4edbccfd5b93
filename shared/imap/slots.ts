/** So many at a time; the others wait their turn. */
export class Slots {
  readonly #max: number;
  #taken = 0;
  readonly #waiting: { readonly grant: () => void }[] = [];

  constructor(max: number) {
    this.#max = max;
  }

  get isIdle(): boolean {
    return this.#taken === 0 && this.#waiting.length === 0;
  }

  /** True when a slot was granted within the time; it has to be given back. */
  take(timeoutMs: number): Promise<boolean> {
    if (this.#taken < this.#max) {
      this.#taken++;
      return Promise.resolve(true);
    }
    return new Promise((resolve) => {
      const waiter = {
        grant: () => {
          clearTimeout(timer);
          resolve(true);
        },
      };
      const timer = setTimeout(() => {
        this.#waiting.splice(this.#waiting.indexOf(waiter), 1);
        resolve(false);
      }, timeoutMs);
      this.#waiting.push(waiter);
    });
  }

  giveBack(): void {
    const next = this.#waiting.shift();
    if (next) next.grant();
    else this.#taken--;
  }
}
