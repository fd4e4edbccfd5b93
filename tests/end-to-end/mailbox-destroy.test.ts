import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { setAsideMsMax } from '../../shared/methods/Mailbox/put-back.ts';
import { cyrus, dovecot, type TestServer } from '../servers/servers.ts';
import { expectRight } from './failure-laws.ts';
import { imapActor } from './imap-actor.ts';
import { type InterceptedProduct, interceptedProduct } from './intercepted-product.ts';
import type { Moment } from './intercepting-proxy.ts';
import { letter } from './letter.ts';
import { type SetResponse, tokensOn } from './mailbox-fault-laws.ts';
import { mailboxNamed, namesOf } from './snapshot.ts';

/** What a Mailbox that is destroyed takes with it, and what not, whatever happens in between. */

jest.setTimeout(240_000);

/** Commands by which a mailbox is destroyed. */
const steps = /^(?:LIST|RENAME|DELETE|UNSUBSCRIBE) /;

describe.each([
  { title: 'Dovecot', start: dovecot },
  { title: 'Cyrus', start: cyrus },
])('a Mailbox that is destroyed on $title', ({ start }) => {
  let server: TestServer;
  let behind: InterceptedProduct;
  beforeAll(async () => {
    server = await start();
    behind = await interceptedProduct(server);
  });
  afterAll(() => behind.end());

  /** A mailbox with these messages, and a client that knows it. */
  async function scene(tokens: readonly string[]) {
    behind.proxy.set(null);
    const user = await server.freshUser();
    const actor = await imapActor(server, user);
    await actor.create('Old');
    await actor.subscribe('Old');
    for (const token of tokens) await actor.deliver('Old', letter({ token }));
    const process = await behind.product.startProcess();
    const client = await process.client(user);
    const before = await behind.look(client);
    return { user, actor, process, client, before, id: mailboxNamed(before, 'Old').id };
  }

  test.each([
    ['before', true],
    ['before', false],
    ['after', true],
  ] as const)(
    'takes no mail with it that was delivered meanwhile: %s any command, onDestroyRemoveEmails: %s',
    async (moment: Moment, onDestroyRemoveEmails) => {
      const outcomes = new Set<string>();
      // What is there before the first LIST is known to the call.
      for (let nth = moment === 'before' ? 2 : 1; ; nth += 1) {
        const known = onDestroyRemoveEmails ? ['known'] : [];
        const { actor, process, client, before, id } = await scene(known);
        let isDelivered = false;
        const act = async () => {
          const uid = await actor.deliver('Old', letter({ token: 'late' })).catch(() => null);
          isDelivered = uid !== null;
        };
        behind.proxy.set({ command: steps, nth, moment, act });
        const response = await client.one<SetResponse>('Mailbox/set', { destroy: [id], onDestroyRemoveEmails });
        const hasHappened = behind.proxy.hasHappened();
        behind.proxy.set(null);

        const isDestroyed = response.destroyed !== null;
        expect(await tokensOn(actor)).toEqual([...(isDestroyed ? [] : known), ...(isDelivered ? ['late'] : [])].sort());
        const after = await behind.look(client);
        await expectRight(await actor.observe(), client, [before, after], [0], false);
        expect([...namesOf(after.Mailbox).values()].includes('Old')).toBe(!isDestroyed);
        if (!isDestroyed) {
          expect(response.notDestroyed).toEqual({ [id]: expect.objectContaining({ type: 'mailboxHasEmail' }) });
          expect(after.Mailbox.get(id)).toMatchObject({
            name: 'Old',
            isSubscribed: true,
            totalEmails: known.length + 1,
          });
        }
        outcomes.add(`${isDelivered ? 'delivered' : 'undelivered'}, ${isDestroyed ? 'destroyed' : 'kept'}`);
        await process.stop();
        await actor.close();
        if (hasHappened) continue;
        expect(nth).toBeGreaterThan(5);
        break;
      }
      expect([...outcomes].sort()).toEqual(['delivered, kept', 'undelivered, destroyed']);
    },
  );

  test.each<Moment>(['before', 'unanswered'])(
    'is what it was, or gone, when the process dies at a command (%s), and other clients see it so in the end',
    async (moment) => {
      for (let nth = 1; ; nth += 1) {
        const { user, actor, process, client, before, id } = await scene(['known']);
        // Nothing more comes back on its connection, and it opens no other one.
        let kill: () => void = () => {};
        const killed = new Promise<void>((resolve) => {
          kill = resolve;
        });
        const act = () => {
          kill();
          return new Promise<void>(() => {});
        };
        behind.proxy.set({ command: steps, nth, moment, act });
        const call = client.one<SetResponse>('Mailbox/set', { destroy: [id], onDestroyRemoveEmails: true });
        const isDead = await Promise.race([call.then(() => false), killed.then(() => true)]);
        call.catch(() => {});
        behind.proxy.set(null);

        const heir = await behind.product.startProcess();
        const other = await heir.client(user);
        const seen = await behind.look(other);
        const isGone = !seen.Mailbox.has(id);
        if (!isGone) {
          expect(seen.Mailbox.get(id)).toMatchObject({ name: 'Old', parentId: null, totalEmails: 1 });
          expect([...seen.Email.values()].map(({ mailboxIds }) => mailboxIds)).toEqual([{ [id]: true }]);
        }
        behind.product.advanceClock(setAsideMsMax);
        await behind.look(other);
        const after = await behind.look(other);
        expect(await tokensOn(actor)).toEqual(isGone ? [] : ['known']);
        const names = (await actor.observe()).map(({ name }) => name);
        expect(names.filter((name) => /old/i.test(name))).toEqual(isGone ? [] : ['Old']);
        await expectRight(await actor.observe(), other, [before, after], [0], false);
        expect(after.Mailbox.has(id)).toBe(!isGone);
        await heir.stop();
        await actor.close();
        if (isDead) continue;
        expect(nth).toBeGreaterThan(5);
        await process.stop();
        return;
      }
    },
  );
});
