import { beforeEach, describe, expect, test } from '@jest/globals';
import { AuthenticationFailed, OutcomeUnknown, Unavailable } from '../../../shared/jmap/errors.ts';
import type { Id, JsonObject } from '../../../shared/jmap/scalars.ts';
import { bakery, limits } from '../bakery.ts';

let { call, send, reports, A } = bakery();
beforeEach(async () => {
  ({ call, send, reports, A } = bakery());
  await call('Cookie/set', {
    create: { k1: { name: 'almond', toppings: { nut: true } }, k2: { name: 'berry', tags: ['a'] } },
  });
  A.cookies.calls.length = 0;
});

/** The response to a Cookie/set. */
async function set(args: JsonObject): Promise<JsonObject> {
  return (await call('Cookie/set', args))[1];
}
const stored = (id: string) => A.cookies.latest().get(id as Id);

describe('Foo/set', () => {
  test('with nothing to do answers with nulls and the state', async () => {
    expect(await call('Cookie/set', {})).toEqual([
      'Cookie/set',
      {
        accountId: 'A',
        oldState: 'c1',
        newState: 'c1',
        created: null,
        updated: null,
        destroyed: null,
        notCreated: null,
        notUpdated: null,
        notDestroyed: null,
      },
    ]);
    expect(A.cookies.calls).toEqual(['latestState']);
  });

  test('creates, updates and destroys in one call, and says which states lie around it', async () => {
    const args = { create: { k3: { name: 'c' } }, update: { c1: { isEaten: true } }, destroy: ['c2'] };
    expect(await set(args)).toMatchObject({
      oldState: 'c1',
      newState: 'c4',
      created: { k3: { id: 'c3' } },
      updated: { c1: null },
      destroyed: ['c2'],
    });
    expect([...A.cookies.latest().keys()]).toEqual(['c1', 'c3']);
  });

  test('goes on after a record that is refused', async () => {
    const args = {
      create: { bad: {}, good: { name: 'x' } },
      update: { c9: { name: 'x' }, c1: { name: 'x' } },
      destroy: ['c8', 'c2'],
    };
    expect(await set(args)).toMatchObject({
      created: { good: { id: 'c3' } },
      notCreated: { bad: { type: 'invalidProperties', properties: ['name'] } },
      updated: { c1: null },
      notUpdated: { c9: { type: 'notFound' } },
      destroyed: ['c2'],
      notDestroyed: { c8: { type: 'notFound' } },
    });
  });

  const ids = (count: number) => Array.from({ length: count }, (_, index) => `c${index}`);
  const refused: [string, JsonObject, string][] = [
    ['another state than ifInState', { ifInState: 'c0', destroy: ['c1'] }, 'stateMismatch'],
    ['more records than maxObjectsInSet', { destroy: ids(limits.maxObjectsInSet + 1) }, 'requestTooLarge'],
    ['more records in all than maxObjectsInSet', { create: { k: {} }, destroy: ids(10) }, 'requestTooLarge'],
    ['a creation id that begins like a reference', { create: { '#k': {} } }, 'invalidArguments'],
    ['a record that is null', { create: { k: null } }, 'invalidArguments'],
    ['a patch that is no object', { update: { c1: [] } }, 'invalidArguments'],
    ['a destroy that is no array', { destroy: 'c1' }, 'invalidArguments'],
  ];
  test.each(refused)('refuses %s, and changes nothing', async (_what, args, type) => {
    expect(await call('Cookie/set', args)).toMatchObject(['error', { type }]);
    expect(A.cookies.state()).toBe('c1');
  });

  test('goes on when ifInState is the state', async () => {
    expect(await set({ ifInState: 'c1', destroy: ['c1'] })).toMatchObject({ destroyed: ['c1'] });
  });
});

