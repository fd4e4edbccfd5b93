import { describe, expect, test } from '@jest/globals';
import type { Id, JsonObject } from '../../../shared/jmap/scalars.ts';
import type { MailboxFailure } from '../../../shared/methods/Mailbox/writing.ts';
import type { MailboxAbilities } from '../../in-memory/mailboxes.ts';
import { type Call, orderScene } from './order-scene.ts';

describe('what is not freed after all', () => {
  const late = (name: string): { abilities: MailboxAbilities; arm: (deliver: (name: string) => unknown) => void } => {
    let deliver: (name: string) => unknown = () => {};
    return {
      arm: (some) => {
        deliver = some;
      },
      abilities: {
        refuses: (operation, from) => {
          if (operation === 'remove' && from.startsWith(name)) deliver(from);
          return null;
        },
      },
    };
  };

  test('is refused: mail came into what was to be destroyed, and everything is as it was', async () => {
    for (const call of [
      { create: { a: { name: 'Y' } }, destroy: ['Y'] },
      { update: { 'X/C': { name: 'Y', parentId: null } }, destroy: ['Y'] },
    ] as Call[]) {
      const mail = late('Y');
      const { set, idOf, messages, deliver } = await orderScene(mail.abilities);
      mail.arm(deliver);
      const answer = await set(call);
      const alreadyExists = { type: 'alreadyExists', existingId: idOf('Y') };
      expect(answer).toMatchObject({
        ...{ created: null, updated: null, destroyed: null, newState: answer.oldState },
        notDestroyed: { [idOf('Y')]: { type: 'mailboxHasEmail' } },
        ...(call.create ? { notCreated: { a: alreadyExists } } : { notUpdated: { [idOf('X/C')]: alreadyExists } }),
      });
      expect(messages()).toEqual({ X: 1, 'X/C': 1, Y: 2, Sent: 0 });
    }
  });

  test('is taken back, where others have its place already', async () => {
    const mail = late('X--');
    const { set, idOf, messages, deliver, operations } = await orderScene(mail.abilities);
    mail.arm(deliver);
    const call = { create: { a: { name: 'X' } }, update: { 'X/C': { parentId: '#a' } }, destroy: ['X'] };
    const answer = await set(call);
    expect(operations).toContain('create X');
    expect(answer).toMatchObject({
      ...{ created: null, updated: null, destroyed: null, newState: answer.oldState },
      notCreated: { a: { type: 'alreadyExists', existingId: idOf('X') } },
      notUpdated: { [idOf('X/C')]: { type: 'invalidProperties', properties: ['parentId'] } },
      notDestroyed: { [idOf('X')]: { type: 'mailboxHasEmail' } },
    });
    expect(messages()).toEqual({ X: 2, 'X/C': 1, Y: 1, Sent: 0 });
  });

  test('stays beside what has its place, when mail came into that: no mail is lost, and the answer says so', async () => {
    let deliver: (name: string) => unknown = () => {};
    const { set, idOf, messages, ...account } = await orderScene({
      refuses: (operation, from) => {
        if (operation !== 'remove') return null;
        deliver(from);
        if (from.startsWith('X--')) deliver('X');
        return null;
      },
    });
    deliver = account.deliver;
    const answer = await set({ create: { a: { name: 'X' } }, update: { 'X/C': { parentId: '#a' } }, destroy: ['X'] });
    expect(answer).toMatchObject({
      created: { a: { totalEmails: expect.any(Number) } },
      notDestroyed: {
        [idOf('X')]: {
          type: 'mailboxHasEmail',
          description: expect.stringMatching(
            /it could not be taken back: name is "X--postern-aside-\w+", isSubscribed is false now$/,
          ),
        },
      },
    });
    expect(Object.values(messages()).reduce((sum, count) => sum + count, 0)).toBe(6);
    const { list } = (await account.call('get', { ids: [answer.created?.a?.id ?? ''] })) as { list: JsonObject[] };
    expect(list).toMatchObject([{ name: 'X', parentId: null }]);
  });

  test('a new Mailbox has no role that another one keeps', async () => {
    const { set, idOf, messages } = await orderScene({
      refuses: (operation, from, to) => (operation === 'rename' && to === 'A/Sent' && from ? 'forbidden' : null),
    });
    const answer = await set({
      create: { a: { name: 'A', role: 'sent' } },
      update: { Sent: { role: null, parentId: '#a' } },
    });
    expect(answer).toMatchObject({
      created: null,
      notCreated: { a: { type: 'invalidProperties', properties: ['role'] } },
      notUpdated: { [idOf('Sent')]: { type: 'forbidden' } },
    });
    expect(messages()).toEqual({ X: 1, 'X/C': 1, Y: 1, Sent: 0 });
  });

  test('a new Mailbox into which mail came is created all the same, and the answer says that it has no role', async () => {
    let deliver: (name: string) => unknown = () => {};
    const { set, idOf, messages, ...account } = await orderScene({
      refuses: (operation, from, to) => {
        if (operation === 'remove') deliver(from);
        return operation === 'rename' && to === 'A/Sent' ? 'forbidden' : null;
      },
    });
    deliver = account.deliver;
    const answer = await set({
      create: { a: { name: 'A', role: 'sent' } },
      update: { Sent: { role: null, parentId: '#a' } },
    });
    expect(answer).toMatchObject({ created: { a: { role: null } }, notCreated: null });
    expect(answer.notUpdated).toMatchObject({ [idOf('Sent')]: { type: 'forbidden' } });
    expect(messages()).toEqual({ A: 1, X: 1, 'X/C': 1, Y: 1, Sent: 0 });
    const { list } = await account.call('get', { ids: [idOf('Sent')], properties: ['role'] });
    expect(list).toMatchObject([{ role: 'sent' }]);
  });

  test('a name that is not freed because what is to be kept of its Mailbox cannot be stored', async () => {
    const { set, idOf, messages, recordStore } = await orderScene();
    recordStore.failCall(1);
    const answer = await set({ create: { a: { name: 'X' } }, update: { X: { name: 'Z', sortOrder: 4 } } });
    expect(answer).toMatchObject({
      created: null,
      notCreated: { a: { type: 'serverUnavailable' } },
      notUpdated: { [idOf('X')]: { type: 'serverUnavailable' } },
    });
    expect(messages()).toEqual({ X: 1, 'X/C': 1, Y: 1, Sent: 0 });
  });

  test('what is to go below a new one that cannot be made is refused as below nothing', async () => {
    const { set, idOf } = await orderScene({ refuses: (operation) => (operation === 'create' ? 'overQuota' : null) });
    const answer = await set({
      create: { a: { name: 'X' }, b: { name: 'B', parentId: '#a' } },
      update: { X: { parentId: '#a' } },
    });
    const below = { type: 'invalidProperties', properties: ['parentId'] };
    expect(answer).toMatchObject({
      notCreated: { a: { type: 'overQuota' }, b: below },
      notUpdated: { [idOf('X')]: below },
    });
  });
});

