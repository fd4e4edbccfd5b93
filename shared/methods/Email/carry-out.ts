import type { Email, EmailRow, MailboxKey } from '../../catalog/email.ts';
import { keywordsOfFlags } from '../../catalog/keywords.ts';
import type { MailboxEntry } from '../../catalog/mailbox.ts';
import { changed, type Glimpse, type KeywordChange, type OwnChanges } from '../../catalog/own-changes.ts';
import { Unavailable } from '../../jmap/errors.ts';
import type { Id } from '../../jmap/scalars.ts';
import type { CanWriteMessages, Copies, Messages, Place, WriteFailure, Written } from './mail.ts';
import { type OwnLedger, ownLedger } from './own-ledger.ts';
import {
  flagsOf,
  isEmptyWish,
  isFulfilled,
  type OwnedRow,
  stages,
  type Task,
  tasksOf,
  undoingOf,
  type Wished,
} from './wish.ts';

/** What became of some wishes, by what the mail server told. */
export type Deeds = {
  readonly own: OwnChanges;
  /** Why the server did not do it; what was done of it before is undone again, unless the Email is `stuck` or `unsure` too. */
  readonly failures: ReadonlyMap<Id, WriteFailure>;
  /** It is not known whether the wish holds: the server did not say, or did not answer. */
  readonly unsure: ReadonlySet<Id>;
  /** Half of it is done, and it is not known to be undone. */
  readonly stuck: ReadonlySet<Id>;
  /** A command was not answered: what the server is still doing may come to light at any time. */
  readonly isLost: boolean;
};

/** Where everything lies. */
export type Scene = {
  readonly mailboxes: ReadonlyMap<MailboxKey, MailboxEntry>;
  readonly writing: CanWriteMessages;
  readonly canMove: boolean;
};

/**
 * Carries out wishes, stage by stage, with as few commands as there are different things to do. An Email with which something goes
 * wrong is left out of the later stages, and what was done to it is undone, as far as it was not so in `originals`. Throws
 * `Unavailable` only when nothing was sent.
 */
export async function carryOut(
  wishes: ReadonlyMap<Id, Wished>,
  originals: ReadonlyMap<Id, Email>,
  scene: Scene,
): Promise<Deeds> {
  const emails = new Map([...wishes].map(([id, { email }]) => [id, email]));
  const ledger = ownLedger();
  const unsure = new Set<Id>();
  let isLost = false;

  const failures = await takeStages(wishes);
  const undoing = new Map<Id, Wished>();
  for (const id of failures.keys()) {
    const [wished, original, email] = [wishes.get(id), originals.get(id), emails.get(id)];
    if (wished === undefined || original === undefined || email === undefined || unsure.has(id)) continue;
    const wish = undoingOf(wished.wish, email, original);
    if (!isEmptyWish(wish)) undoing.set(id, { wish, email });
  }
  if (!isLost) await takeStages(undoing);
  const isUndone = (id: Id, { wish }: Wished) => isFulfilled(wish, emails.get(id) ?? null);
  const stuck = new Set([...failures.keys()].filter((id) => unsure.has(id)));
  for (const [id, back] of undoing) if (!isUndone(id, back)) stuck.add(id);
  return { own: ledger.changes(), failures, unsure, stuck, isLost };

  async function takeStages(wished: ReadonlyMap<Id, Wished>): Promise<Map<Id, WriteFailure>> {
    const failed = new Map<Id, WriteFailure>();
    for (const stage of stages) {
      const active: Wished[] = [];
      for (const [id, { wish }] of wished) {
        const email = emails.get(id);
        if (email !== undefined && !failed.has(id) && !unsure.has(id)) active.push({ wish, email });
      }
      for (const task of tasksOf(stage, active, scene.canMove)) {
        // One of two tasks for an Email may have failed already. Whether one holds is the same to the others of its stage.
        const rows = task.rows.filter(({ emailId }) => !failed.has(emailId));
        if (rows.length > 0) await take({ ...task, rows }, failed);
      }
    }
    return failed;
  }

  async function take(task: Task, failed: Map<Id, WriteFailure>): Promise<void> {
    const { told, failure } = isLost ? nothingDone : await carriedOut(task);
    isLost ||= failure === 'lost';
    for (const { emailId, row, staying = [] } of task.rows) {
      const after = told.get(row);
      const email = emails.get(emailId);
      if (after !== undefined && email !== undefined) emails.set(emailId, after(email));
      else if (failure === null || failure === 'lost' || failure === 'gone') {
        unsure.add(emailId);
        for (const { mailbox } of [row, ...staying]) ledger.touch(mailbox, [unseen]);
      } else failed.set(emailId, failure);
    }
  }

  async function carriedOut(task: Task) {
    try {
      return await carryOutTask(task, scene, ledger);
    } catch (error) {
      if (!(error instanceof Unavailable) || ledger.isEmpty()) throw error;
      return nothingDone;
    }
  }
}

