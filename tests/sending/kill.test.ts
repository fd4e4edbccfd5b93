import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { build } from 'esbuild';
import { type LocalStore, startLocalStore } from '../../functions/local/store.ts';
import { localStoreAccess } from '../../functions/local/store-access.ts';
import type { Id } from '../../shared/jmap/scalars.ts';
import { currentSubmissions } from '../../shared/methods/EmailSubmission/current.ts';
import { type SubmissionServer, submissionServer } from '../smtp/submission-server.ts';
import { type SenderSetup, startSender } from './sender.ts';

const tableName = 'records';
/** Processes at the same time. */
const atOnce = 3;
let folder: string;
let store: LocalStore;
let client: DynamoDBClient;
let smtp: SubmissionServer;
let setup: SenderSetup;
/** The process that is killed when its message has arrived, before it hears so. */
let doomed: ChildProcess | null = null;
let accounts = 0;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'postern-kill-'));
  store = await startLocalStore({ folder: null, tableNames: [tableName], now: Date.now });
  client = new DynamoDBClient({ endpoint: store.endpoint, ...localStoreAccess });
  smtp = await submissionServer({
    delivered: async () => {
      if (doomed === null) return;
      doomed.kill('SIGKILL');
      await once(doomed, 'exit');
    },
  });
  setup = { storeEndpoint: store.endpoint, tableName, folder, smtp: smtp.endpoint };
  await build({
    entryPoints: ['tests/sending/sender-process.ts'],
    outfile: path.join(folder, 'sender.mjs'),
    bundle: true,
    platform: 'node',
    format: 'esm',
    logLevel: 'silent',
    banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
  });
}, 60_000);
afterAll(async () => {
  client?.destroy();
  await smtp?.stop();
  await store?.stop();
  await rm(folder, { recursive: true });
});

/** Runs a process that sends one message, until it ends in whatever way; the steps it took if it was not killed. */
async function send(account: Id, isLater: boolean, killAfter: number | 'on arrival'): Promise<number | null> {
  const argument = JSON.stringify({
    ...setup,
    account,
    isLater,
    killAfter: killAfter === 'on arrival' ? -1 : killAfter,
  });
  const child = spawn(process.execPath, [path.join(folder, 'sender.mjs'), argument], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  if (killAfter === 'on arrival') doomed = child;
  const [said, complaints] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')]);
  doomed = null;
  if (child.signalCode === 'SIGKILL') return null;
  expect({ code: child.exitCode, complaints: child.exitCode === 0 ? '' : complaints }).toEqual({
    code: 0,
    complaints: '',
  });
  return Number(said);
}

/** What a later process finds: it does what is left to do, as long as there is any. */
async function recover(account: Id): Promise<{ state: string; times: number }> {
  let clock = Date.now();
  const later = await startSender(setup, { client, now: () => clock, onStep: () => {} });
  for (let round = 0; round < 5; round += 1) {
    clock += 20 * 60_000;
    for (const due of await later.queue.dueUntil(clock, 100))
      if (due.account === account) await later.queue.attendTo(due);
  }
  const { records } = await currentSubmissions(later.portsOf(account));
  const [kept] = records.values();
  const due = await later.queue.dueUntil(clock + 10 ** 10, 100);
  expect(due.filter((each) => each.account === account)).toEqual([]);
  expect((await readdir(path.join(folder, 'outbox'))).filter((name) => name.startsWith(account))).toEqual([]);
  return {
    state: kept?.ledger.state ?? 'nothing',
    times: smtp.accepted.filter(({ to }) => to.includes(`${account}@example.net`)).length,
  };
}

describe.each([
  { when: 'now', isLater: false, fewest: 5 },
  { when: 'later', isLater: true, fewest: 15 },
])('a process that sends a message $when', ({ isLater, fewest }) => {
  test('is killed after any of its steps, and the message goes out once or not at all, and it is known which', async () => {
    let steps: number | null = null;
    const states = new Set<string>();
    const killed = async (killAfter: number) => {
      const account = `k${++accounts}` as Id;
      const taken = await send(account, isLater, killAfter);
      const { state, times } = await recover(account);
      states.add(state);
      const expected: { [state: string]: number[] } = { nothing: [0], sent: [1], uncertain: [0, 1] };
      expect({ killAfter, state, times, fits: expected[state]?.includes(times) }).toMatchObject({ fits: true });
      if (taken !== null) expect({ state, times }).toEqual({ state: 'sent', times: 1 });
      steps ??= taken;
    };
    for (let killAfter = 1; steps === null && killAfter < 100; killAfter += atOnce) {
      await Promise.all(Array.from({ length: atOnce }, (_, more) => killed(killAfter + more)));
    }
    expect(steps).toBeGreaterThanOrEqual(fewest);
    expect([...states].sort()).toEqual(['nothing', 'sent', 'uncertain']);
  }, 120_000);

  test('is killed when the message has arrived and before it hears so: it is in doubt, and not sent again', async () => {
    const account = `k${++accounts}` as Id;
    expect(await send(account, isLater, 'on arrival')).toBeNull();
    expect(await recover(account)).toEqual({ state: 'uncertain', times: 1 });
  }, 30_000);
});