describe('what was done for others and cannot be taken back', () => {
  /** The children of two Mailboxes that end get each other's parents' names: one of these steps aside. */
  const call: Call = {
    update: { 'X/C': { name: 'Y', parentId: null }, 'Y/D': { name: 'X', parentId: null } },
    destroy: ['X', 'Y'],
  };

  test.each(['mailboxHasEmail', 'forbidden', 'serverUnavailable'] as const)(
    'stays, where one of two Mailboxes is destroyed and the other is not: no mail is lost, and the answer says so (%s)',
    async (type) => {
      let deliver: (name: string) => unknown = () => {};
      const { set, idOf, messages, ...account } = await orderScene(
        {
          refuses: (operation, from) => {
            if (operation !== 'remove' || !from.startsWith('X--')) return null;
            if (type === 'mailboxHasEmail') deliver(from);
            return { mailboxHasEmail: null, forbidden: 'forbidden' as const, serverUnavailable: 'missing' as const }[
              type
            ];
          },
        },
        ['Y/D'],
      );
      deliver = account.deliver;
      const answer = await set(call);
      expect(answer).toMatchObject({
        updated: { [idOf('X/C')]: null, [idOf('Y/D')]: null },
        destroyed: [idOf('Y')],
        notUpdated: null,
        notDestroyed: {
          [idOf('X')]: {
            type,
            description: expect.stringMatching(/it could not be taken back: name is "X--postern-aside-\w+"/),
          },
        },
      });
      const { [Object.keys(messages()).find((name) => name.startsWith('X--')) ?? '']: inX, ...others } = messages();
      expect([inX, others]).toEqual([type === 'mailboxHasEmail' ? 2 : 1, { X: 1, Y: 1, Sent: 0 }]);
      const ids = await account.ids();
      expect([ids.X, ids.Y]).toEqual([idOf('Y/D'), idOf('X/C')]);
      expect(await account.call('changes', { sinceState: answer.oldState })).toMatchObject({
        created: [],
        destroyed: [idOf('Y')],
      });
    },
  );

  test('stays below the new Mailbox, where what it was below is destroyed and what is to be kept of it cannot be stored', async () => {
    const { set, idOf, messages, recordStore } = await orderScene();
    recordStore.failCall(1);
    const answer = await set({
      create: { a: { name: 'X' } },
      update: { 'X/C': { parentId: '#a', sortOrder: 4 } },
      destroy: ['X'],
    });
    const newId = answer.created?.a?.id;
    expect(answer).toMatchObject({
      destroyed: [idOf('X')],
      notUpdated: {
        [idOf('X/C')]: {
          type: 'serverUnavailable',
          description: expect.stringContaining(`it could not be taken back: parentId is "${newId}" now`),
        },
      },
    });
    expect(messages()).toEqual({ X: 0, 'X/C': 1, Y: 1, Sent: 0 });
  });

  test('is a new Mailbox with mail, without the role that its former holder keeps because no other can be stored', async () => {
    let deliver: (name: string) => unknown = () => {};
    const { set, idOf, recordStore, ...account } = await orderScene({
      refuses: (operation, from) => {
        if (operation === 'remove') deliver(from);
        return null;
      },
    });
    deliver = account.deliver;
    recordStore.failCall(1);
    const answer = await set({
      create: { a: { name: 'Sent', role: 'sent' } },
      update: { Sent: { role: null, parentId: '#a', sortOrder: 4 } },
    });
    expect(answer).toMatchObject({
      created: { a: { role: null } },
      notUpdated: { [idOf('Sent')]: { type: 'serverUnavailable' } },
    });
    const { list } = await account.call('get', { ids: [idOf('Sent')], properties: ['role'] });
    expect(list).toMatchObject([{ role: 'sent' }]);
  });
});

