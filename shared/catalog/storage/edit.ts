import type { Email, Row } from '../email.ts';
import { threadIdOf } from '../ids.ts';
import type { MailboxEntry } from '../mailbox.ts';
import { isProvisional } from '../threads.ts';
import type { CatalogEdit, ChangingType } from '../view.ts';
import type { Logged } from './log.ts';
import { inKey, messageIdKey, threadKey } from './lookups.ts';
import { rowKey } from './row-key.ts';
import type { TableChange } from './table.ts';
import type { Contents, TableName } from './tables.ts';

/** What an edit does to each table. */
export type Changes = { readonly [Name in TableName]: readonly TableChange<Contents[Name][0], Contents[Name][1]>[] };

/**
 * Derives everything that is stored from an edit. `versions` are those before it, `at` is the time of the commit in
 * seconds; the versions after it are returned.
 */
export function changesOf(
  edit: CatalogEdit,
  versions: Readonly<Record<ChangingType, number>>,
  at: number,
): { changes: Changes; versions: Record<ChangingType, number> } {
  const next = { ...versions };
  const logged: Record<ChangingType, TableChange<number, Logged>[]> = { Email: [], Thread: [], Mailbox: [] };
  for (const entry of edit.log) {
    const version = ++next[entry.type];
    // Under a new epoch nobody can ask for what happened before it.
    if (edit.newEpoch) continue;
    logged[entry.type].push({ key: version, value: { entry: { ...entry, version }, at }, existed: false });
  }
  const mailboxes = [...edit.mailboxes].map(
    ([key, value]): TableChange<number, MailboxEntry> => ({ key, value, existed: true }),
  );
  return {
    changes: { mailboxes, rows: rowChanges(edit), ...lookupChanges(edit), ...logged },
    versions: next,
  };
}

/** The rows of an Email as its mailboxes hold them, by row key. */
export function rowsOf({
  id: emailId,
  threadId,
  receivedAt,
  size,
  hasAttachment,
  rows,
}: Email): readonly (readonly [key: number, row: Row])[] {
  const shared = rows.length > 1;
  return rows.map(({ mailbox, uid, keywords, deleted }) => [
    rowKey(mailbox, uid),
    { uid, emailId, threadId, receivedAt, size, hasAttachment, keywords, deleted, shared },
  ]);
}

function rowChanges(edit: CatalogEdit): TableChange<number, Row>[] {
  const gone = new Map<number, Row>();
  for (const { before } of edit.emails.values()) {
    if (before !== null) for (const [key, row] of rowsOf(before)) gone.set(key, row);
  }
  const changes: TableChange<number, Row>[] = [];
  const kept = new Set<number>();
  for (const { after } of edit.emails.values()) {
    if (after === null) continue;
    for (const [key, row] of rowsOf(after)) {
      const old = gone.get(key);
      kept.add(key);
      if (old === undefined || !isSameRow(old, row)) changes.push({ key, value: row, existed: old !== undefined });
    }
  }
  for (const key of gone.keys()) if (!kept.has(key)) changes.push({ key, value: null, existed: true });
  return changes;
}

function isSameRow(a: Row, b: Row): boolean {
  return (
    a.emailId === b.emailId &&
    a.threadId === b.threadId &&
    a.receivedAt === b.receivedAt &&
    a.size === b.size &&
    a.hasAttachment === b.hasAttachment &&
    a.deleted === b.deleted &&
    a.shared === b.shared &&
    isSameList(a.keywords, b.keywords)
  );
}

function lookupChanges(edit: CatalogEdit): Pick<Changes, 'emails' | 'threads'> {
  const emails: TableChange<string, readonly number[]>[] = [];
  const threads: Changes['threads'][number][] = [];
  for (const [id, { before, after }] of edit.emails) {
    const existed = before !== null;
    const keysBefore = before === null ? [] : rowKeys(before);
    const keysAfter = after === null ? [] : rowKeys(after);
    if (!isSameList(keysBefore, keysAfter)) emails.push({ key: id, value: after === null ? null : keysAfter, existed });

    if (before?.threadId === after?.threadId) continue;
    // A thread that is still to be assigned has no members to look up.
    if (before !== null && !isProvisional(before.threadId)) {
      threads.push({ key: threadKey(before.threadId, id), value: null, existed });
    }
    if (after !== null && !isProvisional(after.threadId)) {
      threads.push({ key: threadKey(after.threadId, id), value: inKey, existed: false });
    }
  }
  for (const [hash, threadId] of edit.messageIds) {
    threads.push({ key: messageIdKey(hash), value: threadId === threadIdOf(hash) ? inKey : threadId, existed: true });
  }
  return { emails, threads };
}

function rowKeys({ rows }: Email): number[] {
  return rows.map(({ mailbox, uid }) => rowKey(mailbox, uid));
}

function isSameList<T>(a: readonly T[], b: readonly T[]): boolean {
  return a.length === b.length && a.every((item, i) => item === b[i]);
}
