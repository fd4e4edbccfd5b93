import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { dovecot } from '../servers/servers.ts';
import { expectRight, questions } from './failure-laws.ts';
import { type Product, startProduct } from './harness.ts';
import { type ImapActor, imapActor } from './imap-actor.ts';
import {
  type InterceptingProxy,
  type Interception,
  type Moment,
  startInterceptingProxy,
} from './intercepting-proxy.ts';
import type { JmapClient, Login } from './jmap-client.ts';
import { letter } from './letter.ts';
import { type Snapshot, takeSnapshot } from './snapshot.ts';
import { everyWish, expectNothingLost, idsOfTokens, mailboxes, type SetResponse, tokens } from './write-laws.ts';

/** Commands that change something, as they are on the wire. */
const changing = /^UID (?:STORE|COPY|MOVE|EXPUNGE)/;
/** So long a test may take on a machine that has other things to do. */
const timeoutMs = 120_000;

/** What the server is not believed to be able to do, and when the connection breaks. */
const servers: readonly [title: string, ignoreCapabilities: readonly string[], moments: readonly Moment[]][] = [
  ['MOVE', [], ['before', 'unanswered', 'half', 'after']],
  ['no MOVE', ['MOVE'], ['before', 'unanswered', 'after']],
  ['neither MOVE nor UIDPLUS', ['MOVE', 'UIDPLUS'], ['unanswered']],
];

describe.each(servers)('on a server with %s', (_, ignoreCapabilities, moments) => {
  const isByCopies = ignoreCapabilities.length > 0;
  let proxy: InterceptingProxy;
  let product: Product;
  let actor: ImapActor;
  let user: Login;

  beforeAll(async () => {
    const server = await dovecot();
    user = await server.freshUser();
    actor = await imapActor(server, { ...user });
    for (const name of mailboxes) await actor.create(name);
    proxy = await startInterceptingProxy(server.imapPort);
    product = startProduct({ host: server.host, imapPort: proxy.port }, { ignoreCapabilities });
  });
  afterAll(async () => {
    await product.stop();
    await proxy.stop();
    await actor.close();
  });

  /** A client of a new process, and five letters in their places. */
  async function scene() {
    proxy.set(null);
    for (const name of mailboxes) {
      const uids = await actor.uids(name);
      if (uids.length > 0) await actor.expunge(name, uids);
    }
    for (const token of tokens) await actor.deliver('Source', letter({ token }), { flags: ['\\Answered'] });
    const gathered = (await actor.rows('Source')).find(({ token }) => token === 'gathered');
    await actor.copy('Source', [gathered?.uid ?? 0], 'Other');
    const process = await product.startProcess();
    const client = await process.client(user);
    const before = await look(client);
    const id = await idsOfTokens(client, before);
    return { process, client, before, id };
  }

  function look(client: JmapClient): Promise<Snapshot> {
    product.advanceClock(10_000);
    return takeSnapshot(client, questions);
  }

  /** Asks for everything while something happens at one command, and tells whether it did. */
  async function interrupted(interception: Interception) {
    const { process, client, before, id } = await scene();
    proxy.set(interception);
    const response = await client.one<SetResponse>('Email/set', everyWish(id, before));
    const hasHappened = proxy.hasHappened();
    proxy.set(null);
    const after = await look(client);
    const observed = await actor.observe();
    await expectRight(observed, client, [before, after], [0], false);
    expectNothingLost(observed, response, id, { mayBeHalf: isByCopies });
    await client.changes('Email', response.newState);
    await process.stop();
    return { hasHappened, response, id };
  }

  test.each(moments)(
    'nothing is lost when the connection breaks at a command (%s), whichever it is',
    async (moment) => {
      for (let nth = 1; ; nth += 1) {
        const { hasHappened, response, id } = await interrupted({ command: changing, nth, moment, act: 'drop' });
        if (hasHappened) continue;
        expect(nth).toBeGreaterThan(7);
        expect(response).toMatchObject({ notUpdated: null, destroyed: [id('destroyed')] });
        return;
      }
    },
    timeoutMs,
  );

  // QUIRK(dovecot 2.3, mdbox): what is deleted and made anew while somebody has it open loses its messages when he asks for something.
  test.each([
    ['Source', /^SELECT "Source"/],
    ['Target', /^(?:SELECT "Target"|UID (?:COPY|MOVE))/],
  ])(
    'nothing is lost when %s gets another UIDVALIDITY at a command, whichever it is',
    async (name, command) => {
      const act = () => actor.recreate(name);
      for (let nth = 1; ; nth += 1) {
        const { hasHappened } = await interrupted({ command, nth, moment: 'before', act });
        if (hasHappened) continue;
        expect(nth).toBeGreaterThan(2);
        return;
      }
    },
    timeoutMs,
  );

  test('what others do to the mailbox before the answer to a command arrives is told in later states', async () => {
    const { process, client, before, id } = await scene();
    const uidOf = new Map((await actor.rows('Source')).map(({ token, uid }) => [token, uid]));
    const uids = ['flagged', 'moved'].map((token) => uidOf.get(token) ?? 0);
    const act = () => actor.flag('Source', uids, ['Foreign']);
    proxy.set({ command: changing, nth: 1, moment: 'after', act });
    const response = await client.one<SetResponse>('Email/set', {
      update: { [id('flagged')]: { 'keywords/$flagged': true } },
    });
    expect([proxy.hasHappened(), response.updated]).toEqual([true, { [id('flagged')]: null }]);
    proxy.set(null);
    expect(response.oldState).toBe(before.states.Email);
    const after = await look(client);
    const changes = await client.changes('Email', response.newState);
    expect([...changes.updated].sort()).toEqual([id('flagged'), id('moved')].sort());
    // A state is an epoch and a count of changes: there is one between the two.
    const count = (state: string) => Number(state.split('-')[1]);
    expect(count(response.newState) - count(response.oldState)).toBe(1);
    await expectRight(await actor.observe(), client, [before, after], [0], false);
    await process.stop();
  });
});
