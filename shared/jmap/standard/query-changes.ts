// The standard /queryChanges method (RFC 8620 §5.6)
import { methodError, ok, refuse } from '../errors.ts';
import { id, type Members, nullable, type Parsed, state, unsignedInt } from '../grammar.ts';
import { type AccountMethod, accountMethod } from '../method.ts';
import type { RecordType } from '../record-type.ts';
import type { JsonObject } from '../scalars.ts';
import type { CanQueryChanges } from '../verbs.ts';
import type { ComparatorOf, SortTable } from './comparator.ts';
import type { ConditionOf } from './filter.ts';
import { type ChoosePort, ownPort } from './port.ts';
import { parseQuery, type QuerySpec, queryMembers, totalOf } from './query.ts';

/** `Foo/queryChanges`. More than `maxChanges` removed and added items are `tooManyChanges`. */
export function standardQueryChanges<
  N extends string,
  const F extends Members,
  const S extends SortTable,
  const A extends Members = Record<never, never>,
  Ports = { readonly [K in N]: CanQueryChanges<ConditionOf<F>, ComparatorOf<S>, Parsed<A>> },
>(
  type: Pick<RecordType<N>, 'name'>,
  spec: QuerySpec<F, S, A> & {
    readonly port?: ChoosePort<Ports, CanQueryChanges<ConditionOf<F>, ComparatorOf<S>, Parsed<A>>>;
  },
): AccountMethod<NoInfer<Ports>> {
  const choosePort = spec.port ?? ownPort(type.name);
  const members = {
    ...queryMembers,
    sinceQueryState: state,
    maxChanges: nullable(unsignedInt),
    upToId: nullable(id),
  };

  return accountMethod({ ...spec.args, ...members }, async (args, ports: Ports, context) => {
    const { accountId, sinceQueryState, maxChanges, upToId, calculateTotal } = args;
    const parsed = parseQuery(spec, args, context.limits.collationAlgorithms);
    if (!parsed.ok) return parsed;
    const result = await choosePort(ports, context).queryChanges({
      ...parsed.value,
      sinceQueryState,
      maxChanges,
      upToId,
      calculateTotal,
      args: args as unknown as Parsed<A>,
    });
    if (!result.ok) return result;
    const { newQueryState, removed, added, total } = result.value;
    if (maxChanges !== null && removed.length + added.length > maxChanges) {
      return refuse(methodError('tooManyChanges', `there are ${removed.length + added.length} changes`));
    }
    const response: JsonObject = { accountId, oldQueryState: sinceQueryState, newQueryState, removed, added };
    if (calculateTotal) response.total = totalOf(total);
    return ok({ response });
  });
}
