import type { BlockWriter } from './blocks.ts';
import { cut } from './cut.ts';
import { pageBytesMax } from './limits.ts';
import { type ByteWriter, pack } from './packing.ts';
import { type BlockRef, writeRefs } from './references.ts';
import type { Entries, Key, Shape } from './shape.ts';
import { decodedLeaf, decodedPage, type Reading, readLeaf, readPage } from './tree.ts';

/** What reading a table's blocks and writing new ones takes. */
export type Rewriting<K extends Key, V> = Reading<K, V> & { readonly writer: BlockWriter };

export type Entry<K extends Key, V> = readonly [key: K, value: V];

/** A place among the blocks of a node: a block as it was (`items` null), or new content, for an old block or for none. */
export type Slot<K extends Key, Item> =
  | { readonly ref: BlockRef<K>; readonly items: null }
  | { readonly ref: BlockRef<K> | null; readonly items: readonly Item[] };

/** A run of items, and what they are packed into. */
export type Piece<Item> = { readonly items: readonly Item[]; readonly bytes: Uint8Array };

/** How blocks of one kind, leaves or pages, are read, cut and written. */
export type BlockKind<K extends Key, Item> = {
  readonly bytesMax: number;
  readonly keyOf: (item: Item) => K;
  readonly groupOf: (key: K) => number;
  readonly open: (ref: BlockRef<K>) => Promise<readonly Item[]>;
  /** `isLast`: no block of the same group follows. */
  readonly cut: (items: readonly Item[], isLast: boolean) => Piece<Item>[];
  readonly write: (piece: Piece<Item>, bound: LowerBound<K>) => BlockRef<K>;
};

/** What is known about where a new block begins: the bound of the block it replaces, or the last key before it. */
export type LowerBound<K extends Key> = { readonly floor: K } | { readonly before: K } | null;

/** A block this much smaller than it may be joins its neighbour. */
const smallShare = 1 / 4;

/** Writes the changed blocks among `slots` anew and returns the references of all. `following`: the block after the last slot. */
export async function repack<K extends Key, Item>(
  kind: BlockKind<K, Item>,
  slots: readonly Slot<K, Item>[],
  following: BlockRef<K> | null,
): Promise<BlockRef<K>[]> {
  const out: BlockRef<K>[] = [];
  let carried: readonly Item[] = [];
  let bound: LowerBound<K> = null;
  for (const [i, slot] of slots.entries()) {
    if (slot.items === null && carried.length === 0) {
      out.push(slot.ref);
      continue;
    }
    if (carried.length === 0) bound = slot.ref === null ? null : { floor: slot.ref.first };
    const items: readonly Item[] = [...carried, ...(slot.items === null ? await kind.open(slot.ref) : slot.items)];
    carried = [];
    const last = items.at(-1);
    if (last === undefined) continue;

    const group = kind.groupOf(kind.keyOf(last));
    const next = slots[i + 1];
    const after = next === undefined ? following : next.ref;
    const isFollowed = after !== null && kind.groupOf(after.first) === group;
    const pieces = kind.cut(items, !isFollowed);
    const isSmall = (pieces.at(-1)?.bytes.length ?? 0) < kind.bytesMax * smallShare;
    if (isSmall && isFollowed && next !== undefined) carried = pieces.pop()?.items ?? [];
    for (const piece of pieces) {
      out.push(kind.write(piece, bound));
      bound = { before: kind.keyOf(piece.items.at(-1) as Item) };
    }
  }
  return out;
}

export function packLeaf<K extends Key, V>(shape: Shape<K, V>, entries: readonly Entry<K, V>[]): Uint8Array {
  return pack((out) => {
    out.number(entries.length);
    writeEntries(shape, out, entries);
  });
}

/** What a leaf says of its entries, but for their number. */
export function writeEntries<K extends Key, V>(
  shape: Shape<K, V>,
  out: ByteWriter,
  entries: readonly Entry<K, V>[],
): void {
  shape.writeKeys(
    out,
    entries.map(([key]) => key),
  );
  shape.writeValues(
    out,
    entries.map(([, value]) => value),
  );
}

