// Quota/queryChanges (RFC 9425 §4.5)
import { ok } from '../../jmap/errors.ts';
import type { Context } from '../../jmap/method.ts';
import { spliceOf } from '../../jmap/standard/splice.ts';
import type { CanQueryChanges } from '../../jmap/verbs.ts';
import { type QuotaComparator, type QuotaCondition, queryQuotas } from './query.ts';
import { changesSince, quotaState } from './quota-state.ts';
import type { QuotaPorts } from './record.ts';
import { visibleQuotas } from './visible-quotas.ts';

export function canQueryChangesOfQuotas(
  { quotas }: QuotaPorts,
  { using }: Pick<Context, 'using'>,
): CanQueryChanges<QuotaCondition, QuotaComparator> {
  return {
    queryChanges: async (request) => {
      const visible = visibleQuotas(await quotas(), using);
      const changes = changesSince(request.sinceQueryState, visible);
      if (!changes.ok) return changes;
      const results = queryQuotas(visible, request);
      const touched = new Set(changes.value.map(({ id }) => id));
      const isFixed = request.sort.every(({ property }) => property !== 'used');
      return ok({
        newQueryState: quotaState(visible),
        ...spliceOf(results, touched, isFixed ? request.upToId : null),
        ...(request.calculateTotal ? { total: results.length } : {}),
      });
    },
  };
}
