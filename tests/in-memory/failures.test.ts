import { describe, expect, test } from '@jest/globals';
import { startServer } from '../../functions/local/server.ts';
import type { Failure } from '../../shared/catalog/storage/memory-store.ts';
import type { Id } from '../../shared/jmap/scalars.ts';
import type { FakeMailServer, FakeOptions } from '../catalog/fake-mail-server.ts';
import { expectedEmails } from '../end-to-end/account-model.ts';
import type { ObservedMailbox } from '../end-to-end/imap-actor.ts';
import { type Invocation, type JmapClient, jmapClient, MethodFailed } from '../end-to-end/jmap-client.ts';
import { expectExactChanges, expectExactCounts, expectExactThreads, expectSameQueries } from '../end-to-end/laws.ts';
import { namesOf, type Question, type Snapshot, takeSnapshot, types } from '../end-to-end/snapshot.ts';
import { day } from './day.ts';
import { failingPorts } from './failing-ports.ts';
import { inMemoryServer, smallLimits } from './server.ts';

const servers: readonly FakeOptions[] = [
  { tier: 'qresync', scheme: 'xguid', threads: 'derived', batch: 2 },
  { tier: 'condstore', scheme: 'objectid', threads: 'server', batch: 2 },
  { tier: 'plain', scheme: 'digest', threads: 'derived', batch: 2 },
];

/** Which call of which port fails, and when. */
type Fault = { readonly port: 'store' | 'mail'; readonly n: number; readonly failure: Failure };

/** Long enough for a server without mod-sequences to be asked for all flags again. */
const hourMs = 3_600_000;

const newestFirst = [{ property: 'receivedAt', isAscending: false }];
const questions: readonly Question[] = [
  { filter: { notKeyword: '$seen' }, sort: newestFirst, collapseThreads: true },
  { filter: null, sort: newestFirst, collapseThreads: false },
];

/** One request of everything: metadata, content, a text search, changes. */
function callsSince({ accountId }: JmapClient, since: Snapshot | undefined): Invocation[] {
  const ids = { resultOf: 'all', name: 'Email/query', path: '/ids' };
  const threadIds = { resultOf: 'Email', name: 'Email/get', path: '/list/*/threadId' };
  const changes = types.map((type): Invocation => {
    return [`${type}/changes`, { accountId, sinceState: since?.states[type] ?? 'none' }, `${type} changes`];
  });
  return [
    ['Mailbox/get', { accountId }, 'Mailbox'],
    ['Email/query', { accountId }, 'all'],
    ['Email/get', { accountId, '#ids': ids, properties: ['subject', 'preview', 'threadId'] }, 'Email'],
    ['Thread/get', { accountId, '#ids': threadIds }, 'Thread'],
    ['Email/query', { accountId, filter: { text: 'say' }, sort: [{ property: 'subject' }] }, 'text'],
    ['SearchSnippet/get', { accountId, filter: { body: 'say' }, '#emailIds': ids }, 'snippets'],
    ...changes,
    ['Core/echo', {}, 'end'],
  ];
}

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
  const server = inMemoryServer(options, smallLimits, ports.wrap);
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
      history.push(snapshot);
      states.noteSnapshot(snapshot);
      if (hasFailed() !== hadFailed) await expectRight(server.mail, client, history);
    }
    const calls = { store: server.store.units().calls, mail: ports.calls() };
    await expectRight(server.mail, client, history);
    expect({ hasFailed: hasFailed(), defects: server.defects }).toEqual({ hasFailed: fault !== null, defects: [] });
    return calls;
  } catch (error) {
    if (error instanceof Error) error.message = `With ${JSON.stringify(fault)}: ${error.message}`;
    throw error;
  } finally {
    await local.stop();
  }
}

/** Every call has one answer, in order; `isQuiet`: none is an error but about a state that never was. */
function expectEachAnswered(calls: readonly Invocation[], responses: readonly Invocation[], isQuiet: boolean): void {
  const allowed = ['cannotCalculateChanges', ...(isQuiet ? [] : ['serverUnavailable', 'invalidResultReference'])];
  const told = responses.map(([name, args, callId], index) => {
    const isAllowed = name === 'error' && allowed.includes(String(args.type));
    return [isAllowed ? calls[index]?.[0] : `${name} ${args.type ?? ''}`.trim(), callId];
  });
  expect(told).toEqual(calls.map(([name, , callId]) => [name, callId]));
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

/** What the client sees is what lies on the mail server; it agrees with itself and with all that was seen before. */
async function expectRight(mail: FakeMailServer, client: JmapClient, history: readonly Snapshot[]): Promise<void> {
  const snapshot = history.at(-1);
  if (snapshot === undefined) throw new Error('Nothing was seen yet');
  const names = namesOf(snapshot.Mailbox);
  const property = 'header:X-Token:asText';
  const { list } = await client.get<{ id: Id; [property]: string }>('Email', {
    ids: [...snapshot.Email.keys()],
    properties: [property],
  });
  const shown = list.map(({ id, [property]: token }) => {
    const email = snapshot.Email.get(id);
    const mailboxes = Object.keys(email?.mailboxIds ?? {}).map((mailbox) => names.get(mailbox as Id));
    return {
      token,
      size: email?.size,
      mailboxes: mailboxes.sort(),
      keywords: Object.keys(email?.keywords ?? {}).sort(),
    };
  });
  const lies = [...expectedEmails(observed(mail)).values()].map(({ token, size, mailboxes, keywords }) => {
    return { token, size, mailboxes, keywords };
  });
  expect(shown.sort(byToken)).toEqual(lies.sort(byToken));
  expect([...names.values()].sort()).toEqual(mail.names());
  expectExactCounts(snapshot);
  expectExactThreads(snapshot);
  await expectExactChanges(client, history);
  await expectSameQueries(client, history, questions, [...history.keys()]);
}

function byToken(one: { token: string }, other: { token: string }): number {
  return one.token < other.token ? -1 : 1;
}

function observed(mail: FakeMailServer): ObservedMailbox[] {
  return mail.names().map((name) => ({
    ...{ name, subscribed: true, selectable: true, uidValidity: mail.uidValidity(name) },
    rows: mail.messages(name).map(({ uid, flags, internalDate, content }) => ({
      ...{ uid, flags: [...flags], internalDate, size: content.size, conversation: '' },
      token: /^X-Token: (.*)\r$/m.exec(content.body)?.[1] ?? '',
    })),
  }));
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
