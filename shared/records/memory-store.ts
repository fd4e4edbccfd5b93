import { Unavailable } from '../jmap/errors.ts';
import type { ListedItem, RecordStore, StoredItem } from './store.ts';

/** When a call is made to fail: before it did anything, or after it took effect (the answer is lost). */
export type RecordFailure = 'before' | 'after';

/** A `RecordStore` in memory, held to the same contract as the one on DynamoDB, with switches for what a real one does on bad days. */
export type MemoryRecordStore = RecordStore & {
  /** The n-th call from now on (1 = the next) throws `Unavailable`. null: none does. */
  readonly failCall: (n: number | null, failure?: RecordFailure) => void;
  /** Runs before each call takes effect, for writers who come between. */
  readonly interrupt: (before: (() => Promise<void>) | null) => void;
  /** Calls since the start. */
  readonly calls: () => number;
  /** Everything that is stored, by account and key. */
  readonly contents: () => ReadonlyMap<string, ReadonlyMap<string, StoredItem>>;
};

/** `now`: milliseconds since the epoch; expired items are invisible. */
export function createMemoryRecordStore({ now }: { now: () => number }): MemoryRecordStore {
  const accounts = new Map<string, Map<string, StoredItem>>();
  let calls = 0;
  let failing: { left: number; failure: RecordFailure } | null = null;
  let interruption: (() => Promise<void>) | null = null;

  const itemsOf = (account: string): Map<string, StoredItem> => {
    const items = accounts.get(account) ?? new Map<string, StoredItem>();
    accounts.set(account, items);
    return items;
  };
  const live = (account: string, key: string): StoredItem | null => {
    const item = itemsOf(account).get(key);
    return item !== undefined && (item.expiresAt === null || item.expiresAt * 1000 > now()) ? item : null;
  };

  /** Runs one call of the store, with the failure that was asked for. */
  const call = async <T>(effect: () => T): Promise<T> => {
    calls += 1;
    await Promise.resolve();
    const fails = failing !== null && --failing.left === 0 ? failing.failure : null;
    if (fails === 'before') throw new Unavailable('the store does not answer');
    const between = interruption;
    interruption = null;
    await between?.();
    const result = effect();
    if (fails === 'after') throw new Unavailable('the answer of the store was lost');
    return result;
  };

  return {
    read: (account, key) => call(() => live(account, key)),
    list: (account, { first, last, limit }) =>
      call(() => {
        const keys = [...itemsOf(account).keys()].filter((key) => key >= first && key <= last).sort();
        const found = keys.flatMap((key): ListedItem[] => {
          const item = live(account, key);
          return item === null ? [] : [{ key, ...item }];
        });
        return found.slice(0, limit);
      }),
    write: (account, key, item, expectedVersion) =>
      call(() => {
        if ((live(account, key)?.version ?? null) !== expectedVersion) return false;
        itemsOf(account).set(key, { ...item, bytes: item.bytes.slice() });
        return true;
      }),
    remove: (account, key, expectedVersion) =>
      call(() => {
        const item = live(account, key);
        if (item === null || (expectedVersion !== null && item.version !== expectedVersion)) return false;
        return itemsOf(account).delete(key);
      }),
    failCall: (n, failure = 'before') => {
      failing = n === null ? null : { left: n, failure };
    },
    interrupt: (before) => {
      interruption = before;
    },
    calls: () => calls,
    contents: () => accounts,
  };
}
