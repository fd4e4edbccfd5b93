import type { MailboxKey } from '../../catalog/email.ts';
import { mailboxPlaces, roles } from '../../catalog/roles.ts';
import type { CatalogView } from '../../catalog/view.ts';
import type { Mailbox } from './record.ts';

/** A Mailbox without `myRights`, which may have to be asked for. */
export type KnownMailbox = Omit<Mailbox, 'myRights'>;

/** IMAP has no order of its own: the roles come first, in their order, then all others alike. */
const sortOrderWithoutRole = 100;

/** Every Mailbox of the account as the catalog knows it, by its key. */
export async function knownMailboxes(view: CatalogView): Promise<ReadonlyMap<MailboxKey, KnownMailbox>> {
  const entries = await view.mailboxes();
  const places = mailboxPlaces(entries.values());
  const mailboxes = new Map<MailboxKey, KnownMailbox>();
  for (const { key, id, name, subscribed, counts } of entries.values()) {
    const place = places.get(key) ?? { name, parentId: null, role: null };
    mailboxes.set(key, {
      id,
      name: place.name,
      parentId: place.parentId,
      role: place.role,
      sortOrder: place.role === null ? sortOrderWithoutRole : roles.indexOf(place.role) + 1,
      ...counts,
      isSubscribed: subscribed,
    });
  }
  return mailboxes;
}
