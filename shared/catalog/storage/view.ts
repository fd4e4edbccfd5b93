import type { Id } from '../../jmap/scalars.ts';
import type { Email, EmailRow, MailboxKey, Row } from '../email.ts';
import { threadIdOf } from '../ids.ts';
import type { MailboxEntry } from '../mailbox.ts';
import type { CatalogView, ChangingType, VersionedEntry } from '../view.ts';
import type { BlockReader } from './blocks.ts';
import type { Head } from './head.ts';
import { leavesAtOnce, leavesProbedMax } from './limits.ts';
import type { Logged } from './log.ts';
import { emailInThreadKey, inKey, messageIdKey, threadRange } from './lookups.ts';
import { rowBlocksOf } from './row-blocks.ts';
import { mailboxOf, rowKey } from './row-key.ts';
import type { Entries } from './shape.ts';
import { ascending, entriesBetween, type Table, valuesOf } from './table.ts';
import { shapes } from './tables.ts';
import { leavesBetween, type Reading, readLeaf } from './tree.ts';

/** The mailboxes of a version, put together once; kept as long as its head is. */
const mailboxesOfHeads = new WeakMap<Head, ReadonlyMap<MailboxKey, MailboxEntry>>();

/** One version of a catalog, as its head tells it. */
export function openView(head: Head, blocks: BlockReader): CatalogView {
  const { tables } = head;
  const rows = { shape: shapes.rows, blocks };
  const threads = { shape: shapes.threads, blocks };
  const near = createNearby(tables.rows);

  const readMailboxes = async () => {
    const reading = { shape: shapes.mailboxes, blocks };
    const { keys, values } = await entriesBetween(reading, tables.mailboxes, 0, Number.POSITIVE_INFINITY);
    return new Map(keys.map((key, i) => [key, values[i] as MailboxEntry]));
  };

  return {
    epoch: head.epoch,
    version: head.version,
    scheme: head.scheme,
    threads: head.threads,
    provisional: head.unindexed > 0,
    versions: head.versions,
    oldestVersions: head.oldestVersions,
    committedAt: head.committedAt,

    mailboxes: async () => {
      const mailboxes = mailboxesOfHeads.get(head) ?? (await readMailboxes());
      mailboxesOfHeads.set(head, mailboxes);
      return mailboxes;
    },

    emails: async (ids) => {
      const found = new Map<Id, Email>();
      const elsewhere: Id[] = [];
      for (const id of new Set(ids)) {
        const email = near.find(id);
        if (email === null) elsewhere.push(id);
        else found.set(id, email);
      }
      const keysOf = await valuesOf({ shape: shapes.emails, blocks }, tables.emails, elsewhere);
      const rowOf = await valuesOf(rows, tables.rows, [...keysOf.values()].flat());
      for (const [id, keys] of keysOf) found.set(id as Id, emailOf(id, keys, rowOf));
      return found;
    },

    emailIdsAt: async (mailbox, uids) => {
      const keys = [...uids].map((uid) => rowKey(mailbox, uid));
      const found = await valuesOf(rows, tables.rows, keys);
      near.note(found);
      return new Map([...found.values()].map((row) => [row.uid, row.emailId]));
    },

    threadEmails: async (threadIds) => {
      const ids = [...new Set(threadIds)];
      const members = await Promise.all(ids.map((id) => entriesBetween(threads, tables.threads, ...threadRange(id))));
      return new Map(
        ids
          .map((id, i) => [id, (members[i]?.keys ?? []).map(emailInThreadKey)] as const)
          .filter(([, emailIds]) => emailIds.length > 0),
      );
    },

    threadsByMessageId: async (hashes) => {
      const hashOf = new Map([...hashes].map((hash) => [messageIdKey(hash), hash]));
      const known = await valuesOf(threads, tables.threads, hashOf.keys());
      return new Map(
        [...known].map(([key, threadId]) => {
          const hash = hashOf.get(key) as string;
          return [hash, threadId === inKey ? threadIdOf(hash) : threadId];
        }),
      );
    },

    rowBlocks: (mailbox) => rowBlocksOf(rows, tables.rows, mailbox, near.remember),

    log: (type: ChangingType, since: number) => readLog({ shape: shapes[type], blocks }, tables[type], since),
  };
}

