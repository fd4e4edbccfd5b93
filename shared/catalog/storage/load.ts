import { topped } from './merge.ts';
import type { BlockRef, Root } from './references.ts';
import { type Entry, type LowerBound, leafKind, type Rewriting } from './repack.ts';
import type { Key } from './shape.ts';

/** About so many leaves are cut from the entries at a time. */
const leavesAtATime = 16;

/**
 * A table of the entries (by ascending key), which are read once: no more than a few leaves of them are in memory, and the reader
 * does not remember them.
 */
export async function load<K extends Key, V>(
  rewriting: Rewriting<K, V>,
  entries: Iterable<Entry<K, V>>,
): Promise<Root<K>> {
  const { shape, writer, blocks } = rewriting;
  const leaves = leafKind({ ...rewriting, blocks: { ...blocks, remember: () => {} } });
  let atATime = Math.ceil((leavesAtATime * shape.leafBytesMax) / shape.entryBytes);

  const refs: BlockRef<K>[] = [];
  let bound: LowerBound<K> = null;
  let waiting: Entry<K, V>[] = [];
  const cut = async (isLast: boolean): Promise<void> => {
    const pieces = leaves.cut(waiting, true);
    // The last one is filled up with what follows.
    waiting = isLast || !shape.appends ? [] : [...(pieces.pop()?.items ?? [])];
    if (waiting.length > atATime / 2) atATime *= 2;
    for (const piece of pieces) {
      refs.push(leaves.write(piece, bound));
      bound = { before: leaves.keyOf(piece.items.at(-1) as Entry<K, V>) };
    }
    await writer.room();
  };
  for (const entry of entries) {
    waiting.push(entry);
    if (waiting.length >= atATime) await cut(false);
  }
  await cut(true);
  return topped(rewriting, { depth: 0, refs });
}
