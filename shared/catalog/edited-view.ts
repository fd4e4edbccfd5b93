import type { MailboxKey, Row } from './email.ts';
import { entriesAfter } from './entries.ts';
import { rowsOf } from './storage/edit.ts';
import type { CatalogEdit, CatalogView, ChangingType, LogEntry, RowBlock, VersionedEntry } from './view.ts';

/**
 * A view as it would be after an edit that is not committed: its states, too, are those that the edit would bring about. Where
 * the edit touches a mailbox its rows are one block.
 */
export function editedView(view: CatalogView, edit: CatalogEdit): CatalogView {
  const entries = versioned(edit.log, view.versions);
  const versions = { ...view.versions };
  for (const { type, version } of entries) versions[type] = version;
  const rows = rowsAfter(edit);
  return {
    ...view,
    versions,
    mailboxes: async () => entriesAfter(await view.mailboxes(), edit.mailboxes),
    emails: async (ids) => {
      const [asked, edited] = apart(ids, edit.emails);
      const found = new Map(asked.length === 0 ? [] : await view.emails(asked));
      for (const [id, { after }] of edited) if (after !== null) found.set(id, after);
      return found;
    },
    emailIdsAt: async (mailbox, uids) => {
      const [asked, edited] = apart(uids, rows.get(mailbox) ?? new Map<number, Row | null>());
      const found = new Map(asked.length === 0 ? [] : await view.emailIdsAt(mailbox, asked));
      for (const [uid, row] of edited) if (row !== null) found.set(uid, row.emailId);
      return found;
    },
    threadEmails: async (threadIds) => {
      const [asked, edited] = apart(threadIds, edit.threads);
      const found = new Map(asked.length === 0 ? [] : await view.threadEmails(asked));
      for (const [id, members] of edited) if (members.length > 0) found.set(id, members);
      return found;
    },
    threadsByMessageId: async (hashes) => {
      const [asked, edited] = apart(hashes, edit.messageIds);
      return new Map([...(asked.length === 0 ? [] : await view.threadsByMessageId(asked)), ...edited]);
    },
    rowBlocks: async (mailbox) => {
      const edited = rows.get(mailbox);
      const blocks = await view.rowBlocks(mailbox);
      return edited === undefined ? blocks : oneBlock(await patchedRows(blocks, edited));
    },
    log: async function* (type, since) {
      yield* view.log(type, since);
      const added = entries.filter((entry) => entry.type === type && entry.version > since);
      if (added.length > 0) yield added;
    },
  };
}

/** One edit that does what two do in turn: the second starts from the view that the first leads to. */
export function joinedEdits(first: CatalogEdit, second: CatalogEdit): CatalogEdit {
  const emails = new Map(first.emails);
  for (const [id, edit] of second.emails) {
    const earlier = first.emails.get(id);
    emails.set(id, earlier === undefined ? edit : { before: earlier.before, after: edit.after });
  }
  return {
    mailboxes: new Map([...first.mailboxes, ...second.mailboxes]),
    emails,
    threads: new Map([...first.threads, ...second.threads]),
    messageIds: new Map([...second.messageIds, ...first.messageIds]),
    log: [...first.log, ...second.log],
    newEpoch: first.newEpoch || second.newEpoch,
  };
}

function versioned(log: readonly LogEntry[], before: Readonly<Record<ChangingType, number>>): VersionedEntry[] {
  const versions = { ...before };
  return log.map((entry) => {
    versions[entry.type] += 1;
    return { ...entry, version: versions[entry.type] };
  });
}

/** Keys that the edit says nothing about, and what it says about the others. */
function apart<K, V>(keys: Iterable<K>, edited: ReadonlyMap<K, V>): [asked: K[], edited: Map<K, V>] {
  const asked: K[] = [];
  const found = new Map<K, V>();
  for (const key of keys) {
    const value = edited.get(key);
    if (value === undefined) asked.push(key);
    else found.set(key, value);
  }
  return [asked, found];
}

/** Every row that the edit touches, by mailbox and UID; null: it is gone. */
function rowsAfter({ emails }: CatalogEdit): ReadonlyMap<MailboxKey, ReadonlyMap<number, Row | null>> {
  const rows = new Map<MailboxKey, Map<number, Row | null>>();
  const put = (mailbox: MailboxKey, uid: number, row: Row | null) => {
    const inMailbox = rows.get(mailbox) ?? new Map<number, Row | null>();
    rows.set(mailbox, inMailbox.set(uid, row));
  };
  for (const { before } of emails.values()) for (const { mailbox, uid } of before?.rows ?? []) put(mailbox, uid, null);
  for (const { after } of emails.values()) {
    if (after === null) continue;
    const packed = rowsOf(after);
    for (const [index, { mailbox, uid }] of after.rows.entries()) put(mailbox, uid, packed[index]?.[1] ?? null);
  }
  return rows;
}

async function patchedRows(blocks: readonly RowBlock[], edited: ReadonlyMap<number, Row | null>): Promise<Row[]> {
  const rows: Row[] = [];
  for (const block of blocks) for (const row of await block.rows()) if (!edited.has(row.uid)) rows.push(row);
  for (const row of edited.values()) if (row !== null) rows.push(row);
  return rows.sort((a, b) => a.uid - b.uid);
}

function oneBlock(rows: readonly Row[]): RowBlock[] {
  const [first] = rows;
  const last = rows.at(-1);
  if (first === undefined || last === undefined) return [];
  const dates = rows.map(({ receivedAt }) => receivedAt);
  const oldest = dates.reduce((a, b) => Math.min(a, b));
  const newest = dates.reduce((a, b) => Math.max(a, b));
  return [{ count: rows.length, firstUid: first.uid, lastUid: last.uid, oldest, newest, rows: async () => rows }];
}