describe('Foo/set create', () => {
  test('answers with what the server set and with the defaults, not with what the client sent', async () => {
    expect((await set({ create: { k: { name: 'x', grams: 5, 'note:a': 'b' } } })).created).toEqual({
      k: {
        id: 'c3',
        bakedAt: '2024-01-01T00:00:03Z',
        isEaten: false,
        kind: 'butter',
        toppings: {},
        inspiredBy: null,
        tags: null,
      },
    });
    expect(stored('c3')).toMatchObject({ name: 'x', grams: 5, kind: 'butter', 'note:a': 'b' });
  });

  const invalid: [string, JsonObject, string[]][] = [
    ['what is missing', {}, ['name']],
    ['what has the wrong type', { name: 7, grams: -1 }, ['name', 'grams']],
    ['what is unknown', { name: 'x', color: 'red' }, ['color']],
    ['what only the server sets', { name: 'x', id: 'c7', bakedAt: null }, ['id', 'bakedAt']],
    ['what every object inherits', { name: 'x', constructor: 1 }, ['constructor']],
    ['a prototype', JSON.parse('{"name": "x", "__proto__": {}}'), ['__proto__']],
    ['a reference to nothing', { name: 'x', inspiredBy: '#k9' }, ['inspiredBy']],
    ['a patterned property of the wrong type', { name: 'x', 'note:a': 1 }, ['note:a']],
  ];
  test.each(invalid)('refuses %s, naming every such property', async (_what, record, properties) => {
    const { notCreated } = await set({ create: { k: record } });
    expect(notCreated).toEqual({ k: { type: 'invalidProperties', properties, description: expect.any(String) } });
  });

  test('creates a record before those that refer to it, whatever their order', async () => {
    const { created } = await set({
      create: {
        child: { name: 'c', inspiredBy: '#parent' },
        grandchild: { name: 'g', inspiredBy: '#child' },
        parent: { name: 'p' },
        stranger: { name: 's', inspiredBy: 'c1' },
      },
    });
    const id = (creationId: string) => ((created as JsonObject)[creationId] as JsonObject).id as Id;
    expect(stored(id('child'))?.inspiredBy).toBe(id('parent'));
    expect(stored(id('grandchild'))?.inspiredBy).toBe(id('child'));
    expect(stored(id('stranger'))?.inspiredBy).toBe('c1');
    expect(A.cookies.calls.filter((verb) => verb === 'create')).toHaveLength(3);
  });

  test('refuses records that refer to one another in a circle, and those that hang on it', async () => {
    const { created, notCreated } = await set({
      create: {
        a: { name: 'a', inspiredBy: '#b' },
        b: { name: 'b', inspiredBy: '#a' },
        itself: { name: 'i', inspiredBy: '#itself' },
        behind: { name: 'h', inspiredBy: '#a' },
        free: { name: 'f' },
      },
    });
    expect(Object.keys(created as JsonObject)).toEqual(['free']);
    const invalidProperties = expect.objectContaining({ type: 'invalidProperties', properties: ['inspiredBy'] });
    expect(notCreated).toEqual({
      a: invalidProperties,
      b: invalidProperties,
      itself: invalidProperties,
      behind: invalidProperties,
    });
  });

  test('refuses a record that refers to one that could not be created', async () => {
    const { notCreated } = await set({ create: { a: { name: 'a', inspiredBy: '#b' }, b: { name: 'burnt' } } });
    expect(notCreated).toMatchObject({ a: { properties: ['inspiredBy'] }, b: { type: 'forbidden' } });
  });

  test('takes the path of a mailbox for a creation id, as aerc does', async () => {
    const { created } = await set({
      create: { 'Projects/New': { name: 'a' }, k: { name: 'b', inspiredBy: '#Projects/New' } },
    });
    const ids = created as { [creationId: string]: { id: Id } };
    expect(stored(ids.k?.id as Id)?.inspiredBy).toBe(ids['Projects/New']?.id);
  });

  test('does not take an earlier record for one of the same creation id that could not be created', async () => {
    const create = { k: { name: 'burnt' }, child: { name: 'x', inspiredBy: '#k' } };
    const { methodResponses } = await send([['Cookie/set', { accountId: 'A', create }, '0']], {
      createdIds: { k: 'c1' },
    });
    expect(methodResponses[0]?.[1]).toMatchObject({
      created: null,
      notCreated: { child: { properties: ['inspiredBy'] } },
    });
  });

  test('takes a creation id for the most recent record of that name', async () => {
    const set = (create: JsonObject) => ['Cookie/set', { accountId: 'A', create }, '0'];
    await send([
      set({ k: { name: 'first' } }),
      set({ k: { name: 'second' }, child: { name: 'x', inspiredBy: '#k' } }),
      set({ last: { name: 'y', inspiredBy: '#k' } }),
    ]);
    const inspirations = [...A.cookies.latest().values()].map(({ name, inspiredBy }) => [name, inspiredBy]).slice(2);
    expect(inspirations).toEqual([
      ['first', null],
      ['second', null],
      ['x', 'c4'],
      ['y', 'c4'],
    ]);
  });
});

