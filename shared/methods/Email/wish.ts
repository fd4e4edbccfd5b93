import type { Email, EmailRow, MailboxKey } from '../../catalog/email.ts';
import { flagOfKeyword, keywordsOf, mailboxesOf } from '../../catalog/keywords.ts';
import { changed } from '../../catalog/own-changes.ts';
import type { Id } from '../../jmap/scalars.ts';

/** What is to become of an Email: only what is to be different, so that what others change meanwhile stays as they want it. */
export type Wish = {
  readonly enter: readonly MailboxKey[];
  /** `all`: it is to be destroyed. */
  readonly leave: readonly MailboxKey[] | 'all';
  /** It is to be in the mailboxes that it enters, and in no others: also not in those that somebody else puts it into meanwhile. */
  readonly isWhole?: boolean;
  /** JMAP keywords. */
  readonly set: readonly string[];
  readonly unset: readonly string[];
  /** Mailboxes in which copies are flagged `\Deleted` and are not to be. */
  readonly restore?: readonly MailboxKey[];
};

/** One step for some Emails whose rows lie in one mailbox; a command of its own. */
export type Task =
  | {
      readonly kind: 'copy' | 'move';
      readonly mailbox: MailboxKey;
      readonly target: MailboxKey;
      readonly rows: OwnedRow[];
    }
  | {
      readonly kind: 'add' | 'remove';
      readonly mailbox: MailboxKey;
      readonly keywords: readonly string[];
      readonly rows: OwnedRow[];
    }
  | { readonly kind: 'expunge' | 'restore'; readonly mailbox: MailboxKey; readonly rows: OwnedRow[] };
export type OwnedRow = {
  readonly emailId: Id;
  readonly row: EmailRow;
  /** Copies in other mailboxes: the row goes only if one of them is still there. None where the Email is destroyed. */
  readonly staying?: readonly EmailRow[];
};

/** The order in which steps are taken: what cannot be undone comes last. */
export const stages = ['copy', 'move', 'flag', 'expunge'] as const;
export type Stage = (typeof stages)[number];

/** What is wished of an Email, and the Email as it is now. */
export type Wished = { readonly wish: Wish; readonly email: Email };

/**
 * The tasks of a stage, given the Emails as the stages before it left them: one for all rows of a mailbox to which the same is to be
 * done. Without `canMove` what would be moved is copied, and expunged when the copy is there.
 */
export function tasksOf(stage: Stage, wished: Iterable<Wished>, canMove: boolean): readonly Task[] {
  const tasks = new Map<string, Task>();
  const add = (task: Task): void => {
    const { rows, ...work } = task;
    const key = JSON.stringify(work);
    const same = tasks.get(key);
    if (same === undefined) tasks.set(key, task);
    else same.rows.push(...rows);
  };
  for (const each of wished) for (const task of tasksForOne(stage, each, canMove)) add(task);
  return [...tasks.values()].sort((a, b) => a.mailbox - b.mailbox);
}

/** Whether all that is wished holds. */
export function isFulfilled(wish: Wish, email: Email | null): boolean {
  const { enter, set, unset, restore = [] } = wish;
  const mailboxes = mailboxesOf(email);
  if (wish.leave === 'all') return mailboxes.length === 0;
  if (email === null || mailboxes.length === 0) return false;
  const keywords = keywordsOf(email);
  return (
    enter.every((mailbox) => mailboxes.includes(mailbox)) &&
    !mailboxes.some((mailbox) => isLeft(wish, mailbox)) &&
    set.every((keyword) => keywords.includes(keyword)) &&
    !unset.some((keyword) => keywords.includes(keyword)) &&
    !email.rows.some(({ mailbox, deleted }) => deleted && restore.includes(mailbox))
  );
}

/** Whether it has to be in no other mailboxes than it enters: others may put it into one meanwhile. */
export function isExclusive({ leave, isWhole = false }: Wish): boolean {
  return isWhole || leave === 'all';
}

/** Whether it is where it is to be, and somewhere else as well; or anywhere, though it is to be destroyed. */
export function isDivided(wish: Wish, email: Email | null): boolean {
  const mailboxes = mailboxesOf(email);
  if (wish.leave === 'all') return mailboxes.length > 0;
  return (
    mailboxes.some((mailbox) => wish.enter.includes(mailbox)) && mailboxes.some((mailbox) => isLeft(wish, mailbox))
  );
}

/** The Email with the copies that the wish lets stay, also where somebody flags them `\Deleted` at this moment. */
export function withHidden(wish: Wish, email: Email): Email {
  return { ...email, rows: email.rows.map((row) => (isLeft(wish, row.mailbox) ? row : { ...row, deleted: false })) };
}

/** Whether the Email would be in no mailbox then: others have taken it out of those that were to stay. */
export function wouldBeNowhere({ enter, leave }: Wish, email: Email): boolean {
  return leave !== 'all' && enter.length === 0 && without(mailboxesOf(email), leave).length === 0;
}

/** What shows the copies again that a removal has hidden before it was lost, where no other copy is left. */
export function restoringOf({ leave }: Wish, now: Email, original: Email): Wish {
  const hidden = mailboxesOf(now).length > 0 ? [] : now.rows.map(({ mailbox }) => mailbox);
  const restore = mailboxesOf(original).filter((key) => leave !== 'all' && leave.includes(key) && hidden.includes(key));
  return { enter: [], leave: [], set: [], unset: [], restore };
}

