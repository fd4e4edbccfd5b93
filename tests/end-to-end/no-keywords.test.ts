import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Id, JsonObject } from '../../shared/jmap/scalars.ts';
import { courierWithoutKeywords } from '../servers/servers.ts';
import { startProduct } from './harness.ts';
import { type ImapActor, imapActor } from './imap-actor.ts';
import type { JmapClient } from './jmap-client.ts';
import { letter } from './letter.ts';

let actor: ImapActor;
let client: JmapClient;
let inbox: string;
let work: string;
let id: Id;
const stops: (() => unknown)[] = [];

beforeAll(async () => {
  const server = await courierWithoutKeywords();
  stops.push(server.stop);
  const user = await server.freshUser();
  actor = await imapActor(server, user);
  stops.push(actor.close);
  await actor.create('Work');
  await actor.deliver('INBOX', letter({ token: 'a' }));
  const product = startProduct(server, { hasModseqs: false });
  stops.push(product.stop);
  client = await (await product.startProcess()).client(user);
  const idOf = async (filter: JsonObject) => (await client.query('Mailbox', { filter })).ids[0] ?? '';
  inbox = await idOf({ role: 'inbox' });
  work = await idOf({ name: 'Work' });
  id = (await client.query('Email', {})).ids[0] ?? ('' as Id);
});
afterAll(async () => {
  for (const stop of stops.reverse()) await stop();
});

const keepsNone = { type: 'invalidProperties', properties: ['keywords'] };
const keywords = { $draft: true, later: true };

async function set(args: JsonObject): Promise<JsonObject> {
  return client.one<JsonObject>('Email/set', args);
}

test('a keyword that the mail server does not keep is refused, and nothing of the update is done', async () => {
  const update = { [id]: { [`mailboxIds/${work}`]: true, 'keywords/$seen': true, 'keywords/$forwarded': true } };
  expect(await set({ update })).toMatchObject({ updated: null, notUpdated: { [id]: keepsNone } });
  expect(await actor.rows('Work')).toEqual([]);
  expect(await actor.rows('INBOX')).toMatchObject([{ flags: [] }]);
});

test('those that IMAP names are kept, and what is not there can be removed', async () => {
  const update = { [id]: { 'keywords/$flagged': true, 'keywords/$seen': true, 'keywords/later': null } };
  expect(await set({ update })).toMatchObject({ updated: { [id]: null }, notUpdated: null });
  const { list } = await client.get('Email', { ids: [id], properties: ['keywords'] });
  expect(list).toEqual([{ id, keywords: { $flagged: true, $seen: true } }]);
});

test('a new Email with such a keyword is refused for it, and without it is there', async () => {
  const draft = { mailboxIds: { [work]: true }, subject: 'new', from: [{ email: 'robin@example.org' }] };
  const create = { with: { ...draft, keywords }, without: { ...draft, keywords: { $draft: true } } };
  expect(await set({ create })).toMatchObject({ created: { without: {} }, notCreated: { with: keepsNone } });
  expect(await actor.rows('Work')).toMatchObject([{ flags: ['\\Draft'] }]);
});

test('so is one that is imported', async () => {
  const blobId = await client.upload(Buffer.from(letter({ token: 'b' })));
  const emails = { b: { blobId, mailboxIds: { [inbox]: true }, keywords } };
  expect(await client.one('Email/import', { emails })).toMatchObject({ created: null, notCreated: { b: keepsNone } });
  expect(await actor.uids('INBOX')).toHaveLength(1);
});