describe('a mail server that says it has done what it has not', () => {
  test.each<[what: string, operation: string, call: Call]>([
    ['a mailbox is deleted', 'remove', { destroy: ['Y'] }],
    ['a mailbox is renamed', 'rename', { create: { a: { name: 'X' } }, update: { X: { name: 'Z' } } }],
    [
      'a mailbox is set aside',
      'rename',
      { create: { a: { name: 'X' } }, update: { 'X/C': { parentId: '#a' } }, destroy: ['X'] },
    ],
    ['a mailbox is created', 'create', { create: { a: { name: 'A' }, b: { name: 'B', parentId: '#a' } } }],
  ])('is not believed: %s', async (_, pretended, call) => {
    const { set, messages, ids, ...account } = await orderScene({ pretends: (operation) => operation === pretended });
    const [before, lying] = [await ids(), messages()];
    const answer = await set(call);
    expect(answer).toMatchObject({ created: null, destroyed: null });
    expect(Object.keys({ ...answer.notCreated, ...answer.notDestroyed })).toHaveLength(
      Object.keys(call.create ?? {}).length + (call.destroy ?? []).length,
    );
    for (const [id, surprise] of Object.entries(answer.updated ?? {})) {
      const { list } = await account.call('get', { ids: [id], properties: Object.keys(surprise ?? {}) });
      expect(list).toEqual([{ id, ...surprise }]);
    }
    expect([messages(), await ids()]).toEqual([lying, before]);
  });
});