async function* readLog(
  reading: Reading<number, Logged>,
  { root, buffer }: Table<number, Logged>,
  since: number,
): AsyncGenerator<readonly VersionedEntry[]> {
  const leaves = await leavesBetween(reading, root, since + 1, Number.POSITIVE_INFINITY);
  for (let i = 0; i < leaves.length; i += leavesAtOnce) {
    for (const { values } of await Promise.all(
      leaves.slice(i, i + leavesAtOnce).map((ref) => readLeaf(reading, ref)),
    )) {
      const entries = values.map(({ entry }) => entry).filter((entry) => entry.version > since);
      if (entries.length > 0) yield entries;
    }
  }
  // Versions only grow, so what is still buffered is newer than everything in the tree.
  const newest = [...buffer.values()].flatMap(({ value }) => (value === null ? [] : [value.entry]));
  const entries = newest.filter((entry) => entry.version > since).sort((a, b) => ascending(a.version, b.version));
  if (entries.length > 0) yield entries;
}

function emailOf(id: string, keys: readonly number[], rowOf: ReadonlyMap<number, Row>): Email {
  const copies = keys.map((key): readonly [number, Row] => {
    const row = rowOf.get(key);
    if (row?.emailId !== id) throw new Error(`the Email "${id}" has no row where the catalog says: ${key}`);
    return [mailboxOf(key), row];
  });
  const [, first] = copies[0] ?? [];
  if (first === undefined) throw new Error(`the Email "${id}" has no rows`);
  return wholeEmail(
    first,
    copies.map(([mailbox, { uid, keywords, deleted }]) => ({ mailbox, uid, keywords, deleted })),
  );
}

function wholeEmail({ emailId: id, threadId, receivedAt, size, hasAttachment }: Row, rows: readonly EmailRow[]): Email {
  return { id, threadId, receivedAt, size, hasAttachment, rows };
}

/** Finds Emails among rows that are at hand anyway: a row that is not `shared` tells all of its Email. */
type Nearby = {
  readonly remember: (leaf: Entries<number, Row>) => void;
  /** Rows of this version, by their keys. */
  readonly note: (rows: ReadonlyMap<number, Row>) => void;
  readonly find: (id: Id) => Email | null;
};

/** Rows by Email id of decoded leaves; kept as long as the cache keeps the leaf. */
const positionsOf = new WeakMap<Entries<number, Row>, ReadonlyMap<Id, number>>();

function createNearby({ buffer }: Table<number, Row>): Nearby {
  const leaves = new Set<Entries<number, Row>>();
  const buffered = new Map(
    [...buffer].flatMap(([key, { value }]) => (value === null ? [] : [[value.emailId, { key, row: value }] as const])),
  );

  const noted = new Map<Id, { readonly key: number; readonly row: Row }>();

  const alone = (key: number, row: Row): Email | null =>
    row.shared
      ? null
      : wholeEmail(row, [{ mailbox: mailboxOf(key), uid: row.uid, keywords: row.keywords, deleted: row.deleted }]);

  return {
    remember: (leaf) => {
      if (leaves.size < leavesProbedMax) leaves.add(leaf);
    },
    note: (rows) => {
      for (const [key, row] of rows) noted.set(row.emailId, { key, row });
    },
    find: (id) => {
      const newest = buffered.get(id) ?? noted.get(id);
      if (newest !== undefined) return alone(newest.key, newest.row);
      for (const leaf of leaves) {
        const positions = positionsOf.get(leaf) ?? new Map(leaf.values.map((row, i) => [row.emailId, i]));
        positionsOf.set(leaf, positions);
        const at = positions.get(id);
        const [key, row] = at === undefined ? [] : [leaf.keys[at], leaf.values[at]];
        // A buffered change of the row is newer than the leaf.
        if (key !== undefined && row !== undefined && !buffer.has(key)) return alone(key, row);
      }
      return null;
    },
  };
}
