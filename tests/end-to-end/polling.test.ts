import { afterEach, describe, expect, test } from '@jest/globals';
import { appendMessages } from '../../functions/local/append-messages.ts';
import type { Id, JsonObject } from '../../shared/jmap/scalars.ts';
import { cyrus, dovecot, type TestServer, type TestUser } from '../servers/servers.ts';
import { type Process, type Product, startProduct } from './harness.ts';
import { type ImapActor, imapActor } from './imap-actor.ts';
import { answerOf, type Invocation, type JmapClient } from './jmap-client.ts';
import { letter } from './letter.ts';

/** What a client costs that asks every few seconds; costs.test.ts has the tables for larger accounts. */

const running: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const stop of running.splice(0).reverse()) await stop();
});

const mailboxesMade = 8;
const messagesInEach = 5;

/** What a message list shows. */
const properties = [
  ...['id', 'threadId', 'mailboxIds', 'keywords', 'from', 'to', 'subject', 'receivedAt', 'size', 'preview'],
  'hasAttachment',
];

type Account = {
  readonly product: Product;
  readonly user: TestUser;
  readonly actor: ImapActor;
  readonly process: Process;
  readonly client: JmapClient;
};

async function accountOn(server: TestServer): Promise<Account> {
  const user = await server.freshUser();
  const messages = Array.from({ length: mailboxesMade * messagesInEach }, (_, index) => ({
    mailbox: [index < messagesInEach ? 'INBOX' : `Box ${Math.floor(index / messagesInEach)}`],
    flags: [],
    receivedAt: new Date(Date.UTC(2025, 0, 1, 0, index)),
    raw: Buffer.from(letter({ token: `t${index}` })),
  }));
  await appendMessages({ host: server.host, imapPort: server.imapPort, ...user }, messages);
  const actor = await imapActor(server, user);
  const product = startProduct(server);
  const process = await product.startProcess();
  const client = await process.client(user);
  await client.get('Mailbox', {});
  running.push(product.stop, actor.close);
  return { product, user, actor, process, client };
}

/** What a request costs: IMAP commands after the login, and units of the store. */
async function costOf(
  { product, process }: Pick<Account, 'product' | 'process'>,
  act: () => Promise<unknown>,
): Promise<{ commands: readonly string[]; connections: number; storeCalls: number; storeUnits: number }> {
  process.imap.commands.length = 0;
  process.imap.connections = 0;
  product.store.resetUnits();
  await act();
  const { reads, writes, calls } = product.store.units();
  const { commands, connections } = process.imap;
  return { commands: [...commands], connections, storeCalls: calls, storeUnits: reads + writes };
}

describe.each([
  ['Dovecot', dovecot],
  ['Cyrus', cyrus],
] as const)('on %s', (name, startServer) => {
  // QUIRK(cyrus): PREVIEW is NIL, so the beginning of the text is read too.
  const commandsMax = name === 'Cyrus' ? 6 : 5;

  test('a state poll within the freshness limit is one read of the store, and no IMAP', async () => {
    const account = await accountOn(await startServer());
    const { product, client } = account;
    const polls: [string, JsonObject][] = [
      ['Email/get', { ids: [] }],
      ['Mailbox/get', { properties: ['id'] }],
      ['Mailbox/get', { ids: [] }],
      ['Thread/get', { ids: [] }],
    ];
    product.advanceClock(10_000);
    await client.get('Email', { ids: [] });
    for (const [method, args] of polls) {
      product.advanceClock(200);
      const cost = await costOf(account, () => client.one(method, args));
      expect({ method, ...cost, storeUnits: 0 }).toEqual({
        ...{ method, commands: [], connections: 0, storeCalls: 1, storeUnits: 0 },
      });
      expect(cost.storeUnits).toBeLessThanOrEqual(4);
    }
    product.advanceClock(10_000);
    const stale = await costOf(account, () => client.get('Email', { ids: [] }));
    expect(stale.commands).toEqual(['LIST']);
    // What has not changed is not written.
    expect(stale.storeCalls).toBe(1);
  });

  test('one delivery costs few commands, in a warm process and in a fresh one', async () => {
    const account = await accountOn(await startServer());
    const { product, user, actor, client } = account;
    const stateNow = async () => (await client.get('Email', { ids: [] })).state;

    const whatIsNew = async (each: JmapClient, sinceState: string) => {
      const { accountId } = each;
      const calls: Invocation[] = [
        ['Email/changes', { accountId, sinceState }, 'a'],
        [
          'Email/get',
          { accountId, '#ids': { resultOf: 'a', name: 'Email/changes', path: '/created' }, properties },
          'b',
        ],
      ];
      const responses = await each.call(calls);
      const { list } = answerOf<{ list: { id: Id; preview: string }[] }>('Email/get', responses[1]);
      expect(list.map(({ preview }) => preview.split(' ', 2).join(' '))).toEqual([expect.stringMatching(/^What new/)]);
    };

    const before = await stateNow();
    await actor.deliver('Box 6', letter({ token: 'new1' }));
    product.advanceClock(10_000);
    const warm = await costOf(account, () => whatIsNew(client, before));
    expect(warm.commands.length).toBeLessThanOrEqual(commandsMax);
    expect(warm.connections).toBe(0);
    expect(warm.storeUnits).toBeLessThanOrEqual(60);

    const between = await stateNow();
    await actor.deliver('Box 7', letter({ token: 'new2' }));
    product.advanceClock(10_000);
    const process = await product.startProcess();
    const fresh = await costOf({ product, process }, async () => whatIsNew(await process.client(user), between));
    expect(fresh.commands.length).toBeLessThanOrEqual(commandsMax);
    expect(fresh.connections).toBe(1);
    expect(fresh.storeUnits).toBeLessThanOrEqual(60);
  });
});
