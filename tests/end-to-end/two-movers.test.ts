import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Id } from '../../shared/jmap/scalars.ts';
import { cyrus, dovecot, type TestServer } from '../servers/servers.ts';
import { type ImapActor, imapActor } from './imap-actor.ts';
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

  async function scene(isWhole: boolean) {
    behind.proxy.set(null);
    const token = `t${++delivered}`;
    await actor.deliver('One', letter({ token }));
    const clients: JmapClient[] = [];
    for (const process of [await behind.product.startProcess(), await behind.product.startProcess()]) {
      clients.push(await process.client(user));
    }
    const [first, second] = clients as [JmapClient, JmapClient];
    behind.product.advanceClock(10_000);
    const { list } = await first.get<{ id: Id; name: string }>('Mailbox', { ids: null });
    const box = (name: string) => list.find((each) => each.name === name)?.id ?? '';
    const { ids } = await first.query('Email', { filter: { inMailbox: box('One') } });
    const [id = '' as Id] = ids;
    await second.query('Email', {});
    const move = async (client: JmapClient, name: string): Promise<string> => {
      const patch = { [`mailboxIds/${box('One')}`]: null, [`mailboxIds/${box(name)}`]: true };
      const update = { [id]: isWhole ? { mailboxIds: { [box(name)]: true } } : patch };
      const { notUpdated } = await client.one<Outcome>('Email/set', { update });
      return notUpdated?.[id]?.type ?? 'updated';
    };
    const where = async () => {
      const observed = await actor.observe();
      const has = observed.filter(({ rows }) =>
        rows.some((row) => row.token === token && !row.flags.includes('\\Deleted')),
      );
      return has
        .map(({ name }) => name)
        .sort()
        .join();
    };
    return { first, second, move, where };
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
    'when they do it at the same moment, it is where one of them has put it, and both are told that they have',
    async () => {
      for (const isWhole of [true, false, true, false]) {
        const { first, second, move, where } = await scene(isWhole);
        const said = await Promise.all([move(first, 'Two'), move(second, 'Three')]);
        expect([said, await where()]).toEqual([
          ['updated', 'updated'],
          expect.stringMatching(/^(?:Two|Three|Three,Two)$/),
        ]);
      }
    },
    timeoutMs,
  );
});
