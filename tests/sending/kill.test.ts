import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFile, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
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
import { type Milestone as FetchingMilestone, type FetchingServer, fetchingServer } from '../smtp/fetching-server.ts';
import {
  type Milestone as OrdinaryMilestone,
  type SubmissionServer,
  submissionServer,
} from '../smtp/submission-server.ts';
import { type DoomedSetup, savedFile, startDoomedSender } from './doomed-sender.ts';

const tableName = 'records';
/** Processes at the same time. */
const atOnce = 3;
/** So large that it cannot be on its way as a whole when its first octets arrive. */
const largeOctets = 12_000_000;
/** So large that the submission server is to fetch it itself. */
const storedOctets = 100_000;
type Milestone = OrdinaryMilestone | FetchingMilestone;
let folder: string;
let store: LocalStore;
let client: DynamoDBClient;
let smtp: SubmissionServer;
let fetching: FetchingServer;
let savesSent: boolean;
/** Whether the submission server fetches the bodies. */
let byUrl = false;
/** The process that is killed when the server has come so far with its message, before it hears so. */
let doomed: { readonly at: Milestone; readonly process: ChildProcess } | null = null;
let accounts = 0;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'postern-kill-'));
  await writeFile(savedFile(folder), '');
  store = await startLocalStore({ folder: null, tableNames: [tableName], now: Date.now });
  client = new DynamoDBClient({ endpoint: store.endpoint, ...localStoreAccess });
  const reached = async (milestone: Milestone) => {
    if (doomed?.at !== milestone) return;
    doomed.process.kill('SIGKILL');
    await once(doomed.process, 'exit');
  };
  const save = async (text: string) => {
    const messageId = /^Message-ID: (.*)$/m.exec(text)?.[1] ?? '';
    if (savesSent) await appendFile(savedFile(folder), `${messageId}\n`);
  };
  smtp = await submissionServer({ reached, delivered: ({ text: received }) => save(received) });
  fetching = await fetchingServer({ reached, delivered: ({ header }) => save(header) });
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
  await Promise.all([smtp?.stop(), fetching?.stop()]);
  await store?.stop();
  await rm(folder, { recursive: true });
});

const setup = (): DoomedSetup => ({
  ...{ storeEndpoint: store.endpoint, tableName, folder, savesSent, byUrl },
  smtp: byUrl ? fetching.endpoint : smtp.endpoint,
  bodyOctets: byUrl ? storedOctets : 6,
});

/** Runs a process that sends one message, until it ends in whatever way; the steps it took if it was not killed. */
async function send(account: Id, isLater: boolean, killAfter: number | 'reply' | Milestone): Promise<number | null> {
  const large = killAfter === 'part' ? { bodyOctets: largeOctets } : {};
  const argument = JSON.stringify({ ...setup(), ...large, account, isLater, killAfter });
  const child = spawn(process.execPath, [path.join(folder, 'sender.mjs'), argument], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  if (typeof killAfter === 'string' && killAfter !== 'reply') doomed = { at: killAfter, process: child };
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
  const later = await startDoomedSender(setup(), { client, now: () => clock, onStep: () => {} });
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
    times: [...smtp.accepted, ...fetching.accepted].filter(({ to }) => to.includes(`${account}@example.net`)).length,
  };
}

const partsSent: readonly [string, Milestone][] = [
  ['the server waits for the message', 'DATA'],
  ['the server has a part of the message', 'part'],
];
const partsFetched: readonly [string, Milestone][] = [
  ['the server has the header of the message', 'BDAT'],
  ['the server has fetched the body of the message', 'BURL'],
];

describe.each([
  { when: 'now', saves: false, fewest: 5 },
  { when: 'now', saves: true, fewest: 5 },
  { when: 'now by its URL', saves: false, fewest: 6 },
  { when: 'now by its URL', saves: true, fewest: 6 },
  { when: 'later', saves: false, fewest: 15 },
  { when: 'later', saves: true, fewest: 15 },
])('a process that sends a message $when, where saving copies is $saves,', ({ when, saves, fewest }) => {
  const isLater = when === 'later';
  const isFetched = when === 'now by its URL';
  beforeAll(() => {
    savesSent = saves;
    byUrl = isFetched;
  });

  test('is killed after any of its steps, and the message goes out once or not at all, and it is known which', async () => {
    let steps: number | null = null;
    const ends = new Set<string>();
    const killed = async (killAfter: number) => {
      const account = `k${++accounts}` as Id;
      const taken = await send(account, isLater, killAfter);
      const { state, times } = await recover(account);
      ends.add(`${state} ${times}`);
      // Where copies are saved, only what never went out can be in doubt.
      const expected: { [state: string]: number[] } = { nothing: [0], sent: [1], uncertain: saves ? [0] : [0, 1] };
      expect({ killAfter, state, times, fits: expected[state]?.includes(times) }).toMatchObject({ fits: true });
      if (taken !== null) expect({ state, times }).toEqual({ state: 'sent', times: 1 });
      steps ??= taken;
    };
    for (let killAfter = 1; steps === null && killAfter < 100; killAfter += atOnce) {
      await Promise.all(Array.from({ length: atOnce }, (_, more) => killed(killAfter + more)));
    }
    expect(steps).toBeGreaterThanOrEqual(fewest);
    expect([...ends].sort()).toEqual(['nothing 0', 'sent 1', 'uncertain 0', ...(saves ? [] : ['uncertain 1'])]);
  }, 180_000);

  const unharmed = isLater ? { state: 'sent', times: 1 } : { state: 'nothing', times: 0 };
  const inDoubt = { state: saves ? 'sent' : 'uncertain', times: 1 };
  test.each<[string, Milestone | 'reply', object]>([
    ['the server has the sender', 'MAIL', unharmed],
    ['the server has the recipients', 'RCPT', unharmed],
    ...(isFetched ? partsFetched : partsSent).map(([name, at]): [string, Milestone, object] => [name, at, unharmed]),
    ['the message has arrived, and before it hears so', 'end', inDoubt],
    ['it hears that the message has arrived, and before it notes so', 'reply', inDoubt],
  ])(
    'is killed when %s',
    async (_, at, expected) => {
      const account = `k${++accounts}` as Id;
      expect(await send(account, isLater, at)).toBeNull();
      expect(await recover(account)).toEqual(expected);
    },
    60_000,
  );
});
