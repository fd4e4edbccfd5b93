import type { Id } from '../jmap/scalars.ts';
import { Column } from './column.ts';
import type { EmailRow, MailboxKey } from './email.ts';
import { emailIdOf, idOfServer, nthEmailId, sharesIdInMailbox } from './ids.ts';
import { keywordsOfFlags } from './keywords.ts';
import { nameOfMessageId, noThread, RowTextReader } from './row-texts.ts';
import type { Appearance, AppearanceColumns, Appearances } from './source.ts';
import { Names, Texts } from './texts.ts';
import { type Ancestry, ancestryOf, noAncestry } from './threads.ts';
import type { CatalogView, IdentityScheme } from './view.ts';

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

/**
 * Gathers the messages of an account that was never read before, mailbox by mailbox. It and what it works with are classes, whose methods the
 * engine compiles once for all accounts; closures made for one account would be compiled again for the next.
 */
export class Gathering {
  readonly #scheme: IdentityScheme;
  readonly #threads: CatalogView['threads'];
  readonly #texts: Texts;
  readonly #names: Names;
  readonly #rowTexts: RowTextReader;
  readonly #kinds = new MarkKinds();
  readonly #perRow: PerRow;
  readonly #named: Column<Int32Array>;
  readonly #stretches: Stretch[] = [];
  readonly #nameOf = (messageId: string): number => nameOfMessageId(this.#names, messageId);