describe('whatever fails at whichever command', () => {
  const calls: Call[] = [
    { create: { a: { name: 'X' }, b: { name: 'B', parentId: '#a' } }, update: { X: { name: 'Z' } } },
    { create: { a: { name: 'Y' } }, destroy: ['Y'] },
    { create: { a: { name: 'X' } }, update: { X: { name: 'Y' } }, destroy: ['Y'] },
    { create: { a: { name: 'X' } }, update: { X: { parentId: '#a', name: 'Old' } } },
    { create: { a: { name: 'X' } }, update: { 'X/C': { parentId: '#a' } }, destroy: ['X'] },
    { update: { 'X/C': { name: 'X', parentId: null } }, destroy: ['X'] },
    { create: { a: { name: 'Sent', role: 'sent' } }, update: { Sent: { parentId: '#a', role: null } } },
    {
      update: { 'X/C': { name: 'Y', parentId: null }, 'Y/D': { name: 'X', parentId: null } },
      destroy: ['X', 'Y'],
    },
    {
      create: { m: { name: 'X' }, n: { name: 'Y' } },
      update: { 'X/C': { parentId: '#n' }, 'Y/D': { parentId: '#m' } },
      destroy: ['X', 'Y'],
    },
  ];
  /** `unclear`: nobody can say whether it was done, and it was (`done`) or not. */
  const faults: { readonly failure: MailboxFailure; readonly isDone: boolean }[] = [
    { failure: 'refused', isDone: false },
    { failure: 'lost', isDone: false },
    { failure: 'unclear', isDone: false },
    { failure: 'unclear', isDone: true },
  ];
  test.each(calls.flatMap((call) => faults.map((fault) => ({ call, ...fault }))))(
    'what is told holds, and no mail is lost: %j',
    async ({ call, failure, isDone }) => {
      const more = call.update?.['Y/D'] === undefined ? [] : ['Y/D'];
      for (let nth = 1; ; nth += 1) {
        let count = 0;
        const abilities: MailboxAbilities = {
          refuses: (operation, name, to) => {
            count += 1;
            if (count !== nth) return null;
            if (isDone && operation === 'create' && !server.names().includes(name)) server.create(name);
            if (isDone && operation === 'remove') server.remove(name);
            if (isDone && operation === 'rename') {
              for (const each of server.names().filter((some) => some === name || some.startsWith(`${name}/`)))
                server.rename(each, `${to}${each.slice(name.length)}`);
            }
            return operation === 'subscribe' ? 'lost' : failure;
          },
        };
        const { set, idOf, server, ...account } = await orderScene(abilities, more);
        const before = new Map(Object.entries(await account.ids()).map(([name, id]) => [id, name]));
        const answer = await set(call);
        const now = await account.ids();
        const byId = new Map(Object.entries(now).map(([name, id]) => [id, name]));
        const { list } = (await account.call('get', { ids: null })) as { list: (JsonObject & { id: Id })[] };
        const mailboxes = new Map(list.map((mailbox) => [mailbox.id, mailbox]));

        for (const creationId of Object.keys(call.create ?? {})) {
          const made = answer.created?.[creationId];
          expect(made === undefined).toBe(answer.notCreated?.[creationId] !== undefined);
          if (made === undefined) continue;
          expect(before.has(made.id)).toBe(false);
          expect(mailboxes.get(made.id)?.name).toBe(call.create?.[creationId]?.name);
        }
        for (const name of call.destroy ?? []) {
          const isGone = answer.destroyed?.includes(idOf(name)) ?? false;
          expect(isGone).toBe(answer.notDestroyed?.[idOf(name)] === undefined);
          expect(byId.has(idOf(name))).toBe(!isGone);
        }
        for (const [name, patch] of Object.entries(call.update ?? {})) {
          const isUpdated = answer.updated?.[idOf(name)] !== undefined;
          expect(isUpdated).toBe(answer.notUpdated?.[idOf(name)] === undefined);
          const asked = patch.name ?? name.split('/').at(-1);
          if (isUpdated) expect(mailboxes.get(idOf(name))?.name).toBe(asked);
        }
        const messages = Object.values(account.messages()).reduce((sum, some) => sum + some, 0);
        expect(messages).toBe(3 + more.length - (answer.destroyed?.length ?? 0));
        const roles = list.map(({ role }) => role).filter((role) => role !== null);
        expect(roles).toHaveLength(new Set(roles).size);
        await account.call('changes', { sinceState: answer.newState });
        if (count >= nth) continue;
        expect(answer).toMatchObject({ notCreated: null, notUpdated: null, notDestroyed: null });
        expect(nth).toBeGreaterThan(2);
        return;
      }
    },
  );
});
