// The standard /query method (RFC 8620 §5.5)
import { type MethodError, methodError, ok, type Result, refuse } from '../errors.ts';
import {
  anyObject,
  arrayOf,
  boolean,
  id,
  int,
  type Members,
  nullable,
  type Parsed,
  unsignedInt,
  withDefault,
} from '../grammar.ts';
import { type AccountMethod, accountMethod } from '../method.ts';
import type { RecordType } from '../record-type.ts';
import type { JsonObject } from '../scalars.ts';
import type { CanQuery } from '../verbs.ts';
import { type ComparatorOf, maxComparators, parseComparator, type SortTable } from './comparator.ts';
import { type ConditionOf, type Filter, parseFilter } from './filter.ts';
import { type ChoosePort, ownPort } from './port.ts';
import type { Window } from './window.ts';

/** What a type can be queried by; /query and /queryChanges share it. */
export type QuerySpec<F extends Members, S extends SortTable, A extends Members> = {
  /** The conditions of its FilterCondition. */
  readonly filter: F;
  readonly sort: S;
  /** Arguments besides the standard ones, such as `collapseThreads`. */
  readonly args?: A;
  /** The most ids that one answer has; without it there is no limit but the client's. */
  readonly maxLimit?: number;
};

/** `Foo/query`. `limit` is in the response only when `maxLimit` reduced it. */
export function standardQuery<
  N extends string,
  const F extends Members,
  const S extends SortTable,
  const A extends Members = Record<never, never>,
  Ports = { readonly [K in N]: CanQuery<ConditionOf<F>, ComparatorOf<S>, Parsed<A>> },
>(
  type: Pick<RecordType<N>, 'name'>,
  spec: QuerySpec<F, S, A> & {
    readonly port?: ChoosePort<Ports, CanQuery<ConditionOf<F>, ComparatorOf<S>, Parsed<A>>>;
  },
): AccountMethod<NoInfer<Ports>> {
  const choosePort = spec.port ?? ownPort(type.name);
  const members = {
    ...queryMembers,
    position: withDefault(int, 0),
    anchor: nullable(id),
    anchorOffset: withDefault(int, 0),
    limit: nullable(unsignedInt),
  };

  return accountMethod({ ...spec.args, ...members }, async (args, ports: Ports, context) => {
    const { accountId, calculateTotal } = args;
    const parsed = parseQuery(spec, args, context.limits.collationAlgorithms);
    if (!parsed.ok) return parsed;
    const limit = Math.min(args.limit ?? Number.POSITIVE_INFINITY, spec.maxLimit ?? Number.POSITIVE_INFINITY);
    const window: Window = {
      ...(args.anchor === null
        ? { from: 'position', position: args.position }
        : { from: 'anchor', anchor: args.anchor, anchorOffset: args.anchorOffset }),
      limit: limit === Number.POSITIVE_INFINITY ? null : limit,
    };
    const result = await choosePort(ports, context).query({
      ...parsed.value,
      window,
      calculateTotal,
      args: args as unknown as Parsed<A>,
    });
    if (!result.ok) return result;
    const { queryState, canCalculateChanges, position, ids, total } = result.value;
    const response: JsonObject = { accountId, queryState, canCalculateChanges, position, ids };
    if (calculateTotal) response.total = totalOf(total);
    if (window.limit !== args.limit) response.limit = window.limit;
    return ok({ response });
  });
}

/** The arguments that /query and /queryChanges have in common. */
export const queryMembers = {
  filter: nullable(anyObject),
  sort: nullable(arrayOf(anyObject)),
  calculateTotal: withDefault(boolean, false),
};

/** The `filter` and `sort` arguments, checked against what the type can be queried by. */
export function parseQuery<F extends Members, S extends SortTable, A extends Members>(
  spec: QuerySpec<F, S, A>,
  args: { readonly filter: JsonObject | null; readonly sort: readonly JsonObject[] | null },
  collationAlgorithms: readonly string[],
): Result<{ filter: Filter<ConditionOf<F>> | null; sort: ComparatorOf<S>[] }, MethodError> {
  const filter = args.filter === null ? ok(null) : parseFilter(spec.filter, args.filter);
  if (!filter.ok) return filter;
  const given = args.sort ?? [];
  if (given.length > maxComparators) {
    return refuse(methodError('unsupportedSort', `/sort: more than ${maxComparators} comparators`));
  }
  const sort: ComparatorOf<S>[] = [];
  for (const [index, comparator] of given.entries()) {
    const parsed = parseComparator(spec.sort, collationAlgorithms, comparator, `/sort/${index}`);
    if (!parsed.ok) return parsed;
    sort.push(parsed.value);
  }
  return ok({ filter: filter.value, sort });
}

/** The total that a port owes when `calculateTotal` was asked for. */
export function totalOf(total: number | undefined): number {
  if (total === undefined) throw new Error('Could not give the total: the query did not count');
  return total;
}
