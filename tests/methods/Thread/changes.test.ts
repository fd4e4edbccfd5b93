import { describe, expect, test } from '@jest/globals';
import type { JsonObject } from '../../../shared/jmap/scalars.ts';
import { type Happening, logOf, threadAccount } from './thread-account.ts';

const nothing = { created: [], updated: [], destroyed: [] };

function accountAfter(happenings: readonly Happening[], oldestVersion = 0) {
  return threadAccount({ log: logOf(happenings), version: happenings.length, oldestVersion });
}

describe('Thread/changes (RFC 8621 §3.2)', () => {
  const told: [string, Happening[], JsonObject][] = [
    ['nothing', [], nothing],
    ['a creation', [['created', 't1']], { ...nothing, created: ['t1'] }],
    ['an update', [['updated', 't1']], { ...nothing, updated: ['t1'] }],
    ['a destruction', [['destroyed', 't1']], { ...nothing, destroyed: ['t1'] }],
    [
      'a creation and an update as a creation',
      [
        ['created', 't1'],
        ['updated', 't1'],
      ],
      { ...nothing, created: ['t1'] },
    ],
    [
      'an update and a destruction as a destruction',
      [
        ['updated', 't1'],
        ['destroyed', 't1'],
      ],
      { ...nothing, destroyed: ['t1'] },
    ],
    [
      'nothing of what came and went',
      [
        ['created', 't1'],
        ['destroyed', 't1'],
      ],
      nothing,
    ],
    [
      'what went and came as an update',
      [
        ['destroyed', 't1'],
        ['created', 't1'],
      ],
      { ...nothing, updated: ['t1'] },
    ],
    [
      'each once, the last one touched first',
      [
        ['updated', 't1'],
        ['updated', 't2'],
        ['updated', 't1'],
      ],
      { ...nothing, updated: ['t1', 't2'] },
    ],
  ];
  test.each(told)('tells %s', async (_, happenings, expected) => {
    const answer = await accountAfter(happenings).call('changes', { sinceState: 'epoch-0' });
    const newState = `epoch-${happenings.length}`;
    expect(answer).toEqual({ accountId: 'a', oldState: 'epoch-0', newState, hasMoreChanges: false, ...expected });
  });

  const happenings: Happening[] = [
    ['updated', 't1'],
    ['created', 't2'],
    ['destroyed', 't3'],
  ];

  test('comes in pages of maxChanges that tell all of it once', async () => {
    const { call } = accountAfter(happenings);
    const first = await call('changes', { sinceState: 'epoch-0', maxChanges: 2 });
    expect(first).toMatchObject({ ...nothing, created: ['t2'], destroyed: ['t3'], hasMoreChanges: true });
    const second = await call('changes', { sinceState: first.newState ?? null, maxChanges: 2 });
    expect(second).toMatchObject({ ...nothing, updated: ['t1'], hasMoreChanges: false, newState: 'epoch-3' });
  });

  const refused: [string, JsonObject, string][] = [
    ['a state older than what is remembered', { sinceState: 'epoch-0' }, 'cannotCalculateChanges'],
    ['a state of another epoch', { sinceState: 'former-1' }, 'cannotCalculateChanges'],
    ['a state from the future', { sinceState: 'epoch-4' }, 'cannotCalculateChanges'],
    ['a state that never was one', { sinceState: 'yesterday' }, 'cannotCalculateChanges'],
    ['no state', {}, 'invalidArguments'],
    ['maxChanges 0', { sinceState: 'epoch-1', maxChanges: 0 }, 'invalidArguments'],
    ['an unknown argument', { sinceState: 'epoch-1', colour: 'red' }, 'invalidArguments'],
  ];
  test.each(refused)('refuses %s: %j is %s', async (_, args, type) => {
    expect(await accountAfter(happenings, 1).call('changes', args)).toMatchObject({ error: { type } });
  });

  test('accepts the oldest state that is remembered', async () => {
    expect(await accountAfter(happenings, 1).call('changes', { sinceState: 'epoch-1' })).toMatchObject({
      ...nothing,
      created: ['t2'],
      destroyed: ['t3'],
    });
  });
});
