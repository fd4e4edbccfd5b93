import { leavesAtOnce, pagesAtOnce, rootRefsMax } from './limits.ts';
import type { BlockRef, Root } from './references.ts';
import { type Entry, entriesOf, leafKind, pageKind, type Rewriting, repack, type Slot } from './repack.ts';
import type { Key, Shape } from './shape.ts';
import { distribute, firstsAt, readLeaf, readPage } from './tree.ts';

/** Which blocks are written again because they expire soon; a commit may renew only so many. */
export type Renewal = {
  /** Whether a block that expires on that day (since the epoch) is to be renewed now. */
  readonly isDue: (expires: number) => boolean;
  /** Notes that a leaf was renewed. */
  readonly spend: () => void;
};

export const noRenewal: Renewal = { isDue: () => false, spend: () => {} };

/** What changing a table takes. */
export type Merging<K extends Key, V> = Rewriting<K, V> & { readonly renewal: Renewal };

/** A change of one entry; null removes it. */
export type Change<K extends Key, V> = readonly [key: K, value: V | null];

/**
 * The table with the changes (by ascending key) applied. Writes the leaves they fall into and the pages above them anew,
 * and those that are due for renewal; everything else is shared with the table as it was. Throws `BlockLost`.
 */
export async function merge<K extends Key, V>(
  merging: Merging<K, V>,
  root: Root<K>,
  changes: readonly Change<K, V>[],
): Promise<Root<K>> {
  const refs = await mergeNode(merging, root, changes, null);
  return topped(merging, { depth: refs.length === 0 ? 0 : root.depth, refs });
}

/** The tree with as many levels of pages as a root of its size needs. */
export async function topped<K extends Key, V>(rewriting: Rewriting<K, V>, { depth, refs }: Root<K>): Promise<Root<K>> {
  let top = { depth, refs };
  while (top.refs.length > rootRefsMax) {
    const pages = await repack(pageKind(rewriting), [{ ref: null, items: top.refs }], null);
    top = { depth: top.depth + 1, refs: pages };
  }
  for (let only = top.refs[0]; top.depth > 0 && top.refs.length === 1 && only !== undefined; only = top.refs[0]) {
    const below = await readPage(rewriting, only);
    if (below.length > rootRefsMax) break;
    top = { depth: top.depth - 1, refs: below };
  }
  return top;
}

/** `following`: the block of the same depth after this node. */
function mergeNode<K extends Key, V>(
  merging: Merging<K, V>,
  node: Root<K>,
  changes: readonly Change<K, V>[],
  following: BlockRef<K> | null,
): Promise<BlockRef<K>[]> {
  return node.depth === 0
    ? mergeLeaves(merging, node.refs, changes, following)
    : mergePages(merging, node, changes, following);
}

async function mergePages<K extends Key, V>(
  merging: Merging<K, V>,
  { depth, refs }: Root<K>,
  changes: readonly Change<K, V>[],
  following: BlockRef<K> | null,
): Promise<BlockRef<K>[]> {
  const parts = partition(refs, changes);
  const slots = await inTurns(refs, pagesAtOnce, async (ref, i): Promise<Slot<K, BlockRef<K>>> => {
    const own = parts.get(ref) ?? [];
    if (own.length === 0 && !merging.renewal.isDue(ref.expires)) return { ref, items: null };
    const children = { depth: depth - 1, refs: await readPage(merging, ref) };
    // A page knows only where the next one begins, and that is where the next block below begins too.
    return { ref, items: await mergeNode(merging, children, own, refs[i + 1] ?? following) };
  });
  return repack(pageKind(merging), slots, following);
}

async function mergeLeaves<K extends Key, V>(
  merging: Merging<K, V>,
  refs: readonly BlockRef<K>[],
  changes: readonly Change<K, V>[],
  following: BlockRef<K> | null,
): Promise<BlockRef<K>[]> {
  const { shape, renewal, writer } = merging;
  const slots = await inTurns(
    planLeaves(shape, refs, changes),
    leavesAtOnce,
    async ({ ref, changes: own }): Promise<Slot<K, Entry<K, V>>> => {
      if (ref === null) return { ref, items: applied([], own) };
      if (own.length === 0) {
        if (!renewal.isDue(ref.expires)) return { ref, items: null };
        renewal.spend();
      }
      return { ref, items: applied(entriesOf(await readLeaf(merging, ref)), own) };
    },
  );
  const written = await repack(leafKind(merging), slots, following);
  await writer.room();
  return written;
}

/** Runs `step` over all items, at most `atOnce` at once. */
async function inTurns<T, R>(
  items: readonly T[],
  atOnce: number,
  step: (item: T, index: number) => Promise<R>,
): Promise<R[]> {
  const results: R[] = [];
  for (let i = 0; i < items.length; i += atOnce) {
    results.push(...(await Promise.all(items.slice(i, i + atOnce).map((item, j) => step(item, i + j)))));
  }
  return results;
}

/** Gives each change to the reference it falls under. */
function partition<K extends Key, V>(
  refs: readonly BlockRef<K>[],
  changes: readonly Change<K, V>[],
): ReadonlyMap<BlockRef<K>, readonly Change<K, V>[]> {
  const keys = changes.map(([key]) => key);
  let taken = 0;
  return new Map(
    distribute(refs, keys).map((part) => {
      taken += part.keys.length;
      return [part.ref, changes.slice(taken - part.keys.length, taken)];
    }),
  );
}

/** A leaf (null: one yet to be) with the changes that fall into it. */
type Part<K extends Key, V> = { readonly ref: BlockRef<K> | null; readonly changes: Change<K, V>[] };

/** All leaves in order with their changes; changes of a group that has no leaf here yet stand by themselves. */
function planLeaves<K extends Key, V>(
  { groupOf }: Shape<K, V>,
  refs: readonly BlockRef<K>[],
  changes: readonly Change<K, V>[],
): Part<K, V>[] {
  const plan: Part<K, V>[] = refs.map((ref) => ({ ref, changes: [] }));
  const added: { readonly after: number; readonly group: number; readonly part: Part<K, V> }[] = [];
  for (const change of changes) {
    const group = groupOf(change[0]);
    const before = firstsAt(refs, change[0]);
    const own = [before, before + 1].find((i) => {
      const ref = refs[i];
      return ref !== undefined && groupOf(ref.first) === group;
    });
    const last = added.at(-1);
    if (own !== undefined) plan[own]?.changes.push(change);
    else if (last?.group === group) last.part.changes.push(change);
    else added.push({ after: before, group, part: { ref: null, changes: [change] } });
  }
  for (const { after, part } of added.reverse()) plan.splice(after + 1, 0, part);
  return plan;
}

/** Entries after changes, both by ascending key. */
function applied<K extends Key, V>(entries: readonly Entry<K, V>[], changes: readonly Change<K, V>[]): Entry<K, V>[] {
  const out: Entry<K, V>[] = [];
  let next = 0;
  for (const [key, value] of changes) {
    for (let entry = entries[next]; entry !== undefined && entry[0] < key; entry = entries[next]) {
      out.push(entry);
      next += 1;
    }
    if (entries[next]?.[0] === key) next += 1;
    if (value !== null) out.push([key, value]);
  }
  return out.concat(entries.slice(next));
}
