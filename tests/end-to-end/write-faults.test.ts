import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { cyrus, dovecot, type TestServer } from '../servers/servers.ts';
import { expectRight } from './failure-laws.ts';
import type { Moment } from './intercepting-proxy.ts';
import type { SetResponse } from './write-laws.ts';
import { type WriteScene, writeScene } from './write-scene.ts';

/** Commands that change something, as they are on the wire. */
const changing = /^UID (?:STORE|COPY|MOVE|EXPUNGE)/;
/** So long a test may take on a machine that has other things to do. */
const timeoutMs = 300_000;

/** What the server is not believed to be able to do, and when the connection breaks. */
const servers: readonly [
  title: string,
  start: () => Promise<TestServer>,
  ignoreCapabilities: readonly string[],
  moments: readonly Moment[],
][] = [
  ['Dovecot', dovecot, [], ['before', 'unanswered', 'half', 'after']],
  ['Dovecot with no MOVE', dovecot, ['MOVE'], ['before', 'unanswered', 'after']],
  ['Dovecot with neither MOVE nor UIDPLUS', dovecot, ['MOVE', 'UIDPLUS'], ['unanswered']],
  ['Cyrus', cyrus, [], ['unanswered']],
  ['Cyrus with no MOVE', cyrus, ['MOVE'], ['unanswered']],
];

describe.each(servers)('on %s', (_, start, ignoreCapabilities, moments) => {
  let scene: WriteScene;
  beforeAll(async () => {
    const server = await start();
    scene = await writeScene(server, await server.freshUser(), { ignoreCapabilities }, ignoreCapabilities.length > 0);
  });
  afterAll(() => scene.end());

  test.each(moments)(
    'nothing is lost when the connection breaks at a command (%s), whichever it is',
    async (moment) => {
      for (let nth = 1; ; nth += 1) {
        const { hasHappened, response, id } = await scene.interrupted({ command: changing, nth, moment, act: 'drop' });
        if (hasHappened) continue;
        expect(nth).toBeGreaterThan(7);
        expect(response).toMatchObject({ notUpdated: null, destroyed: [id('destroyed')] });
        return;
      }
    },
    timeoutMs,
  );

  test('what others do to the mailbox before the answer to a command arrives is told in later states', async () => {
    const { actor, proxy } = scene;
    const { client, before, id, stop } = await scene.begin();
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
    const after = await scene.look(client);
    const changes = await client.changes('Email', response.newState);
    expect([...changes.updated].sort()).toEqual([id('flagged'), id('moved')].sort());
    // A state is an epoch and a count of changes: there is one between the two.
    const count = (state: string) => Number(state.split('-')[1]);
    expect(count(response.newState) - count(response.oldState)).toBe(1);
    await expectRight(await actor.observe(), client, [before, after], [0], false);
    await stop();
  });
});
