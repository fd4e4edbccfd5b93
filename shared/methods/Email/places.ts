import type { Email, EmailRow, MailboxKey } from '../../catalog/email.ts';
import type { MailboxEntry } from '../../catalog/mailbox.ts';
import type { Id } from '../../jmap/scalars.ts';
import type { Place } from './mail.ts';

/**
 * One place for each Email to read it from. Emails that lie in several mailboxes are read where most of the others are, so
 * that as few mailboxes as possible are opened. Emails without a readable row are absent.
 */
export function placesOf(emails: Iterable<Email>, mailboxes: ReadonlyMap<MailboxKey, MailboxEntry>): Map<Id, Place> {
  const all = [...emails];
  const popularity = new Map<MailboxKey, number>();
  for (const email of all) {
    for (const { mailbox } of email.rows) popularity.set(mailbox, (popularity.get(mailbox) ?? 0) + 1);
  }
  const places = new Map<Id, Place>();
  for (const email of all) {
    const row = mostPopular(email.rows, popularity);
    const mailbox = row === undefined ? undefined : mailboxes.get(row.mailbox);
    if (row === undefined || mailbox?.vector == null) continue;
    places.set(email.id, { mailbox: mailbox.name, uidValidity: mailbox.vector.uidValidity, uid: row.uid });
  }
  return places;
}

function mostPopular(rows: readonly EmailRow[], popularity: ReadonlyMap<MailboxKey, number>): EmailRow | undefined {
  let best: EmailRow | undefined;
  for (const row of rows) {
    if (row.deleted) continue;
    if (best === undefined || (popularity.get(row.mailbox) ?? 0) > (popularity.get(best.mailbox) ?? 0)) best = row;
  }
  return best;
}
