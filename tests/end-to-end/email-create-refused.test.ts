import { afterEach, describe, expect, test } from '@jest/globals';
import type { Id, JsonObject } from '../../shared/jmap/scalars.ts';
import { type Administer, administeredCyrus, administeredDovecot } from './administrator.ts';
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
type Quota = { readonly resourceType: string; readonly used: number; readonly hardLimit: number };

/** A user who may have 1 MB in 20 messages, the product before his mail server, and what another client sees of his mailboxes. `rights`: to Two. */
async function limited(administer: Administer, rights?: string) {
  const { server, user, setRights, stop } = await administer({ storageMegabytes: 1, messages: 20 });
  stops.push(stop);
  const actor = await imapActor(server, user);
  stops.push(() => actor.close());
  for (const name of ['One', 'Two']) await actor.create(name);
  if (rights !== undefined) await setRights('Two', rights);
  const product = startProduct(server);
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

const importing = (client: JmapClient, email: JsonObject) =>
  client.one<SetResponse>('Email/import', { emails: { k: email } });

describe.each<[title: string, administer: Administer]>([
  ['Dovecot', administeredDovecot],
  ['Cyrus', administeredCyrus],
])('%s, when it has no room,', (_, administer) => {
  test('gets nothing of an Email that is too large', async () => {
    const { client, in: into, counts } = await limited(administer);
    const { notCreated } = await create(client, { mailboxIds: into('One'), ...text(1_500_000) });
    expect(notCreated).toMatchObject({ k: { type: 'overQuota' } });
    expect(await counts()).toEqual([0, 0]);
  });

  test('keeps nothing of an Email of which a copy has no room, and says how much there is', async () => {
    const { client, in: into, counts } = await limited(administer);
    const { notCreated } = await create(client, { mailboxIds: into('One', 'Two'), ...text(700_000) });
    expect(notCreated).toMatchObject({ k: { type: 'overQuota' } });
    expect(await counts()).toEqual([0, 0]);
    const quotas = async () => {
      const { list, state } = await client.get<Quota>('Quota', { ids: null });
      const used = (resourceType: string) => list.find((quota) => quota.resourceType === resourceType)?.used ?? -1;
      const limits = list.map(({ resourceType, hardLimit }) => `${resourceType} ${hardLimit}`).sort();
      return { state, limits, octets: used('octets'), messages: used('count') };
    };
    const before = await quotas();
    expect(before).toMatchObject({ limits: ['count 20', `octets ${1 << 20}`], octets: 0, messages: 0 });
    const { created } = await create(client, { mailboxIds: into('One', 'Two'), ...text(100_000) });
    expect(created?.k?.id).toBeDefined();
    expect(await counts()).toEqual([1, 1]);
    const after = await quotas();
    expect(after).toMatchObject({ limits: before.limits, messages: 2 });
    expect(Math.round(after.octets / 100_000)).toBe(2);
    expect(after.state).not.toBe(before.state);
  });

  test('says so to an import', async () => {
    const { client, in: into, counts } = await limited(administer);
    const blobId = await client.upload(Buffer.from(`Subject: large\r\n\r\n${'x'.repeat(1_500_000)}`));
    const { notCreated } = await importing(client, { blobId, mailboxIds: into('One') });
    expect(notCreated).toMatchObject({ k: { type: 'overQuota' } });
    expect(await counts()).toEqual([0, 0]);
  });

  test('or takes nothing into a mailbox, puts nothing there, nor into another one', async () => {
    const { client, in: into, counts } = await limited(administer, 'lr');
    const blobId = await client.upload(Buffer.from('Subject: small\r\n\r\nsmall'));
    for (const mailboxIds of [into('Two'), into('One', 'Two')]) {
      const made = await create(client, { mailboxIds, ...text(100) });
      expect(made).toMatchObject({ created: null, notCreated: { k: { type: 'forbidden' } } });
      const imported = await importing(client, { blobId, mailboxIds });
      expect(imported).toMatchObject({ created: null, notCreated: { k: { type: 'forbidden' } } });
    }
    expect(await counts()).toEqual([0, 0]);
  });
});
