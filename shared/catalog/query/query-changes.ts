import { type MethodError, methodError, ok, type Result, refuse } from '../../jmap/errors.ts';
import type { Id } from '../../jmap/scalars.ts';
import type { AddedItem, QueryChanges, QueryChangesRequest } from '../../jmap/verbs.ts';
import type { CatalogView } from '../view.ts';
import { type Candidate, candidateOf } from './candidate.ts';
import { type Differences, differencesOf } from './differences.ts';
import {
  countedTotal,
  type EmailQuery,
  type Evaluation,
  evaluate,
  type QueryLimits,
  queryLimits,
} from './evaluation.ts';
import { type EmailFilterCondition, hasTest, isMutableTest } from './filter.ts';
import { orderByCatalog } from './order.ts';
import { type OrderedBy, parseQueryState, queryStateOf, sameOrder } from './query-state.ts';
import { resultsOf } from './results.ts';
import { type EmailComparator, isHeaderComparator, isMutableComparator } from './sort.ts';
import type { QuerySources } from './sources.ts';
import { touchedSince } from './touched.ts';

export type EmailQueryChangesRequest = QueryChangesRequest<EmailFilterCondition, EmailComparator, EmailQuery['args']>;

/**
 * Answers Email/queryChanges (RFC 8621 §4.5, RFC 8620 §5.6) for every filter and sort that `queryEmails` answers. Only
 * Emails that something happened to, and others of their Threads, can differ: the text of a message never changes.
 */
export function queryEmailChanges(
  view: CatalogView,
  request: EmailQueryChangesRequest,
  sources: QuerySources,
  limits: QueryLimits = queryLimits,
): Promise<Result<QueryChanges, MethodError>> {
  return evaluate(view, request, sources, limits, async (evaluation) => {
    const since = parseQueryState(request.sinceQueryState);
    const byHeaders = evaluation.comparators.some(isHeaderComparator);
    if (since === undefined || !canTellSince(view, since) || byHeaders === (since.orderedBy.kind === 'catalog')) {
      return cannotCalculateChanges();
    }
    const differences = await differencesOf(evaluation, await touchedSince(view, since.version));
    const isUnchanged = differences.removed.size === 0 && differences.added.size === 0;
    const upToId = isUnchanged ? null : await usableUpToId(evaluation, request.upToId);
    const { maxChanges, calculateTotal } = request;
    if (maxChanges !== null && upToId === null && differences.removed.size > maxChanges) return tooManyChanges();

    const counted = countedTotal(evaluation);
    const counts = calculateTotal && counted === undefined;
    const located: Result<Located, MethodError> =
      isUnchanged && !counts
        ? ok({ added: [], total: 0, upTo: undefined, orderedBy: since.orderedBy })
        : await locate(evaluation, differences.added, upToId, counts);
    if (!located.ok) return located;
    const { added, total, upTo, orderedBy } = located.value;
    if (!sameOrder(orderedBy, since.orderedBy)) return cannotCalculateChanges();
    const removed =
      upTo === undefined || byHeaders ? [...differences.removed] : await notBehind(upTo, differences, evaluation);
    if (maxChanges !== null && removed.length + added.length > maxChanges) return tooManyChanges();
    return ok({
      newQueryState: queryStateOf(view, orderedBy),
      removed,
      added,
      ...(calculateTotal ? { total: counted ?? total } : {}),
    });
  });
}

function canTellSince(view: CatalogView, since: { readonly epoch: string; readonly version: number }): boolean {
  const { versions, oldestVersions } = view;
  return since.epoch === view.epoch && since.version <= versions.Email && since.version >= oldestVersions.Email;
}

/**
 * The `upToId` when changes behind it need not be told: the filter and the sort are on immutable properties only, and
 * the Email can be among the results.
 */
async function usableUpToId({ view, tests, comparators, knowledge }: Evaluation, id: Id | null): Promise<Id | null> {
  if (id === null || hasTest(tests, isMutableTest) || comparators.some(isMutableComparator)) return null;
  const email = (await view.emails([id])).get(id);
  const candidate = email && candidateOf(email);
  return candidate !== undefined && (await knowledge.matching([candidate])).length > 0 ? id : null;
}

type Located = {
  readonly added: AddedItem[];
  /** How many results there are, where they were counted. */
  readonly total: number;
  /** The Email of `upToId`, if it is among the results. */
  readonly upTo: Candidate | undefined;
  readonly orderedBy: OrderedBy;
};

/** The positions of the wanted Emails among the results, as far as `upToId`; looks no further than it takes. */
async function locate(
  evaluation: Evaluation,
  wanted: ReadonlySet<Id>,
  upToId: Id | null,
  counts: boolean,
): Promise<Result<Located, MethodError>> {
  const added: AddedItem[] = [];
  let upTo: Candidate | undefined;
  let total = 0;
  // Without added Emails the removed ones are gone, and nothing tells where they were.
  const upToMatters = upToId !== null && wanted.size > 0;
  const isDone = () => !counts && (upToMatters ? upTo !== undefined : added.length === wanted.size);
  const results = await resultsOf(evaluation, counts ? Number.POSITIVE_INFINITY : wanted.size);
  if (!results.ok) return results;
  const { batches, orderedBy } = results.value;
  if (isDone()) return ok({ added, total, upTo, orderedBy });
  for await (const batch of batches) {
    for (const candidate of batch) {
      if (upTo === undefined && wanted.has(candidate.id)) added.push({ id: candidate.id, index: total });
      if (candidate.id === upToId) upTo = candidate;
      total += 1;
    }
    if (isDone()) break;
  }
  return ok({ added, total, upTo, orderedBy });
}

/** The removed Emails without those whose place is behind that Email. */
async function notBehind(upTo: Candidate, { removed, emails }: Differences, evaluation: Evaluation): Promise<Id[]> {
  const present = [...removed].flatMap((id) => (id === upTo.id ? [] : (emails.get(id) ?? [])));
  const inOrder = await orderByCatalog([...present, upTo], evaluation.comparators, evaluation.knowledge);
  const behind = new Set(inOrder.slice(inOrder.findIndex(({ id }) => id === upTo.id) + 1).map(({ id }) => id));
  return [...removed].filter((id) => !behind.has(id));
}

function cannotCalculateChanges(): Result<never, MethodError> {
  return refuse(methodError('cannotCalculateChanges'));
}

function tooManyChanges(): Result<never, MethodError> {
  return refuse(methodError('tooManyChanges'));
}
