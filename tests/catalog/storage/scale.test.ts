import { deepStrictEqual } from 'node:assert/strict';
import { beforeAll, describe, expect, jest, test } from '@jest/globals';
import { createBlockCache } from '../../../shared/catalog/storage/block-cache.ts';
import { createBlockReader } from '../../../shared/catalog/storage/blocks.ts';
import { unpackHead } from '../../../shared/catalog/storage/head.ts';
import { headBytesMax } from '../../../shared/catalog/storage/limits.ts';
import type { Root } from '../../../shared/catalog/storage/references.ts';
import type { Key, Shape } from '../../../shared/catalog/storage/shape.ts';
import { shapes } from '../../../shared/catalog/storage/tables.ts';
import { leavesBetween } from '../../../shared/catalog/storage/tree.ts';
import type { Catalog, CatalogEdit, CatalogView } from '../../../shared/catalog/view.ts';
import { createHistory, type History } from './history.ts';
import { applyEdit, emptyModel, expectModel, logOf, type Model } from './model.ts';
import { createRandom } from './random.ts';
import { committed, createWorld, opened, type World } from './world.ts';

jest.setTimeout(240_000);

const facts = { scheme: 'digest', threads: 'derived' } as const;
/** A mailbox of the model that has most of the mail. */
const inbox = 1;

/** Runs `step` and says what it cost. */
async function unitsOf<T>(
  { store }: World,
  step: () => Promise<T>,
): Promise<{ result: T; reads: number; writes: number; calls: number }> {
  store.resetUnits();
  const result = await step();
  return { result, ...store.units() };
}

