import type { Id } from '../jmap/scalars.ts';
import { Column } from './column.ts';
import type { EmailRow, MailboxKey } from './email.ts';
import { emailIdOf, idOfServer, messageIdHash, nthEmailId, sharesIdInMailbox, threadIdOf } from './ids.ts';
import { keywordsOfFlags } from './keywords.ts';
import type { Appearance } from './source.ts';
import { hashOf, Names, Texts } from './texts.ts';
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
  readonly marks: Float64Array;
  readonly kinds: readonly Marks[];
  readonly ids: Float64Array;
  /** The server's thread; −1: it is to be derived. */
  readonly serverThreads: Float64Array;
  /** The message's own Message-ID, as the id of the thread that it begins; −1: it has none. */
  readonly own: Float64Array;
  /** The Message-IDs that it names are `named` from here: so many of References, then those of In-Reply-To. */
  readonly namedFrom: Float64Array;
  readonly references: Float64Array;
  readonly inReplyTo: Float64Array;
  readonly named: Float64Array;
  /** All rows by Email id, then mailbox and UID. */
  readonly byEmail: Uint32Array;
  readonly names: Names;
};

/** Gathers the messages of an account that was never read before, mailbox by mailbox. */
export type Gathering = {
  /** How many there are so far. */
  readonly size: () => number;
  /** Adds messages of a mailbox in UID order, above those added of it before; a mailbox is not come back to. */
  readonly add: (mailbox: MailboxKey, uidValidity: number, appearances: readonly Appearance[]) => void;
  /** Forgets the mailbox that was added to last. */
  readonly drop: (mailbox: MailboxKey) => void;
  /** All of them, each under the id it keeps. Nothing may be added afterwards. */
  readonly columns: () => Columns;
};

export function gatherMail({ scheme, threads }: Pick<CatalogView, 'scheme' | 'threads'>): Gathering {
  const texts = new Texts();
  const names = new Names(texts);
  const perRow = {
    ...{ uids: new Column(), dates: new Column(), sizes: new Column(), marks: new Column(), ids: new Column() },
    ...{ serverThreads: new Column(), own: new Column(), namedFrom: new Column() },
    ...{ references: new Column(), inReplyTo: new Column() },
  };
  const named = new Column();
  const kinds = markKinds();
  const stretches: Stretch[] = [];
  const nameOf = rememberedNames(names);

  const addAncestry = ({ own, references, inReplyTo }: Ancestry<number>): void => {
    perRow.own.push(own ?? -1);
    perRow.namedFrom.push(named.length);
    perRow.references.push(references.length);
    perRow.inReplyTo.push(inReplyTo.length);
    for (const name of references) named.push(name);
    for (const name of inReplyTo) named.push(name);
  };

  return {
    size: () => perRow.uids.length,
    add: (mailbox, uidValidity, appearances) => {
      const last = stretches.at(-1)?.mailbox === mailbox ? stretches.pop() : undefined;
      const start = last?.start ?? perRow.uids.length;
      for (const appearance of appearances) {
        const { uid, internalDate, size, flags, serverThreadId } = appearance;
        perRow.uids.push(uid);
        perRow.dates.push(internalDate);
        perRow.sizes.push(size);
        perRow.marks.push(kinds.of(flags));
        perRow.ids.push(texts.add(emailIdOf(scheme, appearance, uidValidity)));
        const isNamed = threads === 'server' && serverThreadId !== null;
        perRow.serverThreads.push(isNamed ? names.numberOf(idOfServer(serverThreadId)) : -1);
        addAncestry(isNamed ? noAncestry : ancestryOf(appearance, nameOf));
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
      const inOrder = (column: Column) => concat(stretches.map(({ start, end }) => column.slice(start, end)));
      const columns = {
        uids: inOrder(perRow.uids),
        dates: inOrder(perRow.dates),
        sizes: inOrder(perRow.sizes),
        marks: inOrder(perRow.marks),
        ids: inOrder(perRow.ids),
        serverThreads: inOrder(perRow.serverThreads),
        own: inOrder(perRow.own),
        namedFrom: inOrder(perRow.namedFrom),
        references: inOrder(perRow.references),
        inReplyTo: inOrder(perRow.inReplyTo),
        ...{ kinds: kinds.all, stretches: oneAfterTheOther(stretches), names },
        named: named.slice(0, named.length),
        byEmail: numbersTo(perRow.uids.length),
      };
      const { byEmail, ids } = columns;
      texts.sort(byEmail, ids);
      if (!sharesIdInMailbox(scheme) && nameCopies(columns)) texts.sort(byEmail, ids);
      return columns;
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
  return {
    all,
    of: (flags) => {
      const key = flags.join(' ');
      const kind = known.get(key) ?? all.push(keywordsOfFlags(flags)) - 1;
      known.set(key, kind);
      return kind;
    },
  };
}

/** Message-IDs that are remembered, each at a place of its own: answers name again what came shortly before. */
const messageIdsRemembered = 1 << 14;

/** A Message-ID as the id of the thread that it begins. */
function rememberedNames(names: Names): (messageId: string) => number {
  const messageIds: string[] = new Array(messageIdsRemembered).fill('');
  const numbers = new Float64Array(messageIdsRemembered);
  return (messageId) => {
    const place = hashOf(messageId) & (messageIdsRemembered - 1);
    if (messageIds[place] === messageId && messageId !== '') return numbers[place] as number;
    const name = names.numberOf(threadIdOf(messageIdHash(messageId)));
    messageIds[place] = messageId;
    numbers[place] = name;
    return name;
  };
}

/**
 * Of messages of equal content in one mailbox, the second and further ones get ids of their own; those flagged `\Deleted` come last.
 * Whether there are any.
 */
function nameCopies({ byEmail, stretches, marks, kinds, ids, names: { texts } }: Columns): boolean {
  const mailboxes = mailboxesOfRows(stretches, ids.length);
  const isDeleted = (row: number) => Number(kinds[marks[row] as number]?.deleted);
  let isAny = false;
  for (let from = 0, to = 0; from < byEmail.length; from = to) {
    const first = byEmail[from] as number;
    const id = ids[first] as number;
    for (to = from + 1; to < byEmail.length; to += 1) {
      const row = byEmail[to] as number;
      if (mailboxes[row] !== mailboxes[first] || !texts.isSame(ids[row] as number, id)) break;
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

function concat(parts: readonly Float64Array[]): Float64Array {
  const whole = new Float64Array(parts.reduce((sum, part) => sum + part.length, 0));
  let start = 0;
  for (const part of parts) {
    whole.set(part, start);
    start += part.length;
  }
  return whole;
}
