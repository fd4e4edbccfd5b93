import type { Id } from '../jmap/scalars.ts';
import { addCounts, type Counted, countedOf, countsOfThreads, noCounts, sameCounts } from './counts.ts';
import type { Email, MailboxKey } from './email.ts';
import type { EmailReader } from './email-reader.ts';
import type { MailboxEntry } from './mailbox.ts';
import { rowsIn } from './read-mailbox.ts';
import type { CatalogView, EmailEdit } from './view.ts';

/** The Emails of a Thread before and after an edit. */
export type Members = { readonly before: readonly Email[]; readonly after: readonly Email[] };

/** Which mailbox is the trash; undefined where there is none. Looked for when it matters, which is seldom. */
export type Trash = {
  readonly isSame: boolean;
  readonly before: () => MailboxKey | undefined;
  readonly after: () => MailboxKey | undefined;
};

/** The Threads whose members or counts the edits may change, whole. */
export async function membersOfThreads(
  view: CatalogView,
  emails: EmailReader,
  edits: ReadonlyMap<Id, EmailEdit>,
  trash: Trash,
): Promise<ReadonlyMap<Id, Members>> {
  const touched = await touchedThreads(view, edits, trash);
  const idsBefore = touched.size === 0 ? new Map<Id, readonly Id[]>() : await view.threadEmails(touched);
  await emails.load([...idsBefore.values()].flat());

  const ids = new Map([...touched].map((threadId) => [threadId, new Set(idsBefore.get(threadId))]));
  for (const [id, { after }] of edits) if (after !== null) ids.get(after.threadId)?.add(id);

  const members = new Map<Id, Members>();
  for (const [threadId, emailIds] of ids) {
    const before: Email[] = [];
    const after: Email[] = [];
    for (const id of emailIds) {
      const edit = edits.get(id);
      const was = edit === undefined ? emails.get(id) : edit.before;
      const is = edit === undefined ? was : edit.after;
      if (was !== null) before.push(was);
      if (is !== null) after.push(is);
    }
    members.set(threadId, { before, after });
  }
  return members;
}

/** The new member lists of Threads that gained or lost Emails; empty = the Thread is gone. */
export function changedMembers(members: ReadonlyMap<Id, Members>): ReadonlyMap<Id, readonly Id[]> {
  const changed = new Map<Id, readonly Id[]>();
  for (const [threadId, { before, after }] of members) {
    const was = new Set(before.map((email) => email.id));
    if (was.size !== after.length || after.some((email) => !was.has(email.id))) {
      changed.set(
        threadId,
        after.map((email) => email.id),
      );
    }
  }
  return changed;
}

/** The entries with their counts moved by what became of the Threads. */
export function withCounts(
  mailboxes: ReadonlyMap<MailboxKey, MailboxEntry>,
  members: ReadonlyMap<Id, Members>,
  trash: Trash,
): ReadonlyMap<MailboxKey, MailboxEntry> {
  if (members.size === 0) return mailboxes;
  const threads = [...members.values()];
  const minus = countsOfThreads(
    threads.map(({ before }) => countedIn(before)),
    trash.before(),
  );
  const plus = countsOfThreads(
    threads.map(({ after }) => countedIn(after)),
    trash.after(),
  );
  const moved = new Map(mailboxes);
  for (const key of new Set([...minus.keys(), ...plus.keys()])) {
    const entry = mailboxes.get(key);
    if (entry === undefined) continue;
    const counts = addCounts(addCounts(entry.counts, plus.get(key) ?? noCounts), minus.get(key) ?? noCounts, -1);
    if (!sameCounts(counts, entry.counts)) moved.set(key, { ...entry, counts });
  }
  return moved;
}

function countedIn(emails: readonly Email[]): readonly Counted[] {
  return emails.map(countedOf).filter((email) => email !== null);
}

/** Threads in which an Email came, went, moved or became read or unread; and, when the trash is another one, all that lie in it. */
async function touchedThreads(
  view: CatalogView,
  edits: ReadonlyMap<Id, EmailEdit>,
  trash: Trash,
): Promise<ReadonlySet<Id>> {
  const touched = new Set<Id>();
  for (const { before, after } of edits.values()) {
    if (before !== null && after !== null && isCountedAlike(before, after)) continue;
    for (const email of [before, after]) if (email !== null) touched.add(email.threadId);
  }
  if (!trash.isSame) {
    for (const key of [trash.before(), trash.after()]) {
      if (key !== undefined) for await (const { threadId } of rowsIn(view, key)) touched.add(threadId);
    }
  }
  return touched;
}

function isCountedAlike(before: Email, after: Email): boolean {
  const was = countedOf(before);
  const is = countedOf(after);
  return was?.unread === is?.unread && was?.mailboxes.join() === is?.mailboxes.join();
}
