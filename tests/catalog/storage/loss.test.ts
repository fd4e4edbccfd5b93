import { describe, expect, test } from '@jest/globals';
import { createBlockCache } from '../../../shared/catalog/storage/block-cache.ts';
import { openCatalog } from '../../../shared/catalog/storage/open.ts';
import { BlockLost } from '../../../shared/catalog/view.ts';
import { createHistory } from './history.ts';
import { applyEdit, emptyModel, expectModel } from './model.ts';
import { createRandom } from './random.ts';
import { committed, createWorld, noEdit, opened } from './world.ts';

const facts = { scheme: 'xguid', threads: 'derived' } as const;

async function start(emails: number) {
  const world = createWorld(11);
  const model = emptyModel();
  const history = createHistory(createRandom(11), model);
  const first = history.first({ mailboxes: 6, emails });
  committed(await world.freshProcess().create(facts, first, null));
  applyEdit(model, first);
  return { world, model, history };
}

describe('a block', () => {
  test('that an eventually consistent read does not see yet is read again', async () => {
    const { world, model, history } = await start(500);
    world.store.serveStaleReads(true);
    for (const edit of [history.flags(400), history.delivery(), history.flags(300)]) {
      const catalog = world.freshProcess();
      committed(await catalog.commit(await opened(catalog), edit));
      applyEdit(model, edit);
      await expectModel(await opened(world.freshProcess()), model);
    }
  });

  test('that is lost makes BlockLost of whatever needs it, and nothing else; a new catalog takes the place', async () => {
    const { world, model } = await start(500);
    const bytes = await world.store.readHead('alice');
    const blocks = world.store.blockKeys('alice');
    expect(blocks.length).toBeGreaterThan(20);
    for (const lost of blocks) {
      const { bytes: kept } = await keep(lost);
      world.store.dropBlock('alice', lost);
      const view = await opened(world.freshProcess());
      await expect(expectModel(view, model)).rejects.toThrow(BlockLost);
      await world.store.writeBlocks('alice', [{ key: lost, bytes: kept }], world.nowSeconds() + 86_400);
    }
    await expectModel(await opened(world.freshProcess()), model);
    expect(await world.store.readHead('alice')).toEqual(bytes);

    const catalog = world.freshProcess();
    const old = await opened(catalog);
    const view = committed(await catalog.create(facts, noEdit, old));
    expect(view.version).toBe(old.version + 1);
    expect(view.epoch).not.toBe(old.epoch);
    await expectModel(await opened(world.freshProcess()), emptyModel());

    async function keep(key: string): Promise<{ bytes: Uint8Array }> {
      const found = await world.store.readBlocks('alice', [key], { consistent: true });
      return { bytes: found.get(key) ?? new Uint8Array() };
    }
  });

  test('that is lost while a commit needs it ends the commit, and the old version stays', async () => {
    const { world, history } = await start(900);
    const edit = history.flags(900);
    for (const block of world.store.blockKeys('alice')) world.store.dropBlock('alice', block);
    const catalog = world.freshProcess();
    const base = await opened(catalog);
    await expect(catalog.commit(base, edit)).rejects.toThrow(BlockLost);
    expect((await opened(world.freshProcess())).version).toBe(base.version);
  });
});

describe('two accounts', () => {
  test('with the same block keys, in one process and one store, never see each other', async () => {
    const { world } = await start(0);
    const cache = createBlockCache({ maxBytes: 1e8 });
    // Both draw the same "random" keys, as a forger would who had guessed them.
    const openAs = (account: string) => {
      const random = createRandom(42);
      const surroundings = { now: () => world.nowSeconds() * 1000, randomKey: () => random.hash(13) };
      return openCatalog({ store: world.store, account, surroundings, cache });
    };
    const models = await Promise.all(
      ['bob', 'carol'].map(async (account, i) => {
        const model = emptyModel();
        const edit = createHistory(createRandom(100 + i), model).first({ mailboxes: 4, emails: 700 });
        const view = committed(await openAs(account).create(facts, edit, null));
        applyEdit(model, edit);
        return { account, model, view };
      }),
    );
    expect(
      world.store.blockKeys('bob').filter((key) => world.store.blockKeys('carol').includes(key)).length,
    ).toBeGreaterThan(20);
    for (const { account, model, view } of models) {
      await expectModel(view, model);
      await expectModel(await opened(openAs(account)), model);
    }
    world.store.dropAccount('bob');
    expect(await openAs('bob').open()).toBeNull();
    await expectModel(await opened(openAs('carol')), models[1]?.model ?? emptyModel());
  });

  test('a view of another catalog is refused as the base of a commit', async () => {
    const { world } = await start(0);
    const stranger = committed(await world.freshProcess('mallory').create(facts, noEdit, null));
    await expect(world.freshProcess().commit(stranger, noEdit)).rejects.toThrow('view of the same catalog');
  });
});

describe('a head in a layout of another release', () => {
  test('counts as none, and is replaced', async () => {
    const { world } = await start(10);
    const head = Buffer.from((await world.store.readHead('alice')) ?? []);
    const { version } = await opened(world.freshProcess());
    head.writeUInt8(255, 0);
    head.writeUIntBE(version + 7, 1, 6);
    await world.store.writeHead(
      'alice',
      { version: version + 7, bytes: head, expiresAt: world.nowSeconds() + 1000 },
      version,
    );

    const catalog = world.freshProcess();
    expect(await catalog.open()).toBeNull();
    expect(committed(await catalog.create(facts, noEdit, null)).version).toBe(version + 8);
    expect((await opened(world.freshProcess())).version).toBe(version + 8);
  });
});
