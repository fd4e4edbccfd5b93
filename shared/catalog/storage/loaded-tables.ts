import type { Id } from '../../jmap/scalars.ts';
import type { Filling, NumberedTexts } from '../view.ts';
import { threadKey } from './lookups.ts';
import { type ByteWriter, createByteWriter } from './packing.ts';
import { rowKey } from './row-key.ts';
import { writeRowColumns } from './rows.ts';
import type { Key } from './shape.ts';
import type { lastingTables } from './tables.ts';

/** What is put into a table that is empty, by ascending key. */
export type LoadedTable<K extends Key> = {
  readonly count: number;
  readonly keyAt: (place: number) => K;
  /** As `Shape.dateOf`. */
  readonly dateAt: (place: number) => number;
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
    threadEmails: loadedThreads(filling),
    messageIds: loadedMessageIds(filling),
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
        writeEmailIds: () => writeTexts(writer, texts, end - start, (place) => emailIds[start + place] as number),
        threadAt: (place) => threadIds[start + place] as number,
        writeThreadIds: (places) =>
          writeTexts(writer, texts, places.length, (n) => threadIds[start + (places[n] as number)] as number),
      });
    },
  };
}

function loadedEmails({ texts, rows, emails }: Filling): LoadedTable<string> {
  const { count, ids, starts, rowsOf } = emails;
  const keyAt = (email: number) => texts.at(ids[email] as number);
  const rowAt = (place: number) => rowsOf[place] as number;
  return {
    ...{ count, keyAt, dateAt: undated },
    write: (writer, start, end) => {
      writeTextKeys(writer, start, end, (email, key) => put(texts, ids[email] as number, 0, key, 0));
      for (let email = start; email < end; email++) {
        writer.number((starts[email + 1] as number) - (starts[email] as number));
      }
      const [first, last] = [starts[start] as number, starts[end] as number];
      for (let place = first; place < last; place++) writer.number(rows.mailboxes[rowAt(place)] as number);
      for (let place = first; place < last; place++) writer.number(rows.uids[rowAt(place)] as number);
    },
  };
}

function loadedThreads({ texts, threads }: Filling): LoadedTable<string> {
  const { count, ids, emailIds } = threads;
  const space = 0x20;
  return {
    count,
    keyAt: (place) => threadKey(texts.at(ids[place] as number) as Id, texts.at(emailIds[place] as number) as Id),
    dateAt: undated,
    write: (writer, start, end) =>
      writeTextKeys(writer, start, end, (place, key) => {
        const length = put(texts, ids[place] as number, 0, key, 0);
        key[length] = space;
        return put(texts, emailIds[place] as number, 0, key, length + 1);
      }),
  };
}

function loadedMessageIds({ texts, messageIds }: Filling): LoadedTable<string> {
  const { count, roots, threadIds } = messageIds;
  return {
    count,
    // The id of a thread is a letter and the hash of the Message-ID that begins it.
    keyAt: (place) => texts.at(roots[place] as number).slice(1),
    dateAt: undated,
    write: (writer, start, end) => {
      writeTextKeys(writer, start, end, (place, key) => put(texts, roots[place] as number, 1, key, 0));
      writeTexts(writer, texts, end - start, (place) => threadIds[start + place] as number);
    },
  };
}

const undated = () => 0;

/** Puts a text, from its octet `from` on, at this place of a key. Gives where it ends. */
function put(texts: NumberedTexts, text: number, from: number, key: Uint8Array, place: number): number {
  let next = place;
  const { octets } = texts;
  const end = texts.endOf(text);
  for (let at = texts.startOf(text) + from; at < end; at++) key[next++] = octets[at] as number;
  return next;
}

/** As `ByteWriter.texts` has them. */
function writeTexts(writer: ByteWriter, texts: NumberedTexts, count: number, textAt: (place: number) => number): void {
  let all = 0;
  for (let place = 0; place < count; place++) {
    const text = textAt(place);
    const length = texts.endOf(text) - texts.startOf(text);
    writer.number(length);
    all += length;
  }
  writer.number(all);
  for (let place = 0; place < count; place++) {
    const text = textAt(place);
    writer.octets(texts.octets, texts.startOf(text), texts.endOf(text));
  }
}

/** Two ids of servers and what stands between them are far shorter. */
const keyOctetsMax = 1024;
/** Where the key that is written and the one before are in turn, and what the keys have beyond those before them. */
const keysInTurn = [new Uint8Array(keyOctetsMax), new Uint8Array(keyOctetsMax)] as const;
const rests = createByteWriter();

/** As `textKeys` has them. `putKey` puts a key into octets and gives its length. */
function writeTextKeys(
  writer: ByteWriter,
  start: number,
  end: number,
  putKey: (place: number, key: Uint8Array) => number,
): void {
  const lengths: number[] = [];
  let [key, before]: readonly [Uint8Array, Uint8Array] = keysInTurn;
  let lengthBefore = 0;
  rests.clear();
  for (let place = start; place < end; place++) {
    const length = putKey(place, key);
    let shared = 0;
    while (shared < length && shared < lengthBefore && key[shared] === before[shared]) shared++;
    writer.number(shared);
    lengths.push(length - shared);
    rests.octets(key, shared, length);
    [key, before] = [before, key];
    lengthBefore = length;
  }
  for (const length of lengths) writer.number(length);
  const all = rests.bytes();
  writer.number(all.length);
  writer.written(all);
}
