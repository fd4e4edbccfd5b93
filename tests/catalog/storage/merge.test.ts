import { deepStrictEqual, equal } from 'node:assert/strict';
import { describe, expect, test } from '@jest/globals';
import { createBlockCache } from '../../../shared/catalog/storage/block-cache.ts';
import { createBlockReader, createBlockWriter } from '../../../shared/catalog/storage/blocks.ts';
import { cut } from '../../../shared/catalog/storage/cut.ts';
import { load } from '../../../shared/catalog/storage/load.ts';
import { createMemoryStore } from '../../../shared/catalog/storage/memory-store.ts';
import { type Change, merge, noRenewal, type Renewal } from '../../../shared/catalog/storage/merge.ts';
import { emptyRoot, type Root } from '../../../shared/catalog/storage/references.ts';
import { writeEntries } from '../../../shared/catalog/storage/repack.ts';
import { type Key, numberKeys, type Shape, textKeys } from '../../../shared/catalog/storage/shape.ts';
import { leavesBetween, lookUp, readLeaf, seek } from '../../../shared/catalog/storage/tree.ts';
import { createRandom, type Random } from './random.ts';

const leafBytesMax = 400;
const values = {
  leafBytesMax,
  entryBytes: 8,
  memoryBytes: 50,
  dateOf: (value: string) => Number(value),
  writeValues: (writer: Parameters<Shape<Key, string>['writeValues']>[0], all: readonly string[]) => writer.texts(all),
  readValues: (reader: Parameters<Shape<Key, string>['readValues']>[0], keys: readonly Key[]) =>
    reader.texts(keys.length),
};
const words: Shape<string, string> = { ...values, ...textKeys, groupOf: () => 0, appends: false };
/** Groups of a thousand. */
const numbers: Shape<number, string> = {
  ...values,
  ...numberKeys,
  groupOf: (key) => Math.floor(key / 1000),
  appends: true,
};

/** A tree on a store, and a map that holds the same. */
function start<K extends Key>(shape: Shape<K, string>) {
  const store = createMemoryStore({ now: () => 0 });
  const blocks = createBlockReader({ store, account: 'a', cache: createBlockCache({ maxBytes: 1e8 }) });
  const fresh = () => createBlockReader({ store, account: 'a', cache: createBlockCache({ maxBytes: 1e8 }) });
  const map = new Map<K, string>();
  let root: Root<K> = emptyRoot;
  let commits = 0;
  return {
    map,
    root: () => root,
    leaves: () => leavesBetween({ shape, blocks }, root, -1 as K, 'zzzz' as K),
    blockCount: () => store.blockKeys('a').length,
    apply: async (
      changes: ReadonlyMap<K, string | null>,
      { today = 0, renewal = noRenewal }: { today?: number; renewal?: Renewal } = {},
    ) => {
      for (const [key, value] of changes) value === null ? map.delete(key) : map.set(key, value);
      const writer = createBlockWriter({ store, account: 'a', prefix: `c${commits++}`, today });
      const sorted = [...changes].sort(([a], [b]) => (a < b ? -1 : 1)) as Change<K, string>[];
      root = await merge({ shape, blocks, writer, renewal }, root, sorted);
      await writer.finish();
    },
    /** A table of its own that is loaded with all of the map. */
    load: async () => {
      const writer = createBlockWriter({ store, account: 'a', prefix: `c${commits++}`, today: 0 });
      const sorted = [...map].sort(([a], [b]) => (a < b ? -1 : 1));
      root = await load(
        { shape, blocks, writer },
        {
          count: sorted.length,
          keyAt: (place) => (sorted[place] as [K, string])[0],
          dates: sorted.map(([, value]) => shape.dateOf(value)),
          write: (out, from, to) => writeEntries(shape, out, sorted.slice(from, to) as [K, string][]),
        },
      );
      await writer.finish();
    },
    expectMap: async () => {
      const reading = { shape, blocks: fresh() };
      const keys = [...map.keys()].sort((a, b) => (a < b ? -1 : 1));
      deepStrictEqual(
        [...(await lookUp(reading, root, keys))],
        keys.map((key) => [key, map.get(key)]),
      );
      equal(
        root.refs.reduce((sum, ref) => sum + ref.count, 0),
        map.size,
      );
      for (const { ref, keys: own } of await seek(reading, root, keys)) {
        const leaf = await readLeaf(reading, ref);
        deepStrictEqual(leaf.keys, own);
        equal(ref.count, own.length);
        equal(new Set(own.map(shape.groupOf)).size, 1);
        const dates = leaf.values.map(Number);
        deepStrictEqual([ref.oldest, ref.newest], [Math.min(...dates), Math.max(...dates)]);
        if (typeof own[0] === 'number')
          deepStrictEqual([ref.first, Number(ref.first) + ref.span], [own[0], own.at(-1)]);
      }
    },
  };
}

