import type { MailboxKey } from '../../catalog/email.ts';
import { mailboxPlaces, type Role, roles } from '../../catalog/roles.ts';
import type { CatalogView } from '../../catalog/view.ts';
import type { Mailbox } from './record.ts';

/** A Mailbox without `myRights`, which may have to be asked for. */
export type KnownMailbox = Omit<Mailbox, 'myRights'>;

/** Where no order was given: the roles come first, in theirs, then all others alike. */
const sortOrderWithoutRole = 100;

function sortOrderOf(role: Role | null): number {
  return role === null ? sortOrderWithoutRole : roles.indexOf(role) + 1;
}

/** Every Mailbox of the account as the catalog knows it, by its key. */
export async function knownMailboxes(view: CatalogView): Promise<ReadonlyMap<MailboxKey, KnownMailbox>> {
  const entries = await view.mailboxes();
  const places = mailboxPlaces(entries.values());
  const mailboxes = new Map<MailboxKey, KnownMailbox>();
  for (const { key, id, name, subscribed, counts, kept } of entries.values()) {
    const place = places.get(key) ?? { name, parentId: null, role: null };
    mailboxes.set(key, {
      id,
      name: place.name,
      parentId: place.parentId,
      role: place.role,
      sortOrder: kept?.sortOrder ?? sortOrderOf(place.role),
      ...counts,
      isSubscribed: subscribed,
    });
  }
  return mailboxes;
}
