import type { Email, EmailRow, MailboxKey, Row } from '../../../shared/catalog/email.ts';
import { existsInJmap, keywordsOf, mailboxesOf } from '../../../shared/catalog/keywords.ts';
import type { MailboxEntry } from '../../../shared/catalog/mailbox.ts';
import type { CatalogView, RowBlock, VersionedEntry } from '../../../shared/catalog/view.ts';
import type { Id } from '../../../shared/jmap/scalars.ts';

/** A mailbox, with what is not as in any other. */
export type PlainMailbox = Pick<MailboxEntry, 'key' | 'id'> & Partial<MailboxEntry>;

/** What an account holds, and what happened in it. */
export type PlainAccount = {
  readonly mailboxes: readonly PlainMailbox[];
  readonly emails: readonly Email[];
  /** Entries of the log, oldest first; the last version is the account's. */
  readonly log?: readonly VersionedEntry[];
  readonly version?: number;
  readonly oldestVersion?: number;
  readonly epoch?: string;
};

/** What was read of a view. */
export type Reads = { readonly blocks: { mailbox: MailboxKey; firstUid: number }[]; emails: number; threads: number };

/** A view of plain Emails, with blocks of at most `rowsPerBlock` rows. It counts what is read of it. */
export function inMemoryView(account: PlainAccount, rowsPerBlock = 4): CatalogView & { readonly reads: Reads } {
  const reads: Reads = { blocks: [], emails: 0, threads: 0 };
  const byId = new Map(account.emails.map((email) => [email.id, email]));
  const entries = new Map(account.mailboxes.map((mailbox) => [mailbox.key, entryOf(mailbox, account.emails)]));
  const version = account.version ?? 1;
  const oldest = account.oldestVersion ?? 0;
  return {
    reads,
    epoch: account.epoch ?? 'epoch',
    version,
    scheme: 'objectid',
    threads: 'server',
    provisional: false,
    versions: { Email: version, Thread: version, Mailbox: version },
    oldestVersions: { Email: oldest, Thread: oldest, Mailbox: oldest },
    committedAt: 0,
    mailboxes: async () => entries,
    emails: async (ids) => {
      const found = new Map<Id, Email>();
      for (const id of ids) {
        reads.emails += 1;
        const email = byId.get(id);
        if (email) found.set(id, email);
      }
      return found;
    },
    emailIdsAt: async () => new Map(),
    threadEmails: async (threadIds) => {
      const found = new Map<Id, readonly Id[]>();
      for (const threadId of threadIds) {
        reads.threads += 1;
        const members = account.emails.filter((email) => email.threadId === threadId).map(({ id }) => id);
        if (members.length > 0) found.set(threadId, members);
      }
      return found;
    },
    threadsByMessageId: async () => new Map(),
    rowBlocks: async (mailbox) => blocksOf(mailbox, account.emails, rowsPerBlock, reads),
    async *log(type, since) {
      for (const entry of account.log ?? []) if (entry.type === type && entry.version > since) yield [entry];
    },
  };
}

function blocksOf(mailbox: MailboxKey, emails: readonly Email[], rowsPerBlock: number, reads: Reads): RowBlock[] {
  const rows = emails.flatMap((email) =>
    email.rows.filter((row) => row.mailbox === mailbox).map((row) => rowOf(email, row)),
  );
  rows.sort((a, b) => a.uid - b.uid);
  const blocks: RowBlock[] = [];
  for (let at = 0; at < rows.length; at += rowsPerBlock) {
    const part = rows.slice(at, at + rowsPerBlock);
    const dates = part.map(({ receivedAt }) => receivedAt);
    const firstUid = part[0]?.uid ?? 0;
    blocks.push({
      count: part.length,
      firstUid,
      lastUid: part.at(-1)?.uid ?? 0,
      oldest: Math.min(...dates),
      newest: Math.max(...dates),
      rows: async () => {
        reads.blocks.push({ mailbox, firstUid });
        return part;
      },
    });
  }
  return blocks;
}

function rowOf(email: Email, row: EmailRow): Row {
  const { id: emailId, threadId, receivedAt, size, hasAttachment } = email;
  const { uid, keywords, deleted } = row;
  return { uid, emailId, threadId, receivedAt, size, hasAttachment, keywords, deleted, shared: email.rows.length > 1 };
}

function entryOf(given: PlainMailbox, emails: readonly Email[]): MailboxEntry {
  const { key } = given;
  const inside = emails.filter((email) => mailboxesOf(email).includes(key));
  const unread = inside.filter((email) => !keywordsOf(email).includes('$seen'));
  const rows = emails.flatMap((email) => email.rows.filter((row) => row.mailbox === key));
  const uidNext = Math.max(0, ...rows.map(({ uid }) => uid)) + 1;
  return {
    name: `mailbox ${key}`,
    delimiter: '/',
    selectable: true,
    attributes: [],
    subscribed: true,
    serverId: null,
    vector: { uidValidity: 1, uidNext, highestModseq: null, messages: rows.length },
    progress: null,
    counts: {
      totalEmails: inside.length,
      unreadEmails: unread.length,
      totalThreads: new Set(inside.map(({ threadId }) => threadId)).size,
      unreadThreads: new Set(unread.map(({ threadId }) => threadId)).size,
    },
    rights: null,
    flagsReadAt: 0,
    kept: null,
    ...given,
  };
}

/** The log entries that lead from one set of Emails to another. */
export function logBetween(before: readonly Email[], after: readonly Email[], version: number): VersionedEntry[] {
  const old = new Map(before.map((email) => [email.id, email]));
  const now = new Map(after.map((email) => [email.id, email]));
  const entries: VersionedEntry[] = [];
  for (const id of new Set([...old.keys(), ...now.keys()])) {
    const [was, is] = [old.get(id) ?? null, now.get(id) ?? null];
    const threadId = (was ?? is)?.threadId;
    if (threadId === undefined || jmapFace(was) === jmapFace(is)) continue;
    entries.push({ type: 'Email', version, id, threadId, before: mailboxesOf(was), after: mailboxesOf(is) });
  }
  return entries;
}

/** What JMAP shows of an Email that can change. */
function jmapFace(email: Email | null): string {
  return existsInJmap(email) ? JSON.stringify([mailboxesOf(email), keywordsOf(email)]) : '';
}
