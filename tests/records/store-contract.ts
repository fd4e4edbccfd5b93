import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { RecordStore } from '../../shared/records/store.ts';

/** A store, and a clock to move. */
export type RecordStoreUnderTest = {
  readonly store: RecordStore;
  readonly passSeconds: (seconds: number) => void;
  readonly nowSeconds: () => number;
  readonly stop: () => Promise<void>;
};

const item = (version: number, content: string, expiresAt: number | null = null) => ({
  version,
  bytes: new Uint8Array(Buffer.from(content)),
  expiresAt,
});

/** What every `RecordStore` does. */
export function describeRecordStore(name: string, start: () => Promise<RecordStoreUnderTest>): void {
  describe(`a record store ${name}`, () => {
    let under: RecordStoreUnderTest;
    let accounts = 0;
    beforeAll(async () => {
      under = await start();
    });
    afterAll(() => under.stop());

    const account = (): string => `account${++accounts}`;
    const content = async (of: string, key: string): Promise<string | null> => {
      const found = await under.store.read(of, key);
      return found === null ? null : Buffer.from(found.bytes).toString();
    };
    const keys = async (of: string, first: string, last: string, limit = 100) =>
      (await under.store.list(of, { first, last, limit })).map(({ key }) => key);

    test('holds nothing before something is written', async () => {
      expect(await under.store.read(account(), 'k')).toBeNull();
    });

    test.each([
      { stored: null, expected: null, written: true },
      { stored: null, expected: 3, written: false },
      { stored: 3, expected: null, written: false },
      { stored: 3, expected: 2, written: false },
      { stored: 3, expected: 4, written: false },
      { stored: 3, expected: 3, written: true },
    ])(
      'writes an item over version $stored when $expected is expected: $written',
      async ({ stored, expected, written }) => {
        const own = account();
        if (stored !== null) expect(await under.store.write(own, 'k', item(stored, 'old'), null)).toBe(true);
        expect(await under.store.write(own, 'k', item(4, 'new'), expected)).toBe(written);
        expect(await content(own, 'k')).toBe(written ? 'new' : stored === null ? null : 'old');
      },
    );

    test.each([
      { stored: null, expected: null, removed: false },
      { stored: null, expected: 3, removed: false },
      { stored: 3, expected: null, removed: true },
      { stored: 3, expected: 2, removed: false },
      { stored: 3, expected: 3, removed: true },
    ])('removes version $stored when $expected is expected: $removed', async ({ stored, expected, removed }) => {
      const own = account();
      if (stored !== null) await under.store.write(own, 'k', item(stored, 'old'), null);
      expect(await under.store.remove(own, 'k', expected)).toBe(removed);
      expect(await content(own, 'k')).toBe(stored !== null && !removed ? 'old' : null);
    });

    test('lets one of many writers who expect the same version win', async () => {
      const own = account();
      await under.store.write(own, 'k', item(1, 'base'), null);
      const writes = Array.from({ length: 10 }, (_, i) => under.store.write(own, 'k', item(2, `writer${i}`), 1));
      const outcomes = await Promise.all(writes);
      expect(outcomes.filter(Boolean)).toHaveLength(1);
      expect(await content(own, 'k')).toBe(`writer${outcomes.indexOf(true)}`);
    });

    test('gives back the version and the expiry that were written', async () => {
      const own = account();
      const expiresAt = under.nowSeconds() + 1000;
      await under.store.write(own, 'a', item(7, 'a', expiresAt), null);
      await under.store.write(own, 'b', item(8, 'b'), null);
      expect(await under.store.read(own, 'a')).toMatchObject({ version: 7, expiresAt });
      expect(await under.store.read(own, 'b')).toMatchObject({ version: 8, expiresAt: null });
    });

    test('keeps what has no expiry, and forgets what has one when it is over', async () => {
      const own = account();
      await under.store.write(own, 'stays', item(1, 's'), null);
      await under.store.write(own, 'goes', item(1, 'g', under.nowSeconds() + 10), null);
      under.passSeconds(9);
      expect(await keys(own, 'a', 'z')).toEqual(['goes', 'stays']);
      expect(await under.store.write(own, 'goes', item(2, 'again'), null)).toBe(false);
      under.passSeconds(1);
      expect(await under.store.read(own, 'goes')).toBeNull();
      expect(await keys(own, 'a', 'z')).toEqual(['stays']);
      expect(await under.store.write(own, 'goes', item(2, 'late'), 1)).toBe(false);
      expect(await under.store.remove(own, 'goes', 1)).toBe(false);
      expect(await under.store.remove(own, 'goes', null)).toBe(false);
      expect(await under.store.write(own, 'goes', item(1, 'new'), null)).toBe(true);
      under.passSeconds(1_000_000_000);
      expect(await content(own, 'stays')).toBe('s');
      expect(await content(own, 'goes')).toBe('new');
    });

    test('lists a range of keys in order, from one account only, and no more than is asked for', async () => {
      const [own, other] = [account(), account()];
      for (const key of ['b/2', 'a/1', 'b/1', 'c/1', 'b/3']) await under.store.write(own, key, item(1, key), null);
      await under.store.write(other, 'b/9', item(1, 'x'), null);
      expect(await keys(own, 'b/', 'b/~')).toEqual(['b/1', 'b/2', 'b/3']);
      expect(await keys(own, 'a/1', 'b/2')).toEqual(['a/1', 'b/1', 'b/2']);
      expect(await keys(own, 'b/', 'b/~', 2)).toEqual(['b/1', 'b/2']);
      expect(await keys(own, 'x', 'y')).toEqual([]);
      expect(await keys(account(), '!', '~')).toEqual([]);
    });

    test('lists more than one page of items', async () => {
      const own = account();
      for (let i = 0; i < 8; i += 1) {
        await under.store.write(own, `k${i}`, { version: 1, bytes: new Uint8Array(300_000), expiresAt: null }, null);
      }
      expect(await keys(own, 'k', 'k~')).toHaveLength(8);
      expect(await keys(own, 'k', 'k~', 5)).toHaveLength(5);
    });
  });
}
