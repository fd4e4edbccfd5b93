import type { MailboxKey } from './email.ts';
import type { MailboxEntry } from './mailbox.ts';

/** The mailbox entries after an edit of them; null = gone. */
export function entriesAfter(
  before: ReadonlyMap<MailboxKey, MailboxEntry>,
  edits: ReadonlyMap<MailboxKey, MailboxEntry | null>,
): ReadonlyMap<MailboxKey, MailboxEntry> {
  const after = new Map(before);
  for (const [key, entry] of edits) {
    if (entry === null) after.delete(key);
    else after.set(key, entry);
  }
  return after;
}

/** Mailboxes that were never indexed to their end. While there are any, the catalog is provisional. */
export function missingAmong(mailboxes: ReadonlyMap<MailboxKey, MailboxEntry>): readonly MailboxEntry[] {
  return [...mailboxes.values()].filter((entry) => entry.selectable && entry.vector === null);
}
