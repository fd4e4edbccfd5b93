import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { JsonObject } from '../../shared/jmap/scalars.ts';
import { ownDovecot } from '../servers/servers.ts';
import { startProduct } from './harness.ts';
import { type ImapActor, imapActor } from './imap-actor.ts';
import { answerOf, coreAndMail, type GetResponse, type JmapClient, type QueryResponse } from './jmap-client.ts';
import { letter } from './letter.ts';

type Quota = { readonly id: string; readonly resourceType: string; readonly used: number };

const using = [...coreAndMail, 'urn:ietf:params:jmap:quota'];
let actor: ImapActor;
let client: JmapClient;
const stops: (() => unknown)[] = [];

beforeAll(async () => {
  const server = await ownDovecot({ quota: { storageMegabytes: 5, messages: 20 } });
  stops.push(server.stop);
  const user = await server.freshUser();
  actor = await imapActor(server, user);
  stops.push(actor.close);
  const product = startProduct(server);
  stops.push(product.stop);
  client = await (await product.startProcess()).client(user);
});
afterAll(async () => {
  for (const stop of stops.reverse()) await stop();
});

async function ask<T>(name: string, args: JsonObject): Promise<T> {
  const [answer] = await client.call([[name, { accountId: client.accountId, ...args }, '0']], using);
  return answerOf<T>(name, answer);
}

test('what is used of the quotas of a mail server follows what lies there, and changes tell it', async () => {
  const before = await ask<GetResponse<Quota>>('Quota/get', { ids: null });
  const [octets, count] = ['octets', 'count'].map((type) =>
    before.list.find(({ resourceType }) => resourceType === type),
  );
  expect(octets).toMatchObject({ used: 0, hardLimit: 5 * 1024 * 1024, types: ['Email'], scope: 'account' });
  expect(count).toMatchObject({ used: 0, hardLimit: 20, types: ['Email'], scope: 'account' });
  const byUse = { sort: [{ property: 'used', isAscending: false }], calculateTotal: true };
  const { queryState, total } = await ask<QueryResponse>('Quota/query', byUse);
  expect(total).toBe(2);

  await actor.deliver('INBOX', letter({ token: 'a', lines: 1_000 }));
  const after = await ask<GetResponse<Quota>>('Quota/get', { ids: null });
  const usedOf = (quota: { readonly id: string } | undefined) => after.list.find(({ id }) => id === quota?.id)?.used;
  expect([usedOf(count), (usedOf(octets) ?? 0) > 10_000]).toEqual([1, true]);
  const changes = await ask<JsonObject>('Quota/changes', { sinceState: before.state });
  expect(changes).toMatchObject({ created: [], destroyed: [], updatedProperties: ['used'], newState: after.state });
  expect(new Set(changes.updated as string[])).toEqual(new Set([octets?.id, count?.id]));

  const { ids } = await ask<QueryResponse>('Quota/query', byUse);
  expect(ids).toEqual([octets?.id, count?.id]);
  const { added } = await ask<{ added: JsonObject[] }>('Quota/queryChanges', { sinceQueryState: queryState, ...byUse });
  expect(added).toEqual(ids.map((id, index) => ({ id, index })));
});
