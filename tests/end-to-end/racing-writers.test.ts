import { describe, expect, test } from '@jest/globals';
import { seededRandom } from '../../functions/local/sample-mail/random.ts';
import { expectedEmails } from './account-model.ts';
import { type Backend, backends, courierBackend, startProduct } from './harness.ts';
import { imapActor } from './imap-actor.ts';
import type { JmapClient } from './jmap-client.ts';
import { expectExactCounts, expectExactThreads } from './laws.ts';
import { letter } from './letter.ts';
import { copyOf, type Mirror, startMirror } from './mirror.ts';
import { type Question, takeSnapshot } from './snapshot.ts';

/** How often everybody does something at the same moment. */
const rounds = Number(process.env.POSTERN_TEST_RACES ?? 15);
const roundsBetweenLooks = 5;
const timeoutMs = 60_000 + rounds * 5_000;

const newestFirst = [{ property: 'receivedAt', isAscending: false }];
const questions: readonly Question[] = [
  { filter: null, sort: newestFirst, collapseThreads: true },
  { filter: { notKeyword: '$seen' }, sort: newestFirst, collapseThreads: false },
];

const raced = [...backends.filter(({ title }) => title === 'Dovecot' || title === 'Cyrus'), courierBackend];

describe.each(raced)(
  '$title: clients in two processes and an IMAP client that change the account at the same moment',
  (backend) => {
    test('lose nothing, and each of them comes to know everything by its changes', () => race(backend), timeoutMs);
  },
);

async function race(backend: Backend): Promise<void> {
  const server = await backend.start();
  const user = await server.freshUser();
  const random = seededRandom(3);
  const actor = await imapActor(server, user);
  const product = startProduct(server, backend);
  const said: string[] = [];
  try {
    for (const name of ['Work', 'Home']) await actor.create(name);
    let delivered = 0;
    const deliver = () => actor.deliver('INBOX', letter({ token: `t${++delivered}` }));
    while (delivered < 6) await deliver();
    const begin = async (): Promise<{ client: JmapClient; mirror: Mirror }> => {
      const client = await (await product.startProcess()).client(user);
      return { client, mirror: await startMirror(client, questions, random) };
    };
    const clients = [await begin(), await begin()];
    for (let round = 1; round <= rounds; round += 1) {
      product.advanceClock(10_000);
      const outside = async () => {
        await deliver();
        const uids = await actor.uids('INBOX');
        await actor.flag('INBOX', uids.slice(0, 2), [round % 2 ? '$Forwarded' : '\\Seen']);
      };
      const acts = clients.map(({ client, mirror }) => mirror.act(client));
      const [, ...done] = await Promise.all([outside(), ...acts]);
      said.push(...done.map((what, who) => `client ${who} ${what}`), `— ${round}`);
      if (round % roundsBetweenLooks !== 0 && round !== rounds) continue;
      const [first] = clients;
      if (first !== undefined) await product.seeAll(first.client);
      const fresh = await takeSnapshot(await (await product.startProcess()).client(user), questions);
      for (const { client, mirror } of clients) {
        await mirror.refresh(client);
        expect(mirror.copy()).toEqual(copyOf(fresh));
      }
      expectExactCounts(fresh);
      expectExactThreads(fresh);
      const lies = [...expectedEmails(await actor.observe()).values()];
      expect(fresh.Email.size).toBe(lies.length);
      const destroyed = new Set(clients.flatMap(({ mirror }) => [...mirror.destroyed]));
      expect(delivered - lies.length).toBeLessThanOrEqual(destroyed.size);
    }
  } catch (error) {
    if (error instanceof Error) error.message = `${said.join('\n')}\n\n${error.message}`;
    throw error;
  } finally {
    await actor.close();
    await product.stop();
  }
}
