// Mailbox/changes (RFC 8621 §2.2)
import { changesSince } from '../../catalog/changes.ts';
import { ok } from '../../jmap/errors.ts';
import { arrayOf, nullable, string } from '../../jmap/grammar.ts';
import type { CanChange } from '../../jmap/verbs.ts';
import type { MailboxPorts } from './record.ts';

/** `updatedProperties`: the four counts when nothing else changed, so that a client fetches only those. */
export const changesMembers = { updatedProperties: nullable(arrayOf(string)) };

export function canChangeMailboxes({ catalog }: MailboxPorts): CanChange<{ updatedProperties: string[] | null }> {
  return {
    changes: async ({ sinceState, maxChanges }) => {
      const changes = await changesSince(await catalog.view('recent'), 'Mailbox', sinceState, maxChanges);
      if (!changes.ok) return changes;
      return ok({ ...changes.value, updatedProperties: changes.value.updatedProperties ?? null });
    },
  };
}
