import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Id } from '../../shared/jmap/scalars.ts';
import { courier, cyrus, dovecot, type TestServer } from '../servers/servers.ts';
import { signal } from '../signal.ts';
import { type ImapActor, imapActor } from './imap-actor.ts';
import { type InterceptedProduct, interceptedProduct } from './intercepted-product.ts';
import type { Interception } from './intercepting-proxy.ts';
import type { JmapClient, Login } from './jmap-client.ts';
import { letter } from './letter.ts';

type Name = 'One' | 'Two';

/** A mailbox is opened behind the list, and so perhaps before the server has answered that: what is done then must not be in it. */
const listAnswered = () => pause(100);

const servers: readonly [title: string, start: () => Promise<TestServer>, ignoreCapabilities: readonly string[]][] = [
  ['Dovecot', dovecot, []],
  ['Dovecot with neither MOVE nor UIDPLUS', dovecot, ['MOVE', 'UIDPLUS']],
  ['Cyrus', cyrus, []],
  ['Courier', courier, []],
];
/** So long a test may take on a machine that has other things to do. */
const timeoutMs = 180_000;

describe.each(servers)(
  '%s: two clients that each take an Email out of one of its two mailboxes',
  (_, start, ignored) => {
    let behind: InterceptedProduct;
    let actor: ImapActor;
    let user: Login;
    let delivered = 0;
    /** The one that follows upon the look at what is to stay. */
    const lastCommand =
      ignored.includes('UIDPLUS') || start === courier
        ? { command: /^SELECT "(?:INBOX\.)?Two"/, nth: 2 }
        : { command: /^UID EXPUNGE/, nth: 1 };

    beforeAll(async () => {
      const server = await start();
      user = await server.freshUser();
      actor = await imapActor(server, { ...user });
      for (const name of ['One', 'Two']) await actor.create(name);
      behind = await interceptedProduct(server, { ignoreCapabilities: ignored });
    });
    afterAll(async () => {
      await behind.end();
      await actor.close();
    });

    /** So many new letters that lie in both mailboxes, and clients of two processes that know them. */
    async function scene(letters: number) {
      behind.proxy.set(null);
      for (let count = 0; count < letters; count += 1) {
        await actor.deliver('One', letter({ token: `t${++delivered}` }));
        await actor.copy('One', [(await actor.uids('One')).at(-1) ?? 0], 'Two');
      }
      const clients: JmapClient[] = [];
      for (const process of [await behind.product.startProcess(), await behind.product.startProcess()]) {
        clients.push(await process.client(user));
      }
      const [first, second] = clients as [JmapClient, JmapClient];
      await behind.product.seeAll(first);
      const { list } = await first.get<{ id: Id; name: string }>('Mailbox', { ids: null });
      const box = (name: Name) => list.find((each) => each.name === name)?.id ?? '';
      const conditions = (['One', 'Two'] as const).map((name) => ({ inMailbox: box(name) }));
      const { ids } = await first.query('Email', { filter: { operator: 'AND', conditions } });
      expect(ids).toHaveLength(letters);
      await second.query('Email', {});
      /** `updated`, or the type of the SetError. */
      const takeOut = async (client: JmapClient, id: Id, name: Name): Promise<string> => {
        const update = { [id]: { [`mailboxIds/${box(name)}`]: null } };
        const response = await client.one<{ notUpdated: { [id: string]: { type: string } } | null }>('Email/set', {
          update,
        });
        return response.notUpdated?.[id]?.type ?? 'updated';
      };
      return { ids, first, second, takeOut };
    }

    /** Where each letter can be seen. */
    async function visible(): Promise<{ readonly [token: string]: string }> {
      const where: { [token: string]: string } = {};
      for (const name of ['One', 'Two']) {
        for (const { token, flags } of await actor.rows(name)) {
          if (!flags.includes('\\Deleted')) where[token] = `${where[token] ?? ''}${name}`;
        }
      }
      return where;
    }

    async function expectNoneLost() {
      expect(Object.keys(await visible())).toHaveLength(delivered);
    }

    /**
     * When a mailbox is opened to be changed, the other client begins and comes as far as its last command. There it is held until the
     * function that is given is called; `next` is what happens meanwhile.
     */
    function holdAtItsEnd(other: () => Promise<string>, next: Interception): () => Promise<void> {
      const [end, on] = [signal(), signal()];
      let said: Promise<string> | null = null;
      const hold = async () => {
        end.give();
        await on.given;
      };
      const act = async () => {
        await listAnswered();
        behind.proxy.set({ ...lastCommand, moment: 'before', act: hold });
        said = other();
        await end.given;
        behind.proxy.set(next);
      };
      behind.proxy.set({ command: /^SELECT/, nth: 1, moment: 'before', act });
      return async () => {
        on.give();
        await said;
      };
    }

    test(
      'at the same moment: one of them does, and the other one is told why not',
      async () => {
        const { ids, first, second, takeOut } = await scene(6);
        for (const id of ids) {
          const said = await Promise.all([takeOut(first, id, 'One'), takeOut(second, id, 'Two')]);
          expect([...said].sort()).toEqual(['invalidProperties', 'updated']);
        }
        await expectNoneLost();
      },
      timeoutMs,
    );

    test('what was done is told, also where the copy that stays is flagged behind the look', async () => {
      const { ids, first, takeOut } = await scene(1);
      const uid = (await actor.uids('One')).at(-1) ?? 0;
      behind.proxy.set({ ...lastCommand, moment: 'before', act: () => actor.markDeleted('One', [uid]) });
      expect([await takeOut(first, ids[0] ?? ('' as Id), 'Two'), behind.proxy.hasHappened()]).toEqual([
        'updated',
        true,
      ]);
      behind.proxy.set(null);
      await actor.undelete('One', [uid]);
      await expectNoneLost();
    });

    const canExpunge = lastCommand.command.source.includes('EXPUNGE');
    if (canExpunge)
      test('when one is about to expunge, a second gives up the same, and a third keeps to what he sees, it is not lost', async () => {
        const { ids, first, second, takeOut } = await scene(1);
        const [id = '' as Id] = ids;
        const [one = 0, two = 0] = [(await actor.uids('One')).at(-1), (await actor.uids('Two')).at(-1)];
        // The third wants the copy in One to stay. So the one that looks for what stays in Two finds nothing.
        const third = () => actor.markDeleted('Two', [two]);
        const goOn = holdAtItsEnd(() => takeOut(second, id, 'One'), {
          command: /^EXAMINE "Two"/,
          nth: 1,
          moment: 'before',
          act: third,
        });
        await takeOut(first, id, 'One');
        expect(behind.proxy.hasHappened()).toBe(true);
        behind.proxy.set(null);
        const row = (await actor.rows('One')).find(({ uid }) => uid === one);
        if (row?.flags.includes('\\Deleted')) await actor.undelete('Two', [two]);
        else {
          await actor.expunge('Two', [two]);
          await actor.markDeleted('One', [one]);
        }
        await goOn();
        await expectNoneLost();
      });

    test(
      'one between any two commands of the other',
      async () => {
        for (let nth = 1; ; nth += 1) {
          const { ids, first, second, takeOut } = await scene(1);
          const [id = '' as Id] = ids;
          let other: Promise<string> | null = null;
          const act = async () => {
            other = takeOut(second, id, 'Two');
            await other;
          };
          behind.proxy.set({ command: /^(?:SELECT|EXAMINE|UID)/, nth, moment: 'before', act });
          const said = [await takeOut(first, id, 'One')];
          behind.proxy.set(null);
          if (other !== null) said.push(await other);
          await expectNoneLost();
          if (said.length === 1) {
            expect([said, nth > 4]).toEqual([['updated'], true]);
            return;
          }
          expect(said.sort()).toEqual(['invalidProperties', 'updated']);
        }
      },
      timeoutMs,
    );

    test.each<Interception['moment']>(['before', 'unanswered'])(
      'when the connection of one of them breaks while the other is at its end (%s), whichever command it is',
      async (moment) => {
        for (let broken = 1; ; broken += 1) {
          const { ids, first, second, takeOut } = await scene(1);
          const [id = '' as Id] = ids;
          const goOn = holdAtItsEnd(() => takeOut(second, id, 'Two'), {
            command: /^(?:SELECT|EXAMINE|UID)/,
            nth: broken,
            moment,
            act: 'drop',
          });
          await takeOut(first, id, 'One');
          const hasBroken = behind.proxy.hasHappened();
          behind.proxy.set(null);
          await goOn();
          await expectNoneLost();
          if (hasBroken) continue;
          expect(broken).toBeGreaterThan(3);
          return;
        }
      },
      timeoutMs,
    );
  },
);
