import type { Id } from '../jmap/scalars.ts';
import { type Counted, countedOf, countsOfThreads, noCounts } from './counts.ts';
import type { EmailRow, MailboxKey, RowMarks } from './email.ts';
import { entriesAfter } from './entries.ts';
import { type Columns, mailboxesOfRows, numbersTo } from './gathered.ts';
import { lonelyThreadId } from './ids.ts';
import type { MailboxEntry } from './mailbox.ts';
import { radixSort } from './radix-sort.ts';
import { mailboxWithRole } from './roles.ts';
import { type Ancestry, isProvisional, provisionalThreadOf, threadAmong } from './threads.ts';
import type { Filling } from './view.ts';

/**
 * What a catalog is filled with: the gathered messages, and the entries of the mailboxes they were `read` from, with the counts
 * that follow. `isWhole`: no mailbox is missing any more, so that no thread has to stay provisional.
 */
export function fillingOf(
  columns: Columns,
  known: ReadonlyMap<MailboxKey, MailboxEntry>,
  read: ReadonlyMap<MailboxKey, MailboxEntry>,
  isWhole: boolean,
): Filling {
  const { ids, uids, sizes, names } = columns;
  const { texts } = names;
  const emails = emailsIn(columns);
  const { threads, roots, threadsOfRoots } = isWhole
    ? lastingThreads(columns, emails)
    : provisionalThreads(columns, emails);

  const byThread = numbersTo(emails.count);
  texts.sort(byThread, threads);
  const trash = mailboxWithRole(entriesAfter(known, read).values(), 'trash');
  const counts = countsOfThreads(countedThreads(columns, emails, byThread, threads), trash);
  // A thread that is still to be assigned has no members to look up.
  const isSettled = (email: number) => !isProvisional(texts.at(threads[email] as number) as Id);
  const settled = isWhole ? byThread : byThread.filter(isSettled);
  const byRoot = numbersTo(roots.length);
  texts.sort(byRoot, roots);
  return {
    mailboxes: new Map([...read].map(([key, entry]) => [key, { ...entry, counts: counts.get(key) ?? noCounts }])),
    texts,
    rows: {
      ...{ count: ids.length, mailboxes: emails.mailboxes, uids, sizes, emailIds: ids },
      threadIds: emails.ofRows.map((email) => threads[email] as number),
      receivedAt: datesOfRows(emails),
      marksAt: marksOf(columns, emails),
    },
    emails: { count: emails.count, ids: emails.ids, starts: emails.starts, rowsOf: columns.byEmail },
    threads: {
      count: settled.length,
      ids: settled.map((email) => threads[email] as number),
      emailIds: settled.map((email) => emails.ids[email] as number),
    },
    messageIds: {
      count: byRoot.length,
      roots: byRoot.map((root) => roots[root] as number),
      threadIds: byRoot.map((root) => threadsOfRoots[root] as number),
    },
  };
}

/** Per row, the date of its Email. */
function datesOfRows({ ofRows, receivedAt }: Emails): Float64Array {
  const dates = new Float64Array(ofRows.length);
  for (let row = 0; row < dates.length; row += 1) dates[row] = receivedAt[ofRows[row] as number] as number;
  return dates;
}

/** Rows of one kind have the same object. */
function marksOf({ marks, kinds }: Columns, emails: Emails): (row: number) => RowMarks {
  const [alone, shared] = [false, true].map((shared) =>
    kinds.map((kind) => ({ ...kind, shared, hasAttachment: null })),
  );
  return (row) => {
    const ofKinds = emails.isShared(emails.ofRows[row] as number) ? shared : alone;
    return (ofKinds as RowMarks[])[marks[row] as number] as RowMarks;
  };
}

/** The Emails of the rows by id. The first row of an Email, by mailbox and UID, speaks for it; most have no other. */
type Emails = {
  readonly count: number;
  readonly rows: (email: number) => readonly number[];
  readonly firstRow: (email: number) => number;
  /** Numbers of their ids. */
  readonly ids: Uint32Array;
  readonly isShared: (email: number) => boolean;
  /** Where the rows of each begin in `byEmail`, and where the last ones end. */
  readonly starts: Uint32Array;
  readonly receivedAt: Float64Array;
  /** Per row, its Email. */
  readonly ofRows: Uint32Array;
  /** Per row, the mailbox it is in. */
  readonly mailboxes: Uint32Array;
};

function emailsIn({ byEmail, ids, dates, stretches, names: { texts } }: Columns): Emails {
  const ofRows = new Uint32Array(byEmail.length);
  const starts = new Uint32Array(byEmail.length + 1);
  const receivedAt = new Float64Array(byEmail.length);
  const idOfEmails = new Uint32Array(byEmail.length);
  let count = 0;
  let id = -1;
  for (let place = 0; place < byEmail.length; place += 1) {
    const row = byEmail[place] as number;
    const date = dates[row] as number;
    if (id >= 0 && texts.isSame(id, ids[row] as number)) {
      receivedAt[count - 1] = Math.min(receivedAt[count - 1] as number, date);
    } else {
      id = ids[row] as number;
      starts[count] = place;
      idOfEmails[count] = id;
      receivedAt[count] = date;
      count += 1;
    }
    ofRows[row] = count - 1;
  }
  starts[count] = byEmail.length;

  const firstRow = (email: number) => byEmail[starts[email] as number] as number;
  const rowsOf = (email: number) => (starts[email + 1] as number) - (starts[email] as number);
  return {
    ...{
      count,
      starts,
      firstRow,
      receivedAt,
      ofRows,
      mailboxes: mailboxesOfRows(stretches, ids.length),
      ids: idOfEmails,
    },
    rows: (email) =>
      rowsOf(email) === 1 ? [firstRow(email)] : Array.from(byEmail.subarray(starts[email], starts[email + 1])),
    isShared: (email) => rowsOf(email) > 1,
  };
}

