import { IdColumn } from './id-column.ts';
import { NumberColumn } from './number-column.ts';
import type { ByteReader, ByteWriter } from './packing.ts';

/** Keys compare with `<`: numbers by value, texts by code unit. */
export type Key = number | string;

/** Entries in key order, as two columns. */
export type Entries<K extends Key, V> = { readonly keys: readonly K[]; readonly values: readonly V[] };

/** How a column of ascending keys is packed. */
export type KeyPacking<K extends Key> = {
  readonly writeKeys: (writer: ByteWriter, keys: readonly K[]) => void;
  readonly readKeys: (reader: ByteReader, count: number) => K[];
};

/**
 * What distinguishes one sorted table from another: how its entries are packed, and how its blocks are cut.
 * The same packing serves leaves and the changes buffered in the head.
 */
export type Shape<K extends Key, V> = KeyPacking<K> & {
  /** Most bytes of a packed leaf. */
  readonly leafBytesMax: number;
  /** Bytes of a packed entry, about: a first guess that packing corrects. */
  readonly entryBytes: number;
  /** Bytes of a decoded entry in memory, about. */
  readonly memoryBytes: number;
  /** Entries of different groups never share a leaf. */
  readonly groupOf: (key: K) => number;
  /** New keys come last in their group, so that the last leaf is filled up instead of split in the middle. */
  readonly appends: boolean;
  /** Seconds since the epoch: the oldest and newest of a leaf are told by its reference. */
  readonly dateOf: (value: V) => number;
  readonly writeValues: (writer: ByteWriter, values: readonly V[]) => void;
  /** `keys` are those of the values, already read. */
  readonly readValues: (reader: ByteReader, keys: readonly K[]) => V[];
  /** Whether two keys that follow each other are parted by a short bound. */
  readonly partShortly: (before: K, key: K) => boolean;
  /** The lower bound of a leaf whose first key is `first`, when the leaf before it ends with `before` (null: unknown). */
  readonly boundary: (before: K | null, first: K) => K;
};

/** Keys that are ascending numbers: differences. */
export const numberKeys = {
  writeKeys: (writer: ByteWriter, keys: readonly number[]): void => {
    let before = 0;
    for (const key of keys) {
      writer.number(key - before);
      before = key;
    }
  },
  readKeys: (reader: ByteReader, count: number): number[] => {
    let key = 0;
    return Array.from({ length: count }, () => {
      key += reader.number();
      return key;
    });
  },
  partShortly: () => true,
  boundary: (_before: number | null, first: number): number => first,
};

/** Keys that are hashes or server ids: what each has beyond the beginning it shares with the one before. */
export const textKeys = {
  writeKeys: (writer: ByteWriter, keys: readonly string[]): void => {
    const shared = keys.map((key, i) => sharedLength(keys[i - 1] ?? '', key));
    writeNumbers(writer, shared);
    writeIds(
      writer,
      keys.map((key, i) => key.slice(shared[i])),
    );
  },
  readKeys: (reader: ByteReader, count: number): string[] => {
    const shared = reader.numbers(count);
    let key = '';
    return reader.ids(count).map((rest, i) => {
      key = key.slice(0, shared[i]) + rest;
      return key;
    });
  },
  partShortly: () => true,
  /** No longer than it takes to tell two neighbours apart. */
  boundary: (before: string | null, first: string): string =>
    before === null ? first : first.slice(0, sharedLength(before, first) + 1),
};

const numbers = new NumberColumn();

/** A column of numbers that are about equally large. */
export function writeNumbers(writer: ByteWriter, all: readonly number[]): void {
  numbers.clear();
  for (const number of all) numbers.push(number);
  writer.numbers(numbers);
}

const ids = new IdColumn();

/** A column of ids that are texts. */
export function writeIds(writer: ByteWriter, texts: readonly string[]): void {
  const octets = Buffer.from(texts.join(''), 'latin1');
  let start = 0;
  ids.clear();
  for (const { length } of texts) {
    ids.add(octets, start, start + length);
    start += length;
  }
  writer.ids(ids);
}

export function sharedLength(a: string, b: string): number {
  let length = 0;
  while (length < a.length && a.charCodeAt(length) === b.charCodeAt(length)) length += 1;
  return length;
}

/** Position of the last key that is not above `key`, or −1. */
export function lastNotAbove<K extends Key>(keys: readonly K[], key: K): number {
  let low = 0;
  let high = keys.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((keys[middle] as K) <= key) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}
