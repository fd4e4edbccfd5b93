import { describe, expect, test } from '@jest/globals';
import { startServer } from '../../functions/local/server.ts';
import { imapAccount } from '../../shared/imap/account.ts';
import { imapLimits } from '../../shared/imap/limits.ts';
import { SessionPool } from '../../shared/imap/pool.ts';
import { singleProvider } from '../../shared/providers.ts';
import { inMemoryServer, largeLimits } from '../in-memory/server.ts';
import { courier, cyrus, dovecot, type TestServer } from '../servers/servers.ts';
import { callsSince, expectEachAnswered, expectRight, questions } from './failure-laws.ts';
import { type ConnectionFault, type FaultyProxy, startFaultyProxy } from './faulty-proxy.ts';
import { imapActor } from './imap-actor.ts';
import { jmapClient } from './jmap-client.ts';
import { letter } from './letter.ts';
import { takeSnapshot } from './snapshot.ts';

/** With a server that stalls nobody wants to wait for long. */
const impatient = { ...imapLimits, connectTimeoutMs: 400, silenceTimeoutMs: 200, logoutTimeoutMs: 200 };
const timeoutMs = 120_000;

/** In how many places of what the server sends the connection fails, in one test. */
const places = Number(process.env.POSTERN_TEST_FAILURE_PLACES ?? 8);

/** A real mail server behind a proxy that can fail. `asking` gives requests a new pool of sessions for their time. */
async function behindProxy(startMailServer: () => Promise<TestServer>) {
  const server = await startMailServer();
  const user = await server.freshUser();
  const actor = await imapActor(server, user);
  const proxy = await startFaultyProxy(server.imapPort);
  const imap = { host: server.host, port: proxy.port, tls: 'plaintext', ca: null } as const;
  const provider = singleProvider('test', { imap, smtp: null, sieve: null });
  const newPool = (limits = imapLimits) =>
    new SessionPool({ connectionsMax: 3, parkMs: 60_000, sessionAgeMaxMs: 600_000, limits });
  let pool = newPool();
  const product = inMemoryServer({ tier: 'qresync', scheme: 'xguid', threads: 'derived' }, largeLimits, () =>
    imapAccount(pool, provider, { kind: 'password', ...user }),
  );
  const local = await startServer(product.app, { host: '127.0.0.1', port: 0 });
  return {
    ...{ actor, proxy, client: await jmapClient(local.url, user) },
    /** Lets time pass, and asks with sessions of its own; in the end none of them is left. */
    asking: async <T>(limits: typeof imapLimits | typeof impatient, ask: () => Promise<T>): Promise<T> => {
      product.advanceClock(10_000);
      pool = newPool(limits as typeof imapLimits);
      const answer = await ask();
      await pool.close();
      await closed(proxy);
      expect(product.defects).toEqual([]);
      return answer;
    },
    stop: async () => {
      await local.stop();
      await actor.close();
      await proxy.stop();
    },
  };
}

/** Waits until the proxy has seen the end of every connection; hangs when one is left. */
async function closed(proxy: FaultyProxy): Promise<void> {
  while (proxy.open() > 0) await new Promise((resolve) => setImmediate(resolve));
}

const servers = [
  ['Dovecot', dovecot],
  ['Cyrus', cyrus],
  ['Courier', courier],
] as const;

describe.each(servers)(
  'when the connection to %s fails, each JMAP call is answered, the next look is right, no session is left:',
  (_, start) => {
    test.each<[string, 'drop' | 'truncate' | 'stall']>([
      ['it is reset', 'drop'],
      ['it ends in the midst of an answer', 'truncate'],
      ['nothing more arrives', 'stall'],
    ])(
      '%s',
      async (_, kind) => {
        const { actor, proxy, client, asking, stop } = await behindProxy(start);
        try {
          await actor.create('Work');
          for (const token of ['one', 'two']) await actor.deliver('INBOX', letter({ token }));
          const history = [await asking(imapLimits, () => takeSnapshot(client, questions))];
          const calls = callsSince(client, history[0]);
          await actor.deliver('INBOX', letter({ token: 'three' }));
          expectEachAnswered(calls, await asking(imapLimits, () => client.call(calls)), true);
          const octets = proxy.octets();
          let failed = 0;
          for (let place = 0; place < places; place += 1) {
            const token = `token${place}`;
            const uid = await actor.deliver('INBOX', letter({ token, answers: ['one'] }));
            if (place % 2 === 0) await actor.move('INBOX', [uid], 'Work');
            proxy.set({ kind, after: Math.floor((octets * place) / places) });
            const asked = callsSince(client, history.at(-1));
            const responses = await asking(impatient, () => client.call(asked));
            expectEachAnswered(asked, responses, false);
            if (responses.some(([, { type }]) => type === 'serverUnavailable')) failed += 1;
            proxy.set(null);
            history.push(await asking(imapLimits, () => takeSnapshot(client, questions)));
            const observed = await actor.observe();
            await asking(imapLimits, () => expectRight(observed, client, history));
          }
          expect(failed).toBeGreaterThan(places / 2);
        } finally {
          await stop();
        }
      },
      timeoutMs,
    );
  },
);

describe.each(servers)('from %s', (_, start) => {
  test.each<[string, ConnectionFault]>([
    ['a few octets at a time', { kind: 'crumble', after: 0 }],
    ['slowly', { kind: 'throttle', octetsPerSecond: 20_000 }],
    ['late', { kind: 'delay', ms: 20 }],
  ])(
    'what arrives %s is read as what arrives at once',
    async (_, fault) => {
      const { actor, proxy, client, asking, stop } = await behindProxy(start);
      try {
        for (const token of ['one', 'two']) await actor.deliver('INBOX', letter({ token, lines: 20 }));
        proxy.set(fault);
        const history = [await asking(imapLimits, () => takeSnapshot(client, questions))];
        const observed = await actor.observe();
        await asking(imapLimits, () => expectRight(observed, client, history));
      } finally {
        await stop();
      }
    },
    timeoutMs,
  );
});