describe('Foo/set update', () => {
  const applied: [string, JsonObject, JsonObject][] = [
    ['a property', { name: 'x' }, { name: 'x' }],
    ['a member of a property', { 'toppings/jam': true }, { toppings: { nut: true, jam: true } }],
    ['the removal of a member by null', { 'toppings/nut': null }, { toppings: {} }],
    ['the removal of a member by false', { 'toppings/nut': false }, { toppings: {} }],
    ['a whole set', { toppings: { jam: true, nut: false } }, { toppings: { jam: true } }],
    ['null as the default', { toppings: null, isEaten: null }, { toppings: {}, isEaten: false }],
    ['null as null', { tags: null }, { tags: null }],
    ['a patterned property', { 'note:a': 'b' }, { 'note:a': 'b' }],
    ['a reference', { inspiredBy: 'c2' }, { inspiredBy: 'c2' }],
  ];
  test.each(applied)('applies %s', async (_what, patch, expected) => {
    expect((await set({ update: { c1: patch } })).updated).toEqual({ c1: null });
    expect(stored('c1')).toMatchObject(expected);
  });

  test('accepts the whole record as it is, server-set and immutable properties included', async () => {
    const [, { list }] = await call('Cookie/get', { ids: ['c1'], properties: ['id', 'bakedAt', 'kind', 'name'] });
    const [record] = list as JsonObject[];
    const { updated } = await set({ update: { c1: { ...record, name: 'new' } } });
    expect(updated).toEqual({ c1: null });
    expect(stored('c1')).toMatchObject({ name: 'new', kind: 'butter' });
  });

  test('accepts a value that stays as it is even if nobody could set it', async () => {
    A.cookies.change((records) =>
      records.set('c7' as Id, { id: 'c7' as Id, name: 'old', bakedAt: 'long ago', grams: -1 }),
    );
    const { updated } = await set({ update: { c7: { bakedAt: 'long ago', grams: -1, name: 'new' } } });
    expect(updated).toEqual({ c7: null });
    expect(stored('c7')).toEqual({ id: 'c7', name: 'new', bakedAt: 'long ago', grams: -1 });
  });

  const invalid: [string, JsonObject, string[]][] = [
    ['what is unknown', { color: 'red' }, ['color']],
    ['what has the wrong type', { name: 7, 'toppings/jam': 'much' }, ['name', 'toppings']],
    ['a mandatory property set to null', { name: null }, ['name']],
    ['another value of what only the server sets', { id: 'c7', bakedAt: '2020-01-01T00:00:00Z' }, ['id', 'bakedAt']],
    ['the removal of what only the server sets', { bakedAt: null }, ['bakedAt']],
    ['another value of what is immutable', { kind: 'oat' }, ['kind']],
    ['a reference to nothing', { inspiredBy: '#k9' }, ['inspiredBy']],
  ];
  test.each(invalid)('refuses %s, and changes nothing of that record', async (_what, patch, properties) => {
    const before = stored('c1');
    const { notUpdated } = await set({ update: { c1: { isEaten: true, ...patch } } });
    expect(notUpdated).toEqual({ c1: { type: 'invalidProperties', properties, description: expect.any(String) } });
    expect(stored('c1')).toBe(before);
  });

  const invalidPatches: [string, JsonObject][] = [
    ['into an array', { 'tags/0': 'b' }],
    ['through what is not there', { 'toppings/jam/much': true }],
    ['of overlapping pointers', { toppings: {}, 'toppings/nut': null }],
  ];
  test.each(invalidPatches)('refuses a patch %s', async (_what, patch) => {
    expect((await set({ update: { c2: patch } })).notUpdated).toMatchObject({ c2: { type: 'invalidPatch' } });
  });

  test('asks for nothing but the properties that the patches touch', async () => {
    await set({ update: { c1: { 'toppings/jam': true, color: 1 }, c2: { name: 'x' } } });
    expect(A.cookies.calls).toEqual(['latestState', 'current toppings,name', 'update']);
  });

  test('counts a record that stays as it is as updated, and writes nothing', async () => {
    const patch = { 'toppings/nut': true, 'toppings/jam': null, 'toppings/fig': false, name: 'almond' };
    expect(await set({ update: { c1: patch, c2: {} } })).toMatchObject({
      updated: { c1: null, c2: null },
      oldState: 'c1',
      newState: 'c1',
    });
    expect(A.cookies.calls).not.toContain('update');
  });

  test('refuses to update what is destroyed in the same call', async () => {
    const response = await set({ update: { c1: { name: 'x' } }, destroy: ['c1'] });
    expect(response).toMatchObject({ notUpdated: { c1: { type: 'willDestroy' } }, destroyed: ['c1'] });
  });

  test('updates and destroys records by the creation ids of earlier calls and of the same one', async () => {
    await send([
      ['Cookie/set', { accountId: 'A', create: { k3: { name: 'c' } } }, '0'],
      ['Cookie/set', { accountId: 'A', create: { k4: { name: 'd' } }, update: { '#k3': { name: 'x' } } }, '1'],
      ['Cookie/set', { accountId: 'A', update: { c1: { inspiredBy: '#k3' } }, destroy: ['#k4', '#k9'] }, '2'],
    ]);
    expect(stored('c3')?.name).toBe('x');
    expect(stored('c1')?.inspiredBy).toBe('c3');
    expect(stored('c4')).toBeUndefined();
  });

  test.each(['#k9', 'no id at all', '__proto__'])('does not find a record called %s', async (name) => {
    const patches = JSON.parse(`{"${name}": {"name": "x"}}`);
    const { notUpdated, notDestroyed } = await set({ update: patches, destroy: [name] });
    const notFound = JSON.parse(`{"${name}": {"type": "notFound"}}`);
    expect(notDestroyed).toEqual(notFound);
    expect(Object.keys(notUpdated as JsonObject)).toEqual([name]);
  });

  test('refuses the second patch of a record that is named in two ways', async () => {
    const { methodResponses } = await send(
      [['Cookie/set', { accountId: 'A', update: { c1: { name: 'x' }, '#k': { name: 'y' } } }, '0']],
      {
        createdIds: { k: 'c1' },
      },
    );
    expect(methodResponses[0]?.[1]).toMatchObject({
      updated: { c1: null },
      notUpdated: { '#k': { type: 'invalidPatch' } },
    });
  });
});

