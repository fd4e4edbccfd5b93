import { beforeEach, describe, expect, test } from '@jest/globals';
import type { Id, JsonObject } from '../../../shared/jmap/scalars.ts';
import { bakery, limits } from '../bakery.ts';

let { call, A } = bakery();
beforeEach(async () => {
  ({ call, A } = bakery());
  await call('Cookie/set', { create: { k1: { name: 'oats', grams: 9 }, k2: { name: 'rye' } } });
  A.cookies.calls.length = 0;
});

describe('Foo/get', () => {
  test('returns what was asked for, with the state, and what was not found', async () => {
    expect(await call('Cookie/get', { ids: ['c2', 'c9', 'c1'], properties: ['name', 'grams'] })).toEqual([
      'Cookie/get',
      {
        accountId: 'A',
        state: 'c1',
        list: [
          { id: 'c2', name: 'rye', grams: null },
          { id: 'c1', name: 'oats', grams: 9 },
        ],
        notFound: ['c9'],
      },
    ]);
  });

  test('returns every record when ids is null or left out', async () => {
    for (const args of [{ ids: null }, {}]) {
      const [, { list, notFound }] = await call('Cookie/get', { ...args, properties: ['id'] });
      expect([list, notFound]).toEqual([[{ id: 'c1' }, { id: 'c2' }], []]);
    }
  });

  test('returns an id that is asked for twice only once', async () => {
    const [, { list, notFound }] = await call('Cookie/get', { ids: ['c1', 'c9', 'c1', 'c9'], properties: [] });
    expect([list, notFound]).toEqual([[{ id: 'c1' }], ['c9']]);
  });

  test('asks the port for the default properties when properties is null', async () => {
    const [, { list }] = await call('Cookie/get', { ids: ['c1'], properties: null });
    expect(list).toEqual([{ id: 'c1', name: 'oats', isEaten: false, toppings: {} }]);
  });

  test('asks the port for all properties where a type has no defaults', async () => {
    const [, { list }] = await call('Oven/get', { ids: ['singleton'] });
    expect(list).toEqual([{ id: 'singleton', degrees: 180 }]);
  });

  test('always returns the id', async () => {
    const [, { list }] = await call('Cookie/get', { ids: ['c1'], properties: ['name'] });
    expect(list).toEqual([{ id: 'c1', name: 'oats' }]);
  });

  test('knows properties whose names are a pattern', async () => {
    const [, { list }] = await call('Cookie/get', { ids: ['c1'], properties: ['note:taste'] });
    expect(list).toEqual([{ id: 'c1', 'note:taste': null }]);
  });

  test('reads nothing but the state when ids is empty', async () => {
    expect(await call('Cookie/get', { ids: [] })).toEqual([
      'Cookie/get',
      { accountId: 'A', state: 'c1', list: [], notFound: [] },
    ]);
    expect(A.cookies.calls).toEqual(['state']);
  });

  const many = Array.from({ length: limits.maxObjectsInGet + 1 }, (_, index) => `c${index}`);
  const refused: [string, JsonObject, string, string][] = [
    ['an unknown property', { ids: [], properties: ['id', 'color'] }, 'invalidArguments', '"color"'],
    ['a property of Object', { ids: [], properties: ['constructor'] }, 'invalidArguments', '"constructor"'],
    ['a property that is no string', { ids: [], properties: [1] }, 'invalidArguments', '/properties/0'],
    ['an id that is no Id', { ids: ['c1', 'c 1'] }, 'invalidArguments', '/ids/1'],
    ['a creation id', { ids: ['#k1'] }, 'invalidArguments', '/ids/0'],
    ['an extra argument of the wrong type', { ids: [], shout: 'yes' }, 'invalidArguments', '/shout'],
    ['an unknown argument', { ids: [], whisper: true }, 'invalidArguments', '/whisper'],
    ['more ids than maxObjectsInGet', { ids: many }, 'requestTooLarge', '20'],
  ];
  test.each(refused)('refuses %s', async (_what, args, type, description) => {
    expect(await call('Cookie/get', args)).toEqual([
      'error',
      { type, description: expect.stringContaining(description) },
    ]);
    expect(A.cookies.calls).toEqual([]);
  });

  test('counts ids after duplicates are gone', async () => {
    const [name] = await call('Cookie/get', { ids: [...many.slice(1), 'c1', 'c2'] });
    expect(name).toBe('Cookie/get');
  });

  test('refuses ids null when there are more records than maxObjectsInGet', async () => {
    A.cookies.change((records) => {
      for (const id of many) records.set(id as Id, { id: id as Id });
    });
    expect(await call('Cookie/get', { ids: null })).toMatchObject(['error', { type: 'requestTooLarge' }]);
  });
});
