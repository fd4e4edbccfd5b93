import type { Id } from '../../jmap/scalars.ts';
import type { Filling, NumberedTexts } from '../view.ts';
import { IdColumn } from './id-column.ts';
import { sameThread, threadKey, threadKeyKinds } from './lookups.ts';
import type { ByteWriter } from './packing.ts';
import { rowKey } from './row-key.ts';
import { writeRowColumns } from './rows.ts';
import type { Key } from './shape.ts';
import type { lastingTables } from './tables.ts';

/** What is put into a table that is empty, by ascending key. */
export type LoadedTable<K extends Key> = {
  readonly count: number;
  readonly keyAt: (place: number) => K;
  /** As `Shape.dateOf`; null: that is 0 for all. */
  readonly dateAt: ((place: number) => number) | null;
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

function loadedRows({ texts, rows }: Filling): LoadedTable<number> {
  const { count, mailboxes, uids, emailIds, threadIds, receivedAt, sizes, marksAt } = rows;
  const keyAt = (row: number) => rowKey(mailboxes[row] as number, uids[row] as number);
  const dateAt = (row: number) => receivedAt[row] as number;
  return {
    ...{ count, keyAt, dateAt },
    write: (writer, start, end) => {
      let before = 0;
      for (let row = start; row < end; row++) {
        const key = keyAt(row);
        writer.number(key - before);
        before = key;
      }
      writeRowColumns(writer, {
        count: end - start,
        marksAt: (place) => marksAt(start + place),
        dateAt: (place) => dateAt(start + place),
        sizeAt: (place) => sizes[start + place] as number,
        writeEmailIds: () => {
          for (let row = start; row < end; row++) addRest(texts, emailIds[row] as number, 0);
          writer.ids(column);
        },
        threadAt: (place) => threadIds[start + place] as number,
        writeThreadIds: (places) => {
          for (const place of places) addRest(texts, threadIds[start + place] as number, 0);
          writer.ids(column);
        },
      });
    },
  };
}

function loadedEmails({ texts, rows, emails }: Filling): LoadedTable<string> {
  const { count, ids, starts, rowsOf } = emails;
  const keyAt = (email: number) => texts.at(ids[email] as number);
  const rowAt = (place: number) => rowsOf[place] as number;
  return {
    ...{ count, keyAt, dateAt: null },
    write: (writer, start, end) => {
      const shared = new Uint32Array(end - start);
      for (let email = start; email < end; email++) {
        const id = ids[email] as number;
        if (email > start) shared[email - start] = sharedOctets(texts, ids[email - 1] as number, id);
        addRest(texts, id, shared[email - start] as number);
      }
      writer.numbers(shared);
      writer.ids(column);
      const counts = shared;
      for (let email = start; email < end; email++) {
        counts[email - start] = (starts[email + 1] as number) - (starts[email] as number);
      }
      writer.numbers(counts);
      const [first, last] = [starts[start] as number, starts[end] as number];
      const ofRows = new Float64Array(last - first);
      for (let place = first; place < last; place++) ofRows[place - first] = rows.mailboxes[rowAt(place)] as number;
      writer.numbers(ofRows);
      for (let place = first; place < last; place++) ofRows[place - first] = rows.uids[rowAt(place)] as number;
      writer.numbers(ofRows);
    },
  };
}

function loadedThreads({ texts, threads }: Filling): LoadedTable<string> {
  const { count, ids, emailIds, knownBy } = threads;
  const emailIdAt = (place: number) => {
    const emailId = emailIds[place] as number;
    return emailId < 0 ? '' : texts.at(emailId);
  };
  return {
    count,
    keyAt: (place) => threadKey(texts.at(ids[place] as number) as Id, emailIdAt(place) as Id),
    dateAt: null,
    write: (writer, start, end) => {
      const kinds = new Uint32Array(end - start);
      const shared = new Uint32Array(end - start);
      for (let place = start; place < end; place++) {
        kinds[place - start] = (emailIds[place] as number) < 0 ? threadKeyKinds.messageId : threadKeyKinds.email;
        const id = ids[place] as number;
        const before = place === start ? -1 : (ids[place - 1] as number);
        const length = before < 0 ? 0 : sharedOctets(texts, before, id);
        shared[place - start] = id === before ? sameThread : length + 1;
        if (id !== before) addRest(texts, id, length);
      }
      writer.numbers(kinds);
      writer.numbers(shared);
      writer.ids(column);
      for (let place = start; place < end; place++) {
        const emailId = emailIds[place] as number;
        if (emailId >= 0) addRest(texts, emailId, 0);
      }
      writer.ids(column);
      const isElsewhere = kinds;
      for (let place = start; place < end; place++) {
        const known = knownBy[place] as number;
        isElsewhere[place - start] = Number(known >= 0 && known !== ids[place]);
        if (isElsewhere[place - start] === 1) addRest(texts, known, 0);
      }
      writer.numbers(isElsewhere);
      writer.ids(column);
    },
  };
}

/** Ids that are about to be written. */
const column = new IdColumn();

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
