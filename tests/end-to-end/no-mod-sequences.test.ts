import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { flagsAgeMaxSeconds } from '../../shared/catalog/bring-up-to-date.ts';
import type { Id, JsonObject } from '../../shared/jmap/scalars.ts';
import { ownDovecot } from '../servers/servers.ts';
import { backends, courierBackend, type Process, type Product, startProduct } from './harness.ts';
import { type ImapActor, imapActor } from './imap-actor.ts';
import type { JmapClient } from './jmap-client.ts';
import { letter } from './letter.ts';

/** A mailbox without mod-sequences (NOMODSEQ, RFC 7162 §3.1.2.2) on a server that has them elsewhere. */
const unindexed = 'Unindexed/Old';

let actor: ImapActor;
let product: Product;
let process: Process;
let client: JmapClient;
const stops: (() => unknown)[] = [];

beforeAll(async () => {
  const server = await ownDovecot({ format: 'maildir', unindexed: true });
  stops.push(server.stop);
  const user = await server.freshUser();
  actor = await imapActor(server, user);
  stops.push(actor.close);
  await actor.create(unindexed);
  for (const mailbox of [unindexed, 'INBOX']) {
    for (const token of ['a', 'b', 'c']) await actor.deliver(mailbox, letter({ token: `${token}${mailbox.length}` }));
  }
  product = startProduct(server);
  stops.push(product.stop);
  process = await product.startProcess();
  client = await process.client(user);
  await client.get('Mailbox', {});
});
afterAll(async () => {
  for (const stop of stops.reverse()) await stop();
});

/** The state a moment later, and what it took. */
async function look(seconds = 2) {
  product.advanceClock(seconds * 1_000);
  const before = process.imap.commands.length;
  const { state } = await client.get('Email', { ids: [] });
  return { state, commands: process.imap.commands.slice(before) };
}

async function idsIn(name: string): Promise<readonly Id[]> {
  const [mailbox] = (await client.query('Mailbox', { filter: { name } })).ids;
  const sort = [{ property: 'subject' }];
  return (await client.query('Email', { filter: { inMailbox: mailbox ?? '' }, sort })).ids;
}

test('a poll does not read its flags again and again, though STATUS tells a mod-sequence', async () => {
  await look();
  expect((await look()).commands).toEqual(['LIST']);
});

test('the other mailboxes have their changes by mod-sequence, it has those of flags when they are read again', async () => {
  const { state } = await look();
  const [inInbox] = await idsIn('Inbox');
  const [inOld] = await idsIn('Old');
  await actor.flag('INBOX', [1], ['\\Flagged']);
  await actor.flag(unindexed, [1], ['\\Flagged']);
  await look();
  expect(await client.changes('Email', state)).toMatchObject({ created: [], updated: [inInbox], destroyed: [] });
  await look(flagsAgeMaxSeconds + 1);
  const { updated } = await client.changes('Email', state);
  expect([...updated].sort()).toEqual([inInbox, inOld].sort());
});

test('what comes there and goes is seen at once', async () => {
  const { state } = await look();
  const [, second] = await idsIn('Old');
  await actor.expunge(unindexed, [2]);
  await actor.deliver(unindexed, letter({ token: 'new' }));
  await look();
  const { created, updated, destroyed } = await client.changes('Email', state);
  expect([created.length, updated, destroyed]).toEqual([1, [], [second]]);
});

test('Emails are flagged, copied, moved and destroyed there', async () => {
  const [inbox] = (await client.query('Mailbox', { filter: { role: 'inbox' } })).ids;
  const [old] = (await client.query('Mailbox', { filter: { name: 'Old' } })).ids;
  const [first, second, third] = await idsIn('Old');
  const set = async (args: JsonObject) => {
    const answer = await client.one<{ notUpdated: null; notDestroyed: null }>('Email/set', args);
    expect(answer).toMatchObject({ notUpdated: null, notDestroyed: null });
  };
  await set({ update: { [String(first)]: { 'keywords/$seen': true, [`mailboxIds/${inbox}`]: true } } });
  await set({ update: { [String(first)]: { [`mailboxIds/${old}`]: null } } });
  await set({ update: { [String(second)]: { mailboxIds: { [String(inbox)]: true } } } });
  await set({ destroy: [third ?? ''] });
  expect(await actor.uids(unindexed)).toEqual([]);
  expect((await actor.rows('INBOX')).length).toBe(5);
  expect((await idsIn('Inbox')).length).toBe(5);
});

test.each([...backends, courierBackend].filter(({ hasModseqs }) => !hasModseqs))(
  'on $title a poll reads no flags as long as those that were read are new enough',
  async (backend) => {
    const server = await backend.start();
    const user = await server.freshUser();
    const other = await imapActor(server, user);
    await other.create('Work');
    for (const [index, mailbox] of ['INBOX', 'Work'].entries()) {
      await other.deliver(mailbox, letter({ token: `t${index}` }));
    }
    await other.close();
    const anew = startProduct(server, backend);
    const polled = await anew.startProcess();
    const polling = await polled.client(user);
    await polling.get('Mailbox', {});
    for (let count = 0; count < 3; count += 1) {
      anew.advanceClock(2_000);
      const before = polled.imap.commands.length;
      await polling.get('Email', { ids: [] });
      expect(polled.imap.commands.slice(before).filter((name) => !/^(?:LIST|LSUB|STATUS|NOOP)$/.test(name))).toEqual(
        [],
      );
    }
    await anew.stop();
  },
);
