import type { Id } from '../../jmap/scalars.ts';
import type { Row, RowMarks } from '../email.ts';
import { rowLeafBytesMax } from './limits.ts';
import { NumberColumn } from './number-column.ts';
import type { ByteReader, ByteWriter } from './packing.ts';
import { mailboxOf, uidOf } from './row-key.ts';
import { numberKeys, type Shape, writeIds } from './shape.ts';

/** The rows of all mailboxes by (mailbox, UID); a leaf holds rows of one mailbox. */
export const rowShape: Shape<number, Row> = {
  leafBytesMax: rowLeafBytesMax,
  entryBytes: 32,
  memoryBytes: 230,
  groupOf: mailboxOf,
  appends: true,
  dateOf: (row) => row.receivedAt,
  ...numberKeys,
  writeValues,
  readValues,
};

function writeValues(writer: ByteWriter, rows: readonly Row[]): void {
  const rowAt = (place: number) => rows[place] as Row;
  writeRowColumns(writer, {
    count: rows.length,
    marksAt: rowAt,
    dateAt: (place) => rowAt(place).receivedAt,
    sizeAt: (place) => rowAt(place).size,
    writeEmailIds: () =>
      writeIds(
        writer,
        rows.map((row) => row.emailId),
      ),
    threadAt: (place) => rowAt(place).threadId,
    writeThreadIds: (places) =>
      writeIds(
        writer,
        places.map((place) => rowAt(place).threadId),
      ),
  });
}

/** Rows in columns, by their place. */
export type RowColumns = {
  readonly count: number;
  readonly marksAt: (place: number) => RowMarks;
  readonly dateAt: (place: number) => number;
  readonly sizeAt: (place: number) => number;
  readonly writeEmailIds: () => void;
  /** The same for rows of the same thread. */
  readonly threadAt: (place: number) => string | number;
  /** Writes the thread ids of the rows at these places. */
  readonly writeThreadIds: (places: readonly number[]) => void;
};

/** Writes the values of rows, wherever they are. */
export function writeRowColumns(writer: ByteWriter, rows: RowColumns): void {
  const { count } = rows;
  // Kept once in a block.
  const marks = new Map<string, number>();
  marksOfRows.clear();
  // Most rows have those of one of the last rows that had others than the one before.
  const lately: Late[] = [];
  for (let place = 0; place < count; place++) {
    const own = rows.marksAt(place);
    let late = 0;
    while (late < lately.length && !hasSameMarks(own, (lately[late] as Late).own)) late++;
    if (late === lately.length) {
      const text = JSON.stringify([own.keywords, own.deleted, own.shared, own.hasAttachment]);
      const index = marks.get(text) ?? marks.size;
      marks.set(text, index);
      if (lately.unshift({ own, index }) > latelyMax) lately.pop();
      late = 0;
    }
    marksOfRows.push((lately[late] as Late).index);
  }
  writer.number(marks.size);
  for (const text of marks.keys()) writer.text(text);
  for (let place = 0; place < count; place++) writer.number(marksOfRows.at(place));

  let before = 0;
  for (let place = 0; place < count; place++) {
    const date = rows.dateAt(place);
    writer.signed(date - before);
    before = date;
  }
  for (let place = 0; place < count; place++) writer.number(rows.sizeAt(place));
  rows.writeEmailIds();

  // A thread that occurred before in the block is named by how many other threads began since.
  const threads = new Map<string | number, number>();
  const begins: number[] = [];
  for (let place = 0; place < count; place++) {
    const thread = rows.threadAt(place);
    const index = threads.get(thread);
    writer.number(index === undefined ? 0 : threads.size - index);
    if (index !== undefined) continue;
    threads.set(thread, threads.size);
    begins.push(place);
  }
  rows.writeThreadIds(begins);
}

type Late = { readonly own: RowMarks; readonly index: number };
const latelyMax = 4;
/** Of what is about to be written: memory that was used before is fast. */
const marksOfRows = new NumberColumn();

/** Without looking into lists of keywords: rows that were read together share them. */
function hasSameMarks(a: RowMarks, b: RowMarks): boolean {
  return (
    a.keywords === b.keywords && a.deleted === b.deleted && a.shared === b.shared && a.hasAttachment === b.hasAttachment
  );
}

function readValues(reader: ByteReader, keys: readonly number[]): Row[] {
  const count = keys.length;
  const marks = Array.from({ length: reader.number() }, (): RowMarks => {
    const [keywords, deleted, shared, hasAttachment] = JSON.parse(reader.text()) as [
      string[],
      boolean,
      boolean,
      boolean | null,
    ];
    return { keywords, deleted, shared, hasAttachment };
  });
  const marksOfRows = Array.from({ length: count }, reader.number);
  let date = 0;
  const dates = Array.from({ length: count }, () => {
    date += reader.signed();
    return date;
  });
  const sizes = Array.from({ length: count }, reader.number);
  const emailIds = reader.ids(count);
  let begun = 0;
  const threadOfRows = Array.from({ length: count }, () => {
    const back = reader.number();
    return back === 0 ? begun++ : begun - back;
  });
  const threads = reader.ids(begun);

  return keys.map((key, i): Row => {
    const { keywords, deleted, shared, hasAttachment } = at(marks, at(marksOfRows, i));
    return {
      uid: uidOf(key),
      emailId: at(emailIds, i) as Id,
      threadId: at(threads, at(threadOfRows, i)) as Id,
      receivedAt: at(dates, i),
      size: at(sizes, i),
      hasAttachment,
      keywords,
      deleted,
      shared,
    };
  });
}

function at<T>(column: readonly T[], index: number): T {
  const value = column[index];
  if (value === undefined) throw new RangeError('a column of a block is too short');
  return value;
}
