import { deepStrictEqual, equal, ok } from 'node:assert/strict';
import type { Email, MailboxKey, Row } from '../../../shared/catalog/email.ts';
import type { MailboxEntry } from '../../../shared/catalog/mailbox.ts';
import type {
  CatalogEdit,
  CatalogView,
  ChangingType,
  EmailEdit,
  LogEntry,
  VersionedEntry,
} from '../../../shared/catalog/view.ts';
import type { Id } from '../../../shared/jmap/scalars.ts';

const types = ['Email', 'Thread', 'Mailbox'] as const;

/** A catalog as plain maps. */
export type Model = {
  readonly mailboxes: Map<MailboxKey, MailboxEntry>;
  readonly emails: Map<Id, Email>;
  /** The Emails of each thread; kept in step with `emails`. */
  readonly threads: Map<Id, Set<Id>>;
  /** Every id that an Email ever had, in the order in which they came. */
  readonly ids: Id[];
  readonly messageIds: Map<string, Id>;
  readonly logs: Record<ChangingType, VersionedEntry[]>;
  readonly versions: Record<ChangingType, number>;
};

export function emptyModel(): Model {
  return {
    mailboxes: new Map(),
    emails: new Map(),
    threads: new Map(),
    ids: [],
    messageIds: new Map(),
    logs: { Email: [], Thread: [], Mailbox: [] },
    versions: { Email: 0, Thread: 0, Mailbox: 0 },
  };
}

/** Applies an edit as its documentation says. */
export function applyEdit(model: Model, edit: CatalogEdit): void {
  for (const [key, entry] of edit.mailboxes)
    entry === null ? model.mailboxes.delete(key) : model.mailboxes.set(key, entry);
  for (const [id, { before, after }] of edit.emails) {
    if (before !== null) {
      const members = model.threads.get(before.threadId);
      members?.delete(id);
      if (members?.size === 0) model.threads.delete(before.threadId);
    }
    if (after === null) {
      model.emails.delete(id);
      continue;
    }
    if (before === null) model.ids.push(id);
    model.emails.set(id, after);
    const members = model.threads.get(after.threadId);
    if (members === undefined) model.threads.set(after.threadId, new Set([id]));
    else members.add(id);
  }
  for (const [hash, threadId] of edit.messageIds) model.messageIds.set(hash, threadId);
  for (const entry of edit.log) {
    model.versions[entry.type] += 1;
    model.logs[entry.type].push({ ...entry, version: model.versions[entry.type] });
  }
  if (edit.newEpoch) for (const type of types) model.logs[type] = [];
}

/** The edit that turns the model into one where the Emails and mailboxes given are as given. */
export function editOf(
  model: Model,
  {
    emails,
    mailboxes = new Map(),
    messageIds = new Map(),
    newEpoch = false,
  }: {
    emails: ReadonlyMap<Id, Email | null>;
    mailboxes?: ReadonlyMap<MailboxKey, MailboxEntry | null>;
    messageIds?: ReadonlyMap<string, Id>;
    newEpoch?: boolean;
  },
): CatalogEdit {
  const edits = new Map<Id, EmailEdit>();
  const log: LogEntry[] = [];
  const touched = new Set<Id>();
  for (const [id, after] of emails) {
    const before = model.emails.get(id) ?? null;
    edits.set(id, { before, after });
    const threadId = after?.threadId ?? before?.threadId;
    if (threadId === undefined) continue;
    const places = (email: Email | null): MailboxKey[] => [
      ...new Set((email?.rows ?? []).filter((row) => !row.deleted).map((row) => row.mailbox)),
    ];
    log.push({ type: 'Email', id, threadId, before: places(before), after: places(after) });
    for (const thread of [before?.threadId, after?.threadId]) if (thread !== undefined) touched.add(thread);
  }
  const threads = new Map([...touched].map((id) => [id, new Set(model.threads.get(id))]));
  for (const [id, { before, after }] of edits) {
    if (before !== null) threads.get(before.threadId)?.delete(id);
    if (after !== null) threads.get(after.threadId)?.add(id);
  }
  for (const [id, members] of threads)
    log.push({ type: 'Thread', id, existedBefore: model.threads.has(id), existsAfter: members.size > 0 });
  for (const [key, entry] of mailboxes) {
    const before = model.mailboxes.get(key);
    const id = entry?.id ?? before?.id;
    if (id !== undefined)
      log.push({
        type: 'Mailbox',
        id,
        existedBefore: before !== undefined,
        existsAfter: entry !== null,
        countsOnly: before !== undefined && entry !== null,
      });
  }
  return {
    mailboxes,
    emails: edits,
    threads: new Map([...threads].map(([id, members]) => [id, [...members]])),
    messageIds,
    log,
    newEpoch,
  };
}