/** How the Emails of each thread are counted, those that are by thread. */
function* countedThreads(
  columns: Columns,
  emails: Emails,
  byThread: Uint32Array,
  threads: Uint32Array,
): Generator<readonly Counted[]> {
  const countedAt = countedEmails(columns, emails);
  for (let from = 0, to = 0; from < byThread.length; from = to) {
    const thread = threads[byThread[from] as number];
    const counted: Counted[] = [];
    for (; to < byThread.length && threads[byThread[to] as number] === thread; to += 1) {
      const email = countedAt(byThread[to] as number);
      if (email !== null) counted.push(email);
    }
    yield counted;
  }
}

/** Emails that have one row, of one kind and in one mailbox, are counted by the same object. */
function countedEmails(
  { uids, marks, kinds }: Columns,
  { rows, firstRow, isShared, mailboxes }: Emails,
): (email: number) => Counted | null {
  const rowAt = (row: number): EmailRow => ({
    mailbox: mailboxes[row] as MailboxKey,
    uid: uids[row] as number,
    ...(kinds[marks[row] as number] as Columns['kinds'][number]),
  });
  const alone = new Map<number, Counted | null>();
  return (email) => {
    if (isShared(email)) return countedOf({ rows: rows(email).map(rowAt) });
    const row = firstRow(email);
    const key = (mailboxes[row] as number) * kinds.length + (marks[row] as number);
    let counted = alone.get(key);
    if (counted === undefined) {
      counted = countedOf({ rows: [rowAt(row)] });
      alone.set(key, counted);
    }
    return counted;
  };
}

type Threads = {
  /** Per Email, the number of its thread's id. */
  readonly threads: Uint32Array;
  /** The names of Message-IDs by which threads are known, and the numbers of their ids. */
  readonly roots: Uint32Array;
  readonly threadsOfRoots: Uint32Array;
};

/** As `assignThreads` has them. */
function lastingThreads(columns: Columns, { count, ids, firstRow, receivedAt }: Emails): Threads {
  const { names, serverThreads } = columns;
  const threads = new Uint32Array(count);
  const threadOfName = new Int32Array(names.texts.size).fill(-1);
  const threadOf = (name: number) => {
    const thread = threadOfName[name] as number;
    return thread < 0 ? undefined : thread;
  };
  const roots = new Uint32Array(count);
  let rootCount = 0;
  for (const email of byArrival(receivedAt.subarray(0, count))) {
    const row = firstRow(email);
    const given = serverThreads[row] as number;
    if (given >= 0) {
      threads[email] = given;
      continue;
    }
    const ancestry = ancestryAt(columns, row);
    const thread = threadAmong(
      ancestry,
      threadOf,
      (root) => root ?? names.numberOf(lonelyThreadId(names.texts.at(ids[email] as number) as Id)),
    );
    threads[email] = thread;
    const { own } = ancestry;
    if (own === null || threadOf(own) !== undefined) continue;
    threadOfName[own] = thread;
    roots[rootCount++] = own;
  }
  const known = roots.subarray(0, rootCount);
  return { threads, roots: known, threadsOfRoots: known.map((name) => threadOfName[name] as number) };
}

/** Places of dates by date, those of the same one in their order. */
function byArrival(dates: Float64Array): Uint32Array {
  const places = numbersTo(dates.length);
  let [oldest, newest] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const date of dates) {
    if (date < oldest) oldest = date;
    if (date > newest) newest = date;
  }
  if (newest - oldest > secondsMax) return places.sort((a, b) => (dates[a] as number) - (dates[b] as number));
  const ages = new Uint32Array(dates.length);
  for (let place = 0; place < ages.length; place += 1) ages[place] = (dates[place] as number) - oldest;
  radixSort(places, ages);
  return places;
}

/** More than a century; what lies further apart is sorted otherwise. */
const secondsMax = 2 ** 32 - 1;

/** As `provisionalThreadOf` has them: nothing is known by a Message-ID yet. */
function provisionalThreads(columns: Columns, { count, ids, firstRow }: Emails): Threads {
  const { names, serverThreads } = columns;
  const threads = numbersTo(count).map((email) => {
    const row = firstRow(email);
    const given = serverThreads[row] as number;
    if (given >= 0) return given;
    const { own, references, inReplyTo } = ancestryAt(columns, row);
    const hashOf = (name: number) => hashAt(columns, name);
    const ancestry: Ancestry = {
      own: own === null ? null : hashOf(own),
      references: references.map(hashOf),
      inReplyTo: inReplyTo.map(hashOf),
    };
    return names.numberOf(provisionalThreadOf(ancestry, names.texts.at(ids[email] as number) as Id));
  });
  return { threads, roots: new Uint32Array(0), threadsOfRoots: new Uint32Array(0) };
}

/** The hash of the Message-ID with this name, which is the thread that it begins. */
function hashAt({ names: { texts } }: Columns, name: number): string {
  return texts.at(name).slice(1);
}

function ancestryAt(columns: Columns, row: number): Ancestry<number> {
  const own = columns.own[row] as number;
  const from = columns.namedFrom[row] as number;
  const between = from + (columns.references[row] as number);
  const to = between + (columns.inReplyTo[row] as number);
  return {
    own: own < 0 ? null : own,
    references: numbersBetween(columns.named, from, between),
    inReplyTo: numbersBetween(columns.named, between, to),
  };
}

function numbersBetween(column: Int32Array, start: number, end: number): readonly number[] {
  if (start === end) return none;
  const numbers: number[] = [];
  for (let place = start; place < end; place += 1) numbers.push(column[place] as number);
  return numbers;
}

const none: readonly number[] = [];
