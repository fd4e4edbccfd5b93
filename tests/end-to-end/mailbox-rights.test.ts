import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { ImapFlow } from 'imapflow';
import type { Id } from '../../shared/jmap/scalars.ts';
import { dovecot, type TestServer, type TestUser } from '../servers/servers.ts';
import { type Product, startProduct } from './harness.ts';
import { imapActor } from './imap-actor.ts';
import { letter } from './letter.ts';
import { mailboxNamed, namesOf, takeSnapshot } from './snapshot.ts';

jest.setTimeout(60_000);

type Refusals = { readonly [id: string]: { readonly type: string } } | null;

/** SETACL (RFC 4314 §3.1) by the user himself. */
async function setRights({ host, imapPort }: TestServer, { user, password }: TestUser, name: string, rights: string) {
  const client = new ImapFlow({
    ...{ host, port: imapPort, secure: false, doSTARTTLS: false, logger: false, disableAutoIdle: true },
    auth: { user, pass: password },
  });
  await client.connect();
  const texts = [name, user, rights].map((value) => ({ type: 'STRING', value }));
  const exec = client as unknown as { exec: (name: string, args: object[]) => Promise<{ next: () => void }> };
  (await exec.exec('SETACL', texts)).next();
  await client.logout();
}

/** Cyrus leaves an owner the rights `lkxan`, whatever is set (implicit_owner_rights). */
describe('Mailbox/set without the rights to it on Dovecot', () => {
  let server: TestServer;
  let product: Product;

  beforeAll(async () => {
    server = await dovecot();
    product = startProduct(server);
  });
  afterAll(() => product.stop());

  test('is forbidden, and all stays as it was', async () => {
    const user = await server.freshUser();
    const actor = await imapActor(server, user);
    for (const name of ['Kept', 'Free']) {
      await actor.create(name);
      await actor.deliver(name, letter({ token: `in-${name}` }));
    }
    // Neither `x`, to delete and rename, nor `k`, to create what is below.
    await setRights(server, user, 'Kept', 'lrswitea');
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
    const renamed = await client.one<{ notCreated: Refusals; notUpdated: Refusals; updated: object | null }>(
      'Mailbox/set',
      {
        create: { child: { name: 'Child', parentId: kept } },
        update: { [kept]: { name: 'Other' }, [free]: { parentId: kept } },
      },
    );
    expect(renamed.notCreated).toMatchObject({ child: { type: 'forbidden' } });
    expect(renamed).toMatchObject({ updated: null, notUpdated: { [kept]: { type: 'forbidden' }, [free]: {} } });
    expect(renamed.notUpdated?.[free]?.type).toBe('forbidden');
    const destroyed = await client.one<{ notDestroyed: Refusals; destroyed: Id[] | null }>('Mailbox/set', {
      ...{ destroy: [kept], onDestroyRemoveEmails: true },
    });
    expect(destroyed).toMatchObject({ destroyed: null, notDestroyed: { [kept]: { type: 'forbidden' } } });
    expect(await names()).toEqual(there);
    product.advanceClock(10_000);
    expect([...namesOf((await takeSnapshot(client, [])).Mailbox)]).toEqual([...namesOf(before.Mailbox)]);
    await actor.close();
  });
});
