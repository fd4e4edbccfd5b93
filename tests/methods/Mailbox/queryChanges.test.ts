import { describe, expect, test } from '@jest/globals';
import type { JsonObject } from '../../../shared/jmap/scalars.ts';
import { type Happening, logOf, mailboxAccount } from './mailbox-account.ts';

function accountAfter(happenings: readonly Happening[], oldestVersion = 0) {
  return mailboxAccount({ log: logOf(happenings), version: happenings.length, oldestVersion });
}

/** Where the results are: inbox sent apple lists pips work zebra. */
describe('Mailbox/queryChanges (RFC 8621 §2.4)', () => {
  const told: [string, Happening[], JsonObject, string[], [string, number][]][] = [
    ['nothing', [], {}, [], []],
    ['a created Mailbox', [['created', 'apple']], {}, [], [['apple', 2]]],
    ['an updated Mailbox', [['updated', 'apple']], {}, ['apple'], [['apple', 2]]],
    ['a destroyed Mailbox', [['destroyed', 'gone']], {}, ['gone'], []],
    [
      'a Mailbox that came and went',
      [
        ['created', 'gone'],
        ['destroyed', 'gone'],
      ],
      {},
      [],
      [],
    ],
    [
      'a Mailbox that was created and updated',
      [
        ['created', 'work'],
        ['updated', 'work'],
      ],
      {},
      [],
      [['work', 5]],
    ],
    ['nothing of counts', [['counts', 'apple']], {}, [], []],
    [
      'two, by where they are now',
      [
        ['updated', 'zebra'],
        ['created', 'lists'],
      ],
      {},
      ['zebra'],
      [
        ['lists', 3],
        ['zebra', 6],
      ],
    ],
    ['what does not match any more', [['updated', 'zebra']], { filter: { isSubscribed: true } }, ['zebra'], []],
    ['what matches', [['updated', 'zebra']], { filter: { isSubscribed: false } }, ['zebra'], [['zebra', 0]]],
    [
      'what lies below, where a tree decides the order',
      [['updated', 'apple']],
      { sortAsTree: true },
      ['apple', 'pips'],
      [
        ['apple', 4],
        ['pips', 5],
      ],
    ],
    [
      'what lies below, where a tree decides the results',
      [['updated', 'apple']],
      { filterAsTree: true, filter: { operator: 'NOT', conditions: [{ name: 'apple' }] } },
      ['apple', 'pips'],
      [],
    ],
    ['all of it, whatever upToId says', [['updated', 'zebra']], { upToId: 'inbox' }, ['zebra'], [['zebra', 6]]],
  ];
  test.each(told)('tells %s', async (_, happenings, args, removed, added) => {
    const answer = await accountAfter(happenings).call('queryChanges', { sinceQueryState: 'epoch-0', ...args });
    expect(answer).toEqual({
      accountId: 'a',
      oldQueryState: 'epoch-0',
      newQueryState: `epoch-${happenings.length}`,
      removed: expect.arrayContaining(removed),
      added: added.map(([id, index]) => ({ id, index })),
    });
    expect(answer.removed).toHaveLength(removed.length);
  });

  test.each([
    [{ calculateTotal: true }, 7],
    [{ calculateTotal: true, filter: { hasAnyRole: true } }, 2],
    [{ calculateTotal: false }, undefined],
  ])('with %j the total is %s', async (args, total) => {
    expect((await accountAfter([]).call('queryChanges', { sinceQueryState: 'epoch-0', ...args })).total).toBe(total);
  });

  const happenings: Happening[] = [
    ['updated', 'work'],
    ['updated', 'apple'],
  ];
  test.each([
    ['as many changes as maxChanges', { sinceQueryState: 'epoch-1', maxChanges: 2 }],
    ['the newest state', { sinceQueryState: 'epoch-2', maxChanges: 0 }],
  ])('accepts %s', async (_, args) => {
    expect(await accountAfter(happenings, 1).call('queryChanges', args)).toMatchObject({ newQueryState: 'epoch-2' });
  });

  const refused: [string, JsonObject, string][] = [
    ['more changes than maxChanges', { sinceQueryState: 'epoch-1', maxChanges: 1 }, 'tooManyChanges'],
    ['a state older than what is remembered', { sinceQueryState: 'epoch-0' }, 'cannotCalculateChanges'],
    ['a state of another epoch', { sinceQueryState: 'former-1' }, 'cannotCalculateChanges'],
    ['a state from the future', { sinceQueryState: 'epoch-3' }, 'cannotCalculateChanges'],
    ['a state that never was one', { sinceQueryState: '' }, 'cannotCalculateChanges'],
    ['no state', {}, 'invalidArguments'],
    ['an unknown filter', { sinceQueryState: 'epoch-1', filter: { colour: 'red' } }, 'unsupportedFilter'],
    ['an unknown sort', { sinceQueryState: 'epoch-1', sort: [{ property: 'colour' }] }, 'unsupportedSort'],
    ['an argument of /query', { sinceQueryState: 'epoch-1', limit: 1 }, 'invalidArguments'],
  ];
  test.each(refused)('refuses %s: %j is %s', async (_, args, type) => {
    expect(await accountAfter(happenings, 1).call('queryChanges', args)).toMatchObject({ error: { type } });
  });
});
