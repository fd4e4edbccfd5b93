import { describe, expect, test } from '@jest/globals';
import { startServer } from '../../functions/local/server.ts';
import { Unavailable } from '../../shared/jmap/errors.ts';
import type { CanWriteMessages, Messages, WriteFailure, Written } from '../../shared/methods/Email/mail.ts';
import type { FakeOptions } from '../catalog/fake-mail-server.ts';
import { expectRight, questions } from '../end-to-end/failure-laws.ts';
import { type JmapClient, jmapClient, type MethodFailed } from '../end-to-end/jmap-client.ts';
import { letter } from '../end-to-end/letter.ts';
import { takeSnapshot } from '../end-to-end/snapshot.ts';
import {
  everyWish,
  expectNothingLost,
  idsOfTokens,
  mailboxes,
  type SetResponse,
  tokens,
} from '../end-to-end/write-laws.ts';
import { contentOfMessage } from './mail.ts';
import { observed } from './observed.ts';
import { inMemoryServer, largeLimits } from './server.ts';
import { type WritingAbilities, writingOf } from './writing.ts';

type Server = FakeOptions & Required<Pick<WritingAbilities, 'move' | 'uidPlus'>>;
const servers: readonly Server[] = [
  { tier: 'qresync', scheme: 'xguid', threads: 'derived', move: true, uidPlus: true },
  { tier: 'qresync', scheme: 'digest', threads: 'derived', move: true, uidPlus: false },
  { tier: 'condstore', scheme: 'objectid', threads: 'server', move: false, uidPlus: true },
  { tier: 'plain', scheme: 'digest', threads: 'derived', move: false, uidPlus: false },
];

/** What becomes of one change: it is refused, or its answer is lost and it was not made, made for half of the messages, or made. */
type Fault = 'forbidden' | 'overQuota' | 'not made' | 'half made' | 'made';

/** Changes of which the n-th goes wrong. */
function faulty(writing: CanWriteMessages, n: number, fault: Fault) {
  let changes = 0;
  const change = async <T>(
    messages: Messages,
    none: T,
    make: (messages: Messages) => Promise<Written<T>>,
  ): Promise<Written<T>> => {
    changes += 1;
    if (changes !== n) return make(messages);
    const failure: WriteFailure = fault === 'forbidden' || fault === 'overQuota' ? fault : 'lost';
    const half = { ...messages, uids: messages.uids.slice(0, Math.ceil(messages.uids.length / 2)) };
    if (fault === 'made' || fault === 'half made') await make(fault === 'made' ? messages : half);
    return { done: none, failure, glimpses: [{ before: null, after: null }] };
  };
  const wrapped: CanWriteMessages = {
    canMove: writing.canMove,
    getOutOfStep: writing.getOutOfStep,
    flag: (messages, ...more) =>
      change<ReadonlyMap<number, readonly string[]>>(messages, new Map(), (some) => writing.flag(some, ...more)),
    transfer: (kind, messages, target) =>
      change<ReadonlyMap<number, number>>(messages, new Map(), (some) => writing.transfer(kind, some, target)),
    remove: async (messages, copies) => {
      let kept: ReadonlySet<number> = new Set();
      const remove = async (some: Messages) => {
        const removed = await writing.remove(some, copies);
        kept = removed.kept;
        return removed;
      };
      return { ...(await change<ReadonlySet<number>>(messages, new Set(), remove)), kept };
    },
  };
  return { wrapped, changes: () => changes };
}

/** Five letters in their places, and all that is wished of them, while the n-th change goes wrong. */
async function wishEverything({ move, uidPlus, ...options }: Server, n: number, fault: Fault) {
  let hits = () => 0;
  const server = inMemoryServer(options, largeLimits, (ports) => {
    const { wrapped, changes } = faulty(writingOf(server.mail, { move, uidPlus }), n, fault);
    hits = changes;
    return { ...ports, writing: wrapped };
  });
  for (const name of ['INBOX', ...mailboxes]) server.mail.create(name);
  for (const [index, token] of tokens.entries()) {
    server.mail.append('Source', contentOfMessage(letter({ token })), { internalDate: 1_736_000_000 + index });
  }
  server.mail.copy('Source', tokens.indexOf('gathered') + 1, 'Other');
  const local = await startServer(server.app, { host: '127.0.0.1', port: 0 });
  try {
    const client = await jmapClient(local.url, { user: 'one', password: 'secret' });
    const look = () => {
      server.advanceClock(600_000);
      return takeSnapshot(client, questions);
    };
    const before = await look();
    const id = await idsOfTokens(client, before);
    const response = await client.one<SetResponse>('Email/set', everyWish(id, before));
    const changes = hits();
    const after = await look();
    await expectRight(observed(server.mail), client, [before, after], [0], false);
    const isRefused = fault === 'forbidden' || fault === 'overQuota';
    expectNothingLost(observed(server.mail), response, id, { mayBeHalf: move === false && !isRefused });
    expect(server.defects).toEqual([]);
    return { changes, refused: Object.values(response.notUpdated ?? {}).map(({ type }) => type) };
  } catch (error) {
    if (error instanceof Error) error.message = `At change ${n}: ${error.message}`;
    throw error;
  } finally {
    await local.stop();
  }
}

