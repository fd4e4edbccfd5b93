import { afterEach, expect, jest, test } from '@jest/globals';
import type { Id } from '../../shared/jmap/scalars.ts';
import { type Administer, administeredCyrus, administeredDovecot } from './administrator.ts';
import { startProduct } from './harness.ts';
import { imapActor } from './imap-actor.ts';
import { letter } from './letter.ts';
import { mailboxNamed, namesOf, takeSnapshot } from './snapshot.ts';

jest.setTimeout(60_000);

type Refusals = { readonly [id: string]: { readonly type: string } } | null;

type Renamed = { readonly notCreated: Refusals; readonly notUpdated: Refusals; readonly updated: object | null };

const stops: (() => unknown)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
});

const servers: readonly { title: string; administer: Administer; isFreeBelow: boolean }[] = [
  { title: 'Dovecot', administer: administeredDovecot, isFreeBelow: false },
  // QUIRK(cyrus 3.6): a user makes mailboxes below all of his own, whatever the rights are.
  { title: 'Cyrus', administer: administeredCyrus, isFreeBelow: true },
];

/** A user whose rights can be set, with another IMAP client of his. */
async function start(administer: Administer) {
  const { server, user, setRights, stop } = await administer();
  stops.push(stop);
  const actor = await imapActor(server, user);
  stops.push(() => actor.close());
  const product = startProduct(server);
  stops.push(() => product.stop());
  return { user, setRights, actor, product };
}

test.each(servers)(
  'Mailbox/set without the rights to it on $title is forbidden, and all stays as it was',
  async ({ administer, isFreeBelow }) => {
    const { user, setRights, actor, product } = await start(administer);
    for (const name of ['Kept', 'Free']) {
      await actor.create(name);
      await actor.deliver(name, letter({ token: `in-${name}` }));
    }
    // Neither `x`, to delete and rename, nor `k`, to create what is below.
    await setRights('Kept', 'lrswitea');
    const process = await product.startProcess();
    const client = await process.client(user);
    const before = await takeSnapshot(client, []);
    const [kept, free] = ['Kept', 'Free'].map((name) => mailboxNamed(before, name).id) as [Id, Id];
    const { list } = await client.get<{ id: Id; myRights: object }>('Mailbox', {
      ids: [kept],
      properties: ['myRights'],
    });
    expect(list[0]?.myRights).toMatchObject({ mayRename: false, mayDelete: false, mayCreateChild: false });

    const names = async () => (await actor.observe()).map(({ name, rows }) => `${name}: ${rows.length}`).sort();
    const there = await names();
    const renamed = await client.one<Renamed>('Mailbox/set', { update: { [kept]: { name: 'Other' } } });
    expect(renamed).toMatchObject({ updated: null, notUpdated: { [kept]: { type: 'forbidden' } } });
    const destroyed = await client.one<{ notDestroyed: Refusals; destroyed: Id[] | null }>('Mailbox/set', {
      ...{ destroy: [kept], onDestroyRemoveEmails: true },
    });
    expect(destroyed).toMatchObject({ destroyed: null, notDestroyed: { [kept]: { type: 'forbidden' } } });
    if (!isFreeBelow) {
      const below = await client.one<Renamed>('Mailbox/set', {
        create: { child: { name: 'Child', parentId: kept } },
        update: { [free]: { parentId: kept } },
      });
      expect(below).toMatchObject({ updated: null, notCreated: { child: { type: 'forbidden' } } });
      expect(below.notUpdated?.[free]?.type).toBe('forbidden');
    }
    expect(await names()).toEqual(there);
    product.advanceClock(10_000);
    expect([...namesOf((await takeSnapshot(client, [])).Mailbox)]).toEqual([...namesOf(before.Mailbox)]);
  },
);

test.each(servers)(
  'a mailbox on $title that may be deleted and not be read is not deleted, for nobody has seen what is in it',
  async ({ administer }) => {
    const { user, setRights, actor, product } = await start(administer);
    await actor.create('Closed');
    await actor.deliver('Closed', letter({ token: 'unseen' }));
    await setRights('Closed', 'lxka');
    const client = await (await product.startProcess()).client(user);
    const { id } = mailboxNamed(await takeSnapshot(client, []), 'Closed');
    for (const onDestroyRemoveEmails of [false, true]) {
      const { notDestroyed } = await client.one<{ notDestroyed: Refusals }>('Mailbox/set', {
        ...{ destroy: [id], onDestroyRemoveEmails },
      });
      expect(notDestroyed).toEqual({ [id]: expect.objectContaining({ type: 'mailboxHasEmail' }) });
    }
    await setRights('Closed', 'lrswipkxtea');
    expect((await actor.rows('Closed')).map(({ token }) => token)).toEqual(['unseen']);
  },
);
