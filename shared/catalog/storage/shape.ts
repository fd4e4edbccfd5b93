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
  boundary: (_before: number | null, first: number): number => first,
};

/** Keys that are hashes or server ids: what each has beyond the beginning it shares with the one before. */
export const textKeys = {
  writeKeys: (writer: ByteWriter, keys: readonly string[]): void => {
    const shared = keys.map((key, i) => sharedLength(keys[i - 1] ?? '', key));
    for (const length of shared) writer.number(length);
    writer.texts(keys.map((key, i) => key.slice(shared[i])));
  },
  readKeys: (reader: ByteReader, count: number): string[] => {
    const shared = Array.from({ length: count }, reader.number);
    let key = '';
    return reader.texts(count).map((rest, i) => {
      key = key.slice(0, shared[i]) + rest;
      return key;
    });
  },
  /** No longer than it takes to tell two neighbours apart. */
  boundary: (before: string | null, first: string): string =>
    before === null ? first : first.slice(0, sharedLength(before, first) + 1),
};

function sharedLength(a: string, b: string): number {
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
