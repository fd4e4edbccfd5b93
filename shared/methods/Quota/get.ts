// Quota/get (RFC 9425 §4.2)
import { ok } from '../../jmap/errors.ts';
import type { Context } from '../../jmap/method.ts';
import type { Id, JsonObject } from '../../jmap/scalars.ts';
import type { CanGet, Some } from '../../jmap/verbs.ts';
import { quotaState } from './quota-state.ts';
import type { Quota, QuotaPorts } from './record.ts';
import { visibleQuotas } from './visible-quotas.ts';

/** What the mail server says at this moment. */
export function canGetQuotas({ quotas }: QuotaPorts, { using }: Pick<Context, 'using'>): CanGet<Quota> {
  return {
    state: async () => quotaState(visibleQuotas(await quotas(), using)),
    get: async ({ ids, properties }) => {
      const visible = visibleQuotas(await quotas(), using);
      const wanted = ids === null ? visible : visible.filter(({ id }) => ids.includes(id));
      return ok({ state: quotaState(visible), list: wanted.map((quota) => only(properties, quota)) });
    },
  };
}

function only(properties: readonly string[], quota: Quota): Some<Quota> {
  const shown: JsonObject & { id: Id } = { id: quota.id };
  for (const name of properties) shown[name] = quota[name as keyof Quota];
  return shown;
}