/** What takes back that part of a wish which is done by now, and nothing that others did. */
export function undoingOf({ enter, leave, set, unset }: Wish, now: Email, original: Email): Wish {
  const [here, there] = [mailboxesOf(now), mailboxesOf(original)];
  const [has, had] = [keywordsOf(now), keywordsOf(original)];
  return {
    enter: without(there, here).filter((mailbox) => leave === 'all' || leave.includes(mailbox)),
    leave: without(here, there).filter((mailbox) => enter.includes(mailbox)),
    set: without(had, has).filter((keyword) => unset.includes(keyword)),
    unset: without(has, had).filter((keyword) => set.includes(keyword)),
  };
}

export function isEmptyWish({ enter, leave, set, unset, restore = [] }: Wish): boolean {
  return [enter, leave, set, unset, restore].every(({ length }) => length === 0);
}

/** Whether nothing but copying would help: then a message might come twice, if an earlier copy is still under way. */
export function needsCopy(wished: Wished, canMove: boolean): boolean {
  return tasksForOne('copy', wished, canMove).length > 0;
}

function tasksForOne(stage: Stage, wished: Wished, canMove: boolean): Task[] {
  switch (stage) {
    case 'copy':
      return copiesFor(wished, canMove);
    case 'move':
      return canMove ? movesFor(wished) : [];
    case 'flag':
      return flagTasksFor(wished);
    case 'expunge':
      return expungesFor(wished);
  }
}

/** Each mailbox that the Email leaves gives its rows to one that it enters. */
function movesFor({ wish, email }: Wished): Task[] {
  const { lacking, superfluous } = difference(wish, email);
  return superfluous.slice(0, lacking.length).map((mailbox, index) => ({
    ...{ kind: 'move', mailbox, target: lacking[index] ?? mailbox },
    rows: rowsIn(email, mailbox),
  }));
}

/** Into mailboxes that no move leads to, from a mailbox that the Email leaves where there is one, since that is opened anyway. */
function copiesFor({ wish, email }: Wished, canMove: boolean): Task[] {
  const { lacking, superfluous } = difference(wish, email);
  const [source] = superfluous.length > 0 ? superfluous : mailboxesOf(email);
  if (source === undefined) return [];
  const [first] = rowsIn(email, source);
  const targets = lacking.slice(canMove ? superfluous.length : 0);
  return first === undefined ? [] : targets.map((target) => ({ kind: 'copy', mailbox: source, target, rows: [first] }));
}

/**
 * Keywords that rows have to gain or lose so that those which stay have together the keywords of the Email: copies of one Email
 * need not agree (see docs/silence.md), and which of them stay may decide what the Email has.
 */
function flagTasksFor({ wish, email }: Wished): Task[] {
  const { leave } = wish;
  if (leave === 'all') return [];
  if (wish.restore !== undefined) return restoringTasksFor(wish.restore, email);
  const staying = email.rows.filter((row) => !row.deleted && !isLeft(wish, row.mailbox));
  const now = keywordsOf({ ...email, rows: staying });
  const wanted = changed(keywordsOf(email), { add: wish.set, remove: wish.unset });
  const tasks: Task[] = [];
  for (const row of staying) {
    const rows = [{ emailId: email.id, row }];
    const gained = without(without(wanted, now), row.keywords);
    const lost = without(now, wanted).filter((keyword) => row.keywords.includes(keyword));
    const { mailbox } = row;
    if (gained.length > 0) tasks.push({ kind: 'add', mailbox, keywords: gained, rows: [...rows] });
    if (lost.length > 0) tasks.push({ kind: 'remove', mailbox, keywords: lost, rows: [...rows] });
  }
  return tasks;
}

function restoringTasksFor(mailboxes: readonly MailboxKey[], email: Email): Task[] {
  return mailboxes.map((mailbox) => ({
    ...{ kind: 'restore', mailbox },
    rows: email.rows.filter((row) => row.deleted && row.mailbox === mailbox).map((row) => ({ emailId: email.id, row })),
  }));
}

/** Nothing is expunged before the Email is in every mailbox that it enters, nor where it would be nowhere then. */
function expungesFor({ wish, email }: Wished): Task[] {
  const { lacking, superfluous } = difference(wish, email);
  const remaining = without(mailboxesOf(email), superfluous);
  if (wish.leave !== 'all' && (lacking.length > 0 || remaining.length === 0)) return [];
  const staying = remaining.flatMap((mailbox) => rowsIn(email, mailbox)).map(({ row }) => row);
  return superfluous.map((mailbox) => ({
    ...{ kind: 'expunge', mailbox },
    rows: rowsIn(email, mailbox).map((owned) => (staying.length === 0 ? owned : { ...owned, staying })),
  }));
}

/** Mailboxes that the Email is still to enter, and to leave. */
function difference(wish: Wish, email: Email) {
  const mailboxes = mailboxesOf(email);
  const superfluous = mailboxes.filter((mailbox) => isLeft(wish, mailbox));
  return { lacking: without(wish.enter, mailboxes), superfluous };
}

function isLeft({ enter, leave, isWhole = false }: Wish, mailbox: MailboxKey): boolean {
  return leave === 'all' || leave.includes(mailbox) || (isWhole && !enter.includes(mailbox));
}

/** The rows of the Email in a mailbox that exist for JMAP. */
function rowsIn(email: Email, mailbox: MailboxKey): OwnedRow[] {
  return email.rows.filter((row) => !row.deleted && row.mailbox === mailbox).map((row) => ({ emailId: email.id, row }));
}

/** Flags of these keywords as IMAP spells them. */
export function flagsOf(keywords: readonly string[]): string[] {
  return keywords.map(flagOfKeyword);
}

function without<T>(some: readonly T[], others: readonly T[]): T[] {
  return some.filter((each) => !others.includes(each));
}
