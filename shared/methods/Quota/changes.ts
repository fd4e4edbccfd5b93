// Quota/changes (RFC 9425 §4.3)
import { ok } from '../../jmap/errors.ts';
import { arrayOf, nullable, string } from '../../jmap/grammar.ts';
import type { Context } from '../../jmap/method.ts';
import type { CanChange } from '../../jmap/verbs.ts';
import { changesSince, type QuotaChange } from './quota-state.ts';
import type { QuotaPorts } from './record.ts';
import { visibleQuotas } from './visible-quotas.ts';

/** `updatedProperties`: only `used`, when nothing else changed about any of the updated. */
export const changesMembers = { updatedProperties: nullable(arrayOf(string)) };

export function canChangeQuotas(
  { quotas }: QuotaPorts,
  { using }: Pick<Context, 'using'>,
): CanChange<{ updatedProperties: string[] | null }> {
  return {
    changes: async ({ sinceState, maxChanges }) => {
      const all = changesSince(sinceState, visibleQuotas(await quotas(), using));
      if (!all.ok) return all;
      const changes = all.value.slice(0, maxChanges ?? undefined);
      const ids = (kind: QuotaChange['kind']) => changes.filter((change) => change.kind === kind).map(({ id }) => id);
      const updated = changes.filter(({ kind }) => kind === 'updated');
      const onlyUsed = updated.length > 0 && updated.every((change) => change.onlyUsed);
      return ok({
        newState: changes.at(-1)?.newState ?? sinceState,
        hasMoreChanges: changes.length < all.value.length,
        created: ids('created'),
        updated: ids('updated'),
        destroyed: ids('destroyed'),
        updatedProperties: onlyUsed ? ['used'] : null,
      });
    },
  };
}
