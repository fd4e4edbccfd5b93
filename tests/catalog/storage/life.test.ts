import { describe, expect, test } from '@jest/globals';
import { BlockLost } from '../../../shared/catalog/view.ts';
import { createHistory } from './history.ts';
import { applyEdit, emptyModel, expectModel, logOf } from './model.ts';
import { createRandom } from './random.ts';
import { committed, createWorld, noEdit, opened } from './world.ts';

const facts = { scheme: 'digest', threads: 'derived' } as const;

async function start(emails: number) {
  const world = createWorld(21);
  const model = emptyModel();
  const history = createHistory(createRandom(21), model);
  const first = history.first({ mailboxes: 6, emails });
  committed(await world.freshProcess().create(facts, first, null));
  applyEdit(model, first);
  const commit = async (edit = history.delivery()) => {
    const catalog = world.freshProcess();
    const base = await opened(catalog);
    world.store.resetUnits();
    const view = committed(await catalog.commit(base, edit));
    applyEdit(model, edit);
    return { view, units: world.store.units() };
  };
  return { world, model, history, commit };
}

describe('an account that nobody uses any more', () => {
  test('is whole until its head expires, 45 to 60 days after the last commit that wrote much, and then is gone', async () => {
    const { world, model } = await start(1200);
    let day = 0;
    for (let view = await world.freshProcess().open(); view !== null; view = await world.freshProcess().open()) {
      if (day % 30 === 0 || day > 44) await expectModel(view, model);
      world.passDays(1);
      day += 1;
    }
    expect(day).toBeGreaterThanOrEqual(45);
    expect(day).toBeLessThanOrEqual(60);
    committed(await world.freshProcess().create(facts, noEdit, null));
  });
});

describe('an account with a commit now and then', () => {
  test.each([
    { everyDays: 1, unitsMax: 130 },
    { everyDays: 9, unitsMax: 500 },
  ])('never loses a block: one each $everyDays days, for most of a year', async ({ everyDays, unitsMax }) => {
    const { world, model, commit } = await start(2500);
    let most = 0;
    for (let day = 0; day < 250; day += everyDays) {
      const { view, units } = await commit();
      most = Math.max(most, units.reads + units.writes);
      if (day % (everyDays * 6) === 0) await expectLog(view, model);
      world.passDays(everyDays);
    }
    // Logs older than a month are forgotten; all else is as it was.
    const view = await opened(world.freshProcess());
    await expectModel(view, forgetting(model, view));
    expect(most).toBeLessThanOrEqual(unitsMax);
  });

  test('writes nothing again while more than 30 days remain', async () => {
    const { world, commit } = await start(2500);
    for (let day = 0; day < 14; day++) {
      expect((await commit()).units.writes).toBeLessThanOrEqual(30);
      world.passDays(1);
    }
  });
});

describe('the change log', () => {
  test('tells the last 30 days whole, and says from which version', async () => {
    const { world, model, history, commit } = await start(400);
    const versionOnDay: number[] = [];
    for (let day = 0; day < 80; day++) {
      const { view } = await commit(history.flags(300));
      versionOnDay.push(view.versions.Email);
      expect(view.oldestVersions.Email).toBeLessThanOrEqual(versionOnDay[Math.max(0, day - 30)] ?? 0);
      world.passDays(1);
    }
    const view = await opened(world.freshProcess());
    expect(view.oldestVersions.Email).toBeGreaterThanOrEqual(versionOnDay[30] ?? 0);
    await expectModel(view, forgetting(model, view));
  });

  test('begins anew with an epoch', async () => {
    const { model, history, commit } = await start(400);
    const before = (await commit()).view;
    const { view } = await commit({ ...history.flags(300), newEpoch: true });
    expect(view.epoch).not.toBe(before.epoch);
    expect(view.oldestVersions).toEqual(view.versions);
    await expectModel(view, model);
  });
});

/** The model without the log entries that the view says it has forgotten. */
function forgetting(
  model: ReturnType<typeof emptyModel>,
  view: Awaited<ReturnType<typeof opened>>,
): ReturnType<typeof emptyModel> {
  const kept = (type: 'Email' | 'Thread' | 'Mailbox') =>
    model.logs[type].filter((entry) => entry.version > view.oldestVersions[type]);
  return { ...model, logs: { Email: kept('Email'), Thread: kept('Thread'), Mailbox: kept('Mailbox') } };
}

async function expectLog(
  view: Awaited<ReturnType<typeof opened>>,
  model: ReturnType<typeof emptyModel>,
): Promise<void> {
  const told = await logOf(view, 'Email', view.oldestVersions.Email);
  expect(told).toEqual(forgetting(model, view).logs.Email);
  expect(told).not.toBeInstanceOf(BlockLost);
}
