import { beforeEach, describe, expect, test } from '@jest/globals';
import type { JsonObject, JsonValue } from '../../../shared/jmap/scalars.ts';
import { maxComparators } from '../../../shared/jmap/standard/comparator.ts';
import { filterLimits } from '../../../shared/jmap/standard/filter.ts';
import { bakery } from '../bakery.ts';

let { call } = bakery();
beforeEach(async () => {
  ({ call } = bakery());
  await call('Cookie/set', {
    create: {
      k1: { name: 'almond', grams: 30, toppings: { nut: true } },
      k2: { name: 'berry', grams: 10, kind: 'oat', toppings: { jam: true } },
      k3: { name: 'cocoa', grams: 20, toppings: { nut: true, jam: true } },
      k4: { name: 'date', grams: 20, kind: 'oat' },
    },
  });
});

/** The ids of the results, as one string of their numbers. */
async function found(args: JsonObject): Promise<string> {
  const [name, { ids }] = await call('Cookie/query', args);
  return name === 'error' ? name : (ids as string[]).map((id) => id.slice(1)).join('');
}

describe('Foo/query', () => {
  test('says where the window is, and its state', async () => {
    expect(await call('Cookie/query', { position: 1, limit: 2 })).toEqual([
      'Cookie/query',
      {
        accountId: 'A',
        queryState: 'c1',
        canCalculateChanges: true,
        position: 1,
        ids: ['c2', 'c3'],
      },
    ]);
  });

  const operator = (name: string, ...conditions: JsonValue[]) => ({ operator: name, conditions });
  const filters: [string, JsonValue, string][] = [
    ['null', null, '1234'],
    ['no condition', {}, '1234'],
    ['one condition', { minGrams: 20 }, '134'],
    ['conditions that must all match', { minGrams: 20, kind: 'butter' }, '13'],
    ['AND of conditions with one key', operator('AND', { hasTopping: 'nut' }, { hasTopping: 'jam' }), '3'],
    ['OR of conditions with one key', operator('OR', { hasTopping: 'nut' }, { hasTopping: 'jam' }), '123'],
    ['NOT: none of them', operator('NOT', { hasTopping: 'nut' }, { hasTopping: 'jam' }), '4'],
    ['AND of nothing', operator('AND'), '1234'],
    ['OR of nothing', operator('OR'), ''],
    ['operators in operators', operator('AND', operator('NOT', { kind: 'oat' }), { minGrams: 25 }), '1'],
  ];
  test.each(filters)('filters by %s', async (_what, filter, expected) => {
    expect(await found({ filter })).toBe(expected);
  });

  const sorts: [string, JsonValue, string][] = [
    ['null', null, '1234'],
    ['nothing', [], '1234'],
    ['one property, ascending when nothing is said', [{ property: 'grams' }], '2341'],
    ['one property, descending', [{ property: 'name', isAscending: false }], '4321'],
    [
      'two properties',
      [
        { property: 'grams', isAscending: false },
        { property: 'name', isAscending: false },
      ],
      '1432',
    ],
    ['a property with a further member', [{ property: 'hasTopping', topping: 'jam', isAscending: false }], '2314'],
    ['a collation that the server has', [{ property: 'name', collation: 'i;ascii-casemap' }], '1234'],
    ['collation null', [{ property: 'name', collation: null }], '1234'],
  ];
  test.each(sorts)('sorts by %s', async (_what, sort, expected) => {
    expect(await found({ sort })).toBe(expected);
  });

  const windows: [string, JsonObject, string][] = [
    ['a negative position', { position: -1 }, '4'],
    ['a position beyond the end', { position: 9 }, ''],
    ['limit 0', { limit: 0 }, ''],
    ['limit null', { limit: null }, '1234'],
    ['an anchor', { anchor: 'c3' }, '34'],
    ['an anchor with an offset', { anchor: 'c3', anchorOffset: -1, limit: 2 }, '23'],
    ['an anchor, the position being ignored', { anchor: 'c3', position: 1 }, '34'],
    ['no anchor, the offset being ignored', { anchor: null, anchorOffset: 3 }, '1234'],
    ['an extra argument', { onePerKind: true }, '12'],
  ];
  test.each(windows)('has a window by %s', async (_what, args, expected) => {
    expect(await found(args)).toBe(expected);
  });

  test('has a total only when it is asked for, of all results', async () => {
    const [, counted] = await call('Cookie/query', { calculateTotal: true, filter: { minGrams: 20 }, limit: 1 });
    expect(counted.total).toBe(3);
    const [, uncounted] = await call('Cookie/query', { calculateTotal: false });
    expect(uncounted).not.toHaveProperty('total');
  });

  test.each([
    ['the same when it is within the server’s', 50, undefined],
    ['the server’s when it is above', 51, 50],
    ['the server’s when there was none', null, 50],
  ])('has a limit in the response only when the server changed it: %s', async (_what, limit, expected) => {
    const [, response] = await call('Cookie/query', { limit });
    expect(response.limit).toBe(expected);
  });

  const nested = (depth: number): JsonValue => (depth === 0 ? {} : operator('AND', nested(depth - 1)));
  const refused: [string, JsonObject, string, string][] = [
    ['an unknown condition', { filter: { color: 'red' } }, 'unsupportedFilter', '"color"'],
    ['a condition of Object', { filter: { constructor: 1 } }, 'unsupportedFilter', '"constructor"'],
    [
      'a condition of the wrong type, deep down',
      { filter: operator('OR', {}, operator('NOT', { minGrams: -1 })) },
      'invalidArguments',
      '/filter/conditions/1/conditions/0/minGrams',
    ],
    ['an unknown operator', { filter: operator('XOR') }, 'invalidArguments', '/filter/operator'],
    ['an operator without conditions', { filter: { operator: 'AND' } }, 'invalidArguments', '/filter/conditions'],
    [
      'an operator that has conditions beside it',
      { filter: { ...operator('AND'), name: 'x' } },
      'invalidArguments',
      '/filter/name',
    ],
    ['a condition that is null', { filter: operator('AND', null) }, 'invalidArguments', '/filter/conditions/0'],
    ['a filter that is an array', { filter: [] }, 'invalidArguments', '/filter'],
    ['a filter that is too deep', { filter: nested(filterLimits.maxDepth) }, 'unsupportedFilter', 'deeper'],
    [
      'a filter with too many conditions',
      { filter: operator('OR', ...Array.from({ length: filterLimits.maxNodes }, () => ({}))) },
      'unsupportedFilter',
      'more than',
    ],
    ['an unknown sort', { sort: [{ property: 'color' }] }, 'unsupportedSort', '/sort/0/property'],
    ['an unknown collation', { sort: [{ property: 'name', collation: 'x' }] }, 'unsupportedSort', '/sort/0/collation'],
    ['too many comparators', { sort: Array(maxComparators + 1).fill({ property: 'name' }) }, 'unsupportedSort', '16'],
    ['a comparator without property', { sort: [{}] }, 'invalidArguments', '/sort/0/property'],
    ['a comparator without its further member', { sort: [{ property: 'hasTopping' }] }, 'invalidArguments', '/topping'],
    [
      'a comparator with something more',
      { sort: [{ property: 'name', topping: 'x' }] },
      'invalidArguments',
      '/topping',
    ],
    ['isAscending null', { sort: [{ property: 'name', isAscending: null }] }, 'invalidArguments', '/isAscending'],
    ['a negative limit', { limit: -1 }, 'invalidArguments', '/limit'],
    ['a position that is a fraction', { position: 0.5 }, 'invalidArguments', '/position'],
    ['an anchor that is not among the results', { anchor: 'c2', filter: { kind: 'butter' } }, 'anchorNotFound', '"c2"'],
  ];
  test.each(refused)('refuses %s', async (_what, args, type, description) => {
    expect(await call('Cookie/query', args)).toEqual([
      'error',
      { type, description: expect.stringContaining(description) },
    ]);
  });

  test('accepts the deepest filter', async () => {
    expect(await found({ filter: nested(filterLimits.maxDepth - 1) })).toBe('1234');
  });
});
