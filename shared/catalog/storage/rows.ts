import type { Id } from '../../jmap/scalars.ts';
import type { Row, RowMarks } from '../email.ts';
import { rowLeafBytesMax } from './limits.ts';
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
  const threads = rows.map((row) => row.threadId);
  writeRowNumbers(writer, columnsOf(rows), 0, rows.length);
  writeIds(
    writer,
    rows.map((row) => row.emailId),
  );
  const begins = writeThreadPlaces(writer, threads, 0, rows.length);
  writeIds(
    writer,
    begins.map((place) => threads[place] as Id),
  );
}

/** What is told of rows by numbers, in columns. */
export type RowColumns = {
  /** Which of `kinds` each row is of. */
  readonly marks: ArrayLike<number>;
  readonly kinds: readonly RowMarks[];
  readonly receivedAt: ArrayLike<number>;
  readonly sizes: ArrayLike<number>;
};

/** Most rows are of one of the kinds that came last. */
const latelyMax = 4;

function columnsOf(rows: readonly Row[]): RowColumns {
  const kinds: RowMarks[] = [];
  const marks: number[] = [];
  for (const row of rows) {
    const oldest = Math.max(0, kinds.length - latelyMax);
    let kind = kinds.length - 1;
    while (kind >= oldest && !hasSameMarks(row, kinds[kind] as RowMarks)) kind--;
    marks.push(kind >= oldest ? kind : kinds.push(row) - 1);
  }
  return { marks, kinds, receivedAt: rows.map((row) => row.receivedAt), sizes: rows.map((row) => row.size) };
}

/** Without looking into lists of keywords: rows that were read together share them. */
function hasSameMarks(a: RowMarks, b: RowMarks): boolean {
  return (
    a.keywords === b.keywords && a.deleted === b.deleted && a.shared === b.shared && a.hasAttachment === b.hasAttachment
  );
}

/** Writes the first of the columns of the rows from `start` to before `end`. Email ids come behind it, then the threads. */
export function writeRowNumbers(
  writer: ByteWriter,
  { marks, kinds, receivedAt, sizes }: RowColumns,
  start: number,
  end: number,
): void {
  writeMarks(writer, marks, kinds, start, end);
  let before = 0;
  for (let row = start; row < end; row++) {
    const date = receivedAt[row] as number;
    writer.signed(date - before);
    before = date;
  }
  for (let row = start; row < end; row++) writer.number(sizes[row] as number);
}

/** The marks that there are in the block, and for each row which of them it has. */
function writeMarks(
  writer: ByteWriter,
  marks: ArrayLike<number>,
  kinds: readonly RowMarks[],
  start: number,
  end: number,
): void {
  const texts = new Map<string, number>();
  const placeOfKinds = new Map<number, number>();
  for (let row = start; row < end; row++) {
    const kind = marks[row] as number;
    if (placeOfKinds.has(kind)) continue;
    const { keywords, deleted, shared, hasAttachment } = kinds[kind] as RowMarks;
    const text = JSON.stringify([keywords, deleted, shared, hasAttachment]);
    const place = texts.get(text) ?? texts.size;
    texts.set(text, place);
    placeOfKinds.set(kind, place);
  }
  writer.number(texts.size);
  for (const text of texts.keys()) writer.text(text);
  for (let row = start; row < end; row++) writer.number(placeOfKinds.get(marks[row] as number) as number);
}

/**
 * Writes which rows from `start` to before `end` are of one thread, and gives those whose thread is a new one in the block: their thread
 * ids come behind it. Rows of one thread have the same in `threads`.
 */
export function writeThreadPlaces(
  writer: ByteWriter,
  threads: ArrayLike<string | number>,
  start: number,
  end: number,
): number[] {
  // A thread that occurred before in the block is named by how many other threads began since.
  const begun = new Map<string | number, number>();
  const begins: number[] = [];
  for (let row = start; row < end; row++) {
    const thread = threads[row] as string | number;
    const index = begun.get(thread);
    writer.number(index === undefined ? 0 : begun.size - index);
    if (index !== undefined) continue;
    begun.set(thread, begun.size);
    begins.push(row);
  }
  return begins;
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
