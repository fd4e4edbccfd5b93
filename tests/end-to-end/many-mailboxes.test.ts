import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import type { Id, JsonObject } from '../../shared/jmap/scalars.ts';
import { dovecot, type TestUser } from '../servers/servers.ts';
import { type Process, type Product, startProduct } from './harness.ts';
import { type ImapActor, imapActor } from './imap-actor.ts';
import type { JmapClient } from './jmap-client.ts';
import { letter } from './letter.ts';

// Dovecot takes a while to make the mailboxes.
jest.setTimeout(600_000);

const nothing = { created: [], updated: [], destroyed: [], updatedProperties: null };
const counts = ['totalEmails', 'unreadEmails', 'totalThreads', 'unreadThreads'];

describe('an account of 2,000 mailboxes', () => {
  const made = 2_000;
  const nameOf = (index: number) => `Box ${index % 20}/Part ${Math.floor(index / 20)}`;
  let user: TestUser;
  let actor: ImapActor;
  let product: Product;
  let process: Process;
  let client: JmapClient;
  let idOf: ReadonlyMap<string, Id>;
  let state: string;

  beforeAll(async () => {
    const server = await dovecot();
    user = await server.freshUser();
    const names = Array.from({ length: made }, (_, index) => nameOf(index));
    await server.doveadm('mailbox', 'create', '-u', user.user, ...names);
    actor = await imapActor(server, user);
    product = startProduct(server);
    process = await product.startProcess();
    client = await process.client(user);
  });
  afterAll(async () => {
    await product?.stop();
    await actor?.close();
  });

  /** What has changed since the last time, and the IMAP commands that it took. */
  async function changes() {
    product.advanceClock(10_000);
    process.imap.commands.length = 0;
    const { newState, created, updated, destroyed, updatedProperties } = await client.changes('Mailbox', state);
    state = newState;
    return { changed: { created, updated, destroyed, updatedProperties }, commands: [...process.imap.commands] };
  }

  test('is shown whole', async () => {
    const got = await client.get<JsonObject & { id: Id; name: string; parentId: Id | null }>('Mailbox', {});
    state = got.state;
    const byId = new Map(got.list.map((mailbox) => [mailbox.id, mailbox]));
    const fullName = ({ name, parentId }: { name: string; parentId: Id | null }) =>
      parentId === null ? name : `${byId.get(parentId)?.name}/${name}`;
    idOf = new Map(got.list.map((mailbox) => [fullName(mailbox), mailbox.id]));
    expect(byId.size).toBe(got.list.length);
    expect(Array.from({ length: made }, (_, index) => nameOf(index)).filter((name) => !idOf.has(name))).toEqual([]);
    expect(await client.query('Mailbox', { calculateTotal: true, limit: 0 })).toMatchObject({ total: idOf.size });
  });

  test('is polled with one command', async () => {
    expect(await changes()).toEqual({ changed: nothing, commands: ['LIST'] });
  });

  test('one delivery costs what it costs in any account, and is told exactly', async () => {
    const { state: sinceState } = await client.get('Email', { ids: [] });
    await actor.deliver(nameOf(1234), letter({ token: 'new' }));
    const { changed, commands } = await changes();
    expect(changed).toEqual({ ...nothing, updated: [idOf.get(nameOf(1234))], updatedProperties: counts });
    expect(commands).toEqual(['LIST', 'EXAMINE', 'UID FETCH', 'UNSELECT']);
    expect((await client.changes('Email', sinceState)).created).toHaveLength(1);
  });

  test('a mailbox that is renamed, one that is created and one that is deleted are told exactly', async () => {
    await actor.rename(nameOf(77), 'Elsewhere');
    await actor.create('New');
    await actor.remove(nameOf(78));
    const { changed } = await changes();
    expect(changed).toEqual({
      ...nothing,
      created: [expect.any(String)],
      updated: [idOf.get(nameOf(77))],
      destroyed: [idOf.get(nameOf(78))],
    });
  });

  test('a process that knows nothing of it answers the same', async () => {
    const other = await (await product.startProcess()).client(user);
    const properties = ['name', 'parentId', 'totalEmails', 'role'];
    expect(await other.get('Mailbox', { properties })).toEqual(await client.get('Mailbox', { properties }));
  });
});
