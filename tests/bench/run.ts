import { mkdtemp, rm } from 'node:fs/promises';
import { cpus, tmpdir } from 'node:os';
import path from 'node:path';
import { measureChangesAfterDelivery } from './changes-after-delivery.ts';
import { measureColdConnect } from './cold-connect.ts';
import { type Bench, compare } from './compare.ts';
import { measureFarServer } from './far-server.ts';
import { measureFirstIndex } from './first-index.ts';
import { measureKeywordSet } from './keyword-set.ts';
import { type FilledAccount, startFilledAccount } from './mail-account.ts';
import { startMeasuredPostern } from './measured-postern.ts';
import { type Options, readOptions, usage } from './options.ts';
import { connectOutsideClient } from './outside-client.ts';
import { startRawClient } from './raw.ts';
import { type Figures, jsonLine, table } from './report.ts';
import { fullMessage, openInbox } from './requests.ts';
import { measureStatePoll } from './state-poll.ts';
import { type StoreProcess, startStoreProcess } from './store.ts';

// npm run bench: see docs/performance.md.

/** What takes long, or hardly varies, is not measured as often as the requests. */
const indexSamples = 5;
const connectSamples = 5;

/** As the settings have it when nothing is said. */
const defaultFreshnessMs = 1_000;

/** Runs before there is TypeScript, and so has no types. */
const installer: { readonly ensureDovecot: () => void } = await import(
  new URL('../../functions/local/install.mjs', import.meta.url).href
);

async function main(argv: readonly string[]): Promise<void> {
  const options = readOptions(argv);
  installer.ensureDovecot();
  const folder = await mkdtemp(path.join(tmpdir(), 'postern-bench-'));
  const started: (() => Promise<void>)[] = [() => rm(folder, { recursive: true, force: true })];
  const stopAll = async () => {
    for (const stop of started.splice(0).reverse()) await stop();
  };
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => void stopAll().finally(() => process.exit(1)));
  }
  try {
    say(`Filling a mailbox with ${options.messages} messages`);
    const account = await startFilledAccount(folder, options.messages);
    started.push(account.stop);
    const store = await startStoreProcess();
    started.push(store.stop);
    const figures = await measure(options, account, store, started);
    say(`\n${conditions(options)}\n\n${table(figures)}`);
    if (options.json) say(jsonLine(figures));
  } finally {
    await stopAll();
  }
}

async function measure(
  { messages, samples }: Options,
  account: FilledAccount,
  store: StoreProcess,
  started: (() => Promise<void>)[],
): Promise<Figures> {
  const start = async (freshnessMs: number, more: { readonly storeInMemory?: boolean } = {}) => {
    const postern = await startMeasuredPostern({ account, storeEndpoint: store.endpoint, freshnessMs, ...more });
    started.push(postern.stop);
    return postern;
  };
  say('Indexing it, each time in a new process');
  const firstIndex = await measureFirstIndex(account, store, Math.min(samples, indexSamples));

  say(`Taking ${samples} samples of each request`);
  const raw = await startRawClient(account);
  const outside = await connectOutsideClient(account, messages);
  started.push(raw.stop, async () => outside.close());
  const bench: Bench = { postern: await start(0), raw, outside, samples };

  const inboxId = await inboxOf(bench);
  const inbox = await compare(bench, {
    prepare: () => openInbox(inboxId),
    ours: (calls) => bench.postern.request(calls),
    theirs: () => raw.openInbox(),
  });
  const [, query] = await bench.postern.api(openInbox(inboxId));
  const emailIds = Array.isArray(query?.ids) ? query.ids.map(String) : [];
  const { answer: uids } = await raw.openInbox();
  const full = await compare(bench, {
    prepare: (sample) => ({ emailId: emailIds[sample % emailIds.length] ?? '', uid: uids[sample % uids.length] ?? 0 }),
    ours: ({ emailId }) => bench.postern.request(fullMessage(emailId)),
    theirs: ({ uid }) => raw.fullMessage(uid),
  });
  const keywordSet = await measureKeywordSet({ ...bench, postern: await start(0, { storeInMemory: true }) });
  const changes = await measureChangesAfterDelivery(bench, () => {
    return startMeasuredPostern({ account, storeEndpoint: store.endpoint, freshnessMs: 0 });
  });
  const poll = await measureStatePoll(await start(defaultFreshnessMs), samples);
  const coldConnect = await measureColdConnect(account, connectSamples);
  const farServer = await measureFarServer(account, store, { inboxId, outside, samples: connectSamples });
  return {
    messages,
    openInbox: inbox,
    fullMessage: full,
    keywordSet,
    changesAfterDelivery: changes,
    statePoll: poll,
    firstIndex,
    coldConnect,
    farServer,
  };
}

async function inboxOf({ postern }: Bench): Promise<string> {
  const [answer] = await postern.api([['Mailbox/query', { filter: { role: 'inbox' } }, 'inbox']]);
  const [id] = Array.isArray(answer?.ids) ? answer.ids : [];
  if (typeof id !== 'string') throw new Error('The account has no inbox');
  return id;
}

function conditions({ messages, samples }: Options): string {
  const [cpu] = cpus();
  return `${messages} messages, ${samples} samples; ${cpus().length} × ${cpu?.model.trim()}, Node ${process.version}`;
}

function say(line: string): void {
  console.log(line);
}

await main(process.argv.slice(2)).catch((error: Error) => {
  console.error(error instanceof TypeError ? `${error.message}\n${usage}` : error);
  process.exitCode = 1;
});
