import { type MethodError, methodError, ok, type Result, refuse } from '../../jmap/errors.ts';
import type { Id } from '../../jmap/scalars.ts';
import { type Window, windowOf } from '../../jmap/standard/window.ts';
import type { Queried, QueryRequest } from '../../jmap/verbs.ts';
import type { CatalogView } from '../view.ts';
import { candidateOf } from './candidate.ts';
import {
  countedTotal,
  type EmailQuery,
  type Evaluation,
  evaluate,
  type QueryLimits,
  queryLimits,
} from './evaluation.ts';
import type { EmailFilterCondition } from './filter.ts';
import { queryStateOf } from './query-state.ts';
import { resultsOf } from './results.ts';
import type { EmailComparator } from './sort.ts';
import type { QuerySources } from './sources.ts';
import { decide } from './truth.ts';

export type EmailQueryRequest = QueryRequest<EmailFilterCondition, EmailComparator, EmailQuery['args']>;

/**
 * Answers Email/query (RFC 8621 §4.4) from one view of the catalog. What the catalog cannot tell is asked of `sources`,
 * and only for Emails that nothing else decides.
 */
export function queryEmails(
  view: CatalogView,
  request: EmailQueryRequest,
  sources: QuerySources,
  limits: QueryLimits = queryLimits,
): Promise<Result<Queried, MethodError>> {
  return evaluate(view, request, sources, limits, async (evaluation) => {
    const counted = countedTotal(evaluation);
    const window = fromStart(request.window, counted);
    if (window.from === 'anchor' && (await isNoResult(window.anchor, evaluation))) {
      return refuse(methodError('anchorNotFound', `${window.anchor} is not among the results`));
    }
    const counts = request.calculateTotal && counted === undefined;
    const results = await resultsOf(evaluation, counts ? Number.POSITIVE_INFINITY : wantedFor(window));
    if (!results.ok) return results;

    const first: Id[] = [];
    if (counts || !reaches(first, window)) {
      for await (const batch of results.value.batches) {
        for (const { id } of batch) first.push(id);
        if (!counts && reaches(first, window)) break;
      }
    }
    const cut = windowOf(first, window);
    if (!cut.ok) return cut;
    return ok({
      queryState: queryStateOf(view, results.value.orderedBy),
      canCalculateChanges: true,
      ...cut.value,
      ...(request.calculateTotal ? { total: counted ?? first.length } : {}),
    });
  });
}

/** A position from the end is one from the start when the total is known. */
function fromStart(window: Window, total: number | undefined): Window {
  if (window.from === 'anchor' || window.position >= 0 || total === undefined) return window;
  return { ...window, position: Math.max(0, total + window.position) };
}

/** How many results have to be found for the window, as far as one can tell before. */
function wantedFor(window: Window): number {
  if (window.from === 'anchor') return Math.max(0, window.anchorOffset) + (window.limit ?? 0);
  return window.position < 0 ? Number.POSITIVE_INFINITY : window.position + (window.limit ?? Number.POSITIVE_INFINITY);
}

/** Whether these first results hold all that the window shows. */
function reaches(first: readonly Id[], window: Window): boolean {
  if (window.limit === null) return false;
  if (window.from === 'position') {
    return window.position >= 0 && (window.limit === 0 || first.length >= window.position + window.limit);
  }
  const index = first.indexOf(window.anchor);
  return index >= 0 && first.length >= Math.max(0, index + window.anchorOffset) + window.limit;
}

/** Whether it takes no look at the results to know that the Email is not among them. */
async function isNoResult(id: Id, { view, tests, knowledge }: Evaluation): Promise<boolean> {
  const email = (await view.emails([id])).get(id);
  const candidate = email && candidateOf(email);
  return candidate === undefined || decide(tests, (test) => knowledge.holds(test, candidate)) === false;
}
