import { describe, expect, test } from '@jest/globals';
import { startServer } from '../../functions/local/server.ts';
import type { Failure } from '../../shared/catalog/storage/memory-store.ts';
import { Unavailable } from '../../shared/jmap/errors.ts';
import type { FakeOptions } from '../catalog/fake-mail-server.ts';
import { callsSince, expectEachAnswered, expectRight, questions } from '../end-to-end/failure-laws.ts';
import { type Invocation, jmapClient, MethodFailed } from '../end-to-end/jmap-client.ts';
import { type Snapshot, takeSnapshot, types } from '../end-to-end/snapshot.ts';
import { day } from './day.ts';
import { failingPorts } from './failing-ports.ts';
import { observed } from './observed.ts';
import { inMemoryServer, largeLimits, requestTimeoutMs } from './server.ts';

const servers: readonly FakeOptions[] = [
  { tier: 'qresync', scheme: 'xguid', threads: 'derived', batch: 2 },
  { tier: 'condstore', scheme: 'objectid', threads: 'server', batch: 2 },
  { tier: 'plain', scheme: 'digest', threads: 'derived', batch: 2 },
];

/** Which call of which port fails, and when. */
type Fault = { readonly port: 'store' | 'mail'; readonly n: number; readonly failure: Failure };

/** Long enough for a server without mod-sequences to be asked for all flags again. */
const hourMs = 3_600_000;

/**
 * Lives through the day while one call of a port fails. Every hour the client asks for everything and then looks at the account;
 * after the failure, and in the end, it holds what it sees against the mail server and against all that it saw before. Answers how
 * many calls there were of each port.
 */
async function live(
  options: FakeOptions,
  fault: Fault | null,
): Promise<{ readonly store: number; readonly mail: number }> {
  const ports = failingPorts();
  const server = inMemoryServer(options, largeLimits, ports.wrap);
  const local = await startServer(server.app, { host: '127.0.0.1', port: 0 });
  const history: Snapshot[] = [];
  const states = statesSeen();
  try {
    const client = await jmapClient(local.url, { user: 'one', password: 'secret' });
    if (fault?.port === 'store') server.store.failCall(fault.n, fault.failure);
    if (fault?.port === 'mail') ports.failCall(fault.n);
    const hasFailed = () =>
      fault !== null && (fault.port === 'store' ? server.store.callsUntilFailure() === null : ports.calls() >= fault.n);

    for (const hour of day) {
      hour(server.mail);
      server.advanceClock(hourMs);
      const hadFailed = hasFailed();
      const isQuiet = fault === null || hadFailed;
      const calls = callsSince(client, history.at(-1));
      const responses = await client.call(calls);
      expectEachAnswered(calls, responses, isQuiet);
      states.note(responses);
      const snapshot = await takeSnapshot(client, questions).catch((error: unknown) => {
        if (isQuiet || !hasFailed() || !(error instanceof MethodFailed)) throw error;
        server.advanceClock(2_000);
        return takeSnapshot(client, questions);
      });
      // All states from before are of a catalog that is no more, and a look during which it went is of no one moment.
      const isWiped = fault?.failure === 'wiped' && hasFailed() !== hadFailed;
      if (isWiped) server.advanceClock(2_000);
      if (isWiped) history.length = 0;
      const last = isWiped ? await takeSnapshot(client, questions) : snapshot;
      history.push(last);
      states.noteSnapshot(last);
      if (hasFailed() !== hadFailed) await expectRight(observed(server.mail), client, history);
    }
    const calls = { store: server.store.units().calls, mail: ports.calls() };
    await expectRight(observed(server.mail), client, history);
    expect({ hasFailed: hasFailed(), defects: server.defects }).toEqual({ hasFailed: fault !== null, defects: [] });
    return calls;
  } catch (error) {
    if (error instanceof Error) error.message = `With ${JSON.stringify(fault)}: ${error.message}`;
    throw error;
  } finally {
    await local.stop();
  }
}

/** The states of each type in the order in which the client got to see them: one that was left never comes back. */
function statesSeen() {
  const seen = new Map<string, string[]>();
  const noteOne = (type: string, state: unknown) => {
    const before = seen.get(type) ?? [];
    if (typeof state !== 'string' || before.at(-1) === state) return;
    expect({ type, before }).toEqual({ type, before: expect.not.arrayContaining([state]) });
    seen.set(type, [...before, state]);
  };
  return {
    note: (responses: readonly Invocation[]) => {
      for (const [name, args] of responses) noteOne(name.split('/')[0] ?? '', args.state ?? args.newState);
    },
    noteSnapshot: ({ states }: Snapshot) => {
      for (const type of types) noteOne(type, states[type]);
    },
  };
}

/** Every so many calls are tried on each server, other ones on the next; 1: every call on every server. */
const stride = Number(process.env.POSTERN_TEST_FAILURE_STRIDE ?? servers.length);
const timeoutMs = 200_000;

describe.each(servers.map((options, index) => ({ ...options, first: (index % stride) + 1 })))(
  'with a $tier server, when one call fails during a day,',
  ({ first, ...options }) => {
    test.each<[string, Fault['port'], Failure]>([
      ['the store before it does anything', 'store', 'before'],
      ['the store after it has done it', 'store', 'after'],
      ['the store, which was wiped before it', 'store', 'wiped'],
      ['the mail server', 'mail', 'before'],
    ])(
      'each JMAP call is answered and the next look is right: %s',
      async (_, port, failure) => {
        const calls = await live(options, null);
        expect(calls[port]).toBeGreaterThan(10);
        for (let n = first; n <= calls[port]; n += stride) await live(options, { port, n, failure });
      },
      timeoutMs,
    );
  },
);

test('a request that ran out of time asks the mail server no more, and answers the calls that are left', async () => {
  let surveys = 0;
  const server = inMemoryServer(servers[0] as FakeOptions, largeLimits, (ports) => ({
    ...ports,
    source: {
      ...ports.source,
      survey: async () => {
        surveys += 1;
        server.advanceClock(requestTimeoutMs);
        throw new Unavailable('the mail server does not answer');
      },
    },
  }));
  const { accountId } = server;
  const methodCalls = ['a', 'b', 'c'].map((callId) => ['Mailbox/get', { accountId }, callId]);
  const body = JSON.stringify({ using: ['urn:ietf:params:jmap:core', 'urn:ietf:params:jmap:mail'], methodCalls });
  const response = await server.ask('/jmap/api', {
    method: 'POST',
    body,
    headers: { 'Content-Type': 'application/json' },
  });
  const { methodResponses } = (await response.json()) as { methodResponses: Invocation[] };
  expect(methodResponses).toEqual(['a', 'b', 'c'].map((callId) => ['error', { type: 'serverUnavailable' }, callId]));
  expect(surveys).toBe(1);
});
