import { describe, expect, test } from '@jest/globals';
import { createBlockCache } from '../../shared/catalog/storage/block-cache.ts';
import { createMemoryStore } from '../../shared/catalog/storage/memory-store.ts';
import { openCatalog } from '../../shared/catalog/storage/open.ts';
import type { FakeOptions } from './fake-mail-server.ts';
import { type HistoryStore, playHistory } from './history.ts';
import { modelCatalog } from './model-catalog.ts';

/** `HISTORY_SEEDS=20 HISTORY_STEPS=500` plays the long ones, `HISTORY_SEED=6 HISTORY_SEEDS=1 …` one of them alone. */
const firstSeed = Number(process.env.HISTORY_SEED ?? 1);
const seeds = Number(process.env.HISTORY_SEEDS ?? 2);
const steps = Number(process.env.HISTORY_STEPS ?? 25);

const servers: readonly (FakeOptions & { readonly name: string })[] = [
  { name: 'OBJECTID and QRESYNC', tier: 'qresync', scheme: 'objectid', threads: 'server' },
  { name: 'X-GUID and QRESYNC', tier: 'qresync', scheme: 'xguid', threads: 'derived' },
  { name: 'digest and QRESYNC', tier: 'qresync', scheme: 'digest', threads: 'derived' },
  { name: 'OBJECTID and CONDSTORE', tier: 'condstore', scheme: 'objectid', threads: 'derived' },
  { name: 'digest and CONDSTORE', tier: 'condstore', scheme: 'digest', threads: 'derived' },
  { name: 'X-GUID without mod-sequences', tier: 'plain', scheme: 'xguid', threads: 'derived' },
  { name: 'digest without mod-sequences', tier: 'plain', scheme: 'digest', threads: 'derived' },
];

describe.each(servers)('whatever other clients do on a server with $name', ({ name: _name, ...server }) => {
  test.each([
    { racing: false, kept: 'in plain maps', storeOf: modelStore },
    { racing: true, kept: 'in plain maps', storeOf: modelStore },
    { racing: false, kept: 'in blocks', storeOf: blockStore },
    { racing: true, kept: 'in blocks', storeOf: blockStore },
  ])(
    'every law of identity holds ($kept, racing: $racing)',
    async ({ racing, storeOf }) => {
      for (let seed = firstSeed; seed < firstSeed + seeds; seed += 1) {
        await expect(playHistory({ ...server, seed, steps, racing, store: storeOf() })).resolves.toBeUndefined();
      }
    },
    3_600_000,
  );
});

function modelStore(): HistoryStore {
  const catalog = modelCatalog();
  return { catalog, loseAll: catalog.loseAll, loseBlock: catalog.loseBlock };
}

/** The real catalog on a store in memory, with a cache too small for it. */
function blockStore(): HistoryStore {
  let clock = 1_800_000_000_000;
  let keys = 0;
  const now = () => {
    clock += 1_000;
    return clock;
  };
  const randomKey = () => {
    keys += 1;
    return `key${keys.toString(36)}`;
  };
  const account = 'a1';
  const store = createMemoryStore({ now: () => clock });
  const cache = createBlockCache({ maxBytes: 100_000 });
  return {
    catalog: openCatalog({ store, account, cache, surroundings: { now, randomKey } }),
    loseAll: () => store.dropAccount(account),
    loseBlock: () => {
      for (const [index, key] of store.blockKeys(account).entries()) if (index % 3 === 0) store.dropBlock(account, key);
      cache.clear();
    },
  };
}
