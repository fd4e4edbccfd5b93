import { afterEach, describe, expect, test } from '@jest/globals';
import { startDovecot } from '../../functions/local/dovecot.ts';
import type { Id, JsonObject } from '../../shared/jmap/scalars.ts';
import { dovecot, type TestServer } from '../servers/servers.ts';
import { expectRight, questions } from './failure-laws.ts';
import { startProduct } from './harness.ts';
import { imapActor } from './imap-actor.ts';
import { letter } from './letter.ts';
import { namesOf, takeSnapshot } from './snapshot.ts';

const stops: (() => unknown)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
});

type Refused = { readonly [id: string]: { readonly type: string; readonly properties?: string[] } };
type SetResponse = { readonly updated: JsonObject | null; readonly destroyed: Id[] | null } & {
  readonly notUpdated: Refused | null;
  readonly notDestroyed: Refused | null;
};

/** Two letters in the inbox, of which one is in the mailbox Closed too, and a client. `prepare`: what is to be refused then. */
async function scene(
  server: TestServer,
  ignoreCapabilities: readonly string[],
  prepare: (user: string) => Promise<unknown>,
) {
  const user = await server.freshUser();
  const actor = await imapActor(server, user);
  stops.push(() => actor.close());
  for (const name of ['Closed', 'Work']) await actor.create(name);
  for (const token of ['one', 'two']) await actor.deliver('INBOX', letter({ token }));
  await actor.copy('INBOX', [2], 'Closed');
  await prepare(user.user);
  const product = startProduct(server, { ignoreCapabilities });
  stops.push(() => product.stop());
  const client = await (await product.startProcess()).client(user);
  const before = await takeSnapshot(client, questions);
  const property = 'header:X-Token:asText';
  const ids = [...before.Email.keys()];
  const { list } = await client.get<{ id: Id; [property]: string }>('Email', { ids, properties: [property] });
  const id = (token: string) => list.find((email) => email[property] === token)?.id ?? ('none' as Id);
  const boxes = new Map([...namesOf(before.Mailbox)].map(([boxId, name]) => [name, boxId]));
  const box = (name: string) => boxes.get(name) ?? ('none' as Id);
  return {
    ...{ id, box },
    /** What it answers; what lies on the mail server then is what the client sees. */
    set: async (args: JsonObject): Promise<SetResponse> => {
      const response = await client.one<SetResponse>('Email/set', args);
      product.advanceClock(10_000);
      const after = await takeSnapshot(client, questions);
      await expectRight(await actor.observe(), client, [before, after], [0], false);
      return response;
    },
    where: async () => {
      const observed = (await actor.observe()).filter(({ rows }) => rows.length > 0);
      return Object.fromEntries(
        observed.map(({ name, rows }) => [name, rows.map(({ token, flags }) => [token, ...flags].join(' ')).sort()]),
      );
    },
  };
}

const asItWas = { INBOX: ['one', 'two'], Closed: ['two'] };

describe.each([
  ['with MOVE', []],
  ['without MOVE', ['MOVE']],
])('on a Dovecot %s', (_, ignoreCapabilities) => {
  /** Of the mailbox Closed the user keeps these rights. */
  const withRights = async (rights: string) => {
    const server = await dovecot();
    return scene(server, ignoreCapabilities, (user) =>
      server.doveadm('acl', 'set', '-u', user, 'Closed', 'owner', ...rights.split(' ')),
    );
  };

  test('nothing comes into a mailbox that is forbidden, and it stays where it was', async () => {
    const { id, box, set, where } = await withRights('lookup read');
    const { updated, notUpdated } = await set({
      update: {
        [id('one')]: { mailboxIds: { [box('Closed')]: true, [box('Work')]: true }, 'keywords/$flagged': true },
        [id('two')]: { 'keywords/$flagged': true },
      },
    });
    expect(updated).toBe(null);
    expect(Object.values(notUpdated ?? {}).map(({ type }) => type)).toEqual(['forbidden', 'forbidden']);
    expect(await where()).toEqual(asItWas);
  });

  test.each([
    ['flagged as deleted', 'lookup read write write-seen insert'],
    ['expunged', 'lookup read write write-seen write-deleted insert'],
  ])('nothing goes out of a mailbox where it must not be %s, nor out of others then', async (__, rights) => {
    const { id, box, set, where } = await withRights(rights);
    const { notUpdated, notDestroyed } = await set({
      update: { [id('two')]: { mailboxIds: { [box('Work')]: true } } },
      destroy: [],
    });
    expect([notUpdated?.[id('two')]?.type, notDestroyed]).toEqual(['forbidden', null]);
    expect(await where()).toEqual(asItWas);
    const { destroyed } = await set({ destroy: [id('two')] });
    expect(destroyed).toBe(null);
    expect(await where()).toEqual(asItWas);
  });

  test('a keyword is set in every copy or in none', async () => {
    const { id, set, where } = await withRights('lookup read write-seen');
    const { updated, notUpdated } = await set({
      update: { [id('one')]: { 'keywords/Private': true }, [id('two')]: { 'keywords/Private': true } },
    });
    expect([updated, notUpdated?.[id('two')]?.type]).toEqual([{ [id('one')]: null }, 'invalidProperties']);
    expect(await where()).toEqual({ ...asItWas, INBOX: ['one private', 'two'] });
    expect((await set({ update: { [id('two')]: { 'keywords/$seen': true } } })).updated).toEqual({ [id('two')]: null });
  });

  test('a copy that there is no room for is not made, and nothing else is done to the Email', async () => {
    const users = ['ada', 'bob'].map((user) => ({ user, password: 'secret' }));
    const limited = await startDovecot({ users, acl: true, quota: { storageMegabytes: 5, messages: 3 } });
    stops.push(limited.stop);
    const server: TestServer = { ...limited, freshUser: async () => users[0] ?? { user: '', password: '' } };
    const { id, box, set, where } = await scene(server, ignoreCapabilities, async () => {});
    const { updated, notUpdated } = await set({
      update: {
        [id('one')]: { [`mailboxIds/${box('Work')}`]: true, 'keywords/$flagged': true },
        [id('two')]: { 'keywords/$seen': true },
      },
    });
    expect([updated, notUpdated]).toEqual([
      { [id('two')]: null },
      { [id('one')]: { type: 'overQuota', description: expect.any(String) } },
    ]);
    expect(await where()).toEqual({ INBOX: ['one', 'two \\Seen'], Closed: ['two \\Seen'] });
  });
});
