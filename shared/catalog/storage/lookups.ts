import type { Id } from '../../jmap/scalars.ts';
import { lookupLeafBytesMax } from './limits.ts';
import type { ByteReader, ByteWriter } from './packing.ts';
import { mailboxOf, rowKey, uidOf } from './row-key.ts';
import { type Shape, textKeys } from './shape.ts';

const lookup = { leafBytesMax: lookupLeafBytesMax, groupOf: () => 0, appends: false, dateOf: () => 0, ...textKeys };

/** Email id → the keys of its rows, ascending. */
export const emailShape: Shape<string, readonly number[]> = {
  ...lookup,
  entryBytes: 16,
  memoryBytes: 120,
  writeValues: (writer, values) => {
    writeCounts(writer, values);
    for (const keys of values) for (const key of keys) writer.number(mailboxOf(key));
    for (const keys of values) for (const key of keys) writer.number(uidOf(key));
  },
  readValues: (reader, ids) => {
    const counts = readCounts(reader, ids.length);
    const mailboxes = counts.map((count) => Array.from({ length: count }, reader.number));
    return mailboxes.map((all) => all.map((mailbox) => rowKey(mailbox, reader.number())));
  },
};

/**
 * The Emails of threads: one entry for each, under thread id and Email id, so that a thread of any length fits.
 * A space sorts before everything that an id may contain.
 */
export const threadShape: Shape<string, Id> = {
  ...lookup,
  entryBytes: 28,
  memoryBytes: 140,
  writeValues: () => {},
  readValues: (_reader, keys) => keys.map((key) => key.slice(key.indexOf(' ') + 1) as Id),
};

export function threadKey(threadId: Id, emailId: Id): string {
  return `${threadId} ${emailId}`;
}

/** The keys of a thread's Emails are between these. */
export function threadRange(threadId: Id): readonly [from: string, to: string] {
  return [`${threadId} `, `${threadId}!`];
}

/** Hash of a Message-ID → the thread that a message referring to it joins. */
export const messageIdShape: Shape<string, Id> = {
  ...lookup,
  entryBytes: 26,
  memoryBytes: 120,
  writeValues: (writer, values) => writer.texts(values),
  readValues: (reader, hashes) => reader.texts(hashes.length) as Id[],
};

function writeCounts(writer: ByteWriter, values: readonly (readonly unknown[])[]): void {
  for (const { length } of values) writer.number(length);
}

function readCounts(reader: ByteReader, count: number): number[] {
  return Array.from({ length: count }, reader.number);
}
