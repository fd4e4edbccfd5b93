// Quota/query (RFC 9425 §4.4)
import { collationKey, compareTexts } from '../../catalog/query/collation.ts';
import { decide } from '../../catalog/query/truth.ts';
import { ok } from '../../jmap/errors.ts';
import { string } from '../../jmap/grammar.ts';
import type { Context } from '../../jmap/method.ts';
import type { Id } from '../../jmap/scalars.ts';
import type { ComparatorOf } from '../../jmap/standard/comparator.ts';
import type { ConditionOf, Filter } from '../../jmap/standard/filter.ts';
import { windowOf } from '../../jmap/standard/window.ts';
import type { CanQuery } from '../../jmap/verbs.ts';
import { quotaState } from './quota-state.ts';
import type { Quota, QuotaPorts } from './record.ts';
import { visibleQuotas } from './visible-quotas.ts';

/** What Quotas can be queried by. */
export const quotaQuery = {
  filter: { name: string, scope: string, resourceType: string, type: string },
  sort: { name: {}, used: {} },
} as const;

export type QuotaCondition = ConditionOf<typeof quotaQuery.filter>;
export type QuotaComparator = ComparatorOf<typeof quotaQuery.sort>;
type Query = { readonly filter: Filter<QuotaCondition> | null; readonly sort: readonly QuotaComparator[] };

export function canQueryQuotas(
  { quotas }: QuotaPorts,
  { using }: Pick<Context, 'using'>,
): CanQuery<QuotaCondition, QuotaComparator> {
  return {
    query: async (request) => {
      const visible = visibleQuotas(await quotas(), using);
      const results = queryQuotas(visible, request);
      const window = windowOf(results, request.window);
      if (!window.ok) return window;
      return ok({
        queryState: quotaState(visible),
        canCalculateChanges: true,
        total: results.length,
        ...window.value,
      });
    },
  };
}

/** All results in order; those that compare equal go by name and id. */
export function queryQuotas(quotas: readonly Quota[], { filter, sort }: Query): Id[] {
  const tests = filter && testsOf(filter);
  const isResult = (quota: Quota) => tests === null || decide(tests, (test) => test(quota)) === true;
  return quotas
    .filter(isResult)
    .sort(comparison(sort))
    .map(({ id }) => id);
}

type QuotaTest = (quota: Quota) => boolean;

function testsOf(filter: Filter<QuotaCondition>): Filter<readonly QuotaTest[]> {
  if (filter.operator !== undefined) {
    return { operator: filter.operator, conditions: filter.conditions.map(testsOf) };
  }
  const { name, scope, resourceType, type } = filter.condition;
  const tests: QuotaTest[] = [];
  if (name !== undefined) {
    const sought = collationKey(name, null);
    tests.push((quota) => collationKey(quota.name, null).includes(sought));
  }
  if (scope !== undefined) tests.push((quota) => quota.scope === scope);
  if (resourceType !== undefined) tests.push((quota) => quota.resourceType === resourceType);
  if (type !== undefined) tests.push((quota) => quota.types.includes(type));
  return { condition: tests };
}

function comparison(sort: readonly QuotaComparator[]): (a: Quota, b: Quota) => number {
  const comparators = [...sort, { property: 'name', isAscending: true, collation: null } as const];
  return (a, b) => {
    for (const { property, isAscending, collation } of comparators) {
      const difference =
        property === 'used'
          ? a.used - b.used
          : compareTexts(collationKey(a.name, collation), collationKey(b.name, collation));
      if (difference !== 0) return isAscending ? difference : -difference;
    }
    return compareTexts(a.id, b.id);
  };
}
