import { describe, expect, test } from '@jest/globals';
import type { JsonObject } from '../../../shared/jmap/scalars.ts';
import { type Happening, logOf, mailboxAccount } from './mailbox-account.ts';

const counts = ['totalEmails', 'unreadEmails', 'totalThreads', 'unreadThreads'];
const nothing = { created: [], updated: [], destroyed: [], updatedProperties: null };

function accountAfter(happenings: readonly Happening[], oldestVersion = 0) {
  return mailboxAccount({ log: logOf(happenings), version: happenings.length, oldestVersion });
}

describe('Mailbox/changes (RFC 8621 §2.2)', () => {
  const told: [string, Happening[], JsonObject][] = [
    ['nothing', [], nothing],
    ['a creation', [['created', 'work']], { ...nothing, created: ['work'] }],
    ['an update', [['updated', 'work']], { ...nothing, updated: ['work'] }],
    ['a destruction', [['destroyed', 'work']], { ...nothing, destroyed: ['work'] }],
    ['counts', [['counts', 'work']], { ...nothing, updated: ['work'], updatedProperties: counts }],
    [
      'counts of several',
      [
        ['counts', 'work'],
        ['counts', 'inbox'],
        ['counts', 'work'],
      ],
      { ...nothing, updated: ['work', 'inbox'], updatedProperties: counts },
    ],
    [
      'counts of one and more of another',
      [
        ['counts', 'work'],
        ['updated', 'inbox'],
      ],
      { ...nothing, updated: ['inbox', 'work'] },
    ],
    [
      'counts after more of the same',
      [
        ['updated', 'work'],
        ['counts', 'work'],
      ],
      { ...nothing, updated: ['work'] },
    ],
    [
      'counts beside a destruction',
      [
        ['counts', 'work'],
        ['destroyed', 'sent'],
      ],
      { ...nothing, updated: ['work'], destroyed: ['sent'] },
    ],
    [
      'what came and went',
      [
        ['created', 'work'],
        ['destroyed', 'work'],
      ],
      nothing,
    ],
    [
      'what was created and then updated',
      [
        ['created', 'work'],
        ['updated', 'work'],
      ],
      { ...nothing, created: ['work'] },
    ],
  ];
  test.each(told)('tells %s', async (_, happenings, expected) => {
    const answer = await accountAfter(happenings).call('changes', { sinceState: 'epoch-0' });
    const newState = `epoch-${happenings.length}`;
    expect(answer).toEqual({ accountId: 'a', oldState: 'epoch-0', newState, hasMoreChanges: false, ...expected });
  });

  test('comes in pages of maxChanges, the newest first, each with updatedProperties of its own', async () => {
    const { call } = accountAfter([
      ['counts', 'apple'],
      ['updated', 'work'],
      ['counts', 'inbox'],
    ]);
    const pages: JsonObject[] = [];
    for (let sinceState = 'epoch-0', more = true; more; ) {
      const page = await call('changes', { sinceState, maxChanges: 1 });
      expect(page.oldState).toBe(sinceState);
      sinceState = String(page.newState);
      more = page.hasMoreChanges === true;
      pages.push(page);
    }
    expect(pages.map(({ updated, updatedProperties }) => [updated, updatedProperties])).toEqual([
      [['inbox'], counts],
      [['work'], null],
      [['apple'], counts],
    ]);
    expect(pages.at(-1)?.newState).toBe('epoch-3');
  });

  const happenings: Happening[] = [
    ['updated', 'work'],
    ['updated', 'work'],
    ['updated', 'inbox'],
  ];
  test.each([
    ['epoch-1', ['inbox', 'work']],
    ['epoch-2', ['inbox']],
    ['epoch-3', []],
  ])('from %s, the oldest that is remembered or a later one, %j are updated', async (sinceState, updated) => {
    expect(await accountAfter(happenings, 1).call('changes', { sinceState })).toMatchObject({ updated });
  });

  const refused: [string, JsonObject, string][] = [
    ['a state older than what is remembered', { sinceState: 'epoch-0' }, 'cannotCalculateChanges'],
    ['a state of another epoch', { sinceState: 'former-2' }, 'cannotCalculateChanges'],
    ['a state from the future', { sinceState: 'epoch-4' }, 'cannotCalculateChanges'],
    ['a state that never was one', { sinceState: 'yesterday' }, 'cannotCalculateChanges'],
    ['no state', {}, 'invalidArguments'],
    ['a state that is no String', { sinceState: 2 }, 'invalidArguments'],
    ['maxChanges 0', { sinceState: 'epoch-2', maxChanges: 0 }, 'invalidArguments'],
    ['an unknown argument', { sinceState: 'epoch-2', colour: 'red' }, 'invalidArguments'],
  ];
  test.each(refused)('%s is refused: %j is %s', async (_, args, type) => {
    expect(await accountAfter(happenings, 1).call('changes', args)).toMatchObject({ error: { type } });
  });
});
