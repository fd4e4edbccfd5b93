import type { Id } from '../../jmap/scalars.ts';
import { threadIdOf } from '../ids.ts';
import { lookupLeafBytesMax } from './limits.ts';
import type { ByteReader, ByteWriter } from './packing.ts';
import { mailboxOf, rowKey, uidOf } from './row-key.ts';
import { type Shape, sharedLength, textKeys, writeIds, writeNumbers } from './shape.ts';

const lookup = { leafBytesMax: lookupLeafBytesMax, groupOf: () => 0, appends: false, dateOf: () => 0, ...textKeys };

/** Email id → the keys of its rows, ascending. */
export const emailShape: Shape<string, readonly number[]> = {
  ...lookup,
  entryBytes: 16,
  memoryBytes: 120,
  writeValues: (writer, values) => {
    const keys = values.flat();
    writeNumbers(
      writer,
      values.map(({ length }) => length),
    );
    writeNumbers(writer, keys.map(mailboxOf));
    writeNumbers(writer, keys.map(uidOf));
  },
  readValues: (reader, ids) => {
    const counts = reader.numbers(ids.length);
    const all = counts.reduce((sum, count) => sum + count, 0);
    const mailboxes = reader.numbers(all);
    const uids = reader.numbers(all);
    let next = 0;
    return counts.map((count) =>
      Array.from({ length: count }, () => rowKey(mailboxes[next] as number, uids[next++] as number)),
    );
  },
};

/** What an entry of the threads has as its value when its key tells everything. */
export const inKey = '';

/** Space sorts before everything that an id may contain. */
const space = ' ';

/**
 * The Emails of threads: one entry for each, under thread id and Email id, so that a thread of any length fits; the value is `inKey`. Under
 * the thread that a Message-ID would begin, and nothing else, is the thread by which it is known; `inKey` if it is that one, as it is for most.
 */
export const threadShape: Shape<string, Id | typeof inKey> = {
  ...lookup,
  ...{ writeKeys: writeThreadKeys, readKeys: readThreadKeys },
  // Within a thread its whole id would be in the bound.
  partShortly: (before, key) => !key.startsWith(before.slice(0, before.indexOf(space) + 1)),
  entryBytes: 18,
  memoryBytes: 140,
  writeValues: (writer, values) => {
    writeNumbers(
      writer,
      values.map((value) => Number(value !== inKey)),
    );
    writeIds(
      writer,
      values.filter((value) => value !== inKey),
    );
  },
  readValues: (reader, keys) => {
    const isThere = reader.numbers(keys.length);
    const ids = reader.ids(isThere.filter((one) => one === 1).length)[Symbol.iterator]();
    return isThere.map((one) => (one === 1 ? (ids.next().value as Id) : inKey));
  },
};

export function threadKey(threadId: Id, emailId: Id): string {
  return `${threadId}${space}${emailId}`;
}

/** The keys of a thread's Emails are between these. */
export function threadRange(threadId: Id): readonly [from: string, to: string] {
  return [`${threadId}${space}!`, `${threadId}!`];
}

/** The Email of a key that is between them. */
export function emailInThreadKey(key: string): Id {
  return key.slice(key.indexOf(space) + 1) as Id;
}

/** By the hash of a Message-ID. */
export function messageIdKey(hash: string): string {
  return `${threadIdOf(hash)}${space}`;
}

/** What the keys of the threads have behind the thread id; a bound between leaves may end in the middle of it. */
export const threadKeyKinds = { noSpace: 0, messageId: 1, email: 2 } as const;
/** What tells how much of the thread id before it a key has: all of it, where it is the same; else one more than so many octets. */
export const sameThread = 0;

function writeThreadKeys(writer: ByteWriter, keys: readonly string[]): void {
  const [kinds, shared]: [number[], number[]] = [[], []];
  const [rests, emailIds]: [string[], string[]] = [[], []];
  let before: string | null = null;
  for (const key of keys) {
    const end = key.indexOf(space);
    const thread = end < 0 ? key : key.slice(0, end);
    const emailId = end < 0 ? '' : key.slice(end + 1);
    const kind = end < 0 ? threadKeyKinds.noSpace : emailId === '' ? threadKeyKinds.messageId : threadKeyKinds.email;
    kinds.push(kind);
    const length = sharedLength(before ?? '', thread);
    shared.push(thread === before ? sameThread : length + 1);
    if (thread !== before) rests.push(thread.slice(length));
    if (kind === threadKeyKinds.email) emailIds.push(emailId);
    before = thread;
  }
  writeNumbers(writer, kinds);
  writeNumbers(writer, shared);
  writeIds(writer, rests);
  writeIds(writer, emailIds);
}

function readThreadKeys(reader: ByteReader, count: number): string[] {
  const kinds = reader.numbers(count);
  const shared = reader.numbers(count);
  const rests = reader.ids(shared.filter((one) => one !== sameThread).length);
  const emailIds = reader.ids(kinds.filter((kind) => kind === threadKeyKinds.email).length);
  let [thread, nextRest, nextEmail] = ['', 0, 0];
  return kinds.map((kind, place) => {
    const length = shared[place] as number;
    if (length !== sameThread) thread = thread.slice(0, length - 1) + rests[nextRest++];
    if (kind === threadKeyKinds.noSpace) return thread;
    return `${thread}${space}${kind === threadKeyKinds.email ? emailIds[nextEmail++] : ''}`;
  });
}