describe('Foo/set destroy', () => {
  test('destroys an id that is given twice once', async () => {
    expect(await set({ destroy: ['c1', 'c1'] })).toMatchObject({ destroyed: ['c1'], notDestroyed: null });
  });
});

describe('Foo/set of a singleton', () => {
  test('updates the one record, and refuses to create or destroy any', async () => {
    const args = { create: { k: { degrees: 1 } }, update: { singleton: { degrees: 200 } }, destroy: ['singleton'] };
    expect((await call('Oven/set', args))[1]).toMatchObject({
      created: null,
      notCreated: { k: { type: 'singleton' } },
      updated: { singleton: null },
      notUpdated: null,
      destroyed: null,
      notDestroyed: { singleton: { type: 'singleton' } },
    });
    expect((await call('Oven/get', { ids: ['singleton'] }))[1].list).toEqual([{ id: 'singleton', degrees: 200 }]);
  });
});

describe('A step of a /set that fails', () => {
  const everything = { create: { k: { name: 'c' } }, update: { c1: { name: 'x' } }, destroy: ['c2'] };

  test.each(['latestState', 'create'])('is the failure of the call while nothing has changed: %s', async (verb) => {
    A.cookies.failures.set(verb, new Unavailable('down'));
    expect(await call('Cookie/set', everything)).toEqual(['error', { type: 'serverUnavailable' }]);
  });

  test.each([
    ['the world', new Unavailable('down')],
    ['the credential', new AuthenticationFailed()],
  ])('refuses its own records once something has changed, and only these: %s', async (_what, failure) => {
    for (const verb of ['update', 'destroy']) A.cookies.failures.set(verb, failure);
    expect(await set(everything)).toMatchObject({
      oldState: 'c1',
      newState: 'c2',
      created: { k: { id: 'c3' } },
      notUpdated: { c1: { type: 'serverUnavailable' } },
      notDestroyed: { c2: { type: 'serverUnavailable' } },
    });
  });

  test('ends the call when it cannot be seen what was done', async () => {
    A.cookies.failures.set('update', new OutcomeUnknown('down'));
    expect(await call('Cookie/set', everything)).toEqual(['error', { type: 'serverPartialFail' }]);
    expect(A.cookies.calls).not.toContain('destroy');
  });

  test('lets follow what follows from what was done, though of other records that cannot be told', async () => {
    await call('Cake/set', { create: { old: { layers: ['c2'] } } });
    A.cakes.failures.set('update', new OutcomeUnknown('down'));
    const args = { create: { k: { layers: ['c1'] } }, update: { k1: { layers: ['c1'] } }, onSuccessEat: ['#k'] };
    const { methodResponses } = await send([['Cake/set', { accountId: 'A', ...args }, '0']]);
    expect(methodResponses).toMatchObject([
      ['error', { type: 'serverPartialFail' }, '0'],
      ['Cookie/set', { updated: { c1: null } }, '0'],
    ]);
  });

  test('is reported when it is a defect, and shows the client the report alone', async () => {
    const defect = new TypeError('secret');
    A.cookies.failures.set('current name', defect);
    expect((await set(everything)).notUpdated).toEqual({ c1: { type: 'serverFail', description: 'report report-1' } });
    expect(reports).toEqual([{ error: defect, methodName: 'Cookie/set' }]);
  });
});