describe('an account of 100,000 messages and 200 mailboxes', () => {
  const random = createRandom(7);
  const world = createWorld(7);
  const model: Model = emptyModel();
  let history: History;
  let catalog: Catalog;
  let written: number;
  let leaves: Readonly<Record<string, number>>;

  beforeAll(async () => {
    history = createHistory(random, model);
    catalog = world.freshProcess();
    const first = history.first({ mailboxes: 200, emails: 100_000 });
    const { result, writes } = await unitsOf(world, () => catalog.create(facts, first, null));
    committed(result);
    written = writes;
    leaves = await leavesOf(world);
    applyEdit(model, first);
    // What is measured is an account in use, not one whose head was just emptied.
    for (let i = 0; i < 60; i++) {
      const edit = history.delivery();
      committed(await catalog.commit(await opened(catalog), edit));
      applyEdit(model, edit);
    }
  }, 240_000);

  test('is indexed in one commit, for 125 write units a thousand messages, in 115 bytes each, log and all', async () => {
    expect(written / 100).toBeLessThan(125);
    const view = await opened(world.freshProcess());
    const blocks = await view.rowBlocks(inbox);
    expect(blocks.reduce((sum, block) => sum + block.count, 0)).toBe(
      [...model.emails.values()].flatMap((email) => email.rows).filter((row) => row.mailbox === inbox).length,
    );
    const bytes = await bytesOf(world);
    expect(bytes / model.emails.size).toBeLessThan(115);
  });

  /** As docs/storage-schema.md tells it, and a tenth more for releases of Node that compress less. */
  test.each([
    ['mailboxes', 3],
    ['rows', 813],
    ['emails', 667],
    ['threads', 1320],
  ])('is packed into few leaves: %s', (table, most) => {
    expect(leaves[table]).toBeLessThanOrEqual(most * 1.1);
  });

  /**
   * What bringing it up to date after one delivery asks for, and the commit: measured (docs/storage-schema.md), and a tenth
   * more where it depends on how well a release of Node compresses. A rise fails.
   */
  const steps = [
    { step: 'head', fresh: { mean: 1, max: 1 }, warm: { mean: 1, max: 1 } },
    { step: 'mailboxes', fresh: { mean: 1.5, max: 1.5 }, warm: { mean: 0, max: 0 } },
    { step: 'Email id not yet known', fresh: { mean: 1, max: 1 }, warm: { mean: 0.1, max: 1 } },
    { step: 'two Message-IDs', fresh: { mean: 2, max: 2 }, warm: { mean: 0.2, max: 1.5 } },
    { step: 'thread', fresh: { mean: 0.4, max: 1.5 }, warm: { mean: 0.1, max: 1 } },
    { step: 'Emails of the thread', fresh: { mean: 1.8, max: 14 }, warm: { mean: 0.1, max: 2 } },
    { step: 'newest rows', fresh: { mean: 2, max: 2.5 }, warm: { mean: 0.1, max: 0.5 } },
    { step: 'commit: reads', fresh: { mean: 2.4, max: 6 }, warm: { mean: 0.1, max: 2.5 } },
    { step: 'commit: writes', fresh: { mean: 13.5, max: 23 }, warm: { mean: 13, max: 23 } },
    { step: 'in all', fresh: { mean: 26, max: 41 }, warm: { mean: 14.5, max: 25 } },
  ];

  test.each(['fresh', 'warm'] as const)(
    'one delivery costs a %s process no more than the table says',
    async (process) => {
      const measured = new Map<string, number[]>();
      const note = (step: string, units: number) => measured.set(step, [...(measured.get(step) ?? []), units]);
      for (let i = 0; i < 100; i++) {
        const own = process === 'fresh' ? world.freshProcess() : catalog;
        const edit = history.delivery();
        const [id, { after }] = [...edit.emails][0] ?? ['', { after: null }];
        const threadId = after?.threadId;
        if (threadId === undefined) throw new Error('nothing was delivered');
        let sum = 0;
        const run = async <T>(step: string, task: () => Promise<T>): Promise<T> => {
          const { result, reads, writes } = await unitsOf(world, task);
          if (step === 'commit') {
            note('commit: reads', reads);
            note('commit: writes', writes);
          } else note(step, reads);
          sum += reads + writes;
          return result;
        };
        const view = await run('head', () => opened(own));
        await run('mailboxes', () => view.mailboxes());
        await run('Email id not yet known', () => view.emails([id as typeof threadId]));
        await run('two Message-IDs', () => view.threadsByMessageId([...edit.messageIds.keys(), random.hash(16)]));
        const members = await run('thread', () => view.threadEmails([threadId]));
        await run('Emails of the thread', () => view.emails([...members.values()].flat()));
        await run('newest rows', async () => (await view.rowBlocks(inbox)).at(-1)?.rows());
        committed(await run('commit', () => own.commit(view, edit)));
        note('in all', sum);
        applyEdit(model, edit);
      }
      const told = steps.map(({ step }) => {
        const units = measured.get(step) ?? [];
        return { step, mean: units.reduce((a, b) => a + b, 0) / units.length, max: Math.max(...units) };
      });
      const dearer = told.filter(({ step, mean, max }) => {
        const allowed = steps.find((one) => one.step === step)?.[process];
        return allowed === undefined || mean > allowed.mean || max > allowed.max;
      });
      expect({ dearer, told }).toEqual({ dearer: [], told });
    },
  );

  test('costs one read unit to poll', async () => {
    await opened(catalog);
    expect(await unitsOf(world, () => catalog.open())).toMatchObject({ reads: 1, writes: 0, calls: 1 });
  });

  test('is told in blocks without reading a row', async () => {
    const view = await opened(world.freshProcess());
    const { result, reads } = await unitsOf(world, () => view.rowBlocks(inbox));
    expect(result.length).toBeGreaterThan(300);
    expect(reads).toBeLessThanOrEqual(8);
  });

  test('finds Emails by the rows that were read anyway', async () => {
    const view = await opened(world.freshProcess());
    const rows = (await (await view.rowBlocks(inbox)).at(-1)?.rows()) ?? [];
    const own = rows
      .filter((row) => !row.shared)
      .slice(-50)
      .map((row) => row.emailId);
    const { result, calls } = await unitsOf(world, () => view.emails(own));
    expect(calls).toBe(0);
    expect(result).toEqual(new Map(own.map((id) => [id, model.emails.get(id)])));
  });

  test('answers from memory what a process has seen', async () => {
    const ask = async (view: CatalogView) => {
      await view.mailboxes();
      const ids = [...model.emails.keys()].slice(500, 600);
      return view.emails(ids);
    };
    const own = world.freshProcess();
    const first = await unitsOf(world, async () => ask(await opened(own)));
    const second = await unitsOf(world, async () => ask(await opened(own)));
    // The head, the mailboxes; then pages and leaves of the look-up run, then of the rows: each in one call.
    expect(first.calls).toBe(6);
    expect(second.calls).toBe(1);
    expect(second.result).toEqual(first.result);
  });

  test('looks a hundred threads up in two calls', async () => {
    const view = await opened(world.freshProcess());
    const ids = [...model.threads.keys()].slice(-100);
    const { result, calls } = await unitsOf(world, () => view.threadEmails(ids));
    expect(calls).toBe(2);
    expect(result.size).toBe(100);
  });

  test.each([
    ['a delivery', 'delivery', 12.1],
    ['one flag of a message anywhere', 'flag', 12.1],
  ] as const)('a commit of %s costs few write units', async (_, kind, units) => {
    expect(await meanWritesOf(world, catalog, model, history[kind])).toBeLessThanOrEqual(units * 1.1);
  });

  test('takes 100,000 flag changes in one commit, and tells each of them', async () => {
    const edit = history.flags(100_000);
    const before = await opened(catalog);
    const { result, writes } = await unitsOf(world, () => catalog.commit(before, edit));
    const view = committed(result);
    applyEdit(model, edit);
    expect(writes).toBeLessThan(8000);
    expect(view.versions.Email - before.versions.Email).toBe(100_000);
    deepStrictEqual(await logOf(view, 'Email', before.versions.Email), model.logs.Email.slice(-100_000));
    const fresh = await opened(world.freshProcess());
    const ids = [...model.emails.keys()].filter((_, i) => i % 997 === 0);
    expect(await fresh.emails(ids)).toEqual(new Map(ids.map((id) => [id, model.emails.get(id)])));
    expect((await world.store.readHead('alice'))?.length).toBeLessThan(headBytesMax);
  });
});

