import type { Id } from '../jmap/scalars.ts';
import { type Counted, countedOf, noCounts, ThreadTally } from './counts.ts';
import type { EmailRow, MailboxKey, RowMarks } from './email.ts';
import { entriesAfter } from './entries.ts';
import { type Columns, mailboxesOfRows, numbersTo } from './gathered.ts';
import { lonelyThreadId } from './ids.ts';
import type { MailboxCounts, MailboxEntry } from './mailbox.ts';
import { radixSort } from './radix-sort.ts';
import { mailboxWithRole } from './roles.ts';
import { type Ancestry, provisionalMark, provisionalThreadOf, threadAmong } from './threads.ts';
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
  const threads = isWhole ? lastingThreads(columns, emails) : provisionalThreads(columns, emails);
  const groups = threadGroups(columns, threads);
  const trash = mailboxWithRole(entriesAfter(known, read).values(), 'trash');
  const counts = countsIn(columns, emails, groups, trash);
  return {
    mailboxes: new Map([...read].map(([key, entry]) => [key, { ...entry, counts: counts.get(key) ?? noCounts }])),
    texts,
    rows: {
      count: ids.length,
      mailboxes: emails.mailboxes,
      uids,
      emailIds: ids,
      threadIds: threadsOfRows(emails, threads),
      receivedAt: datesOfRows(emails),
      sizes,
      marks: marksOfRows(columns, emails),
      kinds: kindsOf(columns),
    },
    emails: { count: emails.count, ids: emails.ids, starts: emails.starts, rowsOf: columns.byEmail },
    threads: threadEntries(columns, groups, threads, emails),
  };
}

/** Per row, the date of its Email. */
function datesOfRows({ ofRows, receivedAt }: Emails): Float64Array {
  const dates = new Float64Array(ofRows.length);
  for (let row = 0; row < dates.length; row += 1) dates[row] = receivedAt[ofRows[row] as number] as number;
  return dates;
}

function threadsOfRows({ ofRows }: Emails, { ofEmails }: Threads): Uint32Array {
  const threads = new Uint32Array(ofRows.length);
  for (let row = 0; row < threads.length; row += 1) threads[row] = ofEmails[ofRows[row] as number] as number;
  return threads;
}

/** Which of `kindsOf` each row is of. */
function marksOfRows({ marks, kinds }: Columns, { ofRows, isShared }: Emails): Uint32Array {
  const ofKinds = new Uint32Array(ofRows.length);
  for (let row = 0; row < ofKinds.length; row += 1) {
    ofKinds[row] = (marks[row] as number) + (isShared(ofRows[row] as number) ? kinds.length : 0);
  }
  return ofKinds;
}

