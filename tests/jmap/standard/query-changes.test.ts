import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Id, JsonObject, JsonValue } from '../../../shared/jmap/scalars.ts';
import { spliceOf } from '../../../shared/jmap/standard/splice.ts';
import type { AddedItem } from '../../../shared/jmap/verbs.ts';
import { bakery } from '../bakery.ts';

describe('Foo/queryChanges', () => {
  const sort = [{ property: 'grams' }];
  async function changed() {
    const { call } = bakery();
    await call('Cookie/set', { create: { k1: { name: 'a', grams: 1 }, k2: { name: 'b', grams: 2 } } });
    await call('Cookie/set', { create: { k3: { name: 'c', grams: 0 } }, destroy: ['c2'] });
    return call;
  }

  test('says what left and what came, and where', async () => {
    const call = await changed();
    expect(await call('Cookie/queryChanges', { sort, sinceQueryState: 'c1', calculateTotal: true })).toEqual([
      'Cookie/queryChanges',
      {
        accountId: 'A',
        oldQueryState: 'c1',
        newQueryState: 'c3',
        removed: ['c3', 'c2'],
        added: [{ id: 'c3', index: 0 }],
        total: 2,
      },
    ]);
  });

  test('has a total only when it is asked for', async () => {
    const call = await changed();
    expect((await call('Cookie/queryChanges', { sinceQueryState: 'c1' }))[1]).not.toHaveProperty('total');
  });

  const refused: [string, JsonObject, string][] = [
    ['no sinceQueryState', {}, 'invalidArguments'],
    ['a state that never was', { sinceQueryState: 'x' }, 'cannotCalculateChanges'],
    ['a negative maxChanges', { sinceQueryState: 'c1', maxChanges: -1 }, 'invalidArguments'],
    ['more changes than maxChanges', { sinceQueryState: 'c1', maxChanges: 2 }, 'tooManyChanges'],
    ['an unknown condition', { sinceQueryState: 'c1', filter: { color: 1 } }, 'unsupportedFilter'],
    ['an unknown sort', { sinceQueryState: 'c1', sort: [{ property: 'color' }] }, 'unsupportedSort'],
    ['an argument of /query alone', { sinceQueryState: 'c1', position: 0 }, 'invalidArguments'],
  ];
  test.each(refused)('refuses %s', async (_what, args, type) => {
    const call = await changed();
    expect(await call('Cookie/queryChanges', args)).toMatchObject(['error', { type }]);
  });

  test('allows exactly maxChanges', async () => {
    const call = await changed();
    expect((await call('Cookie/queryChanges', { sinceQueryState: 'c1', maxChanges: 3 }))[0]).toBe(
      'Cookie/queryChanges',
    );
  });

  test('applied to the old results gives the new ones, from any state, filtered, sorted and collapsed', async () => {
    const edit = fc.record({
      id: fc.integer({ min: 1, max: 6 }),
      cookie: fc.option(fc.record({ grams: fc.nat(3), kind: fc.constantFrom('oat', 'butter'), isEaten: fc.boolean() })),
    });
    const query = fc.record({
      filter: fc.constantFrom<JsonValue[]>(null, { isEaten: false }, { minGrams: 2 }),
      sort: fc.constantFrom<JsonValue[]>([], [{ property: 'grams' }], [{ property: 'grams', isAscending: false }]),
      onePerKind: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(edit, { maxLength: 10 }), query, fc.nat(10), async (edits, args, since) => {
        const { call, A } = bakery();
        const states: { state: string; ids: Id[] }[] = [];
        for (const { id, cookie } of [{ id: 1, cookie: null }, ...edits]) {
          A.cookies.change((records) => {
            const key = `c${id}` as Id;
            if (cookie === null) records.delete(key);
            else records.set(key, { id: key, name: 'x', toppings: {}, ...cookie });
          });
          const [, { queryState, ids }] = await call('Cookie/query', args);
          states.push({ state: queryState as string, ids: ids as Id[] });
        }
        const old = states[since % states.length];
        const { removed, added } = (
          await call('Cookie/queryChanges', { ...args, sinceQueryState: old?.state ?? '' })
        )[1];
        expect(applied(old?.ids ?? [], removed as Id[], added as AddedItem[])).toEqual(states.at(-1)?.ids);
      }),
    );
  });
});

describe('spliceOf', () => {
  const ids = fc.uniqueArray(fc.integer({ min: 0, max: 30 }).map((n) => `m${n}` as Id));

  test('needs only a superset of what changed to lead from any old results to the new ones', () => {
    fc.assert(
      fc.property(ids, ids, ids, (old, now, more) => {
        // Those that stay must have kept their order: whatever did not is touched as well.
        const stay = now.filter((id) => old.includes(id));
        const touched = new Set([
          ...more,
          ...old.filter((id) => !stay.includes(id)),
          ...now.filter((id) => !old.includes(id)),
        ]);
        for (const [index, id] of old.filter((each) => stay.includes(each)).entries())
          if (stay[index] !== id) touched.add(id);
        const { removed, added } = spliceOf(now, touched, null);
        expect(applied(old, removed, added)).toEqual(now);
      }),
    );
  });

  test('leaves out what comes behind upToId, where that is among the results', () => {
    const now = ['a', 'b', 'c', 'd'] as Id[];
    const touched = new Set(['b', 'd', 'x'] as Id[]);
    const [b, d] = [
      { id: 'b', index: 1 },
      { id: 'd', index: 3 },
    ];
    expect(spliceOf(now, touched, 'c' as Id).added).toEqual([b]);
    expect(spliceOf(now, touched, 'd' as Id).added).toEqual([b, d]);
    expect(spliceOf(now, touched, 'x' as Id).added).toEqual([b, d]);
    expect(spliceOf(now, touched, 'c' as Id).removed).toEqual(['b', 'd', 'x']);
  });

  test('with upToId leads a client that has cached so far to the new results so far', () => {
    fc.assert(
      fc.property(ids, fc.nat(), fc.array(fc.boolean(), { maxLength: 30 }), (all, pick, fate) => {
        // Filter and sort on immutable properties: records come and go, the rest keeps its order.
        const old = all.filter((_, index) => fate[index] !== true);
        const now = all.filter((_, index) => index % 3 !== 0);
        fc.pre(old.length > 0);
        const cached = old.slice(0, (pick % old.length) + 1);
        const upToId = cached.at(-1) as Id;
        const touched = new Set(all.filter((id) => old.includes(id) !== now.includes(id)));
        const { removed, added } = spliceOf(now, touched, upToId);
        const result = applied(cached, removed, added);
        expect(result.slice(0, now.indexOf(upToId) + 1)).toEqual(now.slice(0, now.indexOf(upToId) + 1));
      }),
    );
  });
});

/** What a client does with the response (RFC 8620 §5.6). */
function applied(old: readonly Id[], removed: readonly Id[], added: readonly AddedItem[]): Id[] {
  const ids = old.filter((id) => !removed.includes(id));
  for (const { id, index } of added) ids.splice(index, 0, id);
  return ids;
}
