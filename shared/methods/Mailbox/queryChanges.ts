// Mailbox/queryChanges (RFC 8621 §2.4)
import { stateOf, versionIn } from '../../catalog/changes.ts';
import {
  type MailboxFilterCondition,
  type MailboxQuery,
  mailboxQueryChanges,
  queryMailboxes,
  type TouchedMailbox,
} from '../../catalog/query/mailbox-query.ts';
import type { CatalogView } from '../../catalog/view.ts';
import { ok } from '../../jmap/errors.ts';
import type { Id } from '../../jmap/scalars.ts';
import type { CanQueryChanges } from '../../jmap/verbs.ts';
import { knownMailboxes } from './known-mailboxes.ts';
import type { MailboxPorts } from './record.ts';

export function canQueryChangesOfMailboxes({
  catalog,
}: MailboxPorts): CanQueryChanges<MailboxFilterCondition, MailboxQuery['sort'][number], MailboxQuery['args']> {
  return {
    queryChanges: async (request) => {
      const view = await catalog.view('recent');
      const since = versionIn(view, 'Mailbox', request.sinceQueryState);
      if (!since.ok) return since;
      const mailboxes = [...(await knownMailboxes(view)).values()];
      return ok({
        newQueryState: stateOf(view, 'Mailbox'),
        ...mailboxQueryChanges(mailboxes, request, await touchedSince(view, since.value)),
        ...(request.calculateTotal ? { total: queryMailboxes(mailboxes, request).length } : {}),
      });
    },
  };
}

/** Nothing can be queried by counts, so Mailboxes of which only those changed are no concern. */
async function touchedSince(view: CatalogView, since: number): Promise<TouchedMailbox[]> {
  const touched = new Map<Id, TouchedMailbox>();
  for await (const batch of view.log('Mailbox', since)) {
    for (const entry of batch) {
      if (entry.type !== 'Mailbox' || entry.countsOnly || touched.has(entry.id)) continue;
      touched.set(entry.id, { id: entry.id, existedBefore: entry.existedBefore });
    }
  }
  return [...touched.values()];
}