/** What the server told of rows of a task: what it made of the Email. */
type Told = ReadonlyMap<EmailRow, (email: Email) => Email>;

const unseen: Glimpse = { before: null, after: null };

/** There was no connection any more: what became of the Email has to be looked at. */
const nothingDone: { readonly told: Told; readonly failure: WriteFailure | null } = {
  told: new Map(),
  failure: 'lost',
};

async function carryOutTask(
  task: Task,
  { mailboxes, writing }: Scene,
  ledger: OwnLedger,
): Promise<{ readonly told: Told; readonly failure: WriteFailure | null }> {
  const { mailbox, rows } = task;
  const messages = messagesOf(mailboxes.get(mailbox), rows);
  if (messages === null) return { told: new Map(), failure: 'gone' };
  switch (task.kind) {
    case 'copy':
    case 'move': {
      const target = mailboxes.get(task.target);
      if (!target?.vector) return { told: new Map(), failure: 'noTarget' };
      const place = { mailbox: target.name, uidValidity: target.vector.uidValidity };
      const written = noted(await writing.transfer(task.kind, messages, place));
      if (written.glimpses.length > 0) ledger.touch(task.target);
      return {
        failure: written.failure,
        told: toldOf(rows, ({ emailId, row }) => {
          const uid = written.done.get(row.uid);
          if (uid === undefined) return undefined;
          ledger.arrives(task.target, uid, { emailId, keywords: row.keywords });
          if (task.kind === 'move') ledger.leaves(mailbox, row.uid);
          const copy = { mailbox: task.target, uid, keywords: row.keywords, deleted: false };
          return (email) => withRows(email, task.kind === 'move' ? row : null, copy);
        }),
      };
    }
    case 'add':
    case 'remove': {
      const { kind, keywords } = task;
      const change: KeywordChange = kind === 'add' ? { add: keywords, remove: [] } : { add: [], remove: keywords };
      const written = noted(await writing.flag(messages, kind, flagsOf(keywords)));
      return {
        failure: written.failure,
        told: toldOf(rows, ({ row }) => {
          const flags = written.done.get(row.uid);
          const now = flags === undefined ? null : keywordsOfFlags(flags).keywords;
          if (now === null || keywords.some((keyword) => now.includes(keyword) !== (kind === 'add'))) return undefined;
          ledger.flags(mailbox, row.uid, change);
          return (email) => withRows(email, row, { ...row, keywords: changed(row.keywords, change) });
        }),
      };
    }
    case 'expunge': {
      const written = noted(await writing.remove(messages, copiesOf(rows, mailboxes)));
      const { done, failure, kept } = written;
      if (failure === null) for (const { row } of rows) if (!kept.has(row.uid)) ledger.leaves(mailbox, row.uid);
      return {
        failure,
        told: toldOf(rows, ({ row }) => (done.has(row.uid) ? (email) => withRows(email, row, null) : undefined)),
      };
    }
    case 'restore': {
      // What the flags are then is looked at, as what others have done is.
      const { failure } = noted(await writing.flag(messages, 'remove', ['\\Deleted']));
      return { failure, told: new Map() };
    }
  }

  function noted<W extends Written<unknown>>(written: W): W {
    if (written.glimpses.length > 0) ledger.touch(mailbox, written.glimpses);
    return written;
  }
}

function messagesOf(entry: MailboxEntry | undefined, rows: readonly OwnedRow[]): Messages | null {
  if (!entry?.vector) return null;
  return { mailbox: entry.name, uidValidity: entry.vector.uidValidity, uids: rows.map(({ row }) => row.uid) };
}

/** Where the copies lie of which one has to stay. */
function copiesOf(rows: readonly OwnedRow[], mailboxes: Scene['mailboxes']): Copies {
  const placeOf = ({ mailbox, uid }: EmailRow): readonly Place[] => {
    const entry = mailboxes.get(mailbox);
    return entry?.vector ? [{ mailbox: entry.name, uidValidity: entry.vector.uidValidity, uid }] : [];
  };
  const withCopies = rows.filter(({ staying }) => staying !== undefined);
  return new Map(withCopies.map(({ row, staying = [] }) => [row.uid, staying.flatMap(placeOf)]));
}

function toldOf(rows: readonly OwnedRow[], tell: (owned: OwnedRow) => ((email: Email) => Email) | undefined): Told {
  const told = new Map<EmailRow, (email: Email) => Email>();
  for (const owned of rows) {
    const after = tell(owned);
    if (after !== undefined) told.set(owned.row, after);
  }
  return told;
}

function withRows(email: Email, gone: EmailRow | null, come: EmailRow | null): Email {
  const rows = email.rows.filter((row) => row.mailbox !== gone?.mailbox || row.uid !== gone.uid);
  if (come !== null) rows.push(come);
  return { ...email, rows: rows.sort((a, b) => a.mailbox - b.mailbox || a.uid - b.uid) };
}
