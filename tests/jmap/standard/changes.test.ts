import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { ok } from '../../../shared/jmap/errors.ts';
import type { Id, JsonObject, State } from '../../../shared/jmap/scalars.ts';
import type { Changes } from '../../../shared/jmap/verbs.ts';
import { bakery } from '../bakery.ts';
import { difference } from '../shelf.ts';

const cookies = (...names: string[]) => Object.fromEntries(names.map((name, index) => [`k${index}`, { name }]));

describe('Foo/changes', () => {
  test('says what was created, updated and destroyed, with the further members of the type', async () => {
    const { call } = bakery();
    await call('Cookie/set', { create: cookies('a', 'b') });
    await call('Cookie/set', { create: cookies('c'), update: { c1: { isEaten: true } }, destroy: ['c2'] });
    expect(await call('Cookie/changes', { sinceState: 'c1' })).toEqual([
      'Cookie/changes',
      {
        accountId: 'A',
        oldState: 'c1',
        newState: 'c4',
        hasMoreChanges: false,
        created: ['c3'],
        updated: ['c1'],
        destroyed: ['c2'],
        updatedProperties: null,
      },
    ]);
  });

  const refused: [string, JsonObject, string][] = [
    ['no sinceState', {}, 'invalidArguments'],
    ['a sinceState that is null', { sinceState: null }, 'invalidArguments'],
    ['maxChanges 0', { sinceState: 'c0', maxChanges: 0 }, 'invalidArguments'],
    ['a negative maxChanges', { sinceState: 'c0', maxChanges: -1 }, 'invalidArguments'],
    ['a state that never was', { sinceState: 'x' }, 'cannotCalculateChanges'],
    ['maxChanges that no intermediate state can keep', { sinceState: 'c0', maxChanges: 1 }, 'cannotCalculateChanges'],
  ];
  test.each(refused)('refuses %s', async (_what, args, type) => {
    const { call } = bakery();
    await call('Cookie/set', { create: cookies('a', 'b') });
    expect(await call('Cookie/changes', args)).toMatchObject(['error', { type }]);
  });

  test('page by page leads from any state to the present one, with any maxChanges', async () => {
    const edit = fc.tuple(fc.constantFrom('add', 'edit', 'remove'), fc.nat(3));
    await fc.assert(
      fc.asyncProperty(
        fc.array(edit, { maxLength: 12 }),
        fc.nat(12),
        fc.integer({ min: 1, max: 4 }),
        async (edits, since, maxChanges) => {
          const { call, A } = bakery();
          for (const [index, [what, which]] of edits.entries()) {
            A.cookies.change((records) => {
              const [...ids] = records.keys();
              const id = what === 'add' ? (`c${index}` as Id) : ids[which];
              if (id !== undefined && what === 'remove') records.delete(id);
              else if (id !== undefined) records.set(id, { id, edit: index });
            });
          }
          const start = Math.min(since, edits.length);
          const before = A.cookies.versionOf(`c${start}` as State) ?? new Map();
          const known = new Set(before.keys());
          const updated = new Set<Id>();
          let state = `c${start}`;
          for (let more = true; more; ) {
            const [, changes] = await call('Cookie/changes', { sinceState: state, maxChanges });
            for (const id of changes.created as Id[]) known.add(id);
            for (const id of changes.updated as Id[]) updated.add(id);
            for (const id of changes.destroyed as Id[]) known.delete(id);
            state = changes.newState as string;
            more = changes.hasMoreChanges as boolean;
          }
          expect(state).toBe(A.cookies.state());
          expect(known).toEqual(new Set(A.cookies.latest().keys()));
          for (const id of difference(before, A.cookies.latest()).updated) expect(updated).toContain(id);
        },
      ),
    );
  });

  const broken: [string, Partial<Changes>][] = [
    ['more changes but none in the answer', { hasMoreChanges: true }],
    [
      'more changes from the state it started at',
      { newState: 's1' as State, hasMoreChanges: true, created: ids('c1') },
    ],
    ['more ids than maxChanges', { created: ids('c1', 'c2'), destroyed: ids('c3') }],
  ];
  test.each(broken)('does not let a port send a client in circles: %s', async (_what, changes) => {
    const { call, server, reports } = bakery();
    const { portsOf } = server;
    const none = { newState: 's2' as State, hasMoreChanges: false, created: [], updated: [], destroyed: [] };
    const port = { changes: async () => ok({ ...none, ...changes, updatedProperties: null }) };
    Object.assign(server, {
      portsOf: (accountId: Id) => ({ ...portsOf(accountId), Cookie: { ...portsOf(accountId).Cookie, ...port } }),
    });
    expect(await call('Cookie/changes', { sinceState: 's1', maxChanges: 2 })).toMatchObject([
      'error',
      { type: 'serverFail' },
    ]);
    expect(reports).toMatchObject([{ methodName: 'Cookie/changes' }]);
  });
});

function ids(...names: string[]): Id[] {
  return names as Id[];
}
