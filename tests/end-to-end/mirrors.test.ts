import { describe, expect, test } from '@jest/globals';
import { seededRandom } from '../../functions/local/sample-mail/random.ts';
import { expectedEmails } from './account-model.ts';
import { type Backend, backends, courierBackend, startProduct } from './harness.ts';
import { randomActor } from './history.ts';
import { imapActor } from './imap-actor.ts';
import type { JmapClient } from './jmap-client.ts';
import { expectExactCounts, expectExactThreads } from './laws.ts';
import { copyOf, type Mirror, startMirror } from './mirror.ts';
import { type Question, takeSnapshot } from './snapshot.ts';

/** How many random steps, and which: see README.md. */
const steps = Number(process.env.POSTERN_TEST_MIRROR_STEPS ?? 60);
const seed = Number(process.env.POSTERN_TEST_MIRROR_SEED ?? 1);
/** So many steps lie between two looks at everything. */
const stepsBetweenLooks = 10;
const timeoutMs = 60_000 + steps * 1_000;

const newestFirst = [{ property: 'receivedAt', isAscending: false }];
const questions: readonly Question[] = [
  { filter: null, sort: newestFirst, collapseThreads: false },
  { filter: null, sort: newestFirst, collapseThreads: true },
  { filter: { notKeyword: '$seen' }, sort: [{ property: 'size' }, ...newestFirst], collapseThreads: false },
  { filter: { text: 'say', noneInThreadHaveKeyword: '$flagged' }, sort: newestFirst, collapseThreads: true },
  {
    filter: { operator: 'NOT', conditions: [{ subject: 'Letter t00001' }, { hasKeyword: '$draft' }] },
    sort: [{ property: 'subject' }, { property: 'hasKeyword', keyword: 'later' }],
    collapseThreads: false,
  },
];

describe.each([...backends, courierBackend])('$title: two JMAP clients that live on changes alone', (backend) => {
  test(
    'have what a fresh look at the account shows, whatever they and an IMAP client do',
    () => run(backend),
    timeoutMs,
  );
});

async function run(backend: Backend): Promise<void> {
  const server = await backend.start();
  const user = await server.freshUser();
  const random = seededRandom(seed);
  const actor = await imapActor(server, user);
  // Its clock runs ahead, and connections are limited by the real one: a login for each look would soon be one too many.
  const product = startProduct(server, backend, { loginTrustMinutes: 1_000_000 });
  const said: string[] = [];
  try {
    const other = await randomActor(actor, random, backend.scheme === 'objectid' ? 'server' : 'derived');
    const begin = async (): Promise<{ client: JmapClient; mirror: Mirror }> => {
      const client = await (await product.startProcess()).client(user);
      return { client, mirror: await startMirror(client, questions, random) };
    };
    const [first, second] = [await begin(), await begin()];
    const clients = [first, second];

    for (let step = 1; step <= steps; step += 1) {
      const who = random.below(3);
      product.advanceClock(random.pick([0, 500, 10_000]));
      const { client, mirror } = clients[who] ?? {};
      if (client === undefined || mirror === undefined) {
        await other.look();
        said.push(...(await other.act(1)));
      } else if (random.chance(0.5)) {
        said.push(`client ${who} ${await mirror.act(client)}`);
      } else {
        said.push(`client ${who} refreshes`);
        await mirror.refresh(client);
      }
      if (step % stepsBetweenLooks !== 0 && step !== steps) continue;
      await product.seeAll(first.client);
      const fresh = await takeSnapshot(await (await product.startProcess()).client(user), questions);
      for (const { client, mirror } of clients) {
        await mirror.refresh(client);
        expect(mirror.copy()).toEqual(copyOf(fresh));
      }
      expectExactCounts(fresh);
      expectExactThreads(fresh);
      const flags = [...fresh.Email.values()].flatMap(({ keywords }) => Object.keys(keywords)).sort();
      const expected = [...expectedEmails(await actor.observe()).values()];
      if (other.layTwice.size === 0 && other.deliveredTwice.size === 0) {
        expect(flags).toEqual(expected.flatMap(({ keywords }) => keywords).sort());
      }
    }
  } catch (error) {
    if (error instanceof Error) error.message = `${said.join('\n')}\n\n${error.message}`;
    throw error;
  } finally {
    await actor.close();
    await product.stop();
  }
}