/** Of each kind the rows whose Email has no others, and behind these, the rows whose Email has. */
function kindsOf({ kinds }: Columns): readonly RowMarks[] {
  return [false, true].flatMap((shared) => kinds.map((kind) => ({ ...kind, shared, hasAttachment: null })));
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

function emailsIn({ byEmail, sharesEmail, ids, dates, stretches }: Columns): Emails {
  const ofRows = new Uint32Array(byEmail.length);
  const starts = new Uint32Array(byEmail.length + 1);
  const receivedAt = new Float64Array(byEmail.length);
  const idOfEmails = new Uint32Array(byEmail.length);
  let count = 0;
  for (let place = 0; place < byEmail.length; place += 1) {
    const row = byEmail[place] as number;
    const date = dates[row] as number;
    if (sharesEmail[place] === 1) {
      receivedAt[count - 1] = Math.min(receivedAt[count - 1] as number, date);
    } else {
      starts[count] = place;
      idOfEmails[count] = ids[row] as number;
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

/** What the threads count in each mailbox. */
function countsIn(
  columns: Columns,
  emails: Emails,
  { starts, emails: members }: ThreadGroups,
  trash: MailboxKey | undefined,
): ReadonlyMap<MailboxKey, MailboxCounts> {
  const tally = new ThreadTally(trash);
  const countedAt = countedEmails(columns, emails);
  for (let group = 0; group + 1 < starts.length; group += 1) {
    const [from, to] = [starts[group] as number, starts[group + 1] as number];
    if (to === from + 1) {
      tally.add(countedAt(members[from] as number));
      continue;
    }
    const counted: Counted[] = [];
    for (let place = from; place < to; place += 1) counted.push(...countedAt(members[place] as number));
    tally.add(counted);
  }
  return tally.counts();
}

/** How an Email is counted; none: it does not exist for JMAP. Those that have one row, of one kind and in one mailbox, are counted by the same. */
function countedEmails(
  { uids, marks, kinds }: Columns,
  { rows, firstRow, isShared, mailboxes }: Emails,
): (email: number) => readonly Counted[] {
  const rowAt = (row: number): EmailRow => ({
    mailbox: mailboxes[row] as MailboxKey,
    uid: uids[row] as number,
    ...(kinds[marks[row] as number] as Columns['kinds'][number]),
  });
  const countedIn = (rows: readonly number[]) => [countedOf({ rows: rows.map(rowAt) })].filter((one) => one !== null);
  const alone = new Map<number, readonly Counted[]>();
  return (email) => {
    if (isShared(email)) return countedIn(rows(email));
    const row = firstRow(email);
    const key = (mailboxes[row] as number) * kinds.length + (marks[row] as number);
    const known = alone.get(key);
    if (known !== undefined) return known;
    const counted = countedIn([row]);
    alone.set(key, counted);
    return counted;
  };
}

type Threads = {
  /** Per Email, the number of its thread's id. */
  readonly ofEmails: Uint32Array;
  /** Per name of a Message-ID, the thread by which it is known; −1: none. Names beyond its end are those of none. */
  readonly ofNames: Int32Array;
};

/**
 * The Emails of each thread, by thread id. A thread without any is among them where the Message-ID that would begin it is known by
 * another thread: that is an entry of its own.
 */
type ThreadGroups = {
  readonly names: Uint32Array;
  /** Where the Emails of each begin in `emails`, and where the last ones end. */
  readonly starts: Uint32Array;
  readonly emails: Uint32Array;
};

function threadGroups({ names: { texts } }: Columns, { ofEmails, ofNames }: Threads): ThreadGroups {
  const counts = new Uint32Array(texts.size);
  for (let email = 0; email < ofEmails.length; email += 1) {
    const thread = ofEmails[email] as number;
    counts[thread] = (counts[thread] as number) + 1;
  }
  const used = new Uint32Array(texts.size);
  let usedCount = 0;
  for (let name = 0; name < texts.size; name += 1) {
    if ((counts[name] as number) > 0 || (ofNames[name] ?? -1) >= 0) used[usedCount++] = name;
  }
  const byId = numbersTo(usedCount);
  texts.sort(byId, used);

  const names = new Uint32Array(usedCount);
  const starts = new Uint32Array(usedCount + 1);
  const next = counts;
  let start = 0;
  for (let group = 0; group < usedCount; group += 1) {
    const name = used[byId[group] as number] as number;
    names[group] = name;
    starts[group] = start;
    start += counts[name] as number;
    next[name] = starts[group] as number;
  }
  starts[usedCount] = start;
  const emails = new Uint32Array(ofEmails.length);
  for (let email = 0; email < ofEmails.length; email += 1) {
    const thread = ofEmails[email] as number;
    emails[next[thread] as number] = email;
    next[thread] = (next[thread] as number) + 1;
  }
  return { names, starts, emails };
}

const provisional = provisionalMark.charCodeAt(0);

/** A thread that is still to be assigned has no members to look up. */
function threadEntries(
  { names: { texts } }: Columns,
  { names, starts, emails: members }: ThreadGroups,
  { ofNames }: Threads,
  emails: Emails,
): Filling['threads'] {
  const entriesMax = names.length + members.length;
  const [ids, emailIds, knownBy] = [
    new Uint32Array(entriesMax),
    new Int32Array(entriesMax),
    new Int32Array(entriesMax),
  ];
  const isLasting = ofNames.length > 0;
  let count = 0;
  for (let group = 0; group < names.length; group += 1) {
    const name = names[group] as number;
    if (!isLasting && texts.octets[texts.startOf(name)] === provisional) continue;
    const known = ofNames[name] ?? -1;
    if (known >= 0) {
      ids[count] = name;
      emailIds[count] = -1;
      knownBy[count++] = known;
    }
    const end = starts[group + 1] as number;
    for (let place = starts[group] as number; place < end; place += 1) {
      ids[count] = name;
      emailIds[count] = emails.ids[members[place] as number] as number;
      knownBy[count++] = -1;
    }
  }
  return { count, ids, emailIds, knownBy };
}

/** As `assignThreads` has them. */
function lastingThreads(columns: Columns, { count, ids, firstRow, receivedAt }: Emails): Threads {
  const { names, serverThreads } = columns;
  const ofEmails = new Uint32Array(count);
  const ofNames = new Int32Array(names.texts.size).fill(-1);
  const threadOf = (name: number) => {
    const thread = ofNames[name] as number;
    return thread < 0 ? undefined : thread;
  };
  const inOrder = byArrival(receivedAt.subarray(0, count));
  for (let place = 0; place < count; place += 1) {
    const email = inOrder[place] as number;
    const row = firstRow(email);
    const given = serverThreads[row] as number;
    if (given >= 0) {
      ofEmails[email] = given;
      continue;
    }
    const ancestry = ancestryAt(columns, row);
    const thread = threadAmong(
      ancestry,
      threadOf,
      (root) => root ?? names.numberOf(lonelyThreadId(names.texts.at(ids[email] as number) as Id)),
    );
    ofEmails[email] = thread;
    const { own } = ancestry;
    if (own !== null && threadOf(own) === undefined) ofNames[own] = thread;
  }
  return { ofEmails, ofNames };
}

/** Places of dates by date, those of the same one in their order. */
function byArrival(dates: Float64Array): Uint32Array {
  const places = numbersTo(dates.length);
  let [oldest, newest] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (let place = 0; place < dates.length; place += 1) {
    const date = dates[place] as number;
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
  const ofEmails = numbersTo(count).map((email) => {
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
  return { ofEmails, ofNames: new Int32Array(0) };
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
  const numbers = new Array<number>(end - start);
  for (let place = start; place < end; place += 1) numbers[place - start] = column[place] as number;
  return numbers;
}

const none: readonly number[] = [];
