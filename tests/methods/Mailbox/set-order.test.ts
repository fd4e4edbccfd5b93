import { describe, expect, test } from '@jest/globals';
import { OutcomeUnknown } from '../../../shared/jmap/errors.ts';
import type { Id, JsonObject } from '../../../shared/jmap/scalars.ts';
import { type Answer, type Call, orderScene } from './order-scene.ts';
import { mailboxSetAccount } from './set-account.ts';

describe('what a call frees is free for the same call (RFC 8620 §5.3)', () => {
  const calls: [what: string, call: Call, messages: { readonly [name: string]: number }][] = [
    [
      'a name, by an update, for a new Mailbox and its child',
      {
        create: { a: { name: 'X' }, b: { name: 'B', parentId: '#a' } },
        update: { X: { name: 'Z' } },
      },
      { X: 0, 'X/B': 0, Z: 1, 'Z/C': 1, Y: 1, Sent: 0 },
    ],
    [
      'a name, by a destruction, for a new Mailbox',
      { create: { a: { name: 'Y' } }, destroy: ['Y'] },
      { X: 1, 'X/C': 1, Y: 0, Sent: 0 },
    ],
    [
      'a name, by a destruction, for another one',
      { update: { 'X/C': { name: 'Y', parentId: null } }, destroy: ['Y'] },
      { X: 1, Y: 1, Sent: 0 },
    ],
    [
      'a name, by the update of what goes below the new Mailbox that gets it',
      { create: { a: { name: 'X' } }, update: { X: { parentId: '#a', name: 'Old' } } },
      { X: 0, 'X/Old': 1, 'X/Old/C': 1, Y: 1, Sent: 0 },
    ],
    [
      'a name, by the destruction of one whose child goes below the new Mailbox that gets it',
      { create: { a: { name: 'X' } }, update: { 'X/C': { parentId: '#a' } }, destroy: ['X'] },
      { X: 0, 'X/C': 1, Y: 1, Sent: 0 },
    ],
    [
      'a name, by the destruction of the parent of the one that gets it',
      { update: { 'X/C': { name: 'X', parentId: null } }, destroy: ['X'] },
      { X: 1, Y: 1, Sent: 0 },
    ],
    [
      'names, in a chain',
      { create: { a: { name: 'X' } }, update: { X: { name: 'Y' } }, destroy: ['Y'] },
      { X: 0, Y: 1, 'Y/C': 1, Sent: 0 },
    ],
    [
      'a role, by an update',
      { create: { a: { name: 'A', role: 'sent' } }, update: { Sent: { role: null } } },
      { A: 0, X: 1, 'X/C': 1, Y: 1, Sent: 0 },
    ],
    [
      'name and role, by a destruction',
      { create: { a: { name: 'Sent', role: 'sent' } }, destroy: ['Sent'] },
      { X: 1, 'X/C': 1, Y: 1, Sent: 0 },
    ],
    [
      'name and role, by the update of what goes below',
      { create: { a: { name: 'Sent', role: 'sent' } }, update: { Sent: { role: null, parentId: '#a' } } },
      { X: 1, 'X/C': 1, Y: 1, Sent: 0, 'Sent/Sent': 0 },
    ],
  ];
  test.each(calls)('%s', async (_, call, messages) => {
    const account = await orderScene();
    const before = await account.ids();
    const answer = await account.set(call);
    expect(answer).toMatchObject({ notCreated: null, notUpdated: null, notDestroyed: null });
    expect(account.messages()).toEqual(messages);

    // What was made is new, what was moved is what it was, and a client that knows the answer knows all.
    const created = Object.values(answer.created ?? {}).map(({ id }) => id);
    for (const id of created) expect(Object.values(before)).not.toContain(id);
    const told = await account.call('changes', { sinceState: answer.oldState });
    expect(told).toMatchObject({
      created: expect.arrayContaining(created),
      updated: expect.arrayContaining(Object.keys(answer.updated ?? {})),
      destroyed: answer.destroyed ?? [],
    });
    const { list } = (await account.call('get', { ids: null })) as { list: (JsonObject & { id: Id })[] };
    const now = new Map(list.map((mailbox) => [mailbox.id, mailbox]));
    const idOf = (value: unknown) => {
      if (typeof value !== 'string') return value;
      return value.startsWith('#') ? answer.created?.[value.slice(1)]?.id : value;
    };
    const resolved = ({ parentId, ...others }: JsonObject) =>
      parentId === undefined ? others : { ...others, parentId: idOf(parentId) };
    for (const [creationId, record] of Object.entries(call.create ?? {})) {
      expect(now.get(answer.created?.[creationId]?.id as Id)).toMatchObject({
        isSubscribed: true,
        ...resolved(record),
      });
    }
    for (const [name, patch] of Object.entries(call.update ?? {})) {
      // Where no order was given it goes by the role.
      const changed = Object.keys(answer.updated?.[account.idOf(name)] ?? {});
      expect(changed).toEqual('role' in patch ? ['sortOrder'] : []);
      expect(now.get(account.idOf(name))).toMatchObject(resolved(patch));
    }
    const roles = list.map(({ role }) => role).filter((role) => role !== null);
    expect(roles.sort()).toEqual(['inbox', 'sent']);
    expect(await account.call('changes', { sinceState: answer.newState })).toMatchObject({
      destroyed: [],
      created: [],
    });
  });

  test('a new Mailbox is told from the one whose name it has though the account is seen at a second look only', async () => {
    const account = await orderScene({
      refuses: (operation) => {
        if (operation === 'create') account.surveys.failures = 1;
        return null;
      },
    });
    const answer = await account.set({ create: { a: { name: 'Y', sortOrder: 4 } }, destroy: ['Y'] });
    expect(answer).toMatchObject({ destroyed: [account.idOf('Y')], notCreated: null });
    expect(answer.created?.a?.id).not.toBe(account.idOf('Y'));
    const { list } = await account.call('get', { ids: [String(answer.created?.a?.id), account.idOf('Y')] });
    expect(list).toMatchObject([{ name: 'Y', sortOrder: 4 }]);
  });

  test('where it cannot be told from that one, the outcome is unknown', async () => {
    let isGone = false;
    const { call, ids, server, deliver } = mailboxSetAccount(
      ['Y'],
      {
        refuses: (operation) => {
          if (operation === 'subscribe') deliver('Y');
          return null;
        },
      },
      // Another client takes it away while it is read, and makes one of that name.
      ({ command, mailbox }) => {
        if (command === 'examine' && mailbox === 'Y' && !isGone) server.remove('Y');
        if (command === 'list' && isGone && !server.names().includes('Y')) server.create('Y');
        isGone ||= command === 'examine' && mailbox === 'Y';
      },
    );
    const { Y: y } = await ids();
    const args = { create: { a: { name: 'Y' } }, destroy: [String(y)] };
    await expect(call('set', args)).rejects.toBeInstanceOf(OutcomeUnknown);
  });

  test('what is made in a call can be changed and destroyed by it', async () => {
    const { call, server } = mailboxSetAccount([]);
    const answer = (await call('set', {
      create: { a: { name: 'A' }, b: { name: 'B' } },
      update: { '#a': { name: 'Z' } },
      destroy: ['#b'],
    })) as Answer;
    expect(answer).toMatchObject({
      updated: { [String(answer.created?.a?.id)]: null },
      destroyed: [answer.created?.b?.id],
    });
    expect(server.names()).toEqual(['INBOX', 'Z']);
  });
});
