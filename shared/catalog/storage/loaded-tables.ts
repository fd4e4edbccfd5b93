import type { Id } from '../../jmap/scalars.ts';
import type { Filling, NumberedTexts } from '../view.ts';
import { IdColumn } from './id-column.ts';
import { sameThread, threadKey, threadKeyKinds } from './lookups.ts';
import { NumberColumn } from './number-column.ts';
import type { ByteWriter } from './packing.ts';
import { rowKey } from './row-key.ts';
import { writeRowNumbers, writeThreadPlaces } from './rows.ts';
import type { Key } from './shape.ts';
import type { lastingTables } from './tables.ts';

/** What is put into a table that is empty, by ascending key. */
export type LoadedTable<K extends Key> = {
  readonly count: number;
  readonly keyAt: (place: number) => K;
  /** As `Shape.dateOf`; null: that is 0 for all. */
  readonly dates: ArrayLike<number> | null;
  /** Writes the keys of the entries from `start` to before `end`, and then their values, as the table's shape does. */
  readonly write: (writer: ByteWriter, start: number, end: number) => void;
};

/** What is put into tables that are empty. */
export type Load = {
  readonly [Name in Exclude<(typeof lastingTables)[number], 'mailboxes'>]: LoadedTable<
    Name extends 'rows' ? number : string
  >;
};

/** A filling as the tables hold it, packed out of its columns: an object and some strings for each message would take most of the time. */
export function loadOf(filling: Filling): Load {
  return {
    rows: loadedRows(filling),
    emails: loadedEmails(filling),
    threads: loadedThreads(filling),
  };
}

function loadedRows(filling: Filling): LoadedTable<number> {
  const { count, receivedAt } = filling.rows;
  return {
    count,
    keyAt: (row) => rowKeyAt(filling.rows, row),
    dates: receivedAt,
    write: (writer, start, end) => writeRows(writer, filling, start, end),
  };
}

function loadedEmails(filling: Filling): LoadedTable<string> {
  const { texts, emails } = filling;
  return {
    count: emails.count,
    keyAt: (email) => texts.at(emails.ids[email] as number),
    dates: null,
    write: (writer, start, end) => writeEmails(writer, filling, start, end),
  };
}

function loadedThreads(filling: Filling): LoadedTable<string> {
  const { texts, threads } = filling;
  return {
    count: threads.count,
    keyAt: (place) => {
      const emailId = threads.emailIds[place] as number;
      return threadKey(texts.at(threads.ids[place] as number) as Id, (emailId < 0 ? '' : texts.at(emailId)) as Id);
    },
    dates: null,
    write: (writer, start, end) => writeThreads(writer, filling, start, end),
  };
}

// What writes entries are functions of the module: those made for one filling would be compiled anew for the next.

function rowKeyAt({ mailboxes, uids }: Filling['rows'], row: number): number {
  return rowKey(mailboxes[row] as number, uids[row] as number);
}

function writeRows(writer: ByteWriter, { texts, rows }: Filling, start: number, end: number): void {
  const { emailIds, threadIds } = rows;
  column.clear();
  let before = 0;
  for (let row = start; row < end; row++) {
    const key = rowKeyAt(rows, row);
    writer.number(key - before);
    before = key;
  }
  writeRowNumbers(writer, rows, start, end);
  for (let row = start; row < end; row++) addRest(texts, emailIds[row] as number, 0);
  writer.ids(column);
  for (const row of writeThreadPlaces(writer, threadIds, start, end)) addRest(texts, threadIds[row] as number, 0);
  writer.ids(column);
}

function writeEmails(writer: ByteWriter, { texts, rows, emails }: Filling, start: number, end: number): void {
  const { ids, starts, rowsOf } = emails;
  column.clear();
  numbers.clear();
  for (let email = start; email < end; email++) {
    const id = ids[email] as number;
    const shared = email === start ? 0 : sharedOctets(texts, ids[email - 1] as number, id);
    numbers.push(shared);
    addRest(texts, id, shared);
  }
  writer.numbers(numbers);
  writer.ids(column);
  for (let email = start; email < end; email++) {
    numbers.push((starts[email + 1] as number) - (starts[email] as number));
  }
  writer.numbers(numbers);
  const [first, last] = [starts[start] as number, starts[end] as number];
  for (let place = first; place < last; place++) numbers.push(rows.mailboxes[rowsOf[place] as number] as number);
  writer.numbers(numbers);
  for (let place = first; place < last; place++) numbers.push(rows.uids[rowsOf[place] as number] as number);
  writer.numbers(numbers);
}

function writeThreads(writer: ByteWriter, { texts, threads }: Filling, start: number, end: number): void {
  const { ids, emailIds, knownBy } = threads;
  column.clear();
  numbers.clear();
  for (let place = start; place < end; place++) {
    numbers.push((emailIds[place] as number) < 0 ? threadKeyKinds.messageId : threadKeyKinds.email);
  }
  writer.numbers(numbers);
  for (let place = start; place < end; place++) {
    const id = ids[place] as number;
    if (place > start && id === ids[place - 1]) {
      numbers.push(sameThread);
      continue;
    }
    const shared = place === start ? 0 : sharedOctets(texts, ids[place - 1] as number, id);
    numbers.push(shared + 1);
    addRest(texts, id, shared);
  }
  writer.numbers(numbers);
  writer.ids(column);
  for (let place = start; place < end; place++) {
    const emailId = emailIds[place] as number;
    if (emailId >= 0) addRest(texts, emailId, 0);
  }
  writer.ids(column);
  for (let place = start; place < end; place++) {
    const known = knownBy[place] as number;
    const isElsewhere = known >= 0 && known !== ids[place];
    numbers.push(Number(isElsewhere));
    if (isElsewhere) addRest(texts, known, 0);
  }
  writer.numbers(numbers);
  writer.ids(column);
}

/** What is about to be written. */
const column = new IdColumn();
const numbers = new NumberColumn();

/** Adds what a text has beyond so many octets. */
function addRest(texts: NumberedTexts, text: number, without: number): void {
  column.add(texts.octets, texts.startOf(text) + without, texts.endOf(text));
}

/** How many octets the second text has in common with the first. */
function sharedOctets(texts: NumberedTexts, before: number, text: number): number {
  const { octets } = texts;
  const start = texts.startOf(text);
  const end = texts.endOf(text);
  const endBefore = texts.endOf(before);
  let at = start;
  for (let other = texts.startOf(before); at < end && other < endBefore; at++, other++) {
    if (octets[at] !== octets[other]) break;
  }
  return at - start;
}