const someWord = (random: Random) => random.hash(1 + random.below(12));
const someNumber = (random: Random) => random.below(12) * 1000 + random.below(900);

async function live<K extends Key>(
  shape: Shape<K, string>,
  someKey: (random: Random) => K,
  seed: number,
): Promise<void> {
  const random = createRandom(seed);
  const tree = start(shape);
  for (let commit = 0; commit < 30; commit++) {
    const changes = new Map<K, string | null>();
    const known = [...tree.map.keys()];
    for (let i = random.below(random.chance(0.2) ? 3000 : 20); i >= 0; i--) {
      const key = known.length > 0 && random.chance(0.5) ? random.pick(known) : someKey(random);
      changes.set(key, random.chance(commit > 22 ? 0.8 : 0.3) ? null : String(random.below(1e6)));
    }
    await tree.apply(changes);
    await tree.expectMap();
  }
  await tree.apply(new Map([...tree.map.keys()].map((key) => [key, null])));
  expect(tree.root()).toEqual(emptyRoot);
}

describe('a tree after any changes holds what a map would', () => {
  test.each([1, 2, 3])('of texts, seed %i', (seed) => live(words, someWord, seed));
  test.each([4, 5, 6])('of numbers in groups, seed %i', (seed) => live(numbers, someNumber, seed));
});

describe('a tree', () => {
  test('grows pages above pages, and loses them again', async () => {
    const tree = start({ ...words, leafBytesMax: 150 });
    const random = createRandom(9);
    const all = new Map(Array.from({ length: 20_000 }, (_, i) => [random.hash(10), String(i)] as const));
    await tree.apply(all);
    expect(tree.root().depth).toBeGreaterThanOrEqual(2);
    const keys = [...all.keys()];
    await tree.apply(new Map(keys.slice(8).map((key) => [key, null])));
    expect(tree.root().depth).toBe(0);
    await tree.expectMap();
  });

  test('writes the leaf that changed and the pages above it, and nothing else', async () => {
    const tree = start(words);
    const random = createRandom(10);
    await tree.apply(new Map(Array.from({ length: 20_000 }, (_, i) => [random.hash(10), String(i)] as const)));
    const [before, depth] = [tree.blockCount(), tree.root().depth];
    const leaves = new Set((await tree.leaves()).map((ref) => ref.block));
    await tree.apply(new Map([[random.pick([...tree.map.keys()]), '7']]));
    expect(tree.blockCount() - before).toBe(1 + depth);
    expect((await tree.leaves()).filter((ref) => !leaves.has(ref.block))).toHaveLength(1);
  });

  test('fills its leaves up when keys come in order, one by one', async () => {
    const tree = start({ ...numbers, groupOf: () => 0 });
    for (let key = 0; key < 600; key++) await tree.apply(new Map([[key, '123456']]));
    const leaves = await tree.leaves();
    const perLeaf = leaves.slice(0, -1).map((ref) => ref.count);
    expect(Math.min(...perLeaf)).toBeGreaterThan(0.8 * Math.max(...perLeaf));
  });

  test('joins leaves that were nearly emptied', async () => {
    const tree = start(words);
    const random = createRandom(12);
    await tree.apply(new Map(Array.from({ length: 3000 }, (_, i) => [random.hash(10), String(i)] as const)));
    const before = (await tree.leaves()).length;
    const keys = [...tree.map.keys()].sort();
    await tree.apply(new Map(keys.filter((_, i) => i % 10 !== 0).map((key) => [key, null])));
    expect((await tree.leaves()).length).toBeLessThan(before / 2);
    await tree.expectMap();
  });

  test('renews the leaves that are due, as many as it is allowed, and the pages above', async () => {
    const tree = start(words);
    const random = createRandom(13);
    await tree.apply(new Map(Array.from({ length: 6000 }, (_, i) => [random.hash(10), String(i)] as const)), {
      today: 0,
    });
    const old = (await tree.leaves()).map((ref) => ref.block);
    let left = 10;
    const few = { isDue: (expires: number) => left > 0 && expires < 70, spend: () => void left-- };
    await tree.apply(new Map(), { today: 40, renewal: few });
    expect((await tree.leaves()).filter((ref) => !old.includes(ref.block))).toHaveLength(10);
    await tree.apply(new Map(), { today: 40, renewal: { isDue: (expires) => expires < 70, spend: () => {} } });
    expect((await tree.leaves()).filter((ref) => old.includes(ref.block))).toHaveLength(0);
    expect(Math.min(...tree.root().refs.map((ref) => ref.expires))).toBeGreaterThanOrEqual(70);
    await tree.expectMap();
  });
});

