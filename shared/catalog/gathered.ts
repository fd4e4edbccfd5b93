import type { Id } from '../jmap/scalars.ts';
import { Column } from './column.ts';
import type { EmailRow, MailboxKey } from './email.ts';
import { emailIdOf, idOfServer, nthEmailId, sharesIdInMailbox } from './ids.ts';
import { keywordsOfFlags } from './keywords.ts';
import { nameOfMessageId, noThread, rowTextReader } from './row-texts.ts';
import type { Appearance, AppearanceColumns, Appearances } from './source.ts';
import { Names, Texts } from './texts.ts';
import { type Ancestry, ancestryOf, noAncestry } from './threads.ts';
import type { CatalogView } from './view.ts';

/** What rows have in common with many others. */
type Marks = Pick<EmailRow, 'keywords' | 'deleted'>;

/** The messages of one mailbox: rows `start` … `end` − 1 of the columns, in UID order. */
export type Stretch = { readonly mailbox: MailboxKey; readonly start: number; readonly end: number };

/**
 * Messages of an account in columns, by mailbox and UID: about 150 octets of memory each, where whole Emails would take far more.
 * Ids and Message-IDs are numbers of texts.
 */
export type Columns = {
  readonly stretches: readonly Stretch[];
  readonly uids: Float64Array;
  /** INTERNALDATE in seconds since the epoch. */
  readonly dates: Float64Array;
  readonly sizes: Float64Array;
  /** Which of `kinds` the row is of. */
  readonly marks: Int32Array;
  readonly kinds: readonly Marks[];
  readonly ids: Int32Array;
  /** The server's thread; −1: it is to be derived. */
  readonly serverThreads: Int32Array;
  /** The message's own Message-ID, as the id of the thread that it begins; −1: it has none. */
  readonly own: Int32Array;
  /** The Message-IDs that it names are `named` from here: so many of References, then those of In-Reply-To. */
  readonly namedFrom: Int32Array;
  readonly references: Int32Array;
  readonly inReplyTo: Int32Array;
  readonly named: Int32Array;
  /** All rows by Email id, then mailbox and UID. */
  readonly byEmail: Uint32Array;
  /** For each of them, 1 where it has the Email id of the one before. */
  readonly sharesEmail: Uint8Array;
  readonly names: Names;
};

/** Gathers the messages of an account that was never read before, mailbox by mailbox. */
export type Gathering = {
  /** How many there are so far. */
  readonly size: () => number;
  /** Adds messages of a mailbox in UID order, above those added of it before; a mailbox is not come back to. */
  readonly add: (mailbox: MailboxKey, uidValidity: number, appearances: Appearances) => void;
  /** Forgets the mailbox that was added to last. */
  readonly drop: (mailbox: MailboxKey) => void;
  /** All of them, each under the id it keeps. Nothing may be added afterwards. */
  readonly columns: () => Columns;
};

