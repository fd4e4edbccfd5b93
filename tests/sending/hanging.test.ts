import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { startSendTimer } from '../../functions/local/send-timer.ts';
import type { Due } from '../../functions/sending/queue.ts';
import type { Id } from '../../shared/jmap/scalars.ts';
import { emailSubmission } from '../../shared/methods/EmailSubmission/index.ts';
import { type Provider, singleProvider } from '../../shared/providers.ts';
import { createMemoryRecordStore } from '../../shared/records/memory-store.ts';
import { contextFor } from '../methods/context.ts';
import { type SubmissionServer, submissionServer } from '../smtp/submission-server.ts';
import { createSender } from './sender.ts';
import { testVault } from './world.ts';

const waiting = 30;
const releases: (() => void)[] = [];
let hung: SubmissionServer;
let well: SubmissionServer;

beforeAll(async () => {
  // It takes every message in, and never says so.
  hung = await submissionServer({ delivered: () => new Promise((resolve) => releases.push(resolve)) });
  well = await submissionServer();
});
afterAll(async () => {
  for (const release of releases) release();
  await Promise.all([hung?.stop(), well?.stop()]);
});

test('a submission server that never answers keeps no message of another provider from going out at its time', async () => {
  let ahead = 0;
  const now = () => Date.now() + ahead;
  const messages = new Map<string, Uint8Array>();
  const providerOf = (name: string, { endpoint }: SubmissionServer) =>
    singleProvider(name, { imap: endpoint, smtp: endpoint, sieve: null });
  const providers = [providerOf('hung', hung), providerOf('well', well)] as const;
  const { queue, portsOf } = createSender({
    ...{ store: createMemoryRecordStore({ now }), vault: testVault(), providers, now },
    outbox: {
      put: async (account, id, sealed) => void messages.set(`${account}/${id}`, sealed),
      get: async (account, id) => messages.get(`${account}/${id}`) ?? null,
      remove: async (account, id) => void messages.delete(`${account}/${id}`),
    },
  });

  const mailFrom = { email: 'anna@example.com', parameters: { HOLDFOR: '60' } };
  const envelope = { mailFrom, rcptTo: [{ email: 'bob@example.net' }] };
  const create = { k: { identityId: 'Idefault', emailId: 'e1', envelope } };
  const hold = async (account: Id, provider: Provider) => {
    const ports = portsOf(account, provider);
    await emailSubmission.methods.set.run({ accountId: account, create }, ports, contextFor(ports));
  };
  for (let n = 0; n < waiting; n += 1) await hold(`h${n}` as Id, providers[0]);
  for (let n = 0; n < waiting; n += 1) await hold(`w${n}` as Id, providers[1]);
  expect((await queue.dueUntil(now() + 61_000, 1_000)).map(({ provider }) => provider).sort()).toEqual([
    ...Array(waiting).fill('hung'),
    ...Array(waiting).fill('well'),
  ]);

  // All of them are due at the same moment, those of the server that hangs first.
  ahead = 61_000;
  const late: { [provider: string]: number } = {};
  const timer = startSendTimer({
    queue: {
      ...queue,
      attendTo: (due: Due) => {
        late[due.provider] = Math.max(late[due.provider] ?? 0, now() - due.at - 1_000);
        return queue.attendTo(due);
      },
    },
    now,
    onFailure: () => {},
  });
  await well.hasAccepted(waiting);
  expect(hung.accepted.length).toBeLessThan(waiting);
  expect(late.well).toBeLessThan(2_000);
  await timer.stop();
}, 30_000);
