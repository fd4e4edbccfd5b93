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
    ...{ count, keyAt, dateAt: null },
    write: (writer, start, end) => {
      writeTextKeys(writer, start, end, textColumn(texts, ids, 0));
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
  const [first, second] = [textColumn(texts, ids, 0), textColumn(texts, emailIds, 0)];
  const lengthAt = (place: number) => texts.endOf(ids[place] as number) - texts.startOf(ids[place] as number);
  return {
    count,
    keyAt: (place) => threadKey(texts.at(ids[place] as number) as Id, texts.at(emailIds[place] as number) as Id),
    dateAt: null,
    write: (writer, start, end) =>
      writeTextKeys(writer, start, end, {
        sharedAt: (place) => {
          const isSameThread = ids[place] === ids[place - 1];
          return isSameThread ? lengthAt(place) + space.length + second.sharedAt(place) : first.sharedAt(place);
        },
        writeRest: (out, place, from) => {
          const beyond = from - lengthAt(place) - space.length;
          if (beyond >= 0) return second.writeRest(out, place, beyond);
          const before = first.writeRest(out, place, from);
          out.octets(space, 0, space.length);
          return before + space.length + second.writeRest(out, place, 0);
        },
      }),
  };
}

function loadedMessageIds({ texts, messageIds }: Filling): LoadedTable<string> {
  const { count, roots, threadIds } = messageIds;
  return {
    count,
    // The id of a thread is a letter and the hash of the Message-ID that begins it.
    keyAt: (place) => texts.at(roots[place] as number).slice(1),
    dateAt: null,
    write: (writer, start, end) => {
      writeTextKeys(writer, start, end, textColumn(texts, roots, 1));
      writeTexts(writer, texts, end - start, (place) => threadIds[start + place] as number);
    },
  };
}

/** What stands between the two ids of a thread's key. */
const space = Uint8Array.of(0x20);

/** A column of keys by their place. */
type KeyColumn = {
  /** How many octets the key has in common with the one before. */
  readonly sharedAt: (place: number) => number;
  /** Writes the octets of the key from that one on, and gives how many they are. */
  readonly writeRest: (writer: ByteWriter, place: number, from: number) => number;
};

/** Keys that are texts, without their first octets. */
function textColumn(texts: NumberedTexts, ids: ArrayLike<number>, without: number): KeyColumn {
  return {
    sharedAt: (place) => {
      const { octets } = texts;
      const [own, before] = [ids[place] as number, ids[place - 1] as number];
      const start = texts.startOf(own) + without;
      const end = texts.endOf(own);
      const endBefore = texts.endOf(before);
      let at = start;
      for (let other = texts.startOf(before) + without; at < end && other < endBefore; at++, other++) {
        if (octets[at] !== octets[other]) break;
      }
      return at - start;
    },
    writeRest: (writer, place, from) => {
      const start = texts.startOf(ids[place] as number) + without + from;
      const end = texts.endOf(ids[place] as number);
      writer.octets(texts.octets, start, end);
      return end - start;
    },
  };
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

/** What the keys have beyond those before them. */
const rests = createByteWriter();

/** As `textKeys` has them. */
function writeTextKeys(writer: ByteWriter, start: number, end: number, { sharedAt, writeRest }: KeyColumn): void {
  const lengths: number[] = [];
  rests.clear();
  for (let place = start; place < end; place++) {
    const shared = place === start ? 0 : sharedAt(place);
    writer.number(shared);
    lengths.push(writeRest(rests, place, shared));
  }
  for (const length of lengths) writer.number(length);
  const all = rests.bytes();
  writer.number(all.length);
  writer.written(all);
}