describe.each(servers)('on a server with $tier, MOVE: $move, UIDPLUS: $uidPlus', (options) => {
  test.each<Fault>(['forbidden', 'overQuota', 'not made', 'half made', 'made'])(
    'nothing is lost, and what is reported holds, when any one change goes wrong: %s',
    async (fault) => {
      const refused = new Set<unknown>();
      for (let n = 1; ; n += 1) {
        const done = await wishEverything(options, n, fault);
        for (const type of done.refused) refused.add(type);
        if (done.changes >= n) continue;
        expect([n > 5, done.refused]).toEqual([true, []]);
        break;
      }
      if (fault === 'forbidden' || fault === 'overQuota') expect([...refused]).toEqual([fault]);
      else expect([...refused].filter((type) => type !== 'serverUnavailable')).toEqual([]);
    },
  );
});

/** A letter in Source, and a client; `writing` and `survey` may be made to fail. */
async function oneLetter(ports: Parameters<typeof inMemoryServer>[2]) {
  const server = inMemoryServer(servers[0] as FakeOptions, largeLimits, ports);
  for (const name of ['INBOX', ...mailboxes]) server.mail.create(name);
  server.mail.append('Source', contentOfMessage(letter({ token: 'moved' })), { internalDate: 1_736_000_000 });
  const local = await startServer(server.app, { host: '127.0.0.1', port: 0 });
  const client = await jmapClient(local.url, { user: 'one', password: 'secret' });
  const before = await takeSnapshot(client, questions);
  const [id = ''] = before.Email.keys();
  const flag = (to: JmapClient) =>
    to.one<SetResponse>('Email/set', { update: { [id]: { 'keywords/$flagged': true } } });
  return { server, client, before, id, flag, stop: local.stop };
}

const gone = () => {
  throw new Unavailable('the mail server does not answer');
};

test.each([
  ['one look that fails, the next one tells', 1, 'updated'],
  ['no look that succeeds, the call says that some of it may be done', Number.POSITIVE_INFINITY, 'serverPartialFail'],
])('after a change whose answer was lost, and %s', async (_, failing, expected) => {
  let failures = 0;
  const { client, flag, id, stop } = await oneLetter(({ source, writing, ...ports }) => ({
    ...ports,
    source: { ...source, survey: async () => (failures-- > 0 ? gone() : source.survey()) },
    writing: {
      ...writing,
      flag: async (...args) => {
        await writing.flag(...args);
        failures = failing;
        return { done: new Map(), failure: 'lost', glimpses: [{ before: null, after: null }] };
      },
    },
  }));
  const said = await flag(client).then(
    ({ updated }) => (updated && id in updated ? 'updated' : 'not updated'),
    (error: MethodFailed) => error.type,
  );
  expect(said).toBe(expected);
  await stop();
});

test('when nothing could be sent, the call fails, and changes nothing', async () => {
  const { client, flag, before, server, stop } = await oneLetter(({ writing, ...ports }) => ({
    ...ports,
    writing: { ...writing, flag: async () => gone() },
  }));
  const failure = await flag(client).catch((error: unknown) => error);
  expect((failure as MethodFailed).type).toBe('serverUnavailable');
  server.advanceClock(10_000);
  expect((await takeSnapshot(client, questions)).states).toEqual(before.states);
  await stop();
});

test('a change is reported though the catalog cannot be written then, and the next look finds it', async () => {
  const { client, flag, server, id, stop } = await oneLetter(({ writing, ...ports }) => ({
    ...ports,
    writing: {
      ...writing,
      flag: async (...args) => {
        server.store.failCall(1, 'before');
        return writing.flag(...args);
      },
    },
  }));
  const response = await flag(client);
  expect([response.updated, response.newState]).toEqual([{ [id]: null }, response.oldState]);
  server.advanceClock(10_000);
  expect((await client.changes('Email', response.newState)).updated).toEqual([id]);
  await stop();
});
