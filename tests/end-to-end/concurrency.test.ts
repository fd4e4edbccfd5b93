import { describe, expect, test } from '@jest/globals';
import { seededRandom } from '../../functions/local/sample-mail/random.ts';
import { expectedEmails } from './account-model.ts';
import { type Backend, backends, courierBackend, startProduct } from './harness.ts';
import { randomActor } from './history.ts';
import { imapActor } from './imap-actor.ts';
import type { JmapClient } from './jmap-client.ts';
import { expectExactCounts, expectExactThreads, expectLeadsTo } from './laws.ts';
import { letter } from './letter.ts';
import { type Snapshot, takeSnapshot, types } from './snapshot.ts';

/** Requests at several processes run while another client changes the account and mail is delivered: nobody waits for anybody. */
const actions = 25;
/** So many of the states that a client saw on the way are looked at in the end. */
const statesChecked = 6;

describe.each([...backends, courierBackend])('$title, while other clients go on', (backend) => {
  test(
    'every state leads to the present, and in the end all is as it is on the server',
    () => goOn(backend, 1),
    120_000,
  );
});

async function goOn(backend: Backend, seed: number): Promise<void> {
  const server = await backend.start();
  const user = await server.freshUser();
  const product = startProduct(server, backend, { freshnessMs: 0 });
  const [actor, deliverer] = [await imapActor(server, user), await imapActor(server, user)];
  try {
    const processes = await Promise.all([1, 2, 3].map(() => product.startProcess()));
    const clients = await Promise.all(processes.map((process) => process.client(user)));
    const histories = new Map(clients.map((client) => [client, [] as Snapshot[]]));
    let isOver = false;
    const watch = async (client: JmapClient) => {
      const history = histories.get(client) ?? [];
      while (!isOver || history.length === 0) {
        product.advanceClock(1);
        history.push(await takeSnapshot(client, []));
      }
    };
    const doThings = async () => {
      const other = await randomActor(actor, seededRandom(seed), 'derived');
      for (let action = 0; action < actions; action += 1) await other.act(1);
    };
    const deliver = async () => {
      for (let action = 0; action < actions; action += 1) {
        await deliverer.deliver('INBOX', letter({ token: `delivered${action}` }));
      }
    };
    const acting = Promise.all([doThings(), deliver()]).finally(() => {
      isOver = true;
    });
    await Promise.all([acting, ...clients.map(watch)]);

    for (const client of clients) await product.seeAll(client);
    for (const client of clients) {
      const last = await takeSnapshot(client, []);
      expectExactCounts(last);
      expectExactThreads(last);
      const tokens = await tokensIn(client, last);
      expect([...new Set(tokens)].sort()).toEqual([...expectedEmails(await actor.observe()).keys()].sort());
      const history = histories.get(client) ?? [];
      const every = Math.ceil(history.length / statesChecked);
      for (const earlier of history.filter((_, at) => at % every === 0)) await expectChangesLead(client, earlier, last);
    }
  } catch (error) {
    const failures = product.log.filter((line) => line.includes('unavailable'));
    if (error instanceof Error) error.message = `${error.message}\n${failures.join('\n')}`;
    throw error;
  } finally {
    await Promise.all([actor.close(), deliverer.close()]);
    await product.stop();
  }
}

/** `/changes` may call something updated that changed and changed back between two snapshots: only the server saw that. */
async function expectChangesLead(client: JmapClient, earlier: Snapshot, last: Snapshot): Promise<void> {
  for (const type of types) expectLeadsTo(earlier, last, type, await client.changes(type, earlier.states[type]));
}

async function tokensIn(client: JmapClient, { Email }: Snapshot): Promise<string[]> {
  const property = 'header:X-Token:asText';
  const { list } = await client.get<{ [property]: string }>('Email', {
    ids: [...Email.keys()],
    properties: [property],
  });
  return list.map((email) => email[property]);
}