  /** `expected`: how many messages there will be, about. */
  constructor({ scheme, threads }: Pick<CatalogView, 'scheme' | 'threads'>, expected: number) {
    this.#scheme = scheme;
    this.#threads = threads;
    this.#texts = new Texts({ texts: 3 * expected, octets: 64 * expected });
    this.#names = new Names(this.#texts, expected);
    this.#rowTexts = new RowTextReader(this.#texts, this.#names);
    this.#perRow = {
      uids: new Column(Float64Array, expected),
      dates: new Column(Float64Array, expected),
      sizes: new Column(Float64Array, expected),
      marks: new Column(Int32Array, expected),
      ids: new Column(Int32Array, expected),
      serverThreads: new Column(Int32Array, expected),
      own: new Column(Int32Array, expected),
      namedFrom: new Column(Int32Array, expected),
      references: new Column(Int32Array, expected),
      inReplyTo: new Column(Int32Array, expected),
    };
    this.#named = new Column(Int32Array, 2 * expected);
  }

  /** How many there are so far. */
  get size(): number {
    return this.#perRow.uids.length;
  }

  /** Adds messages of a mailbox in UID order, above those added of it before; a mailbox is not come back to. */
  add(mailbox: MailboxKey, uidValidity: number, appearances: Appearances): void {
    const { columns } = appearances;
    const start = this.#takeLast(mailbox)?.start ?? this.size;
    for (let place = 0; place < appearances.length; place++) {
      if (columns !== undefined && this.#addRow(columns, columns.rowAt(place))) continue;
      this.#addAppearance(appearances.at(place) as Appearance, uidValidity);
    }
    this.#stretches.push({ mailbox, start, end: this.size });
  }

  /** Forgets the mailbox that was added to last. */
  drop(mailbox: MailboxKey): void {
    const last = this.#takeLast(mailbox);
    if (last === undefined) return;
    for (const column of Object.values(this.#perRow)) column.length = last.start;
  }

  /** All of them, each under the id it keeps. Nothing may be added afterwards. */
  columns(): Columns {
    const stretches = this.#stretches.sort((a, b) => a.mailbox - b.mailbox);
    const perRow = this.#perRow;
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
      named: this.#named.gathered([{ start: 0, end: this.#named.length }]),
      ...{ kinds: this.#kinds.all, stretches: oneAfterTheOther(stretches), names: this.#names },
    };
    const { ids } = columns;
    const byEmail = numbersTo(ids.length);
    const sharesEmail = this.#texts.sort(byEmail, ids);
    const sorted = { ...columns, byEmail, sharesEmail };
    if (sharesIdInMailbox(this.#scheme) || !nameCopies(sorted)) return sorted;
    return { ...sorted, sharesEmail: this.#texts.sort(byEmail, ids) };
  }

  #takeLast(mailbox: MailboxKey): Stretch | undefined {
    return this.#stretches.at(-1)?.mailbox === mailbox ? this.#stretches.pop() : undefined;
  }

  #addAppearance(appearance: Appearance, uidValidity: number): void {
    const { uid, internalDate, size, flags, serverThreadId } = appearance;
    const isNamed = this.#threads === 'server' && serverThreadId !== null;
    this.#push(
      uid,
      internalDate,
      size,
      this.#kinds.of(flags),
      this.#texts.add(emailIdOf(this.#scheme, appearance, uidValidity)),
      isNamed ? this.#names.numberOf(idOfServer(serverThreadId)) : noThread,
      isNamed ? noAncestry : ancestryOf(appearance, this.#nameOf),
    );
  }

  /** The same without making the texts, where the server names Emails. False: nothing was added. */
  #addRow(columns: AppearanceColumns, row: number): boolean {
    if (this.#scheme === 'digest' || !columns.isRow(row)) return false;
    const thread = this.#threads === 'server' ? this.#rowTexts.threadOfServer(columns, row) : noThread;
    const ancestry = thread === noThread ? this.#rowTexts.ancestry(columns, row) : noAncestry;
    if (thread === null || ancestry === null) return false;
    const id = this.#rowTexts.idOfServer(columns, row);
    if (id === null) return false;
    const { uids, dates, sizes, flags } = columns;
    const kind = this.#kinds.of(flags[row] as readonly string[]);
    this.#push(uids[row] as number, dates[row] as number, sizes[row] as number, kind, id, thread, ancestry);
    return true;
  }

  #push(
    uid: number,
    date: number,
    size: number,
    kind: number,
    id: number,
    thread: number,
    { own, references, inReplyTo }: Ancestry<number>,
  ): void {
    const perRow = this.#perRow;
    const named = this.#named;
    perRow.uids.push(uid);
    perRow.dates.push(date);
    perRow.sizes.push(size);
    perRow.marks.push(kind);
    perRow.ids.push(id);
    perRow.serverThreads.push(thread);
    perRow.own.push(own ?? -1);
    perRow.namedFrom.push(named.length);
    perRow.references.push(references.length);
    perRow.inReplyTo.push(inReplyTo.length);
    for (const name of references) named.push(name);
    for (const name of inReplyTo) named.push(name);
  }
}

type PerRow = Readonly<
  Record<'uids' | 'dates' | 'sizes', Column<Float64Array>> &
    Record<'marks' | 'ids' | 'serverThreads' | 'own' | 'namedFrom' | 'references' | 'inReplyTo', Column<Int32Array>>
>;

/** The same stretches of columns that are in their order. */
function oneAfterTheOther(stretches: readonly Stretch[]): Stretch[] {
  let next = 0;
  return stretches.map(({ mailbox, start, end }) => {
    next += end - start;
    return { mailbox, start: next - (end - start), end: next };
  });
}

/** Lists of flags whose kind is known without reading them. */
const latelyMax = 8;

/** Many messages have few different lists of flags: all there are, by number. */
class MarkKinds {
  readonly all: Marks[] = [];
  readonly #known = new Map<string, number>();
  // Rows that were read together have the same list, where they have the same flags. A WeakMap of hundreds of thousands that are each
  // its own would cost more time and memory, when what is of no use is collected, than all the rest.
  readonly #lately: (readonly string[])[] = [];
  readonly #kindsOfLately: number[] = [];
  #lists = 0;

  of(flags: readonly string[]): number {
    const late = this.#lately.indexOf(flags);
    return late < 0 ? this.#kindOf(flags) : (this.#kindsOfLately[late] as number);
  }

  #kindOf(flags: readonly string[]): number {
    const key = flags.join(' ');
    const kind = this.#known.get(key) ?? this.all.push(keywordsOfFlags(flags)) - 1;
    this.#known.set(key, kind);
    const place = this.#lists++ % latelyMax;
    this.#lately[place] = flags;
    this.#kindsOfLately[place] = kind;
    return kind;
  }
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
