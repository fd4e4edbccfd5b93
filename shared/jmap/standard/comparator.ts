import { type MethodError, methodError, ok, type Result, refuse } from '../errors.ts';
import {
  boolean,
  invalidArguments,
  type Members,
  nullable,
  object,
  type Parsed,
  quote,
  string,
  withDefault,
} from '../grammar.ts';
import type { JsonObject } from '../scalars.ts';

/** One level of a sort order (RFC 8620 §5.5). A type may give it further members, such as `keyword`. */
export type Comparator<P extends string = string> = {
  readonly property: P;
  readonly isAscending: boolean;
  /** One of the server's `collationAlgorithms`, or null: its default. */
  readonly collation: string | null;
};

/** What a type can sort by: each property with the further members that its Comparator has. */
export type SortTable = { readonly [property: string]: Members };

/** The Comparators of such a table, as a union discriminated by `property`. */
export type ComparatorOf<S extends SortTable> = {
  [P in keyof S & string]: Comparator<P> & { readonly [K in keyof S[P]]: Parsed<S[P]>[K] };
}[keyof S & string];

/** How many levels a sort order may have. */
export const maxComparators = 16;

/**
 * Parses one Comparator of the `sort` argument. What has the wrong form is `invalidArguments`; a property or collation
 * that the server does not sort by is `unsupportedSort`.
 */
export function parseComparator<S extends SortTable>(
  table: S,
  collationAlgorithms: readonly string[],
  value: JsonObject,
  path: string,
): Result<ComparatorOf<S>, MethodError> {
  const name = typeof value.property === 'string' ? value.property : undefined;
  if (name !== undefined && !Object.hasOwn(table, name)) {
    return refuse(methodError('unsupportedSort', `${path}/property: cannot sort by ${quote(name)}`));
  }
  const parsed = object({
    property: string,
    isAscending: withDefault(boolean, true),
    collation: nullable(string),
    ...(name === undefined ? {} : table[name]),
  }).parse(value);
  if (!parsed.ok) return invalidArguments(parsed.error, path);
  const { collation } = parsed.value;
  if (collation !== null && !collationAlgorithms.includes(collation)) {
    return refuse(methodError('unsupportedSort', `${path}/collation: there is no collation ${quote(collation)}`));
  }
  return ok(parsed.value as ComparatorOf<S>);
}