/** `expected`: how many messages there will be, about. */
export function gatherMail({ scheme, threads }: Pick<CatalogView, 'scheme' | 'threads'>, expected: number): Gathering {
  const texts = new Texts({ texts: 3 * expected, octets: 64 * expected });
  const names = new Names(texts, expected);
  const exact = () => new Column(Float64Array, expected);
  const whole = () => new Column(Int32Array, expected);
  const perRow = {
    ...{ uids: exact(), dates: exact(), sizes: exact(), marks: whole(), ids: whole(), serverThreads: whole() },
    ...{ own: whole(), namedFrom: whole(), references: whole(), inReplyTo: whole() },
  };
  const named = new Column(Int32Array, 2 * expected);
  const kinds = markKinds();
  const stretches: Stretch[] = [];
  const rowTexts = rowTextReader(texts, names);
  const nameOf = (messageId: string) => nameOfMessageId(names, messageId);

  const addAncestry = ({ own, references, inReplyTo }: Ancestry<number>): void => {
    perRow.own.push(own ?? -1);
    perRow.namedFrom.push(named.length);
    perRow.references.push(references.length);
    perRow.inReplyTo.push(inReplyTo.length);
    for (const name of references) named.push(name);
    for (const name of inReplyTo) named.push(name);
  };

  const addNumbers = (uid: number, date: number, size: number, flags: readonly string[]): void => {
    perRow.uids.push(uid);
    perRow.dates.push(date);
    perRow.sizes.push(size);
    perRow.marks.push(kinds.of(flags));
  };
  const addAppearance = (appearance: Appearance, uidValidity: number): void => {
    const { uid, internalDate, size, flags, serverThreadId } = appearance;
    addNumbers(uid, internalDate, size, flags);
    perRow.ids.push(texts.add(emailIdOf(scheme, appearance, uidValidity)));
    const isNamed = threads === 'server' && serverThreadId !== null;
    perRow.serverThreads.push(isNamed ? names.numberOf(idOfServer(serverThreadId)) : noThread);
    addAncestry(isNamed ? noAncestry : ancestryOf(appearance, nameOf));
  };
  /** The same without making the texts, where the server names Emails. False: nothing was added. */
  const addRow = (columns: AppearanceColumns, row: number): boolean => {
    if (scheme === 'digest' || !columns.isRow(row)) return false;
    const thread = threads === 'server' ? rowTexts.threadOfServer(columns, row) : noThread;
    const ancestry = thread === noThread ? rowTexts.ancestry(columns, row) : noAncestry;
    if (thread === null || ancestry === null) return false;
    const id = rowTexts.idOfServer(columns, row);
    if (id === null) return false;
    const { uids, dates, sizes, flags } = columns;
    addNumbers(uids[row] as number, dates[row] as number, sizes[row] as number, flags[row] as readonly string[]);
    perRow.ids.push(id);
    perRow.serverThreads.push(thread);
    addAncestry(ancestry);
    return true;
  };

  return {
    size: () => perRow.uids.length,
    add: (mailbox, uidValidity, appearances) => {
      const last = stretches.at(-1)?.mailbox === mailbox ? stretches.pop() : undefined;
      const start = last?.start ?? perRow.uids.length;
      const { columns } = appearances;
      for (let place = 0; place < appearances.length; place++) {
        if (columns !== undefined && addRow(columns, columns.rowAt(place))) continue;
        addAppearance(appearances.at(place) as Appearance, uidValidity);
      }
      stretches.push({ mailbox, start, end: perRow.uids.length });
    },
    drop: (mailbox) => {
      const last = stretches.at(-1)?.mailbox === mailbox ? stretches.pop() : undefined;
      if (last === undefined) return;
      for (const column of Object.values(perRow)) column.length = last.start;
    },
    columns: () => {
      stretches.sort((a, b) => a.mailbox - b.mailbox);
      const columns = {
        uids: perRow.uids.gathered(stretches),
        dates: perRow.dates.gathered(stretches),
        sizes: perRow.sizes.gathered(stretches),
        marks: perRow.marks.gathered(stretches),
        ids: perRow.ids.gathered(stretches),
        serverThreads: perRow.serverThreads.gathered(stretches),
        own: perRow.own.gathered(stretches),
        namedFrom: perRow.namedFrom.gathered(stretches),
        references: perRow.references.gathered(stretches),
        inReplyTo: perRow.inReplyTo.gathered(stretches),
        ...{ kinds: kinds.all, stretches: oneAfterTheOther(stretches), names },
        named: named.gathered([{ start: 0, end: named.length }]),
      };
      const { ids } = columns;
      const byEmail = numbersTo(ids.length);
      const sharesEmail = texts.sort(byEmail, ids);
      const sorted = { ...columns, byEmail, sharesEmail };
      if (sharesIdInMailbox(scheme) || !nameCopies(sorted)) return sorted;
      return { ...sorted, sharesEmail: texts.sort(byEmail, ids) };
    },
  };
}

/** The same stretches of columns that are in their order. */
function oneAfterTheOther(stretches: readonly Stretch[]): Stretch[] {
  let next = 0;
  return stretches.map(({ mailbox, start, end }) => {
    next += end - start;
    return { mailbox, start: next - (end - start), end: next };
  });
}

/** Many messages have few different lists of flags: all there are, by number. */
function markKinds(): { readonly of: (flags: readonly string[]) => number; readonly all: readonly Marks[] } {
  const all: Marks[] = [];
  const known = new Map<string, number>();
  // Rows that were read together have the same list, where they have the same flags.
  const ofLists = new WeakMap<readonly string[], number>();
  const kindOf = (flags: readonly string[]): number => {
    const key = flags.join(' ');
    const kind = known.get(key) ?? all.push(keywordsOfFlags(flags)) - 1;
    known.set(key, kind);
    ofLists.set(flags, kind);
    return kind;
  };
  return { all, of: (flags) => ofLists.get(flags) ?? kindOf(flags) };
}

/**
 * Of messages of equal content in one mailbox, the second and further ones get ids of their own; those flagged `\Deleted` come last.
 * Whether there are any.
 */
function nameCopies({ byEmail, sharesEmail, stretches, marks, kinds, ids, names: { texts } }: Columns): boolean {
  const mailboxes = mailboxesOfRows(stretches, ids.length);
  const isDeleted = (row: number) => Number(kinds[marks[row] as number]?.deleted);
  let isAny = false;
  for (let from = 0, to = 0; from < byEmail.length; from = to) {
    const first = byEmail[from] as number;
    const id = ids[first] as number;
    for (to = from + 1; to < byEmail.length; to += 1) {
      if (sharesEmail[to] === 0 || mailboxes[byEmail[to] as number] !== mailboxes[first]) break;
    }
    if (to === from + 1) continue;
    isAny = true;
    const copies = [...byEmail.subarray(from, to)].sort((a, b) => isDeleted(a) - isDeleted(b) || a - b);
    for (const [n, row] of copies.entries()) ids[row] = texts.add(nthEmailId(texts.at(id) as Id, n + 1));
  }
  return isAny;
}

/** The mailbox of each row. */
export function mailboxesOfRows(stretches: readonly Stretch[], rows: number): Uint32Array {
  const mailboxes = new Uint32Array(rows);
  for (const { mailbox, start, end } of stretches) mailboxes.fill(mailbox, start, end);
  return mailboxes;
}

/** 0, 1, 2, … */
export function numbersTo(count: number): Uint32Array {
  const numbers = new Uint32Array(count);
  for (let number = 0; number < count; number += 1) numbers[number] = number;
  return numbers;
}
