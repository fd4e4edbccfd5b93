import { cut } from './cut.ts';
import type { LoadedTable } from './loaded-tables.ts';
import { topped } from './merge.ts';
import { pack } from './packing.ts';
import type { BlockRef, Root } from './references.ts';
import { datesBetween, type LowerBound, leafRef, type Rewriting } from './repack.ts';
import type { Key } from './shape.ts';

/** A table of the entries; the reader does not remember its leaves. */
export async function load<K extends Key, V>(rewriting: Rewriting<K, V>, table: LoadedTable<K>): Promise<Root<K>> {
  const { shape, writer } = rewriting;
  const { leafBytesMax: bytesMax, entryBytes: itemBytes, appends } = shape;
  const { count, keyAt, dates } = table;
  const refs: BlockRef<K>[] = [];
  let bound: LowerBound<K> = null;
  for (let start = 0, end = 0; start < count; start = end) {
    end = endOfGroup(table, start, shape.groupOf);
    const packEntries = (from: number, to: number): Uint8Array =>
      pack((out) => {
        out.number(to - from);
        table.write(out, start + from, start + to);
      });
    const manner = appends ? 'full' : 'even';
    const isGoodCut = (place: number) => shape.partShortly(keyAt(start + place - 1), keyAt(start + place));
    for (const piece of cut(end - start, { pack: packEntries, bytesMax, itemBytes, manner, isGoodCut })) {
      const [from, to] = [start + piece.start, start + piece.end];
      const [first, last] = [keyAt(from), keyAt(to - 1)];
      const ofDates = dates === null ? { oldest: 0, newest: 0 } : datesBetween(dates, from, to);
      refs.push(leafRef(shape, writer.put(piece.bytes), { first, last, count: to - from, ...ofDates }, bound));
      bound = { before: last };
      if (!writer.hasRoom()) await writer.room();
    }
  }
  return topped(rewriting, { depth: 0, refs });
}

/** Where the group of the entry at `start` ends. */
function endOfGroup<K extends Key>(
  { count, keyAt }: LoadedTable<K>,
  start: number,
  groupOf: (key: K) => number,
): number {
  const group = groupOf(keyAt(start));
  let [within, beyond] = [start, count];
  while (beyond - within > 1) {
    const middle = (within + beyond) >>> 1;
    if (groupOf(keyAt(middle)) === group) within = middle;
    else beyond = middle;
  }
  return beyond;
}