/** Messages; write units of a commit of a delivery, and of one of a flag. */
test.each([
  [1_000, 4.9, 6.6],
  [10_000, 7.6, 9.1],
])('in an account of %i messages a commit costs less', async (emails, delivery, flag) => {
  const world = createWorld(7);
  const model = emptyModel();
  const history = createHistory(createRandom(7), model);
  const catalog = world.freshProcess();
  const first = history.first({ mailboxes: 200, emails });
  committed(await catalog.create(facts, first, null));
  applyEdit(model, first);
  await meanWritesOf(world, catalog, model, history.delivery, 60);
  expect(await meanWritesOf(world, catalog, model, history.delivery)).toBeLessThanOrEqual(delivery * 1.1);
  expect(await meanWritesOf(world, catalog, model, history.flag)).toBeLessThanOrEqual(flag * 1.1);
});

describe('an account of 2,000 mailboxes', () => {
  test('is committed and read, and one changed mailbox costs no more than in a small account', async () => {
    const world = createWorld(8);
    const model = emptyModel();
    const history = createHistory(createRandom(8), model);
    const first = history.first({ mailboxes: 2000, emails: 6000 });
    committed(await world.freshProcess().create(facts, first, null));
    applyEdit(model, first);
    const fresh = await opened(world.freshProcess());
    const { reads } = await unitsOf(world, () => fresh.mailboxes());
    expect(reads).toBeLessThanOrEqual(25);
    await expectModel(fresh, model);

    const catalog = world.freshProcess();
    for (let i = 0; i < 60; i++) {
      const edit = history.delivery();
      const base = await opened(catalog);
      const { result, writes } = await unitsOf(world, () => catalog.commit(base, edit));
      committed(result);
      expect(writes).toBeLessThanOrEqual(40);
      applyEdit(model, edit);
    }
    expect((await world.store.readHead('alice'))?.length).toBeLessThan(6 * 1024);
    await expectModel(await opened(world.freshProcess()), model);
  });
});

/** Write units of so many commits, in the mean. */
async function meanWritesOf(
  world: World,
  catalog: Catalog,
  model: Model,
  next: () => CatalogEdit,
  count = 100,
): Promise<number> {
  let sum = 0;
  for (let i = 0; i < count; i++) {
    const edit = next();
    const view = await opened(catalog);
    const { result, writes } = await unitsOf(world, () => catalog.commit(view, edit));
    committed(result);
    applyEdit(model, edit);
    sum += writes;
  }
  return sum / count;
}

/** How many leaves each of the tables has that stay. */
async function leavesOf({ store }: World): Promise<Readonly<Record<string, number>>> {
  const packed = await store.readHead('alice');
  const read = packed && unpackHead(packed);
  if (read?.kind !== 'head') throw new Error('there is no head');
  const blocks = createBlockReader({ store, account: 'alice', cache: createBlockCache({ maxBytes: 200e6 }) });
  const { mailboxes, rows, emails, threads } = read.head.tables;
  const count = async <K extends Key, V>(shape: Shape<K, V>, { root }: { readonly root: Root<K> }, last: K) =>
    (await leavesBetween({ shape, blocks }, root, root.refs[0]?.first ?? last, last)).length;
  return {
    mailboxes: await count(shapes.mailboxes, mailboxes, Number.POSITIVE_INFINITY),
    rows: await count(shapes.rows, rows, Number.POSITIVE_INFINITY),
    emails: await count(shapes.emails, emails, '~'),
    threads: await count(shapes.threads, threads, '~'),
  };
}

/** Bytes of all blocks of the account. */
async function bytesOf({ store }: World): Promise<number> {
  const all = store.blockKeys('alice');
  const found = await store.readBlocks('alice', all, { consistent: false });
  return [...found.values()].reduce((sum, bytes) => sum + bytes.length, 0);
}
