import type { Id } from '../jmap/scalars.ts';
import { type MailboxDelta, vectorOf } from './delta.ts';
import type { MailboxKey } from './email.ts';
import { emailEdits, freshEmails } from './email-edits.ts';
import { emailReader } from './email-reader.ts';
import { freshThreads } from './fresh-threads.ts';
import { emailEntry, mailboxEntries, threadEntry } from './log-entries.ts';
import type { MailboxEntry, MailboxVector } from './mailbox.ts';
import { changedMembers, membersOfThreads, type Trash, withCounts } from './members.ts';
import { haveSamePlaces, mailboxWithRole } from './roles.ts';
import { type Place, rowChanges } from './row-changes.ts';
import type { CatalogEdit, CatalogView, LogEntry } from './view.ts';

/** What a sync found out about an account, relative to a view of its catalog. */
export type Findings = {
  /** New mailboxes, those that are called or marked otherwise now (only that is taken over), and null for those gone with all their rows. */
  readonly mailboxes: ReadonlyMap<MailboxKey, MailboxEntry | null>;
  readonly deltas: ReadonlyMap<MailboxKey, MailboxDelta>;
  /** Messages that appeared and are known to be copies of these Emails; the others are named by what they are. */
  readonly copies?: ReadonlyMap<Place, Id>;
  /** Whether what takes an Email away is to be believed. If not, the Email is held, and asked for again by the next sync. */
  readonly isSettled: boolean;
  /** Seconds since the epoch. */
  readonly readAt: number;
};

/**
 * The edit that brings a view up to what was found. It reads nothing but the immutable view, and of that only what the
 * findings touch; the same findings upon the same view give the same edit.
 */
export async function reconcile(view: CatalogView, findings: Findings): Promise<CatalogEdit> {
  const known = emailReader(view);
  const changes = await rowChanges(view, known, findings);
  const { threads, messageIds } = await freshThreads(view, freshEmails(changes, known));
  const { edits: emails, held } = emailEdits(view, changes, known, threads, findings.isSettled);

  const before = await view.mailboxes();
  const found = entriesFound(before, findings, held, view.provisional);
  const trash = trashAmong(before, found);
  const members = await membersOfThreads(view, known, emails, trash);
  const after = withCounts(found, members, trash);

  const log: (LogEntry | null)[] = mailboxEntries(before, after);
  // While mailboxes are missing every step is an epoch of its own: nothing that a client saw before can be continued.
  if (!view.provisional) {
    for (const [id, edit] of emails) log.push(emailEntry(id, edit));
    for (const [id, thread] of members) log.push(threadEntry(id, thread.before, thread.after));
  }

  return {
    mailboxes: changedEntries(before, after),
    emails,
    threads: changedMembers(members),
    messageIds,
    log: log.filter((entry) => entry !== null),
    newEpoch: view.provisional,
  };
}

function trashAmong(
  before: ReadonlyMap<MailboxKey, MailboxEntry>,
  after: ReadonlyMap<MailboxKey, MailboxEntry>,
): Trash {
  const trashOf = (mailboxes: ReadonlyMap<MailboxKey, MailboxEntry>) => mailboxWithRole(mailboxes.values(), 'trash');
  if (!haveSamePlaces(before, after)) {
    const [was, is] = [trashOf(before), trashOf(after)];
    return { isSame: was === is, before: () => was, after: () => is };
  }
  let found: { readonly key: MailboxKey | undefined } | null = null;
  const trash = () => {
    found ??= { key: trashOf(before) };
    return found.key;
  };
  return { isSame: true, before: trash, after: trash };
}

/** The mailbox entries as found, with the vectors that the deltas were read to. */
function entriesFound(
  before: ReadonlyMap<MailboxKey, MailboxEntry>,
  { mailboxes, deltas, readAt }: Findings,
  held: ReadonlyMap<MailboxKey, number>,
  provisional: boolean,
): ReadonlyMap<MailboxKey, MailboxEntry> {
  const after = new Map(before);
  for (const [key, found] of mailboxes) {
    const entry = before.get(key);
    if (found === null) after.delete(key);
    else after.set(key, entry === undefined ? found : { ...entry, ...namingOf(found) });
  }
  for (const [key, delta] of deltas) {
    const entry = after.get(key);
    if (entry === undefined) throw new Error(`Could not apply the delta of mailbox ${key}: it has no entry`);
    const rowsHeld = held.get(key);
    const vector = rowsHeld === undefined ? delta.vector : vectorBehind(entry, delta.vector, rowsHeld);
    const isPartOfFirstReading = provisional && entry.vector === null && !delta.complete;
    const flagsReadAt = rowsHeld !== undefined ? 0 : delta.flagsRead === 'all' ? readAt : entry.flagsReadAt;
    after.set(key, {
      ...entry,
      vector: isPartOfFirstReading ? null : vector,
      progress: isPartOfFirstReading ? vector : null,
      flagsReadAt,
    });
  }
  return after;
}

/** The vector of a mailbox with rows that are held: the next reading begins where they were not reported gone yet. */
function vectorBehind(entry: MailboxEntry, read: MailboxVector, rowsHeld: number): MailboxVector {
  const { highestModseq = null } = vectorOf(entry) ?? {};
  return { ...read, highestModseq, messages: read.messages + rowsHeld };
}

function namingOf({ name, delimiter, attributes, subscribed, serverId, kept }: MailboxEntry): Partial<MailboxEntry> {
  return { name, delimiter, attributes, subscribed, serverId, kept };
}

function changedEntries(
  before: ReadonlyMap<MailboxKey, MailboxEntry>,
  after: ReadonlyMap<MailboxKey, MailboxEntry>,
): ReadonlyMap<MailboxKey, MailboxEntry | null> {
  const changed = new Map<MailboxKey, MailboxEntry | null>();
  for (const [key, entry] of after) if (!isSameEntry(before.get(key), entry)) changed.set(key, entry);
  for (const key of before.keys()) if (!after.has(key)) changed.set(key, null);
  return changed;
}

function isSameEntry(a: MailboxEntry | undefined, b: MailboxEntry): boolean {
  return a === b || JSON.stringify(a) === JSON.stringify(b);
}
