import { describe, expect, test } from '@jest/globals';
import type { CatalogStore } from '../../../shared/catalog/store.ts';
import type { CatalogView } from '../../../shared/catalog/view.ts';
import { Unavailable } from '../../../shared/jmap/errors.ts';
import { createHistory } from './history.ts';
import { applyEdit, emptyModel, expectModel, type Model } from './model.ts';
import { createRandom } from './random.ts';
import { committed, createWorld, noEdit, opened, type World } from './world.ts';

const facts = { scheme: 'digest', threads: 'derived' } as const;

/** An account with some mail, and an edit of it that writes blocks of every kind; always the same. */
async function start(): Promise<{
  world: World;
  model: Model;
  edit: ReturnType<ReturnType<typeof createHistory>['flags']>;
}> {
  const world = createWorld(5);
  const model = emptyModel();
  const history = createHistory(createRandom(5), model);
  const catalog = world.freshProcess();
  const first = history.first({ mailboxes: 8, emails: 900 });
  committed(await catalog.create(facts, first, null));
  applyEdit(model, first);
  return { world, model, edit: history.flags(900) };
}

/** The model after the edit, or before, whichever the view shows; a mixture fails. */
async function expectOldOrNew(
  view: CatalogView,
  base: number,
  old: Model,
  edit: Awaited<ReturnType<typeof start>>['edit'],
): Promise<'old' | 'new'> {
  expect([base, base + 1]).toContain(view.version);
  const which = view.version === base ? 'old' : 'new';
  if (which === 'new') applyEdit(old, edit);
  await expectModel(view, old);
  return which;
}

describe('a commit in which the n-th call of the store fails', () => {
  test.each(['before', 'after'] as const)(
    'leaves the old or the new version, when it fails %s it took effect',
    async (failure) => {
      const outcomes: string[] = [];
      for (let n = 1; ; n++) {
        const { world, model, edit } = await start();
        const catalog = world.freshProcess();
        const base = await opened(catalog);
        world.store.failCall(n, failure);
        const outcome = await catalog.commit(base, edit).catch((error: unknown) => error);
        const hasFailed = outcome instanceof Unavailable;
        if (!hasFailed) expect(outcome).toMatchObject({ kind: 'committed' });
        const callsLeft = world.store.callsUntilFailure();
        world.store.failCall(null);

        const which = await expectOldOrNew(await opened(world.freshProcess()), base.version, model, edit);
        if (!hasFailed) expect(which).toBe('new');
        outcomes.push(`${hasFailed ? 'failed' : 'committed'}, ${which}`);
        if (callsLeft !== null) break;
      }
      // The head is the last call: an answer to it that is lost is found out, so that nothing is done twice or forgotten.
      const [head, none] = [outcomes.at(-2), outcomes.at(-1)];
      expect(none).toBe('committed, new');
      expect(head).toBe(failure === 'after' ? 'committed, new' : 'failed, old');
      expect(outcomes.slice(0, -2).every((outcome) => outcome === 'failed, old')).toBe(true);
      expect(outcomes.length).toBeGreaterThan(5);
    },
  );

  test('is unavailable when it cannot be found out whether the head was written, and is there for the next to see', async () => {
    const { world, model, edit } = await start();
    let isDown = false;
    const store: CatalogStore = {
      ...world.store,
      readHead: (account) => (isDown ? Promise.reject(new Unavailable('down')) : world.store.readHead(account)),
      writeHead: async (...args) => {
        await world.store.writeHead(...args);
        isDown = true;
        throw new Unavailable('the answer was lost');
      },
    };
    const catalog = world.freshProcess('alice', store);
    await expect(catalog.commit(await opened(catalog), edit)).rejects.toThrow(Unavailable);
    applyEdit(model, edit);
    await expectModel(await opened(world.freshProcess()), model);
  });

  test('has succeeded when its own repetition finds the head it wrote', async () => {
    const { world, model, edit } = await start();
    const store: CatalogStore = {
      ...world.store,
      writeHead: async (...args) => {
        await world.store.writeHead(...args);
        return world.store.writeHead(...args);
      },
    };
    const catalog = world.freshProcess('alice', store);
    const view = committed(await catalog.commit(await opened(catalog), edit));
    applyEdit(model, edit);
    await expectModel(view, model);
  });
});

describe('writers who start from the same version', () => {
  test.each([1, 2, 3, 4])('exactly one of %i and one more wins, and nothing of the others is seen', async (others) => {
    const world = createWorld(others);
    const model = emptyModel();
    const history = createHistory(createRandom(others), model);
    const first = history.first({ mailboxes: 5, emails: 600 });
    committed(await world.freshProcess().create(facts, first, null));
    applyEdit(model, first);

    const edits = Array.from({ length: others + 1 }, (_, i) => (i % 2 === 0 ? history.anything() : history.flags(500)));
    const writers = await Promise.all(
      edits.map(async (edit) => {
        const catalog = world.freshProcess();
        return { catalog, edit, base: await opened(catalog) };
      }),
    );
    const outcomes = await Promise.all(writers.map(({ catalog, base, edit }) => catalog.commit(base, edit)));
    const winners = writers.filter((_, i) => outcomes[i]?.kind === 'committed');
    expect(winners).toHaveLength(1);
    for (const { edit } of winners) applyEdit(model, edit);
    await expectModel(await opened(world.freshProcess()), model);
    // A reader of the old version goes on reading it.
    const [loser] = writers.filter((_, i) => outcomes[i]?.kind === 'conflict');
    expect((await loser?.base.mailboxes())?.size).toBe(first.mailboxes.size);
  });

  test('one of two creates the catalog', async () => {
    const world = createWorld();
    const outcomes = await Promise.all([1, 2].map(() => world.freshProcess().create(facts, noEdit, null)));
    expect(outcomes.map(({ kind }) => kind).sort()).toEqual(['committed', 'conflict']);
  });

  test('a writer from before the table was lost does not write over what was made since', async () => {
    const world = createWorld();
    const catalog = world.freshProcess();
    const before = committed(await catalog.create(facts, noEdit, null));
    world.store.dropAccount('alice');
    world.passDays(1);
    const after = committed(await world.freshProcess().create(facts, noEdit, null));
    expect((await catalog.commit(before, noEdit)).kind).toBe('conflict');
    expect((await opened(world.freshProcess())).epoch).toBe(after.epoch);
  });
});
