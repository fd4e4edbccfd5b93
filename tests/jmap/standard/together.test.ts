import { expect, test } from '@jest/globals';
import { ok, type Result, refuse, type SetError } from '../../../shared/jmap/errors.ts';
import type { Id, JsonObject, State } from '../../../shared/jmap/scalars.ts';
import { stepsFrom } from '../../../shared/jmap/standard/steps.ts';
import { setTogether } from '../../../shared/jmap/standard/together.ts';
import type { CanSetTogether, Together } from '../../../shared/jmap/verbs.ts';
import { cookie } from '../bakery.ts';

type Given = {
  readonly create?: { readonly [creationId: string]: JsonObject };
  readonly update?: { readonly [name: string]: JsonObject };
  readonly destroy?: readonly string[];
};

/** Sets records of which c1 and c2 are there; `steps`: what the port was asked to do, step by step. */
async function set({ create = {}, update = {}, destroy = [] }: Given, known: { readonly [id: string]: string } = {}) {
  const done: Together<JsonObject>[] = [];
  const records = new Map(['c1', 'c2'].map((id) => [id as Id, { id: id as Id, name: id, inspiredBy: null }]));
  const port: CanSetTogether<JsonObject, null> = {
    latestState: async () => 's0' as State,
    current: async (ids) => new Map([...records].filter(([id]) => ids.includes(id))),
    setTogether: async (changes) => {
      done.push(changes);
      const results = new Map<Id, Result<{ readonly id: Id } | null, SetError>>();
      for (const [reference, { name }] of changes.create) {
        const id = `new-${reference.slice(1)}` as Id;
        results.set(reference, name === 'burnt' ? refuse({ type: 'forbidden' }) : ok({ id }));
        records.set(id, { id, name: String(name), inspiredBy: null });
      }
      for (const id of [...changes.update.keys(), ...changes.destroy]) results.set(id, ok(null));
      return { oldState: 's0' as State, newState: 's1' as State, results };
    },
  };
  const createdIds = new Map(Object.entries(known) as [string, Id][]);
  const given = { create: new Map(Object.entries(create)), update: Object.entries(update), destroy };
  const steps = stepsFrom('s0' as State, () => 'report');
  const parts = await setTogether(cookie, given, port, null, createdIds, steps);
  return { ...parts, createdIds, steps: done };
}

test('all parts are one step, in which a reference stands for what the same call creates', async () => {
  const { created, updated, destroyed, createdIds, steps } = await set(
    {
      create: { a: { name: 'a', inspiredBy: '#b' }, b: { name: 'b', inspiredBy: '#old' } },
      update: { c1: { inspiredBy: '#a' } },
      destroy: ['c2'],
    },
    { old: 'c9' },
  );
  expect(steps).toHaveLength(1);
  expect(steps[0]?.create.get('#a' as Id)).toMatchObject({ name: 'a', inspiredBy: '#b', kind: 'butter' });
  expect(steps[0]?.create.get('#b' as Id)).toMatchObject({ inspiredBy: 'c9' });
  expect(steps[0]?.update.get('c1' as Id)?.after).toEqual({ inspiredBy: '#a' });
  expect(steps[0]?.destroy).toEqual(['c2']);
  // The record, whole, has the id, and the response has what the client left to us.
  expect(created.done.get('a')).toMatchObject({
    whole: { id: 'new-a', inspiredBy: 'new-b' },
    response: { id: 'new-a', kind: 'butter' },
  });
  expect([...updated.done, ...destroyed.done]).toEqual([
    ['c1', null],
    ['c2', null],
  ]);
  expect([...createdIds]).toEqual([
    ['old', 'c9'],
    ['a', 'new-a'],
    ['b', 'new-b'],
  ]);
});

test('what is done to a new record comes after that', async () => {
  const { updated, destroyed, steps } = await set({
    create: { a: { name: 'a' }, b: { name: 'b' }, bad: { name: 'burnt' } },
    update: { '#a': { name: 'x' }, '#bad': { name: 'x' } },
    destroy: ['#b'],
  });
  expect(steps.map(({ create, update, destroy }) => [create.size, [...update.keys()], destroy])).toEqual([
    [3, [], []],
    [0, ['new-a'], ['new-b']],
  ]);
  expect([[...updated.done.keys()], [...destroyed.done.keys()]]).toEqual([['new-a'], ['new-b']]);
  expect([...updated.refused]).toEqual([['#bad', { type: 'notFound' }]]);
});

test('what cannot be is refused before the port is asked, and what changes nothing is not asked of it', async () => {
  const { created, updated, destroyed, steps } = await set({
    create: { bad: { grams: 1 } },
    update: { c1: { name: 'c1' }, c2: { name: 'x' }, c8: { name: 'x' } },
    destroy: ['c2', 'no id at all'],
  });
  expect(steps).toMatchObject([{ create: new Map(), update: new Map(), destroy: ['c2'] }]);
  expect(Object.fromEntries([...created.refused, ...updated.refused, ...destroyed.refused])).toMatchObject({
    bad: { type: 'invalidProperties', properties: ['name'] },
    c2: { type: 'willDestroy' },
    c8: { type: 'notFound' },
    'no id at all': { type: 'notFound' },
  });
  expect([...updated.done]).toEqual([['c1', null]]);
  expect((await set({ update: { c1: { name: 'c1' } } })).steps).toEqual([]);
});
