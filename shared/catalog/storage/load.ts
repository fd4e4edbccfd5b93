import type { Listed } from '../view.ts';
import { cut } from './cut.ts';
import { topped } from './merge.ts';
import type { BlockRef, Root } from './references.ts';
import { type Entry, type LowerBound, leafKind, packLeaf, type Rewriting } from './repack.ts';
import type { Key } from './shape.ts';

/**
 * A table of the entries (by ascending key): no more than a leaf of them is in memory, and the reader does not remember
 * them.
 */
export async function load<K extends Key, V>(
  rewriting: Rewriting<K, V>,
  { count, at }: Listed<Entry<K, V>>,
): Promise<Root<K>> {
  const { shape, writer, blocks } = rewriting;
  const leaves = leafKind({ ...rewriting, blocks: { ...blocks, remember: () => {} } });
  const refs: BlockRef<K>[] = [];
  let bound: LowerBound<K> = null;
  for (let start = 0, end = 0; start < count; start = end) {
    end = endOfGroup({ count, at }, start, shape.groupOf);
    let items: Entry<K, V>[] = [];
    const pack = (from: number, to: number): Uint8Array => {
      items = Array.from({ length: to - from }, (_, offset) => at(start + from + offset));
      return packLeaf(shape, items);
    };
    const { leafBytesMax: bytesMax, entryBytes: itemBytes, appends } = shape;
    for (const { bytes } of cut(end - start, { pack, bytesMax, itemBytes, manner: appends ? 'full' : 'even' })) {
      // What was packed last is the piece.
      refs.push(leaves.write({ items, bytes }, bound));
      bound = { before: leaves.keyOf(items.at(-1) as Entry<K, V>) };
      await writer.room();
    }
  }
  return topped(rewriting, { depth: 0, refs });
}

/** Where the group of the entry at `start` ends. */
function endOfGroup<K extends Key>(
  { count, at }: Listed<Entry<K, unknown>>,
  start: number,
  groupOf: (key: K) => number,
): number {
  const group = groupOf(at(start)[0]);
  let [within, beyond] = [start, count];
  while (beyond - within > 1) {
    const middle = (within + beyond) >>> 1;
    if (groupOf(at(middle)[0]) === group) within = middle;
    else beyond = middle;
  }
  return beyond;
}
