import type { CatalogView } from '../catalog/view.ts';
import type { Id } from '../jmap/scalars.ts';

/**
 * The ids of all Emails or Threads of the account, for `ids: null` (RFC 8620 §5.1), or null when there are more than
 * `maxObjects`; then no more is read than tells so.
 */
export async function allOf(key: 'emailId' | 'threadId', view: CatalogView, maxObjects: number): Promise<Id[] | null> {
  const count = key === 'emailId' ? 'totalEmails' : 'totalThreads';
  const ids = new Set<Id>();
  for (const mailbox of (await view.mailboxes()).values()) {
    if (mailbox.counts[count] > maxObjects) return null;
    for (const block of await view.rowBlocks(mailbox.key)) {
      for (const row of await block.rows()) if (!row.deleted) ids.add(row[key]);
      if (ids.size > maxObjects) return null;
    }
  }
  return [...ids];
}
