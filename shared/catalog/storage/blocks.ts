import type { CatalogStore } from '../store.ts';
import { BlockLost } from '../view.ts';
import type { BlockCache } from './block-cache.ts';
import { blockLifeDays, blocksPerWrite, expirySpreadDays, writesAtOnce } from './limits.ts';

/** A decoded block and the memory it takes, about. */
export type Decoded<T> = { readonly value: T; readonly bytes: number };

/** Reads one account's blocks. */
export type BlockReader = {
  /**
   * A decoded block, from the cache or the store. What is asked for in the same turn travels together.
   * Throws `BlockLost` when a strong read finds nothing either.
   */
  readonly read: <T>(block: string, decode: (bytes: Uint8Array) => Decoded<T>) => Promise<T>;
  /** Puts a block just written where `read` finds it. */
  readonly remember: (block: string, decoded: Decoded<unknown>) => void;
  /** The same for one of many that nobody has asked for yet: as it was written it takes little memory. */
  readonly rememberPacked: (block: string, bytes: Uint8Array) => void;
};

export function createBlockReader({
  store,
  account,
  cache,
}: {
  store: CatalogStore;
  account: string;
  cache: BlockCache;
}): BlockReader {
  const underWay = new Map<string, Promise<unknown>>();
  let asked: string[] = [];
  let batch: Promise<ReadonlyMap<string, Uint8Array>> | null = null;

  const readBatch = async (): Promise<ReadonlyMap<string, Uint8Array>> => {
    await Promise.resolve();
    const blocks = asked;
    asked = [];
    batch = null;
    const found = await store.readBlocks(account, blocks, { consistent: false });
    const missing = blocks.filter((block) => !found.has(block));
    if (missing.length === 0) return found;
    return new Map([...found, ...(await store.readBlocks(account, missing, { consistent: true }))]);
  };

  const cacheKey = (block: string): string => `${account} ${block}`;
  const packedKey = (block: string): string => `${cacheKey(block)} packed`;

  const fetch = async (block: string): Promise<Uint8Array> => {
    const packed = cache.get(packedKey(block));
    cache.delete(packedKey(block));
    if (packed !== undefined) return packed.value as Uint8Array;
    asked.push(block);
    batch ??= readBatch();
    const bytes = (await batch).get(block);
    if (bytes === undefined) throw new BlockLost(`a block that the head names is gone "${block}"`);
    return bytes;
  };

  return {
    // A block is written once, under a key of its own, and always decoded by what its place in the table says: once for all who ask.
    read: <T>(block: string, decode: (bytes: Uint8Array) => Decoded<T>): Promise<T> => {
      const cached = cache.get(cacheKey(block));
      if (cached !== undefined) return Promise.resolve(cached.value as T);
      const already = underWay.get(block);
      if (already !== undefined) return already as Promise<T>;
      const reading = fetch(block)
        .then((bytes) => {
          const decoded = decode(bytes);
          cache.set(cacheKey(block), decoded);
          return decoded.value;
        })
        .finally(() => underWay.delete(block));
      underWay.set(block, reading);
      return reading;
    },
    remember: (block, decoded) => {
      cache.set(cacheKey(block), decoded);
    },
    rememberPacked: (block, bytes) => {
      cache.set(packedKey(block), { value: bytes, bytes: bytes.length + packedMemoryBytes });
    },
  };
}

/** Estimated memory of a block as it was written, besides its bytes. */
const packedMemoryBytes = 300;

/** Writes the blocks of one commit under random keys. */
export type BlockWriter = {
  /** Takes a block to be written. `expires`: days since the epoch. */
  readonly put: (bytes: Uint8Array) => { readonly block: string; readonly expires: number };
  /** False while many blocks have not been written yet. */
  readonly hasRoom: () => boolean;
  /** Waits while many blocks have not been written yet, so that they do not pile up in memory. */
  readonly room: () => Promise<void>;
  /** Resolves when everything is written; throws what a write threw. */
  readonly finish: () => Promise<void>;
};

/** `today`: days since the epoch. `prefix`: random, of this commit alone. `onPut` is told of each block. */
export function createBlockWriter({
  store,
  account,
  prefix,
  today,
  onPut,
}: {
  store: CatalogStore;
  account: string;
  prefix: string;
  today: number;
  onPut?: BlockReader['rememberPacked'];
}): BlockWriter {
  type Batch = { readonly blocks: { key: string; bytes: Uint8Array }[]; readonly expires: number };
  const underWay = new Set<Promise<void>>();
  const full: Batch[] = [];
  let batches = 0;
  let blocks = 0;
  let failure: { readonly error: unknown } | null = null;

  const nextBatch = (): Batch => ({ blocks: [], expires: today + blockLifeDays - (batches++ % expirySpreadDays) });
  let filling = nextBatch();

  const send = (): void => {
    while (underWay.size < writesAtOnce) {
      const batch = full.shift();
      if (batch === undefined) return;
      const write = store.writeBlocks(account, batch.blocks, batch.expires * secondsPerDay).then(
        () => {
          underWay.delete(write);
          send();
        },
        (error: unknown) => {
          underWay.delete(write);
          full.length = 0;
          failure ??= { error };
        },
      );
      underWay.add(write);
    }
  };
  const hasRoom = (): boolean => full.length === 0;
  const settle = async (isSettled: () => boolean): Promise<void> => {
    while (failure === null && !isSettled()) await Promise.race(underWay);
    if (failure !== null) throw failure.error;
  };

  return {
    put: (bytes) => {
      const put = { block: `${prefix}-${(blocks++).toString(36)}`, expires: filling.expires };
      filling.blocks.push({ key: put.block, bytes });
      onPut?.(put.block, bytes);
      if (filling.blocks.length === blocksPerWrite) {
        full.push(filling);
        filling = nextBatch();
        if (failure === null) send();
      }
      return put;
    },
    hasRoom: () => failure === null && hasRoom(),
    room: () => settle(hasRoom),
    finish: () => {
      if (filling.blocks.length > 0) full.push(filling);
      filling = nextBatch();
      if (failure === null) send();
      return settle(() => underWay.size === 0);
    },
  };
}

export const secondsPerDay = 86_400;
