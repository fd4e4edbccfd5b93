import { type Counted, countedOf } from '../../shared/catalog/counts.ts';
import type { Email, MailboxKey } from '../../shared/catalog/email.ts';
import { keywordsOfFlags } from '../../shared/catalog/keywords.ts';
import type { MailboxCounts, MailboxEntry } from '../../shared/catalog/mailbox.ts';
import { mailboxPlaces } from '../../shared/catalog/roles.ts';
import type { CatalogView } from '../../shared/catalog/view.ts';
import type { Id } from '../../shared/jmap/scalars.ts';
import type { FakeMailServer } from './fake-mail-server.ts';
import { allEmails } from './snapshot.ts';

/**
 * Throws unless the view holds exactly what the server holds: every mailbox, every row with its flags, no other; look-ups, blocks
 * and counts agree with the rows.
 */
export async function holdsWhatServerHolds(view: CatalogView, server: FakeMailServer): Promise<void> {
  const entries = new Map([...(await view.mailboxes()).values()].map((entry) => [entry.name, entry]));
  same([...entries.keys()].sort(), server.names(), 'mailboxes');
  const emails = await allEmails(view);
  const rows = rowsByMailbox(emails.values());
  for (const [name, entry] of entries) {
    const messages = entry.selectable ? server.messages(name) : [];
    const found = rows.get(entry.key) ?? new Map();
    same([...found.keys()].sort(ascending), messages.map(({ uid }) => uid).sort(ascending), `UIDs of ${name}`);
    for (const { uid, flags, content } of messages) {
      const { email, keywords, deleted } = found.get(uid) ?? fail(`no row ${name} ${uid}`);
      same({ keywords, deleted }, keywordsOfFlags([...flags]), `flags of ${name} ${uid}`);
      same(email.size, content.size, `size of ${name} ${uid}`);
    }
    if (entry.selectable) {
      same(entry.vector?.messages, messages.length, `vector of ${name}`);
      same(entry.vector?.uidValidity, server.uidValidity(name), `UIDVALIDITY of ${name}`);
    }
  }
  await isConsistent(view, emails);
}

/** Throws unless all parts of the view tell the same story. */
export async function isConsistent(view: CatalogView, emails: ReadonlyMap<Id, Email>): Promise<void> {
  const entries = await view.mailboxes();
  same(new Set([...entries.values()].map(({ id }) => id)).size, entries.size, 'mailbox ids');
  const threads = new Map<Id, Email[]>();
  for (const email of emails.values()) threads.set(email.threadId, [...(threads.get(email.threadId) ?? []), email]);
  const members = await view.threadEmails(threads.keys());
  for (const [id, list] of threads) {
    same([...(members.get(id) ?? [])].sort(), list.map((email) => email.id).sort(), `members of thread ${id}`);
  }
  const counts = plainCounts(threads.values(), entries);
  for (const [key, entry] of entries) same(entry.counts, counts.get(key), `counts of ${entry.name}`);
  for (const [key, byUid] of rowsByMailbox(emails.values())) {
    const ids = await view.emailIdsAt(key, byUid.keys());
    for (const [uid, { email }] of byUid) same(ids.get(uid), email.id, `Email id at ${key} ${uid}`);
  }
}

/** RFC 8621 §2 word by word, mailbox by mailbox. */
export function plainCounts(
  threads: Iterable<readonly Email[]>,
  entries: ReadonlyMap<MailboxKey, MailboxEntry>,
): ReadonlyMap<MailboxKey, MailboxCounts> {
  const places = mailboxPlaces(entries.values());
  const isTrash = (key: MailboxKey) => places.get(key)?.role === 'trash';
  const all = [...threads].map((list) => list.map(countedOf).filter((email): email is Counted => email !== null));
  const counts = new Map<MailboxKey, MailboxCounts>();
  for (const key of entries.keys()) {
    const inMailbox = all.flat().filter(({ mailboxes }) => mailboxes.includes(key));
    const lyingHere = all.filter((list) => list.some(({ mailboxes }) => mailboxes.includes(key)));
    const isUnreadHere = (list: readonly Counted[]) =>
      isTrash(key)
        ? list.some(({ unread, mailboxes }) => unread && mailboxes.includes(key))
        : list.some(({ unread, mailboxes }) => unread && !mailboxes.every(isTrash));
    counts.set(key, {
      totalEmails: inMailbox.length,
      unreadEmails: inMailbox.filter(({ unread }) => unread).length,
      totalThreads: lyingHere.length,
      unreadThreads: lyingHere.filter(isUnreadHere).length,
    });
  }
  return counts;
}

type RowOfEmail = { readonly email: Email; readonly keywords: readonly string[]; readonly deleted: boolean };

function rowsByMailbox(emails: Iterable<Email>): Map<MailboxKey, Map<number, RowOfEmail>> {
  const rows = new Map<MailboxKey, Map<number, RowOfEmail>>();
  for (const email of emails) {
    for (const { mailbox, uid, keywords, deleted } of email.rows) {
      const byUid = rows.get(mailbox) ?? new Map<number, RowOfEmail>();
      rows.set(mailbox, byUid);
      if (byUid.has(uid)) fail(`two Emails at ${mailbox} ${uid}`);
      byUid.set(uid, { email, keywords, deleted });
    }
  }
  return rows;
}

function ascending(a: number, b: number): number {
  return a - b;
}

export function same(found: unknown, expected: unknown, what: string): void {
  const [a, b] = [JSON.stringify(found), JSON.stringify(expected)];
  if (a !== b) fail(`${what}: ${a} instead of ${b}`);
}

export function fail(what: string): never {
  throw new Error(what);
}
