import { afterEach, describe, expect, test } from '@jest/globals';
import { type DovecotServer, startDovecot } from '../../functions/local/dovecot.ts';
import type { Id, JsonObject } from '../../shared/jmap/scalars.ts';
import { startProduct } from './harness.ts';
import { imapActor } from './imap-actor.ts';
import type { JmapClient } from './jmap-client.ts';

const stops: (() => unknown)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
});

type SetResponse = {
  readonly created: { readonly [creationId: string]: { readonly id: Id } } | null;
  readonly notCreated: { readonly [creationId: string]: JsonObject } | null;
};

const user = { user: 'ada', password: 'secret' };

/** A Dovecot that limits its users and has ACLs, the product before it, and what another client sees of its mailboxes. */
async function limited(prepare: (server: DovecotServer) => Promise<unknown> = async () => {}) {
  const server = await startDovecot({ users: [user], quota: { storageMegabytes: 1, messages: 20 }, acl: true });
  stops.push(server.stop);
  const place = { ...server, freshUser: async () => user };
  const actor = await imapActor(place, user);
  stops.push(() => actor.close());
  for (const name of ['One', 'Two']) await actor.create(name);
  await prepare(server);
  const product = startProduct(place);
  stops.push(() => product.stop());
  const client = await (await product.startProcess()).client(user);
  const { list } = await client.get<{ id: Id; name: string }>('Mailbox', { ids: null });
  const idOf = (name: string) => list.find((mailbox) => mailbox.name === name)?.id ?? ('none' as Id);
  const in_ = (...names: string[]) => Object.fromEntries(names.map((name) => [idOf(name), true]));
  const counts = async () => [(await actor.uids('One')).length, (await actor.uids('Two')).length];
  return { client, in: in_, counts };
}

const create = (client: JmapClient, email: JsonObject) =>
  client.one<SetResponse>('Email/set', { create: { k: email } });
const text = (octets: number) => ({
  textBody: [{ partId: 't', type: 'text/plain' }],
  bodyValues: { t: { value: `${'x'.repeat(70)}\n`.repeat(octets / 71) } },
});

describe('a mail server that has no room', () => {
  test('gets nothing of an Email that is too large', async () => {
    const { client, in: into, counts } = await limited();
    const { notCreated } = await create(client, { mailboxIds: into('One'), ...text(1_500_000) });
    expect(notCreated).toMatchObject({ k: { type: 'overQuota' } });
    expect(await counts()).toEqual([0, 0]);
  });

  test('keeps nothing of an Email of which a copy has no room', async () => {
    const { client, in: into, counts } = await limited();
    const { notCreated } = await create(client, { mailboxIds: into('One', 'Two'), ...text(700_000) });
    expect(notCreated).toMatchObject({ k: { type: 'overQuota' } });
    expect(await counts()).toEqual([0, 0]);
    const { created } = await create(client, { mailboxIds: into('One', 'Two'), ...text(100_000) });
    expect(created?.k?.id).toBeDefined();
    expect(await counts()).toEqual([1, 1]);
  });

  test('says so to an import', async () => {
    const { client, in: into, counts } = await limited();
    const blobId = await client.upload(Buffer.from(`Subject: large\r\n\r\n${'x'.repeat(1_500_000)}`));
    const emails = { k: { blobId, mailboxIds: into('One') } };
    expect((await client.one<SetResponse>('Email/import', { emails })).notCreated).toMatchObject({
      k: { type: 'overQuota' },
    });
    expect(await counts()).toEqual([0, 0]);
  });
});

test('a mailbox that the user may not write to gets nothing, and neither does another one', async () => {
  const {
    client,
    in: into,
    counts,
  } = await limited(({ doveadm }) => doveadm('acl', 'set', '-u', user.user, 'Two', 'owner', 'lookup', 'read'));
  const alone = await create(client, { mailboxIds: into('Two'), ...text(100) });
  expect(alone.notCreated).toMatchObject({ k: { type: 'forbidden' } });
  const both = await create(client, { mailboxIds: into('One', 'Two'), ...text(100) });
  expect(both.notCreated).toMatchObject({ k: { type: 'forbidden' } });
  expect(await counts()).toEqual([0, 0]);
});
