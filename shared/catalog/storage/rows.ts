import type { Id } from '../../jmap/scalars.ts';
import type { Row } from '../email.ts';
import { rowLeafBytesMax } from './limits.ts';
import type { ByteReader, ByteWriter } from './packing.ts';
import { mailboxOf, uidOf } from './row-key.ts';
import { numberKeys, type Shape } from './shape.ts';

/** What rows have in common with many others: kept once per block. */
type Marks = Pick<Row, 'keywords' | 'deleted' | 'shared' | 'hasAttachment'>;

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
  const marks = new Map<string, number>();
  const marksOfRows: number[] = [];
  for (const [i, row] of rows.entries()) {
    const above = rows[i - 1];
    if (above !== undefined && hasSameMarks(row, above)) {
      marksOfRows.push(marksOfRows[i - 1] ?? 0);
      continue;
    }
    const text = JSON.stringify([row.keywords, row.deleted, row.shared, row.hasAttachment]);
    const index = marks.get(text) ?? marks.size;
    marks.set(text, index);
    marksOfRows.push(index);
  }
  writer.number(marks.size);
  for (const text of marks.keys()) writer.text(text);
  for (const index of marksOfRows) writer.number(index);

  let before = 0;
  for (const { receivedAt } of rows) {
    writer.signed(receivedAt - before);
    before = receivedAt;
  }
  for (const { size } of rows) writer.number(size);
  writer.texts(rows.map((row) => row.emailId));

  // A thread that occurred before in the block is named by how many other threads began since.
  const threads = new Map<Id, number>();
  for (const { threadId } of rows) {
    const index = threads.get(threadId);
    writer.number(index === undefined ? 0 : threads.size - index);
    if (index === undefined) threads.set(threadId, threads.size);
  }
  writer.texts([...threads.keys()]);
}

/** Without looking into lists of keywords: rows that were read together share them. */
function hasSameMarks(a: Row, b: Row): boolean {
  return (
    a.keywords === b.keywords && a.deleted === b.deleted && a.shared === b.shared && a.hasAttachment === b.hasAttachment
  );
}

function readValues(reader: ByteReader, keys: readonly number[]): Row[] {
  const count = keys.length;
  const marks = Array.from({ length: reader.number() }, (): Marks => {
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
  const emailIds = reader.texts(count);
  let begun = 0;
  const threadOfRows = Array.from({ length: count }, () => {
    const back = reader.number();
    return back === 0 ? begun++ : begun - back;
  });
  const threads = reader.texts(begun);

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
