import type { Id } from '../jmap/scalars.ts';
import { sameCounts } from './counts.ts';
import type { Email, MailboxKey } from './email.ts';
import { existsInJmap, keywordsOf, mailboxesOf } from './keywords.ts';
import type { MailboxEntry } from './mailbox.ts';
import { haveSamePlaces, isInbox, type MailboxPlace, mailboxPlaces, personalPrefix } from './roles.ts';
import type { EmailEdit, LogEntry } from './view.ts';

/** What an edit of an Email is for JMAP; null when nothing of it can be seen there. */
export function emailEntry(id: Id, { before, after }: EmailEdit): LogEntry | null {
  const was = mailboxesOf(before);
  const is = mailboxesOf(after);
  const threadId = (after ?? before)?.threadId;
  if (threadId === undefined) return null;
  const same =
    was.join() === is.join() &&
    before !== null &&
    after !== null &&
    keywordsOf(before).join(' ') === keywordsOf(after).join(' ');
  return same || (was.length === 0 && is.length === 0) ? null : { type: 'Email', id, threadId, before: was, after: is };
}

/** What became of a Thread, given its Emails before and after; null when its `emailIds` are the same. */
export function threadEntry(
  id: Id,
  before: readonly (Email | null)[],
  after: readonly (Email | null)[],
): LogEntry | null {
  const was = new Set(before.filter(existsInJmap).map((email) => email.id));
  const is = new Set(after.filter(existsInJmap).map((email) => email.id));
  if (was.size === is.size && [...was].every((emailId) => is.has(emailId))) return null;
  return { type: 'Thread', id, existedBefore: was.size > 0, existsAfter: is.size > 0 };
}

/** What became of the Mailboxes. A Mailbox is told of too when another one gave it a new parent or took its role. */
export function mailboxEntries(
  before: ReadonlyMap<MailboxKey, MailboxEntry>,
  after: ReadonlyMap<MailboxKey, MailboxEntry>,
): LogEntry[] {
  const areSame = haveSamePlaces(before, after);
  const differs = ([key]: readonly [MailboxKey, MailboxEntry]) => !areSame || before.get(key) !== after.get(key);
  const was = visible([...before].filter(differs), areSame ? anyPlaces : placesAmong(before));
  const is = visible([...after].filter(differs), areSame ? anyPlaces : placesAmong(after));
  const entries: LogEntry[] = [];
  for (const [id, now] of is) {
    const then = was.get(id);
    if (then === undefined) entries.push(mailboxEntry(id, false, true, false));
    else if (!sameMailbox(then, now)) entries.push(mailboxEntry(id, true, true, false));
    else if (!sameCounts(then.entry.counts, now.entry.counts)) entries.push(mailboxEntry(id, true, true, true));
  }
  for (const id of was.keys()) if (!is.has(id)) entries.push(mailboxEntry(id, true, false, false));
  return entries;
}

type Visible = {
  readonly entry: MailboxEntry;
  readonly place: MailboxPlace | undefined;
  /** The inbox of a server that keeps all others below it: nothing can be put below it in the tree that clients see. */
  readonly isShownBesideOthers: boolean;
};

/** What follows of a Mailbox from the others. */
type Places = { readonly places: ReadonlyMap<MailboxKey, MailboxPlace>; readonly hasPrefix: boolean };

/** Stands for both where they are the same. */
const anyPlaces: Places = { places: new Map(), hasPrefix: false };

function placesAmong(mailboxes: ReadonlyMap<MailboxKey, MailboxEntry>): Places {
  return { places: mailboxPlaces(mailboxes.values()), hasPrefix: personalPrefix(mailboxes.values()) !== '' };
}

function visible(
  mailboxes: readonly (readonly [MailboxKey, MailboxEntry])[],
  { places, hasPrefix }: Places,
): ReadonlyMap<Id, Visible> {
  return new Map(
    mailboxes.map(([key, entry]) => [
      entry.id,
      { entry, place: places.get(key), isShownBesideOthers: hasPrefix && isInbox(entry.name) },
    ]),
  );
}

/** Whether two versions of a Mailbox differ in nothing a client can see but perhaps the counts. */
function sameMailbox(a: Visible, b: Visible): boolean {
  return (
    a.place?.name === b.place?.name &&
    a.place?.parentId === b.place?.parentId &&
    a.place?.role === b.place?.role &&
    a.isShownBesideOthers === b.isShownBesideOthers &&
    a.entry.subscribed === b.entry.subscribed &&
    a.entry.attributes.join(' ') === b.entry.attributes.join(' ') &&
    a.entry.selectable === b.entry.selectable &&
    (a.entry.kept?.sortOrder ?? null) === (b.entry.kept?.sortOrder ?? null)
  );
}

function mailboxEntry(id: Id, existedBefore: boolean, existsAfter: boolean, countsOnly: boolean): LogEntry {
  return { type: 'Mailbox', id, existedBefore, existsAfter, countsOnly };
}
