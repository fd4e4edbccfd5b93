import { receiveOnBareSocket } from './bare-socket.ts';
import type { FilledAccount } from './mail-account.ts';
import { startMeasuredPostern } from './measured-postern.ts';
import type { Call, PosternOptions } from './postern.ts';
import { alternating, maximum, median } from './samples.ts';
import type { StoreProcess } from './store.ts';

export type FirstIndex = {
  readonly ms: number;
  /** The same FETCH responses on a bare socket. */
  readonly wireMs: number;
  readonly ratio: number;
  readonly bytesPerMessage: number;
  readonly peakRssMb: number;
  /** In a process that has indexed some accounts before: its programs are compiled. */
  readonly warm: Indexing;
  /** The catalog kept in the process, so that the work of a store is not done by the same cores. */
  readonly storeInMemory: Indexing & { readonly warm: Indexing };
  /** Not among the figures of the JSON line. */
  readonly more: { readonly wireOctets: number; readonly imapCommands: number; readonly storeUnits: number };
};

type Indexing = { readonly ms: number; readonly ratio: number };

/** What the process that indexes has for its objects: what it needs is less than what it would take. */
export const heapMegabytes = 112;

/** Accounts that a warm process has indexed. */
const indexedBefore = 4;

/** What only an account that is indexed can tell, and nothing that is asked beside it. */
const indexedMailboxes: Call = ['Mailbox/get', { ids: null, properties: ['totalThreads'] }, 'mailboxes'];

type Indexed = { accountId: string; ms: number; peakRssMb: number; storeUnits: number; imapCommands: number };

/** Indexes the account so many times, each time into a catalog and in a process of its own, in turns with receiving the same on a bare socket. */
export async function measureFirstIndex(
  account: FilledAccount,
  store: StoreProcess,
  samples: number,
): Promise<FirstIndex> {
  // The first reading costs the mail server several times the second: both find it done.
  await receiveOnBareSocket(account);
  const indexed: Indexed[] = [];
  const warm: Indexed[] = [];
  const inMemory: Indexed[] = [];
  const warmInMemory: Indexed[] = [];
  const received: { ms: number; octets: number }[] = [];
  await alternating(
    samples,
    async () => {
      const options = { account, storeEndpoint: store.endpoint };
      const providerName = `first index ${indexed.length}`;
      indexed.push(await indexInProcess({ ...options, providerName }));
      warm.push(await indexInProcess({ ...options, providerName: `${providerName}, warm`, indexedBefore }));
      inMemory.push(await indexInProcess({ ...options, storeInMemory: true }));
      warmInMemory.push(await indexInProcess({ ...options, storeInMemory: true, indexedBefore }));
    },
    async () => {
      received.push(await receiveOnBareSocket(account));
    },
  );
  const octets = await Promise.all(indexed.map(({ accountId }) => store.octetsOf(accountId)));
  const messages = account.mailboxes.reduce((sum, mailbox) => sum + mailbox.messages, 0);
  const wireMs = median(received.map((wire) => wire.ms));
  const indexing = (all: readonly Indexed[]): Indexing => {
    const ms = median(all.map((index) => index.ms));
    return { ms, ratio: ms / wireMs };
  };
  return {
    ...indexing(indexed),
    wireMs,
    bytesPerMessage: median(octets) / messages,
    peakRssMb: median(indexed.map((index) => index.peakRssMb)),
    warm: indexing(warm),
    storeInMemory: { ...indexing(inMemory), warm: indexing(warmInMemory) },
    more: {
      wireOctets: median(received.map((wire) => wire.octets)),
      imapCommands: maximum(indexed.map((index) => index.imapCommands)),
      storeUnits: median(indexed.map((index) => index.storeUnits)),
    },
  };
}

async function indexInProcess(options: PosternOptions): Promise<Indexed> {
  const postern = await startMeasuredPostern(options, [`--max-old-space-size=${heapMegabytes}`]);
  try {
    // The bare socket's time begins after the login, too.
    await postern.request([['Core/echo', {}, 'login']]);
    const { ms, counts, peakRssMb } = await postern.request([indexedMailboxes]);
    const { storeUnits, imapCommands } = counts;
    return { accountId: postern.accountId, ms, peakRssMb, storeUnits, imapCommands: imapCommands.length };
  } finally {
    await postern.stop();
  }
}
