import { flushBytesMax } from './limits.ts';
import { type Change, type Merging, merge } from './merge.ts';
import { emptyRoot, type Root } from './references.ts';
import { type Entries, type Key, lastNotAbove } from './shape.ts';
import { leavesBetween, lookUp, type Reading, readLeaf, seek } from './tree.ts';

/**
 * A sorted table: a tree of blocks, and before it, in the head, the changes that are not in it yet. The newest wins with
 * its whole value; null is a removal.
 */
export type Table<K extends Key, V> = { readonly root: Root<K>; readonly buffer: ReadonlyMap<K, Buffered<V>> };

/** `inTree`: the tree may hold an entry of this key too. (Of rows: does hold.) */
export type Buffered<V> = { readonly value: V | null; readonly inTree: boolean };

/** A change of a table; `existed`: the key may have had a value before. (Of rows: had one.) */
export type TableChange<K extends Key, V> = { readonly key: K; readonly value: V | null; readonly existed: boolean };

export const emptyTable = { root: emptyRoot, buffer: new Map() } as const;

/** The values of the keys that are there. */
export async function valuesOf<K extends Key, V>(
  reading: Reading<K, V>,
  { root, buffer }: Table<K, V>,
  keys: Iterable<K>,
): Promise<Map<K, V>> {
  const found = new Map<K, V>();
  const unbuffered: K[] = [];
  for (const key of new Set(keys)) {
    const buffered = buffer.get(key);
    if (buffered === undefined) unbuffered.push(key);
    else if (buffered.value !== null) found.set(key, buffered.value);
  }
  unbuffered.sort(ascending);
  for (const [key, value] of await lookUp(reading, root, unbuffered)) found.set(key, value);
  return found;
}

/** All entries of `from` … `to`, by key. */
export async function entriesBetween<K extends Key, V>(
  reading: Reading<K, V>,
  { root, buffer }: Table<K, V>,
  from: K,
  to: K,
): Promise<Entries<K, V>> {
  const refs = await leavesBetween(reading, root, from, to);
  const leaves = await Promise.all(refs.map((ref) => readLeaf(reading, ref)));
  const found = new Map<K, V>();
  for (const { keys, values } of leaves) {
    const end = lastNotAbove(keys, to);
    for (let i = Math.max(0, lastNotAbove(keys, from)); i <= end; i += 1) {
      if ((keys[i] as K) >= from) found.set(keys[i] as K, values[i] as V);
    }
  }
  for (const [key, { value }] of buffer) {
    if (key < from || key > to) continue;
    if (value === null) found.delete(key);
    else found.set(key, value);
  }
  const keys = [...found.keys()].sort(ascending);
  return { keys, values: keys.map((key) => found.get(key) as V) };
}

/** The table with changes (each key once) in its buffer. */
export function buffered<K extends Key, V>(table: Table<K, V>, changes: readonly TableChange<K, V>[]): Table<K, V> {
  if (changes.length === 0) return table;
  const { root, buffer } = table;
  const next = new Map(buffer);
  for (const { key, value, existed } of changes) {
    const inTree = next.get(key)?.inTree ?? existed;
    if (value === null && !inTree) next.delete(key);
    else next.set(key, { value, inTree });
  }
  return { root, buffer: next };
}

/** The table with changes (each key once), and everything that was buffered, merged into the tree. */
export async function merged<K extends Key, V>(
  merging: Merging<K, V>,
  { root, buffer }: Table<K, V>,
  changes: readonly TableChange<K, V>[],
): Promise<Table<K, V>> {
  const newest = changes.map(({ key, value }): Change<K, V> => [key, value]).sort(byKey);
  const keys = newest.map(([key]) => key);
  const untouched = [...buffer].filter(([key]) => keys[lastNotAbove(keys, key)] !== key);
  const sorted = newest.concat(untouched.map(([key, { value }]): Change<K, V> => [key, value])).sort(byKey);
  return { root: await merge(merging, root, sorted), buffer: new Map() };
}

/** The table with those buffered changes merged that fall into the few leaves which have most of them. */
export async function partlyFlushed<K extends Key, V>(
  merging: Merging<K, V>,
  table: Table<K, V>,
): Promise<Table<K, V>> {
  const keys = [...table.buffer.keys()].sort(ascending);
  const leaves = await seek(merging, table.root, keys);
  const leavesMax = Math.floor(flushBytesMax / merging.shape.leafBytesMax);
  if (leaves.length <= leavesMax) return flushKeys(merging, table, keys);
  const fullest = [...leaves].sort((a, b) => b.keys.length - a.keys.length).slice(0, leavesMax);
  return flushKeys(
    merging,
    table,
    fullest.flatMap((leaf) => leaf.keys),
  );
}

async function flushKeys<K extends Key, V>(
  merging: Merging<K, V>,
  { root, buffer }: Table<K, V>,
  keys: K[],
): Promise<Table<K, V>> {
  const changes = keys.sort(ascending).map((key): Change<K, V> => [key, buffer.get(key)?.value ?? null]);
  const rest = new Map(buffer);
  for (const key of keys) rest.delete(key);
  return { root: await merge(merging, root, changes), buffer: rest };
}

function byKey<K extends Key, V>([a]: Change<K, V>, [b]: Change<K, V>): number {
  return ascending(a, b);
}

export function ascending<K extends Key>(a: K, b: K): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
