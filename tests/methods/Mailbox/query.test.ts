import { describe, expect, test } from '@jest/globals';
import type { JsonObject } from '../../../shared/jmap/scalars.ts';
import { mailboxAccount } from './mailbox-account.ts';

/** With roles first, then by name. */
const inOrder = 'inbox sent apple lists pips work zebra';

describe('Mailbox/query (RFC 8621 §2.3)', () => {
  test('answers the ids with the state of the Mailboxes, and the total when it is asked for', async () => {
    const { call } = mailboxAccount();
    const answer = { accountId: 'a', queryState: 'epoch-1', canCalculateChanges: true, position: 0 };
    expect(await call('query', {})).toEqual({ ...answer, ids: inOrder.split(' ') });
    expect(await call('query', { calculateTotal: true, limit: 1 })).toEqual({ ...answer, ids: ['inbox'], total: 7 });
  });

  const found: [JsonObject, string][] = [
    [{ filter: null }, inOrder],
    [{ filter: {} }, inOrder],
    [{ filter: { parentId: null } }, 'inbox sent lists work'],
    [{ filter: { parentId: 'work' } }, 'apple zebra'],
    [{ filter: { parentId: 'nowhere' } }, ''],
    [{ filter: { name: 'E' } }, 'sent apple zebra'],
    [{ filter: { name: 'Work/' } }, ''],
    [{ filter: { role: 'sent' } }, 'sent'],
    [{ filter: { role: null } }, 'apple lists pips work zebra'],
    [{ filter: { hasAnyRole: true } }, 'inbox sent'],
    [{ filter: { hasAnyRole: false, parentId: null } }, 'lists work'],
    [{ filter: { isSubscribed: false } }, 'zebra'],
    [{ filter: { operator: 'OR', conditions: [{ role: 'inbox' }, { name: 'pip' }] } }, 'inbox pips'],
    [{ filter: { operator: 'AND', conditions: [{ parentId: 'work' }, { isSubscribed: true }] } }, 'apple'],
    [{ filter: { operator: 'NOT', conditions: [{ hasAnyRole: true }, { parentId: 'work' }] } }, 'lists pips work'],
    [{ filter: { operator: 'AND', conditions: [] } }, inOrder],
    [{ sort: [{ property: 'name' }] }, 'apple sent inbox lists pips work zebra'],
    [{ sort: [{ property: 'name', isAscending: false }] }, 'zebra work pips lists inbox sent apple'],
    [{ sort: [{ property: 'sortOrder', isAscending: false }] }, 'apple lists pips work zebra sent inbox'],
    [{ sort: [{ property: 'parentId' }, { property: 'name' }] }, 'sent inbox lists work pips apple zebra'],
    [{ sort: [{ property: 'name', collation: 'i;ascii-casemap' }] }, 'apple sent inbox lists pips work zebra'],
    [{ sortAsTree: true }, 'inbox sent lists work apple pips zebra'],
    [{ sortAsTree: true, sort: [{ property: 'name', isAscending: false }] }, 'work zebra apple pips lists inbox sent'],
    [{ filter: { operator: 'NOT', conditions: [{ name: 'apple' }] } }, 'inbox sent lists pips work zebra'],
    [
      { filter: { operator: 'NOT', conditions: [{ name: 'apple' }] }, filterAsTree: true },
      'inbox sent lists work zebra',
    ],
    [{ limit: 0 }, ''],
    [{ limit: 2 }, 'inbox sent'],
    [{ position: 5 }, 'work zebra'],
    [{ position: 7 }, ''],
    [{ position: -2, limit: 1 }, 'work'],
    [{ position: -99, limit: 1 }, 'inbox'],
    [{ anchor: 'work', anchorOffset: -1, limit: 2 }, 'pips work'],
    [{ anchor: 'inbox', anchorOffset: -5, limit: 1 }, 'inbox'],
    [{ anchor: 'work', position: 3 }, 'work zebra'],
  ];
  test.each(found)('%j gives: %s', async (args, ids) => {
    expect((await mailboxAccount().call('query', args)).ids).toEqual(ids === '' ? [] : ids.split(' '));
  });

  const refused: [JsonObject, string][] = [
    [{ filter: { colour: 'red' } }, 'unsupportedFilter'],
    [{ filter: { operator: 'XOR', conditions: [] } }, 'invalidArguments'],
    [{ filter: { operator: 'AND', conditions: [{ colour: 'red' }] } }, 'unsupportedFilter'],
    [{ filter: { name: null } }, 'invalidArguments'],
    [{ filter: { name: 1 } }, 'invalidArguments'],
    [{ filter: { hasAnyRole: 'yes' } }, 'invalidArguments'],
    [{ filter: { parentId: 'a b' } }, 'invalidArguments'],
    [{ filter: 'name' }, 'invalidArguments'],
    [{ sort: [{ property: 'colour' }] }, 'unsupportedSort'],
    [{ sort: [{ property: 'name', collation: 'i;nowhere' }] }, 'unsupportedSort'],
    [{ sort: [{}] }, 'invalidArguments'],
    [{ sort: [{ property: 'name', isAscending: 1 }] }, 'invalidArguments'],
    [{ sortAsTree: 1 }, 'invalidArguments'],
    [{ filterAsTree: null }, 'invalidArguments'],
    [{ limit: -1 }, 'invalidArguments'],
    [{ position: 0.5 }, 'invalidArguments'],
    [{ anchor: 'nowhere' }, 'anchorNotFound'],
    [{ anchor: 'work', filter: { role: 'inbox' } }, 'anchorNotFound'],
    [{ collapseThreads: true }, 'invalidArguments'],
  ];
  test.each(refused)('%j is %s', async (args, type) => {
    expect(await mailboxAccount().call('query', args)).toMatchObject({ error: { type } });
  });
});
