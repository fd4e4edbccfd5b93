import { Unavailable } from '../../jmap/errors.ts';
import type { CatalogStore } from '../store.ts';

/** What went over the wire, in the units DynamoDB would bill: 1 KB written, 4 KB read strongly, half of that otherwise. */
export type StoreUnits = { readonly reads: number; readonly writes: number; readonly calls: number };

/**
 * How a call is made to fail: before it did anything, after it took effect (the answer is lost), or by finding an empty table: then nothing
 * is thrown, but all that was stored is gone.
 */
export type Failure = 'before' | 'after' | 'wiped';

/** A `CatalogStore` in memory, held to the same contract as the one on DynamoDB, with switches for what a real one does on bad days. */
export type MemoryStore = CatalogStore & {
  /** Units since the start or the last `resetUnits`. */
  readonly units: () => StoreUnits;
  readonly resetUnits: () => void;
  /** Eventually consistent reads do not see blocks written from now on, until set to false. */
  readonly serveStaleReads: (stale: boolean) => void;
  /** Forgets a block, as an expiry that came too early would. */
  readonly dropBlock: (account: string, key: string) => void;
  readonly blockKeys: (account: string) => readonly string[];
  /** The n-th call from now on (1 = the next) throws `Unavailable`, or finds the table wiped. null: none does. */
  readonly failCall: (n: number | null, failure?: Failure) => void;
  /** How many calls are left until the one that is to fail; null when it has failed, or none is to. */
  readonly callsUntilFailure: () => number | null;
  /** Forgets everything of an account. */
  readonly dropAccount: (account: string) => void;
};

type StoredBlock = { readonly bytes: Uint8Array; readonly expiresAt: number; fresh: boolean };
type StoredHead = { readonly version: number; readonly bytes: Uint8Array; readonly expiresAt: number };
type Account = { head: StoredHead | null; readonly blocks: Map<string, StoredBlock> };

/** An item beside its account, key and bytes: attribute names, expiry, version (docs/storage-schema.md). */
const itemOverheadBytes = 18;
const headKey = 'head';
const readUnitBytes = 4096;
const writeUnitBytes = 1024;

/** `now`: milliseconds since the epoch; expired items are invisible. */
export function createMemoryStore({ now }: { now: () => number }): MemoryStore {
  const accounts = new Map<string, Account>();
  let reads = 0;
  let writes = 0;
  let calls = 0;
  let stale = false;
  let failing: { left: number; failure: Failure } | null = null;

  const accountOf = (name: string): Account => {
    const found = accounts.get(name);
    if (found !== undefined) return found;
    const made: Account = { head: null, blocks: new Map() };
    accounts.set(name, made);
    return made;
  };
  const isLive = (item: { expiresAt: number } | null | undefined): boolean =>
    item != null && item.expiresAt * 1000 > now();
  const billed = (account: string, key: string, bytes: Uint8Array | undefined, unitBytes: number): number =>
    bytes === undefined ? 1 : Math.ceil((itemOverheadBytes + account.length + key.length + bytes.length) / unitBytes);

  /** Runs one call of the store, with the failure that was asked for. */
  const call = async <T>(effect: () => T): Promise<T> => {
    calls += 1;
    await Promise.resolve();
    const fails = failing !== null && --failing.left === 0 ? failing.failure : null;
    if (fails === 'before') throw new Unavailable('the store does not answer');
    if (fails === 'wiped') accounts.clear();
    const result = effect();
    if (fails === 'after') throw new Unavailable('the answer of the store was lost');
    return result;
  };

  return {
    readHead: (account) =>
      call(() => {
        const { head } = accountOf(account);
        reads += billed(account, headKey, head?.bytes, readUnitBytes);
        return head !== null && isLive(head) ? head.bytes : null;
      }),
    writeHead: (account, head, expectedVersion) =>
      call(() => {
        const stored = accountOf(account);
        const current = stored.head !== null && isLive(stored.head) ? stored.head.version : null;
        writes += billed(account, headKey, head.bytes, writeUnitBytes);
        if (current !== expectedVersion) return false;
        stored.head = { ...head, bytes: head.bytes.slice() };
        return true;
      }),
    readBlocks: (account, keys, { consistent }) =>
      call(() => {
        const found = new Map<string, Uint8Array>();
        for (const key of keys) {
          const block = accountOf(account).blocks.get(key);
          const visible = block !== undefined && isLive(block) && (consistent || !block.fresh);
          const units = billed(account, key, visible ? block.bytes : undefined, readUnitBytes);
          reads += consistent ? units : units / 2;
          if (visible) found.set(key, block.bytes);
        }
        return found;
      }),
    writeBlocks: (account, blocks, expiresAt) =>
      call(() => {
        for (const { key, bytes } of blocks) {
          writes += billed(account, key, bytes, writeUnitBytes);
          accountOf(account).blocks.set(key, { bytes: bytes.slice(), expiresAt, fresh: stale });
        }
      }),
    units: () => ({ reads, writes, calls }),
    resetUnits: () => {
      reads = 0;
      writes = 0;
      calls = 0;
    },
    serveStaleReads: (wanted) => {
      stale = wanted;
      if (!wanted)
        for (const account of accounts.values()) for (const block of account.blocks.values()) block.fresh = false;
    },
    dropBlock: (account, key) => {
      accountOf(account).blocks.delete(key);
    },
    blockKeys: (account) => [...accountOf(account).blocks.keys()],
    failCall: (n, failure = 'before') => {
      failing = n === null ? null : { left: n, failure };
    },
    callsUntilFailure: () => (failing === null || failing.left <= 0 ? null : failing.left),
    dropAccount: (account) => {
      accounts.delete(account);
    },
  };
}
