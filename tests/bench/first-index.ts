import { fork } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { receiveOnBareSocket } from './bare-socket.ts';
import type { FilledAccount } from './mail-account.ts';
import type { PosternOptions } from './postern.ts';
import { alternating, maximum, median } from './samples.ts';
import type { StoreProcess } from './store.ts';

export type FirstIndex = {
  readonly ms: number;
  /** The same FETCH responses on a bare socket. */
  readonly wireMs: number;
  readonly ratio: number;
  readonly bytesPerMessage: number;
  readonly peakRssMb: number;
  /** Not among the figures of the JSON line. */
  readonly more: { readonly wireOctets: number; readonly imapCommands: number; readonly storeUnits: number };
};

/** What the process that indexes has for its objects: what it needs is less than what it would take. */
export const heapMegabytes = 112;

type Indexed = { accountId: string; ms: number; peakRssMb: number; storeUnits: number; imapCommands: number };

/** Indexes the account so many times, each time into a catalog of its own, in turns with receiving the same on a bare socket. */
export async function measureFirstIndex(
  account: FilledAccount,
  store: StoreProcess,
  samples: number,
): Promise<FirstIndex> {
  // The first reading costs the mail server several times the second: both find it done.
  await receiveOnBareSocket(account);
  const file = await bundledProcess();
  const indexed: Indexed[] = [];
  const received: { ms: number; octets: number }[] = [];
  await alternating(
    samples,
    async () => {
      const { host, imapPort, user, password } = account;
      const providerName = `first index ${indexed.length}`;
      indexed.push(
        await indexInProcess(file, {
          account: { host, imapPort, user, password },
          storeEndpoint: store.endpoint,
          providerName,
        }),
      );
    },
    async () => {
      received.push(await receiveOnBareSocket(account));
    },
  );
  const octets = await Promise.all(indexed.map(({ accountId }) => store.octetsOf(accountId)));
  const messages = account.mailboxes.reduce((sum, mailbox) => sum + mailbox.messages, 0);
  const ms = median(indexed.map((index) => index.ms));
  const wireMs = median(received.map((wire) => wire.ms));
  return {
    ms,
    wireMs,
    ratio: ms / wireMs,
    bytesPerMessage: median(octets) / messages,
    peakRssMb: median(indexed.map((index) => index.peakRssMb)),
    more: {
      wireOctets: median(received.map((wire) => wire.octets)),
      imapCommands: maximum(indexed.map((index) => index.imapCommands)),
      storeUnits: median(indexed.map((index) => index.storeUnits)),
    },
  };
}

/** A single file, as it is deployed: what reads TypeScript takes no memory in it. */
async function bundledProcess(): Promise<string> {
  const folder = path.dirname(fileURLToPath(import.meta.url));
  const outfile = path.join(folder, '../../.cache/bench/index-process.mjs');
  const require = "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);";
  await build({
    ...{ entryPoints: [path.join(folder, 'index-process.ts')], outfile, banner: { js: require } },
    ...{ bundle: true, minify: true, platform: 'node', format: 'esm', target: 'node20' },
  });
  return outfile;
}

async function indexInProcess(file: string, options: PosternOptions): Promise<Indexed> {
  const child = fork(file, [JSON.stringify(options)], {
    execArgv: [`--max-old-space-size=${heapMegabytes}`],
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  const [message] = await Promise.race([
    once(child, 'message'),
    once(child, 'exit').then(() => Promise.reject(new Error('The process that indexes has failed'))),
  ]);
  return message as Indexed;
}
