import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Id } from '../../shared/jmap/scalars.ts';
import { cyrus, dovecot, type TestServer } from '../servers/servers.ts';
import { type ImapActor, imapActor, type ObservedRow } from './imap-actor.ts';
import { type InterceptedProduct, interceptedProduct } from './intercepted-product.ts';
import type { JmapClient, Login } from './jmap-client.ts';
import { letter } from './letter.ts';

type Outcome = { readonly notUpdated: { readonly [id: string]: { readonly type: string } } | null };

const servers: readonly [title: string, start: () => Promise<TestServer>, ignoreCapabilities: readonly string[]][] = [
  ['Dovecot', dovecot, []],
  ['Dovecot with no MOVE', dovecot, ['MOVE']],
  ['Cyrus', cyrus, []],
];
/** So long a test may take on a machine that has other things to do. */
const timeoutMs = 180_000;
/** Letters that are moved by both at the same moment. */
const races = 60;

describe.each(servers)('%s: two clients that move the same Email', (_, start, ignoreCapabilities) => {
  let behind: InterceptedProduct;
  let actor: ImapActor;
  let user: Login;
  let delivered = 0;

  beforeAll(async () => {
    const server = await start();
    user = await server.freshUser();
    actor = await imapActor(server, user);
    for (const name of ['One', 'Two', 'Three']) await actor.create(name);
    behind = await interceptedProduct(server, { ignoreCapabilities });
  });
  afterAll(async () => {
    await behind.end();
    await actor.close();
  });

  /** So many new letters in the first mailbox, and clients of two processes that know them. */
  async function scene(isWhole: boolean, letters = 1) {
    behind.proxy.set(null);
    const tokens = Array.from({ length: letters }, () => `t${++delivered}`);
    for (const token of tokens) await actor.deliver('One', letter({ token }));
    const clients: JmapClient[] = [];
    for (const process of [await behind.product.startProcess(), await behind.product.startProcess()]) {
      clients.push(await process.client(user));
    }
    const [first, second] = clients as [JmapClient, JmapClient];
    behind.product.advanceClock(10_000);
    const { list } = await first.get<{ id: Id; name: string }>('Mailbox', { ids: null });
    const box = (name: string) => list.find((each) => each.name === name)?.id ?? '';
    const { ids } = await first.query('Email', { filter: { inMailbox: box('One') } });
    await second.query('Email', {});
    /** `updated`, or the type of the SetError. */
    const move = async (client: JmapClient, name: string, id = ids[0] ?? ('' as Id)): Promise<string> => {
      const patch = { [`mailboxIds/${box('One')}`]: null, [`mailboxIds/${box(name)}`]: true };
      const update = { [id]: isWhole ? { mailboxIds: { [box(name)]: true } } : patch };
      const { notUpdated } = await client.one<Outcome>('Email/set', { update });
      return notUpdated?.[id]?.type ?? 'updated';
    };
    /** The mailboxes in which each letter can be seen. */
    const places = async () => {
      const observed = await actor.observe();
      return tokens.map((token) => {
        const isSeen = (row: ObservedRow) => row.token === token && !row.flags.includes('\\Deleted');
        return observed
          .flatMap(({ name, rows }) => (rows.some(isSeen) ? [name] : []))
          .sort()
          .join();
      });
    };
    const where = async () => (await places())[0] ?? '';
    /** The same, as a client sees it a while later. */
    const told = async (client: JmapClient) => {
      behind.product.advanceClock(10_000);
      type Told = { messageId: [string]; mailboxIds: { [id: Id]: true } };
      const emails = await client.get<Told>('Email', { ids: [...ids], properties: ['messageId', 'mailboxIds'] });
      return tokens.map((token) => {
        const email = emails.list.find(({ messageId: [messageId] }) => messageId.startsWith(`${token}@`));
        const names = Object.keys(email?.mailboxIds ?? {}).map((each) => list.find(({ id }) => id === each)?.name);
        return names.sort().join();
      });
    };
    return { tokens, ids, first, second, move, places, where, told };
  }

  test.each([
    ['is in one of the two', true],
    ['is in both of them, for each only adds his own', false],
  ])(
    'when one moves it between any two commands of the other, it %s (mailboxIds given whole: %s)',
    async (_, isWhole) => {
      for (let nth = 1; ; nth += 1) {
        const { first, second, move, where } = await scene(isWhole);
        let other = '';
        const act = async () => {
          other = await move(second, 'Three');
        };
        behind.proxy.set({ command: /^(?:SELECT|EXAMINE|UID)/, nth, moment: 'before', act });
        const said = await move(first, 'Two');
        behind.proxy.set(null);
        if (other === '') {
          expect([said, await where(), nth > 3]).toEqual(['updated', 'Two', true]);
          return;
        }
        const allowed = isWhole ? /^(?:Two|Three)$/ : /^Three,Two$/;
        expect([said, other, await where()]).toEqual(['updated', 'updated', expect.stringMatching(allowed)]);
      }
    },
    timeoutMs,
  );

  test(
    'when they do it at the same moment, mailboxIds given whole, it is in one of the two, and both are told that they have',
    async () => {
      const { ids, first, second, move, places, told } = await scene(true, races);
      const said: string[] = [];
      for (const id of ids) said.push(...(await Promise.all([move(first, 'Two', id), move(second, 'Three', id)])));
      expect(said.filter((each) => each !== 'updated')).toEqual([]);
      const either: unknown = expect.stringMatching(/^(?:Two|Three)$/);
      const found = await places();
      expect(found).toEqual(ids.map(() => either));
      expect([await told(first), await told(second)]).toEqual([found, found]);
    },
    timeoutMs,
  );

  test(
    'when one destroys it at the moment when the other one moves it, it is where the mover says, or nowhere, and nobody is told otherwise',
    async () => {
      const { tokens, ids, first, second, move, places, told } = await scene(true, races);
      type Destroyed = { readonly destroyed: readonly Id[] | null };
      const destroy = async (id: Id) => {
        const { destroyed } = await first.one<Destroyed>('Email/set', { destroy: [id] });
        return destroyed?.includes(id) === true;
      };
      type Identified = { readonly messageId: [string] };
      const { list } = await first.get<Identified>('Email', { ids: [...ids], properties: ['messageId'] });
      const said = new Map<string, readonly [isDestroyed: boolean, moved: string]>();
      for (const [at, id] of ids.entries()) {
        const outcomes = await Promise.all([destroy(id), move(second, 'Three', id)]);
        said.set(list[at]?.messageId[0].split('@')[0] ?? '', outcomes);
      }
      const found = await places();
      for (const [at, token] of tokens.entries()) {
        const [isDestroyed, moved] = said.get(token) ?? [false, ''];
        if (moved !== 'updated') expect([isDestroyed, moved, found[at]]).toEqual([true, 'notFound', '']);
        else expect(found[at]).toMatch(isDestroyed ? /^(?:Three)?$/ : /^Three$/);
      }
      expect([await told(first), await told(second)]).toEqual([found, found]);
    },
    timeoutMs,
  );

  test(
    'when each only adds his own at the same moment, it is in both, and both are told that they have',
    async () => {
      const { ids, first, second, move, places } = await scene(false, 3);
      for (const id of ids) {
        expect(await Promise.all([move(first, 'Two', id), move(second, 'Three', id)])).toEqual(['updated', 'updated']);
      }
      expect(await places()).toEqual(ids.map(() => 'Three,Two'));
    },
    timeoutMs,
  );
});
