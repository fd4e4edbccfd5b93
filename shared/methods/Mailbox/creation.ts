import type { KeptFacts, MailboxEntry } from '../../catalog/mailbox.ts';
import type { Role } from '../../catalog/roles.ts';
import type { CatalogView } from '../../catalog/view.ts';
import type { Id, JsonObject } from '../../jmap/scalars.ts';
import type { Some } from '../../jmap/verbs.ts';
import { type KnownMailbox, knownMailboxes } from './known-mailboxes.ts';
import { normalName } from './name.ts';
import type { Mailbox } from './record.ts';
import type { Wish } from './restructuring.ts';
import { mailboxRights } from './rights.ts';
import type { Branch, Tree } from './tree.ts';

export type NewMailbox = Omit<Mailbox, 'id'>;

export function wishOfNew({ name, parentId, role, isSubscribed }: NewMailbox): NonNullable<Wish> {
  return { position: { name: normalName(name), parentId }, role: role as Role | null, isSubscribed };
}

/** What can be told of a mailbox that nobody has looked at yet. */
export function unseenEntry({ id, fullName }: Branch, key: number, { delimiter }: Tree): MailboxEntry {
  return { ...unseen, key, id, name: fullName, delimiter };
}

const unseen: Omit<MailboxEntry, 'key' | 'id' | 'name' | 'delimiter'> = {
  ...{ selectable: true, attributes: [], subscribed: true, serverId: null, vector: null, progress: null, rights: null },
  ...{ counts: { totalEmails: 0, unreadEmails: 0, totalThreads: 0, unreadThreads: 0 }, flagsReadAt: 0, kept: null },
};

/** What is kept of the new mailboxes of these names, by their ids. */
export async function keptOfNew(
  view: CatalogView,
  created: ReadonlyMap<string, unknown>,
): Promise<ReadonlyMap<Id, KeptFacts>> {
  const entries = [...(await view.mailboxes()).values()].filter(({ name }) => created.has(name));
  return new Map(entries.flatMap(({ id, kept }) => (kept === null ? [] : [[id, kept] as const])));
}

export type Existing = { readonly entry: MailboxEntry; readonly known: KnownMailbox };

/** All mailboxes by full name. */
export async function mailboxesIn(view: CatalogView): Promise<ReadonlyMap<string, Existing>> {
  const known = await knownMailboxes(view);
  const existing = new Map<string, Existing>();
  for (const [key, entry] of await view.mailboxes()) {
    const mailbox = known.get(key);
    if (mailbox !== undefined) existing.set(entry.name, { entry, known: mailbox });
  }
  return existing;
}

/** What the client does not know of a new Mailbox: what only the server sets, and what is not as it was wanted. */
export function answerOf({ entry, known }: Existing, wanted: NewMailbox): Some<Mailbox> {
  const { id, totalEmails, unreadEmails, totalThreads, unreadThreads } = known;
  const answer: JsonObject & { id: Id } = { id, totalEmails, unreadEmails, totalThreads, unreadThreads };
  answer.myRights = mailboxRights(entry, entry.rights?.letters ?? '');
  for (const name of ['name', 'parentId', 'role', 'sortOrder', 'isSubscribed'] as const) {
    if (known[name] !== wanted[name]) answer[name] = known[name];
  }
  return answer;
}
