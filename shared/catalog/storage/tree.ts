import type { BlockReader, Decoded } from './blocks.ts';
import { unpack } from './packing.ts';
import { type BlockRef, type Root, readRefs } from './references.ts';
import { type Entries, type Key, lastNotAbove, type Shape } from './shape.ts';

/** What reading a table's blocks takes. */
export type Reading<K extends Key, V> = { readonly shape: Shape<K, V>; readonly blocks: BlockReader };

/** A leaf that may hold some of the wanted keys. */
export type Seek<K extends Key> = { readonly ref: BlockRef<K>; readonly keys: readonly K[] };

/** Estimated memory of a decoded reference. */
const refMemoryBytes = 180;

export function readLeaf<K extends Key, V>({ shape, blocks }: Reading<K, V>, ref: BlockRef<K>): Promise<Entries<K, V>> {
  return blocks.read(ref.block, (bytes) => {
    const reader = unpack(bytes);
    const keys = shape.readKeys(reader, reader.number());
    return decodedLeaf(shape, { keys, values: shape.readValues(reader, keys) });
  });
}

export function readPage<K extends Key, V>(
  { shape, blocks }: Reading<K, V>,
  ref: BlockRef<K>,
): Promise<readonly BlockRef<K>[]> {
  return blocks.read(ref.block, (bytes) => decodedPage(readRefs(unpack(bytes), shape)));
}

export function decodedLeaf<K extends Key, V>(shape: Shape<K, V>, entries: Entries<K, V>): Decoded<Entries<K, V>> {
  return { value: entries, bytes: 200 + entries.keys.length * shape.memoryBytes };
}

export function decodedPage<K extends Key>(refs: readonly BlockRef<K>[]): Decoded<readonly BlockRef<K>[]> {
  return { value: refs, bytes: 100 + refs.length * refMemoryBytes };
}

/** The leaves in which the keys (ascending) are, or would be; pages of one depth are read together. */
export async function seek<K extends Key, V>(
  reading: Reading<K, V>,
  root: Root<K>,
  keys: readonly K[],
): Promise<readonly Seek<K>[]> {
  if (root.refs.length === 0 || keys.length === 0) return [];
  const here = distribute(root.refs, keys);
  if (root.depth === 0) return here;
  const below = await Promise.all(
    here.map(async (part) =>
      seek(reading, { depth: root.depth - 1, refs: await readPage(reading, part.ref) }, part.keys),
    ),
  );
  return below.flat();
}

/** The values of the keys (ascending) that are there. */
export async function lookUp<K extends Key, V>(
  reading: Reading<K, V>,
  root: Root<K>,
  keys: readonly K[],
): Promise<Map<K, V>> {
  const found = new Map<K, V>();
  const parts = await seek(reading, root, keys);
  const leaves = await Promise.all(parts.map((part) => readLeaf(reading, part.ref)));
  leaves.forEach((leaf, i) => {
    for (const key of parts[i]?.keys ?? []) {
      const at = lastNotAbove(leaf.keys, key);
      if (at >= 0 && leaf.keys[at] === key) found.set(key, leaf.values[at] as V);
    }
  });
  return found;
}

/** The leaves that may hold keys of `from` … `to`, in order. */
export async function leavesBetween<K extends Key, V>(
  reading: Reading<K, V>,
  root: Root<K>,
  from: K,
  to: K,
): Promise<readonly BlockRef<K>[]> {
  const start = Math.max(0, firstsAt(root.refs, from));
  const end = firstsAt(root.refs, to) + 1;
  const here = root.refs.slice(start, end);
  if (root.depth === 0) return here;
  const below = await Promise.all(
    here.map(async (ref) =>
      leavesBetween(reading, { depth: root.depth - 1, refs: await readPage(reading, ref) }, from, to),
    ),
  );
  return below.flat();
}

/** Gives each key (ascending) to the last reference that does not begin after it, those before all of them to the first. */
export function distribute<K extends Key>(refs: readonly BlockRef<K>[], keys: readonly K[]): Seek<K>[] {
  const parts: { ref: BlockRef<K>; keys: K[] }[] = [];
  for (const key of keys) {
    const ref = refs[Math.max(0, firstsAt(refs, key))] as BlockRef<K>;
    const last = parts.at(-1);
    if (last?.ref === ref) last.keys.push(key);
    else parts.push({ ref, keys: [key] });
  }
  return parts;
}

/** Position of the last reference that does not begin after the key, or −1. */
export function firstsAt<K extends Key>(refs: readonly BlockRef<K>[], key: K): number {
  let low = 0;
  let high = refs.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((refs[middle] as BlockRef<K>).first <= key) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}
