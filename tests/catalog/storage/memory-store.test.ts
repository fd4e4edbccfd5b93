import { describe, expect, test } from '@jest/globals';
import { createMemoryStore } from '../../../shared/catalog/storage/memory-store.ts';
import { Unavailable } from '../../../shared/jmap/errors.ts';
import { describeStore } from './store-contract.ts';

const day = 86_400;

function start() {
  let now = 1_000_000;
  const store = createMemoryStore({ now: () => now * 1000 });
  return { store, nowSeconds: () => now, passSeconds: (seconds: number) => (now += seconds), stop: async () => {} };
}

describeStore('in memory', async () => {
  const { passSeconds, ...rest } = start();
  return { ...rest, passSeconds: (seconds) => void passSeconds(seconds) };
});

describe('the store in memory', () => {
  test('shows a block written while reads are stale to consistent reads only', async () => {
    const { store, nowSeconds } = start();
    store.serveStaleReads(true);
    await store.writeBlocks('a', [{ key: 'k', bytes: new Uint8Array(1) }], nowSeconds() + day);
    expect((await store.readBlocks('a', ['k'], { consistent: false })).size).toBe(0);
    expect((await store.readBlocks('a', ['k'], { consistent: true })).size).toBe(1);
    store.serveStaleReads(false);
    expect((await store.readBlocks('a', ['k'], { consistent: false })).size).toBe(1);
  });

  test.each([
    { failure: 'before', written: false },
    { failure: 'after', written: true },
  ] as const)('fails the second call $failure it took effect', async ({ failure, written }) => {
    const { store, nowSeconds } = start();
    store.failCall(2, failure);
    expect(await store.readHead('a')).toBeNull();
    const head = { version: 1, bytes: new Uint8Array(1), expiresAt: nowSeconds() + day };
    await expect(store.writeHead('a', head, null)).rejects.toThrow(Unavailable);
    expect((await store.readHead('a')) !== null).toBe(written);
  });

  test('forgets the block or the account it is told to', async () => {
    const { store, nowSeconds } = start();
    await store.writeBlocks(
      'a',
      ['k', 'l'].map((key) => ({ key, bytes: new Uint8Array(1) })),
      nowSeconds() + day,
    );
    store.dropBlock('a', 'k');
    expect(store.blockKeys('a')).toEqual(['l']);
    store.dropAccount('a');
    expect(store.blockKeys('a')).toEqual([]);
  });
});
