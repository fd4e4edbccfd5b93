import { describe, expect, test } from '@jest/globals';
import type { JsonObject, JsonValue } from '../../../shared/jmap/scalars.ts';
import { emails, mailboxAccount, tree } from './mailbox-account.ts';

describe('Mailbox/get (RFC 8621 §2.1)', () => {
  test('ids: null gives every Mailbox with every property', async () => {
    const letters = Object.fromEntries(tree.map(({ key }) => [key, 'lrswipkxte']));
    const { call } = mailboxAccount({ emails }, { letters });
    const { list, ...rest } = await call('get', { ids: null });
    expect(rest).toEqual({ accountId: 'a', state: 'epoch-1', notFound: [] });
    const shown = list as JsonObject[];
    expect(shown.map(({ id }) => id)).toEqual(tree.map(({ id }) => id));
    expect(shown[0]).toEqual({
      id: 'inbox',
      name: 'Inbox',
      parentId: null,
      role: 'inbox',
      sortOrder: 1,
      totalEmails: 3,
      unreadEmails: 1,
      totalThreads: 2,
      unreadThreads: 1,
      myRights: {
        mayReadItems: true,
        mayAddItems: true,
        mayRemoveItems: true,
        maySetSeen: true,
        maySetKeywords: true,
        mayCreateChild: true,
        mayRename: false,
        mayDelete: false,
        maySubmit: true,
      },
      isSubscribed: true,
    });
  });

  const properties: [mailbox: string, property: string, value: JsonValue][] = [
    ['work', 'name', 'Work'],
    ['pips', 'name', 'pips'],
    ['sent', 'name', 'Gone out'],
    ['work', 'parentId', null],
    ['apple', 'parentId', 'work'],
    ['pips', 'parentId', 'apple'],
    ['sent', 'role', 'sent'],
    ['work', 'role', null],
    ['sent', 'sortOrder', 3],
    ['work', 'sortOrder', 100],
    ['work', 'isSubscribed', true],
    ['zebra', 'isSubscribed', false],
    ['inbox', 'totalEmails', 3],
    ['inbox', 'unreadThreads', 1],
    ['work', 'totalEmails', 1],
    ['work', 'totalThreads', 1],
    ['zebra', 'totalEmails', 0],
    ['lists', 'totalEmails', 0],
  ];
  test.each(properties)('%s: %s is %j', async (mailbox, property, value) => {
    const { call, asked } = mailboxAccount({ emails });
    const { list } = await call('get', { ids: [mailbox], properties: [property] });
    expect(list).toEqual([{ id: mailbox, [property]: value }]);
    expect(asked.rights).toBe(0);
  });

  test('a sort order that was kept is the one that was given', async () => {
    const kept = { sortOrder: 7, role: null };
    const { call } = mailboxAccount({ mailboxes: tree.map((entry) => (entry.key === 6 ? { ...entry, kept } : entry)) });
    const { list } = await call('get', { ids: ['sent', 'work'], properties: ['role', 'sortOrder'] });
    expect(list).toEqual([
      { id: 'sent', role: 'sent', sortOrder: 7 },
      { id: 'work', role: null, sortOrder: 100 },
    ]);
  });

  const rights: [what: string, mailbox: string, letters: string | null, granted: string[]][] = [
    ['letters', 'work', 'lrk', ['mayReadItems', 'mayCreateChild']],
    ['no letters', 'work', '', []],
    ['a mailbox that did not tell its rights', 'work', null, []],
    ['a node that cannot be selected, without inferiors', 'lists', 'lrswipkxte', ['mayRename', 'mayDelete']],
  ];
  test.each(rights)('myRights of %s', async (_, mailbox, letters, granted) => {
    const key = tree.find(({ id }) => id === mailbox)?.key ?? 0;
    const { call, asked } = mailboxAccount({}, { letters: letters === null ? {} : { [key]: letters } });
    const { list } = await call('get', { ids: [mailbox], properties: ['myRights'] });
    const [{ myRights }] = list as [{ myRights: Record<string, boolean> }];
    expect(Object.keys(myRights).filter((name) => myRights[name])).toEqual(granted);
    expect(asked.rights).toBe(1);
  });

  test('ids that name nothing are notFound, the others come in the order asked for, and once', async () => {
    const { call } = mailboxAccount();
    expect(await call('get', { ids: ['work', 'nowhere', 'inbox', 'work'], properties: [] })).toMatchObject({
      list: [{ id: 'work' }, { id: 'inbox' }],
      notFound: ['nowhere'],
    });
  });

  test('ids: [] asks for the state and nothing else', async () => {
    const { call, asked } = mailboxAccount();
    expect(await call('get', { ids: [] })).toEqual({ accountId: 'a', state: 'epoch-1', list: [], notFound: [] });
    expect(asked).toEqual({ views: ['recent'], rights: 0 });
  });

  const refused: [string, JsonObject][] = [
    ['an unknown property', { ids: [], properties: ['colour'] }],
    ['a property that no object of one’s own has', { ids: ['work'], properties: ['toString'] }],
    ['an id that cannot be one', { ids: ['a b'] }],
    ['ids that are no array', { ids: 'work' }],
    ['an unknown argument', { ids: null, colour: 'red' }],
  ];
  test.each(refused)('%s is invalidArguments', async (_, args) => {
    expect(await mailboxAccount().call('get', args)).toMatchObject({ error: { type: 'invalidArguments' } });
  });

  test.each<[string, JsonObject, number, string]>([
    ['as many ids as maxObjectsInGet', { ids: ['work', 'sent'] }, 2, 'list'],
    ['more ids than maxObjectsInGet', { ids: ['work', 'sent', 'inbox'] }, 2, 'requestTooLarge'],
    ['all Mailboxes, as many as maxObjectsInGet', { ids: null }, tree.length, 'list'],
    ['all Mailboxes, more than maxObjectsInGet', { ids: null }, tree.length - 1, 'requestTooLarge'],
  ])('%s: %j within %d gives %s', async (_, args, maxObjectsInGet, expected) => {
    const { call, context } = mailboxAccount();
    const limits = { ...context.limits, maxObjectsInGet };
    const answer = await call('get', { properties: ['id'], ...args }, { ...context, limits });
    if (expected === 'list') expect(answer).toMatchObject({ notFound: [] });
    else expect(answer).toMatchObject({ error: { type: expected } });
  });
});
