import { describe, expect, test } from '@jest/globals';
import { OutcomeUnknown } from '../../../shared/jmap/errors.ts';
import type { Id, JsonObject } from '../../../shared/jmap/scalars.ts';
import type { MailboxFailure } from '../../../shared/methods/Mailbox/writing.ts';
import type { MailboxAbilities } from '../../in-memory/mailboxes.ts';
import { mailboxSetAccount } from './set-account.ts';

type Refusals = { readonly [id: string]: JsonObject } | null;
type Answer = JsonObject & {
  readonly oldState: string;
  readonly newState: string;
  readonly created: { readonly [id: string]: JsonObject & { readonly id: Id } } | null;
  readonly updated: { readonly [id: string]: JsonObject | null } | null;
  readonly destroyed: readonly Id[] | null;
  readonly notCreated: Refusals;
  readonly notUpdated: Refusals;
  readonly notDestroyed: Refusals;
};

/** One call of Mailbox/set; `@` and a full name stands for the id of that mailbox. */
type Call = {
  readonly create?: { readonly [id: string]: JsonObject };
  readonly update?: { readonly [name: string]: JsonObject };
  readonly destroy?: readonly string[];
};

/** An account with X, X/C, Y and Sent, in which one message lies in each of X, X/C and Y. */
async function scene(abilities: MailboxAbilities = {}) {
  const account = mailboxSetAccount(['X', 'X/C', 'Y', 'Sent'], abilities);
  for (const name of ['X', 'X/C', 'Y']) account.deliver(name);
  const ids = await account.ids();
  const idOf = (name: string) => ids[name] as Id;
  const meant = (record: JsonObject): JsonObject =>
    Object.fromEntries(
      Object.entries(record).map(([property, value]) => {
        const isName = typeof value === 'string' && value.startsWith('@');
        return [property, isName ? idOf(value.slice(1)) : value];
      }),
    );
  const set = async ({ create = {}, update = {}, destroy = [] }: Call) => {
    const args = {
      create: Object.fromEntries(Object.entries(create).map(([id, record]) => [id, meant(record)])),
      update: Object.fromEntries(Object.entries(update).map(([name, patch]) => [idOf(name), meant(patch)])),
      destroy: destroy.map(idOf),
    };
    return (await account.call('set', { ...args, onDestroyRemoveEmails: true })) as Answer;
  };
  /** Full name → id, and how many messages lie there, on the server. */
  const messages = () => {
    const names = account.server.names().filter((name) => name !== 'INBOX');
    return Object.fromEntries(names.map((name) => [name, account.server.messages(name).length]));
  };
  return { ...account, idOf, set, messages };
}

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
    const account = await scene();
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
    const account = await scene({
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
      const { set, idOf, messages, deliver } = await scene(mail.abilities);
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
    const { set, idOf, messages, deliver, operations } = await scene(mail.abilities);
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
    const { set, idOf, messages, ...account } = await scene({
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
    const { set, idOf, messages } = await scene({
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
    const { set, idOf, messages, ...account } = await scene({
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
    const { set, idOf, messages, recordStore } = await scene();
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
    const { set, idOf } = await scene({ refuses: (operation) => (operation === 'create' ? 'overQuota' : null) });
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

describe('whatever fails at whichever command', () => {
  const calls: Call[] = [
    { create: { a: { name: 'X' }, b: { name: 'B', parentId: '#a' } }, update: { X: { name: 'Z' } } },
    { create: { a: { name: 'Y' } }, destroy: ['Y'] },
    { create: { a: { name: 'X' } }, update: { X: { name: 'Y' } }, destroy: ['Y'] },
    { create: { a: { name: 'X' } }, update: { X: { parentId: '#a', name: 'Old' } } },
    { create: { a: { name: 'X' } }, update: { 'X/C': { parentId: '#a' } }, destroy: ['X'] },
    { update: { 'X/C': { name: 'X', parentId: null } }, destroy: ['X'] },
    { create: { a: { name: 'Sent', role: 'sent' } }, update: { Sent: { parentId: '#a', role: null } } },
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
      for (let nth = 1; ; nth += 1) {
        let count = 0;
        const { set, idOf, server, ...account } = await scene({
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
        });
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
        expect(messages).toBe(3 - (answer.destroyed?.length ?? 0));
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