/** Leaves of entries. */
export function leafKind<K extends Key, V>(rewriting: Rewriting<K, V>): BlockKind<K, Entry<K, V>> {
  const { shape, blocks, writer } = rewriting;
  return {
    bytesMax: shape.leafBytesMax,
    keyOf: ([key]) => key,
    groupOf: shape.groupOf,
    open: async (ref) => entriesOf(await readLeaf(rewriting, ref)),
    cut: (entries, isLast) => {
      const groups = byGroup(entries, ([key]) => shape.groupOf(key));
      return groups.flatMap((group, i) => {
        const manner = shape.appends && (isLast || i < groups.length - 1) ? 'full' : 'even';
        const { leafBytesMax: bytesMax, entryBytes: itemBytes } = shape;
        const keyAt = (place: number) => (group[place] as Entry<K, V>)[0];
        const isGoodCut = (place: number) => shape.partShortly(keyAt(place - 1), keyAt(place));
        return piecesOf(group, { pack: (some) => packLeaf(shape, some), bytesMax, itemBytes, manner, isGoodCut });
      });
    },
    write: ({ items, bytes }, bound) => {
      const put = writer.put(bytes);
      const keys = items.map(([key]) => key);
      const values = items.map(([, value]) => value);
      blocks.remember(put.block, decodedLeaf(shape, { keys, values }));
      const dates = values.map(shape.dateOf);
      const [first, last] = [keys[0] as K, keys.at(-1) as K];
      return leafRef(shape, put, { first, last, count: keys.length, ...datesBetween(dates, 0, dates.length) }, bound);
    },
  };
}

/** Names a leaf that was put. */
export function leafRef<K extends Key, V>(
  { boundary }: Shape<K, V>,
  put: Pick<BlockRef<K>, 'block' | 'expires'>,
  entries: { readonly first: K; readonly last: K } & Pick<BlockRef<K>, 'count' | 'oldest' | 'newest'>,
  bound: LowerBound<K>,
): BlockRef<K> {
  const { first, last, ...numbers } = entries;
  return { ...put, ...numbers, first: lowerBound(boundary, first, bound), span: spanOf(first, last) };
}

/** The oldest and the newest from `start` to before `end`. */
export function datesBetween(
  dates: ArrayLike<number>,
  start: number,
  end: number,
): { readonly oldest: number; readonly newest: number } {
  let oldest = Number.POSITIVE_INFINITY;
  let newest = Number.NEGATIVE_INFINITY;
  for (let place = start; place < end; place++) {
    const date = dates[place] as number;
    if (date < oldest) oldest = date;
    if (date > newest) newest = date;
  }
  return { oldest, newest };
}

/** Pages of references. */
export function pageKind<K extends Key, V>(rewriting: Rewriting<K, V>): BlockKind<K, BlockRef<K>> {
  const { shape, blocks, writer } = rewriting;
  return {
    bytesMax: pageBytesMax,
    keyOf: (ref) => ref.first,
    groupOf: () => 0,
    open: (ref) => readPage(rewriting, ref),
    cut: (refs, isLast) =>
      piecesOf(refs, {
        pack: (some) => pack((out) => writeRefs(out, shape, some)),
        bytesMax: pageBytesMax,
        itemBytes: refBytes,
        manner: shape.appends && isLast ? 'full' : 'even',
      }),
    write: ({ items, bytes }) => {
      const put = writer.put(bytes);
      blocks.remember(put.block, decodedPage(items));
      const first = (items[0] as BlockRef<K>).first;
      const last = items.at(-1) as BlockRef<K>;
      return {
        block: put.block,
        first,
        span: spanOf(first, last.first) + last.span,
        count: items.reduce((sum, ref) => sum + ref.count, 0),
        oldest: items.reduce((oldest, ref) => Math.min(oldest, ref.oldest), Number.POSITIVE_INFINITY),
        newest: items.reduce((newest, ref) => Math.max(newest, ref.newest), 0),
        expires: items.reduce((expires, ref) => Math.min(expires, ref.expires), put.expires),
      };
    },
  };
}

function piecesOf<Item>(
  items: readonly Item[],
  {
    pack: packItems,
    ...how
  }: Omit<Parameters<typeof cut>[1], 'pack'> & { pack: (items: readonly Item[]) => Uint8Array },
): Piece<Item>[] {
  const pieces = cut(items.length, { ...how, pack: (start, end) => packItems(items.slice(start, end)) });
  return Array.from(pieces, ({ start, end, bytes }) => ({ items: items.slice(start, end), bytes }));
}

/** A packed reference, about. */
const refBytes = 14;

export function entriesOf<K extends Key, V>({ keys, values }: Entries<K, V>): Entry<K, V>[] {
  return keys.map((key, i) => [key, values[i] as V]);
}

/** Consecutive items of the same group. */
function byGroup<Item>(items: readonly Item[], groupOf: (item: Item) => number): Item[][] {
  const groups: Item[][] = [];
  let current: number | null = null;
  for (const item of items) {
    const group = groupOf(item);
    if (group === current) groups.at(-1)?.push(item);
    else groups.push([item]);
    current = group;
  }
  return groups;
}

function lowerBound<K extends Key>(boundary: (before: K | null, first: K) => K, first: K, bound: LowerBound<K>): K {
  if (bound === null) return boundary(null, first);
  if ('before' in bound) return boundary(bound.before, first);
  return typeof first === 'string' && bound.floor <= first ? bound.floor : boundary(null, first);
}

function spanOf(first: Key, last: Key): number {
  return typeof first === 'number' && typeof last === 'number' ? last - first : 0;
}
