import type { Id } from '../jmap/scalars.ts';
import type { Email, EmailRow, MailboxKey } from './email.ts';
import type { EmailReader } from './email-reader.ts';
import { existsInJmap, keywordsOfFlags } from './keywords.ts';
import { type EmailChange, placeOf } from './row-changes.ts';
import type { CatalogView, EmailEdit } from './view.ts';

/** An Email that was not in the catalog before. */
export type FreshEmail = {
  readonly id: Id;
  readonly receivedAt: number;
  /** The message as it lies in its first row. */
  readonly appearance: EmailChange['appeared'][number]['appearance'];
};

/** The Emails that the changes bring in, in the order in which they take part in threads. */
export function freshEmails(changes: ReadonlyMap<Id, EmailChange>, emails: EmailReader): FreshEmail[] {
  const fresh: FreshEmail[] = [];
  for (const [id, { appeared }] of changes) {
    const [first] = appeared;
    if (first === undefined || emails.get(id) !== null) continue;
    fresh.push({ id, receivedAt: earliest(appeared), appearance: first.appearance });
  }
  return fresh;
}

/** Edits of Emails, and what they leave as it was. */
export type EmailEdits = {
  readonly edits: ReadonlyMap<Id, EmailEdit>;
  /** Per mailbox, how many rows that were reported gone are held as present; 0 where only a `\\Deleted` flag is not believed. */
  readonly held: ReadonlyMap<MailboxKey, number>;
};

/**
 * Every changed Email before and after. `threads` gives the thread of fresh ones. The date of an Email is the earliest it was
 * first seen with and stays; only while mailboxes are missing it may still become earlier. Unless the findings are settled, an
 * Email that would cease to exist is held: nothing of it is taken away, it may be on its way to another mailbox.
 */
export function emailEdits(
  view: Pick<CatalogView, 'provisional'>,
  changes: ReadonlyMap<Id, EmailChange>,
  emails: EmailReader,
  threads: ReadonlyMap<Id, Id>,
  isSettled: boolean,
): EmailEdits {
  const edits = new Map<Id, EmailEdit>();
  const held = new Map<MailboxKey, number>();
  for (const [id, change] of changes) {
    const before = emails.get(id);
    const emailWith = (rows: readonly EmailRow[]): Email | null =>
      rows.length === 0 ? null : { ...contentOf(id, before, change, threads, view.provisional), rows };
    let after = emailWith(rowsAfter(before?.rows ?? [], change));
    if (!isSettled && existsInJmap(before) && !existsInJmap(after)) {
      after = emailWith(rowsAfter(before.rows, { ...change, gone: new Set(), flags: new Map() }));
      for (const { mailbox, uid } of before.rows) {
        const place = placeOf(mailbox, uid);
        if (change.gone.has(place)) held.set(mailbox, (held.get(mailbox) ?? 0) + 1);
        else if (change.flags.has(place)) held.set(mailbox, held.get(mailbox) ?? 0);
      }
    }
    if (!isSame(before, after)) edits.set(id, { before, after });
  }
  return { edits, held };
}

function contentOf(
  id: Id,
  before: Email | null,
  { appeared }: EmailChange,
  threads: ReadonlyMap<Id, Id>,
  provisional: boolean,
): Omit<Email, 'rows'> {
  if (before !== null) {
    const receivedAt = provisional ? Math.min(before.receivedAt, earliest(appeared)) : before.receivedAt;
    return { ...before, receivedAt };
  }
  const threadId = threads.get(id);
  const size = appeared[0]?.appearance.size;
  if (threadId === undefined || size === undefined) throw new Error(`Could not make Email "${id}" out of nothing`);
  return { id, threadId, receivedAt: earliest(appeared), size, hasAttachment: null };
}

function earliest(appeared: EmailChange['appeared']): number {
  return appeared.reduce((date, { appearance }) => Math.min(date, appearance.internalDate), Number.POSITIVE_INFINITY);
}

/** Rows that stay, with their flags now, and rows that came, by (mailbox, UID). */
function rowsAfter(before: readonly EmailRow[], { gone, flags, appeared }: EmailChange): readonly EmailRow[] {
  const rows: EmailRow[] = [];
  for (const row of before) {
    const place = placeOf(row.mailbox, row.uid);
    const now = flags.get(place);
    if (!gone.has(place)) rows.push(now === undefined ? row : { ...row, ...keywordsOfFlags(now) });
  }
  for (const { mailbox, appearance } of appeared) {
    rows.push({ mailbox, uid: appearance.uid, ...keywordsOfFlags(appearance.flags) });
  }
  return rows.sort((a, b) => a.mailbox - b.mailbox || a.uid - b.uid);
}

function isSame(before: Email | null, after: Email | null): boolean {
  if (before === null || after === null) return before === after;
  return (
    before.receivedAt === after.receivedAt &&
    before.rows.length === after.rows.length &&
    before.rows.every((row, index) => isSameRow(row, after.rows[index]))
  );
}

function isSameRow(a: EmailRow, b: EmailRow | undefined): boolean {
  return (
    a.mailbox === b?.mailbox &&
    a.uid === b.uid &&
    a.deleted === b.deleted &&
    a.keywords.join(' ') === b.keywords.join(' ')
  );
}