/** Every method of the view answers as the model does. */
export async function expectModel(view: CatalogView, model: Model): Promise<void> {
  deepStrictEqual(await view.mailboxes(), model.mailboxes);
  equal(
    view.provisional,
    [...model.mailboxes.values()].some((entry) => entry.selectable && entry.vector === null),
  );
  deepStrictEqual(view.versions, model.versions);

  const emails = await view.emails([...model.emails.keys(), 'Enever' as Id]);
  deepStrictEqual(byKey(emails), byKey(model.emails));

  const members = await view.threadEmails([...model.threads.keys(), 'Tnever' as Id]);
  const sets = (all: ReadonlyMap<Id, Iterable<Id>>) => byKey(all).map(([id, ids]) => [id, [...ids].sort()]);
  deepStrictEqual(sets(members), sets(model.threads));

  deepStrictEqual(byKey(await view.threadsByMessageId([...model.messageIds.keys(), 'never'])), byKey(model.messageIds));

  const rows = rowsByMailbox(model.emails.values());
  for (const mailbox of new Set([...rows.keys(), ...model.mailboxes.keys(), 99_999])) {
    await expectRows(view, mailbox, rows.get(mailbox) ?? []);
  }

  for (const type of types) {
    const { logs, versions } = model;
    const oldest = versions[type] - logs[type].length;
    equal(view.oldestVersions[type], oldest);
    for (const since of new Set([oldest, Math.floor((oldest + versions[type]) / 2), versions[type]])) {
      deepStrictEqual(
        await logOf(view, type, since),
        logs[type].filter((entry) => entry.version > since),
      );
    }
  }
}

/** All entries of `CatalogView.log`. */
export async function logOf(view: CatalogView, type: ChangingType, since: number): Promise<VersionedEntry[]> {
  const told: VersionedEntry[] = [];
  for await (const some of view.log(type, since)) told.push(...some);
  return told;
}

function byKey<K extends string, V>(map: ReadonlyMap<K, V>): (readonly [K, V])[] {
  return [...map].sort(([a], [b]) => (a < b ? -1 : 1));
}

function rowsByMailbox(emails: Iterable<Email>): Map<MailboxKey, Row[]> {
  const rows = new Map<MailboxKey, Row[]>();
  for (const { id: emailId, threadId, receivedAt, size, hasAttachment, rows: copies } of emails) {
    for (const { mailbox, uid, keywords, deleted } of copies) {
      const row: Row = {
        uid,
        emailId,
        threadId,
        receivedAt,
        size,
        hasAttachment,
        keywords,
        deleted,
        shared: copies.length > 1,
      };
      const all = rows.get(mailbox);
      if (all === undefined) rows.set(mailbox, [row]);
      else all.push(row);
    }
  }
  for (const all of rows.values()) all.sort((a, b) => a.uid - b.uid);
  return rows;
}

async function expectRows(view: CatalogView, mailbox: MailboxKey, rows: readonly Row[]): Promise<void> {
  const uids = rows.map((row) => row.uid);
  const ids = await view.emailIdsAt(mailbox, [...uids, 4_000_000_000]);
  deepStrictEqual(
    [...ids].sort(([a], [b]) => a - b),
    rows.map((row) => [row.uid, row.emailId]),
  );

  const blocks = await view.rowBlocks(mailbox);
  const told: Row[] = [];
  for (const block of blocks) {
    const own = await block.rows();
    equal(own.length, block.count);
    ok(block.firstUid > (told.at(-1)?.uid ?? 0), 'blocks overlap');
    for (const { uid, receivedAt } of own) {
      ok(uid >= block.firstUid && uid <= block.lastUid, `UID ${uid} is outside of ${block.firstUid}–${block.lastUid}`);
      ok(
        receivedAt >= block.oldest && receivedAt <= block.newest,
        `${receivedAt} is outside of ${block.oldest}–${block.newest}`,
      );
    }
    told.push(...own);
  }
  deepStrictEqual(told, rows);
  // What rows were read on the way must not change what Emails are found.
  const some = [...new Set(rows.map((row) => row.emailId))].slice(0, 20).sort();
  deepStrictEqual([...(await view.emails(some)).keys()].sort(), some);
}
