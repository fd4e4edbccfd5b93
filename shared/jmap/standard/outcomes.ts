import type { Result, SetError } from '../errors.ts';
import type { JsonObject, JsonValue } from '../scalars.ts';

/** What became of each record of a /set or /copy, by the id or creation id that names it. */
export type Outcomes<K extends string, T> = { readonly done: Map<K, T>; readonly refused: Map<string, SetError> };

export function noOutcomes<K extends string, T>(): Outcomes<K, T> {
  return { done: new Map(), refused: new Map() };
}

/** All of these records refused, for the same reason. */
export function refuseAll<K extends string, T>(names: Iterable<K>, error: SetError): Outcomes<K, T> {
  return { done: new Map(), refused: new Map([...names].map((name) => [name, error])) };
}

/** Notes the outcomes of these records. */
export function settle<K extends string, T>(
  outcomes: Outcomes<K, T>,
  results: Iterable<readonly [K, Result<T, SetError>]>,
): void {
  for (const [name, result] of results) {
    if (result.ok) outcomes.done.set(name, result.value);
    else outcomes.refused.set(name, result.error);
  }
}

/** The map as a response has it: null when nothing is in it (RFC 8620 §5.3). */
export function mapOrNull(map: ReadonlyMap<string, JsonValue>): JsonObject | null {
  return map.size === 0 ? null : Object.fromEntries(map);
}
