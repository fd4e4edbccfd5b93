import { ok, type Result, refuse, type SetError } from '../../jmap/errors.ts';

/** The properties of a record that cannot be as they were given, each with the reason. */
export class Objections {
  readonly #reasons = new Map<string, string>();

  /** Notes what is wrong with a property; of several reasons the first counts. */
  add(property: string, reason: string): void {
    if (!this.#reasons.has(property)) this.#reasons.set(property, reason);
  }

  /** The value; or, where there are objections, `invalidProperties` with all of them. */
  unless<T>(value: T): Result<T, SetError> {
    if (this.#reasons.size === 0) return ok(value);
    const description = [...this.#reasons].map(([property, reason]) => `${property}: ${reason}`).join('; ');
    return refuse({ type: 'invalidProperties', properties: [...this.#reasons.keys()], description });
  }
}