describe('cutting', () => {
  /** Pieces with the items they are of. */
  const piecesOf = (items: readonly number[], manner: 'full' | 'even', itemBytes: number) => {
    const pack = (from: number, to: number) =>
      new Uint8Array(items.slice(from, to).reduce((sum, size) => sum + size, 0));
    const pieces = cut(items.length, { pack, bytesMax: 100, itemBytes, manner });
    return Array.from(pieces, ({ start, end, bytes }) => ({ items: items.slice(start, end), bytes }));
  };
  const sizes = (items: readonly number[], manner: 'full' | 'even', itemBytes = 10) =>
    piecesOf(items, manner, itemBytes).map((piece) => piece.items.length);

  test.each([
    { name: 'what fits stays whole', count: 10, manner: 'even', pieces: [10] },
    { name: 'full pieces leave a small last one', count: 20, manner: 'full', pieces: [9, 9, 2] },
    { name: 'even pieces are of one size, with room', count: 20, manner: 'even', pieces: [5, 5, 5, 5] },
    { name: 'nothing is no piece', count: 0, manner: 'full', pieces: [] },
  ] as const)('$name', ({ count, manner, pieces }) => {
    expect(
      sizes(
        Array.from({ length: count }, () => 10),
        manner,
      ),
    ).toEqual(pieces);
  });

  test.each([0.1, 1, 5, 40, 1000])(
    'a guess of %d bytes for items of any size makes no piece too large, and few too small',
    (itemBytes) => {
      const random = createRandom(3);
      const items = Array.from({ length: 500 }, () => 1 + random.below(12));
      for (const manner of ['full', 'even'] as const) {
        const pieces = piecesOf(items, manner, itemBytes);
        expect(pieces.flatMap((piece) => piece.items)).toEqual(items);
        expect(Math.max(...pieces.map((piece) => piece.bytes.length))).toBeLessThanOrEqual(100);
        expect(pieces.filter((piece) => piece.bytes.length < 50).length).toBeLessThanOrEqual(3);
      }
    },
  );

  test('an item larger than a piece has one to itself', () => {
    expect(sizes([10, 500, 10], 'full')).toEqual([1, 1, 1]);
  });
});

describe('a table that is loaded', () => {
  test.each([0, 1, 40, 1000, 30_000])('with %i words has them all, and is changed like any other', async (count) => {
    const random = createRandom(count + 1);
    const table = start(words);
    for (let i = 0; i < count; i += 1) table.map.set(random.hash(20), String(i));
    await table.load();
    await table.expectMap();
    await table.apply(new Map([...[...table.map.keys()].slice(0, 20), 'a', 'zz'].map((key) => [key, '5'])));
    await table.expectMap();
  });

  test.each([0, 1, 40, 1000, 30_000])('with %i numbers in groups has them all, in full leaves', async (count) => {
    const random = createRandom(count + 1);
    const table = start(numbers);
    for (let i = 0; i < count; i += 1) table.map.set(i * 2 + random.below(2), String(random.below(1e9)));
    await table.load();
    await table.expectMap();
    const leaves = await table.leaves();
    const merged = start(numbers);
    await merged.apply(new Map(table.map));
    expect(leaves.length).toBeLessThanOrEqual(Math.ceil((await merged.leaves()).length * 1.05));
    await table.apply(new Map([[2 * count + 1, '5']]));
    await table.expectMap();
  });

  test('with entries that take next to nothing is cut all the same', async () => {
    const table = start(words);
    for (let i = 0; i < 50_000; i += 1) table.map.set(`w${String(i).padStart(8, '0')}`, '0');
    await table.load();
    await table.expectMap();
  });
});
