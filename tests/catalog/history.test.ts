import { describe, expect, test } from '@jest/globals';
import type { FakeOptions } from './fake-mail-server.ts';
import { playHistory } from './history.ts';
import { modelCatalog } from './model-catalog.ts';

/** `HISTORY_SEEDS=20 HISTORY_STEPS=500` plays the long ones. */
const seeds = Number(process.env.HISTORY_SEEDS ?? 3);
const steps = Number(process.env.HISTORY_STEPS ?? 60);

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
  test.each([{ racing: false }, { racing: true }])(
    'every law of identity holds (racing: $racing)',
    async ({ racing }) => {
      for (let seed = 1; seed <= seeds; seed += 1) {
        await expect(playHistory({ ...server, seed, steps, racing, store: modelStore() })).resolves.toBeUndefined();
      }
    },
    3_600_000,
  );
});

function modelStore() {
  const catalog = modelCatalog();
  return { catalog, loseAll: catalog.loseAll, loseBlock: catalog.loseBlock };
}
