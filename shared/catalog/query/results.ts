import { type MethodError, ok, type Result } from '../../jmap/errors.ts';
import type { Id } from '../../jmap/scalars.ts';
import type { Candidate } from './candidate.ts';
import type { Evaluation } from './evaluation.ts';
import { orderByCatalog, orderByHeaders } from './order.ts';
import type { OrderedBy } from './query-state.ts';
import { isHeaderComparator } from './sort.ts';
import { walk } from './walk.ts';

/** The results of a query in their order, found batch by batch as they are asked for. */
export type Results = { readonly batches: AsyncIterable<readonly Candidate[]>; readonly orderedBy: OrderedBy };

/**
 * All results of the query: filtered, sorted, collapsed. Where the order begins with the date, `wanted` says how many of
 * them will probably be looked at, and no more is read than that takes; any other order takes all rows of the scope.
 */
export async function resultsOf(evaluation: Evaluation, wanted: number): Promise<Result<Results, MethodError>> {
  const { view, scope, comparators, knowledge, sources, limits } = evaluation;
  const [leading] = comparators;
  const byHeaders = comparators.some(isHeaderComparator);
  if (leading?.property === 'receivedAt' && !byHeaders) {
    return ok({
      batches: collapsed(evaluation, byDate(evaluation, !leading.isAscending, wanted)),
      orderedBy: { kind: 'catalog' },
    });
  }

  const matches: Candidate[] = [];
  for await (const batch of walk(view, scope, true, Number.POSITIVE_INFINITY)) {
    matches.push(...(await knowledge.matching(batch)));
  }
  if (!byHeaders) {
    const emails = await orderByCatalog(matches, comparators, knowledge);
    return ok({ batches: collapsed(evaluation, [emails]), orderedBy: { kind: 'catalog' } });
  }
  const [sole, ...others] = scope.mailboxes;
  const mailbox = sole === undefined || others.length > 0 ? undefined : evaluation.mailboxes.get(sole);
  const ordered = await orderByHeaders(matches, comparators, knowledge, sources, mailbox, limits.fetchedToSortMax);
  if (!ordered.ok) return ordered;
  const { emails, orderedBy } = ordered.value;
  return ok({ batches: collapsed(evaluation, [emails]), orderedBy });
}

async function* byDate(
  { view, scope, comparators, knowledge }: Evaluation,
  newestFirst: boolean,
  wanted: number,
): AsyncGenerator<readonly Candidate[]> {
  for await (const batch of walk(view, scope, newestFirst, wanted)) {
    yield await orderByCatalog(await knowledge.matching(batch), comparators, knowledge);
  }
}

/** With `collapseThreads`, only the first Email of each Thread (RFC 8621 §4.4.3). */
async function* collapsed(
  { collapseThreads }: Evaluation,
  batches: AsyncIterable<readonly Candidate[]> | Iterable<readonly Candidate[]>,
): AsyncGenerator<readonly Candidate[]> {
  const seen = new Set<Id>();
  for await (const batch of batches) {
    if (!collapseThreads) {
      yield batch;
      continue;
    }
    yield batch.filter(({ threadId }) => {
      const isFirst = !seen.has(threadId);
      seen.add(threadId);
      return isFirst;
    });
  }
}