test('A /set whose implicit calls cannot be made still answers for what it did', async () => {
  const args = { create: { k: { layers: ['c1'] } }, onSuccessEat: ['#other'] };
  expect(await call('Cake/set', args)).toMatchObject(['Cake/set', { created: { k: { id: 'k1' } } }]);
  expect(reports).toMatchObject([{ methodName: 'Cake/set' }]);
});

describe('The states of a /set', () => {
  test('end with its own changes, not beyond a foreign change that came between them', async () => {
    let step = 0;
    A.cookies.between.current = () => {
      step += 1;
      if (step === 2) A.cookies.change((records) => records.delete('c2' as Id));
    };
    const { oldState, newState } = await set({ create: { k: { name: 'c' } }, update: { c1: { name: 'x' } } });
    expect([oldState, newState, A.cookies.state()]).toEqual(['c1', 'c2', 'c4']);
    const [, changes] = await call('Cookie/changes', { sinceState: newState ?? null });
    expect(changes).toMatchObject({ updated: ['c1'], destroyed: ['c2'] });
  });

  test('begin after a foreign change that came before the first of them', async () => {
    A.cookies.between.current = () => A.cookies.change((records) => records.delete('c2' as Id));
    const { oldState, newState } = await set({ update: { c1: { name: 'x' } } });
    expect([oldState, newState]).toEqual(['c2', 'c3']);
    const [, changes] = await call('Cookie/changes', { sinceState: 'c1' });
    expect(changes).toMatchObject({ updated: ['c1'], destroyed: ['c2'] });
  });
});
