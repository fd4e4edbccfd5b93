import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { CatalogStore } from '../../../shared/catalog/store.ts';

/** A store, and a clock to move. */
export type StoreUnderTest = {
  readonly store: CatalogStore;
  readonly passSeconds: (seconds: number) => void;
  readonly nowSeconds: () => number;
  readonly stop: () => Promise<void>;
};

const bytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text));
const text = (found: Uint8Array | null | undefined): string | null =>
  found == null ? null : Buffer.from(found).toString();

/** What every `CatalogStore` does. */
export function describeStore(name: string, start: () => Promise<StoreUnderTest>): void {
  describe(`a catalog store ${name}`, () => {
    let under: StoreUnderTest;
    let accounts = 0;
    beforeAll(async () => {
      under = await start();
    });
    afterAll(() => under.stop());

    const account = (): string => `account${++accounts}`;
    const head = (version: number, content: string, lifeSeconds = 1000) => ({
      version,
      bytes: bytes(content),
      expiresAt: under.nowSeconds() + lifeSeconds,
    });
    const read = async (of: string, keys: readonly string[], consistent: boolean) => {
      const found = await under.store.readBlocks(of, keys, { consistent });
      return new Map([...found].map(([key, value]) => [key, text(value)]));
    };

    test('has no head before one is written', async () => {
      expect(await under.store.readHead(account())).toBeNull();
    });

    test.each([
      { stored: null, expected: null, written: true },
      { stored: null, expected: 3, written: false },
      { stored: 3, expected: null, written: false },
      { stored: 3, expected: 2, written: false },
      { stored: 3, expected: 4, written: false },
      { stored: 3, expected: 3, written: true },
    ])(
      'writes a head over version $stored when $expected is expected: $written',
      async ({ stored, expected, written }) => {
        const own = account();
        if (stored !== null) expect(await under.store.writeHead(own, head(stored, 'old'), null)).toBe(true);
        expect(await under.store.writeHead(own, head(4, 'new'), expected)).toBe(written);
        expect(text(await under.store.readHead(own))).toBe(written ? 'new' : stored === null ? null : 'old');
      },
    );

    test('lets one of many writers who expect the same version win', async () => {
      const own = account();
      await under.store.writeHead(own, head(1, 'base'), null);
      const writers = Array.from({ length: 12 }, (_, i) => `writer ${i}`);
      const outcomes = await Promise.all(writers.map((writer) => under.store.writeHead(own, head(2, writer), 1)));
      expect(outcomes.filter((won) => won)).toHaveLength(1);
      expect(text(await under.store.readHead(own))).toBe(writers[outcomes.indexOf(true)]);
    });

    test('keeps a head to its account', async () => {
      const [own, other] = [account(), account()];
      await under.store.writeHead(own, head(1, 'own'), null);
      expect(await under.store.readHead(other)).toBeNull();
      expect(await under.store.writeHead(other, head(2, 'forged'), 1)).toBe(false);
      expect(text(await under.store.readHead(own))).toBe('own');
    });

    test('takes an expired head for none', async () => {
      const own = account();
      await under.store.writeHead(own, head(1, 'old', 10), null);
      under.passSeconds(9);
      expect(text(await under.store.readHead(own))).toBe('old');
      under.passSeconds(1);
      expect(await under.store.readHead(own)).toBeNull();
      expect(await under.store.writeHead(own, head(2, 'late'), 1)).toBe(false);
      expect(await under.store.writeHead(own, head(1, 'new'), null)).toBe(true);
      expect(text(await under.store.readHead(own))).toBe('new');
    });

    test.each([{ consistent: true }, { consistent: false }])(
      'reads what blocks there are, and no others (consistent: $consistent)',
      async ({ consistent }) => {
        const [own, other] = [account(), account()];
        const expiresAt = under.nowSeconds() + 1000;
        await under.store.writeBlocks(
          own,
          [
            { key: 'a', bytes: bytes('one') },
            { key: 'b', bytes: bytes('two') },
          ],
          expiresAt,
        );
        await under.store.writeBlocks(
          other,
          [
            { key: 'c', bytes: bytes('three') },
            { key: 'a', bytes: bytes('another') },
          ],
          expiresAt,
        );
        expect(await read(own, ['a', 'b', 'c', 'a'], consistent)).toEqual(
          new Map([
            ['a', 'one'],
            ['b', 'two'],
          ]),
        );
        expect(await read(other, ['a', 'b', 'c'], consistent)).toEqual(
          new Map([
            ['a', 'another'],
            ['c', 'three'],
          ]),
        );
      },
    );

    test('does not take a block for a head, nor a head for a block', async () => {
      const own = account();
      await under.store.writeBlocks(own, [{ key: 'head', bytes: bytes('block') }], under.nowSeconds() + 1000);
      expect(await under.store.readHead(own)).toBeNull();
      await under.store.writeHead(own, head(1, 'head'), null);
      expect(await read(own, ['head', ''], true)).toEqual(new Map([['head', 'block']]));
    });

    test('forgets expired blocks', async () => {
      const own = account();
      await under.store.writeBlocks(own, [{ key: 'short', bytes: bytes('s') }], under.nowSeconds() + 10);
      await under.store.writeBlocks(own, [{ key: 'long', bytes: bytes('l') }], under.nowSeconds() + 20);
      under.passSeconds(10);
      expect(await read(own, ['short', 'long'], true)).toEqual(new Map([['long', 'l']]));
    });

    test('moves more and larger blocks than fit into one call, and no blocks at all', async () => {
      const own = account();
      const blocks = Array.from({ length: 130 }, (_, i) => ({ key: `k${i}`, bytes: new Uint8Array(16_000).fill(i) }));
      await under.store.writeBlocks(own, blocks, under.nowSeconds() + 1000);
      await under.store.writeBlocks(own, [], under.nowSeconds() + 1000);
      const found = await under.store.readBlocks(own, [...blocks.map(({ key }) => key), 'never'], {
        consistent: false,
      });
      expect(found.size).toBe(130);
      for (const { key, bytes: written } of blocks)
        expect(Buffer.compare(written, found.get(key) ?? new Uint8Array())).toBe(0);
      expect(await under.store.readBlocks(own, [], { consistent: true })).toEqual(new Map());
    });
  });
}
