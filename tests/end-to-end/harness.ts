import { compose } from '../../functions/compose.ts';
import { startServer } from '../../functions/local/server.ts';
import { flagsAgeMaxSeconds } from '../../shared/catalog/bring-up-to-date.ts';
import { createMemoryStore, type MemoryStore } from '../../shared/catalog/storage/memory-store.ts';
import { type Config, readConfig } from '../../shared/config.ts';
import { type Provider, singleProvider } from '../../shared/providers.ts';
import { createMemoryRecordStore } from '../../shared/records/memory-store.ts';
import { memoryBlobStore } from '../functions/memory-blob-store.ts';
import { courier, cyrus, dovecot, type TestServer } from '../servers/servers.ts';
import { type JmapClient, jmapClient, type Login } from './jmap-client.ts';

/** A mail server behind the product, with one way of making ids. */
export type Backend = {
  readonly title: string;
  readonly start: () => Promise<TestServer>;
  readonly forbiddenIdentitySchemes: Provider['forbiddenIdentitySchemes'];
  readonly scheme: 'xguid' | 'digest' | 'objectid';
  /** What the server is not believed to be able to do. */
  readonly ignoreCapabilities: readonly string[];
  /** Without mod-sequences changed flags are seen only when all flags of a mailbox are read again. */
  readonly hasModseqs: boolean;
  /** Whether RENAME leaves a mailbox its UIDVALIDITY; else it is another one under its new name. */
  readonly keepsRenamed: boolean;
};

const plain = { forbiddenIdentitySchemes: [], ignoreCapabilities: [], hasModseqs: true, keepsRenamed: true } as const;
/** What a server of the year 2000 had not. */
const later = [
  ...[
    'QRESYNC',
    'CONDSTORE',
    'ENABLE',
    'ESEARCH',
    'SORT',
    'LIST-EXTENDED',
    'LIST-STATUS',
    'SPECIAL-USE',
    'MOVE',
    'UIDPLUS',
  ],
  ...['LITERAL+', 'PREVIEW', 'ACL', 'UNSELECT', 'NAMESPACE', 'BINARY', 'SASL-IR'],
];

/** Each way of asking for changes (RFC 7162) and each way of making ids, on real servers. */
export const backends: readonly Backend[] = [
  { ...plain, title: 'Dovecot', start: dovecot, scheme: 'xguid' },
  { ...plain, title: 'Cyrus', start: cyrus, scheme: 'objectid' },
  {
    ...{ ...plain, title: 'Dovecot without QRESYNC, with digests', start: dovecot, scheme: 'digest' },
    ...{ forbiddenIdentitySchemes: ['xguid'], ignoreCapabilities: ['QRESYNC'] },
  },
  {
    ...{ ...plain, title: 'Dovecot as an old server', start: dovecot, scheme: 'xguid' },
    ...{ ignoreCapabilities: later, hasModseqs: false },
  },
];

/** It gives a mailbox another UIDVALIDITY with its name, and two that are made in the same second the same one. */
export const courierBackend: Backend = {
  ...{ ...plain, title: 'Courier', start: courier, scheme: 'digest' },
  ...{ hasModseqs: false, keepsRenamed: false },
};

/** One process of the product, serving on a port of its own. */
export type Process = {
  readonly url: string;
  readonly client: (login: Login) => Promise<JmapClient>;
  readonly stop: () => Promise<void>;
  /** IMAP commands after the login, and connections. */
  readonly imap: { readonly commands: string[]; connections: number };
};

/** The product: as many processes as one likes on one store, with one clock. */
export type Product = {
  readonly store: MemoryStore;
  /** Every line that was logged. */
  readonly log: string[];
  /** Lets time pass. */
  readonly advanceClock: (ms: number) => void;
  /** Lets so much time pass, and asks so often, that everything on the mail server has been seen. */
  readonly seeAll: (client: JmapClient) => Promise<void>;
  /** Starts another process: it shares nothing with the others but the store. */
  readonly startProcess: () => Promise<Process>;
  readonly stop: () => Promise<void>;
};

/** The product in front of one mail server, and of a submission server where there is one; `config`: settings other than the default ones. */
export function startProduct(
  server: { readonly host: string; readonly imapPort: number },
  {
    forbiddenIdentitySchemes = [],
    ignoreCapabilities = [],
    hasModseqs = true,
    smtp = null,
    sending,
    createRoles = [],
    sievePort,
  }: Partial<Backend & Pick<Provider, 'smtp' | 'sending' | 'createRoles'>> & { readonly sievePort?: number } = {},
  config: Partial<Config> = {},
): Product {
  let clock = Date.now();
  const now = () => clock;
  const store = createMemoryStore({ now });
  const records = createMemoryRecordStore({ now });
  const blobs = memoryBlobStore();
  const log: string[] = [];
  const processes: Process[] = [];
  const imap = { host: server.host, port: server.imapPort, tls: 'plaintext', ca: null } as const;
  const sieve = sievePort === undefined ? null : { ...imap, port: sievePort };
  const single = singleProvider('test', { imap, smtp, sieve });
  const provider = {
    ...single,
    forbiddenIdentitySchemes,
    createRoles,
    sending: sending ?? single.sending,
    quirks: { ignoreCapabilities },
  };
  return {
    store,
    log,
    advanceClock: (ms) => {
      clock += ms;
    },
    seeAll: async (client) => {
      clock += 10_000;
      if (hasModseqs) return;
      clock += flagsAgeMaxSeconds * 1_000;
      // Each look reads the flags of a few mailboxes.
      const { list } = await client.get('Mailbox', { properties: ['id'] });
      for (const _ of list) {
        clock += 10_000;
        await client.get('Mailbox', { ids: [] });
      }
    },
    startProcess: async () => {
      const counted = { commands: [] as string[], connections: 0 };
      const postern = compose(
        { ...readConfig([], {}), ...config },
        {
          providers: [provider],
          store,
          records,
          blobs,
          now,
          writeLog: (line) => log.push(line),
          observer: {
            onCommand: (name) => counted.commands.push(name),
            onConnect: () => {
              counted.connections += 1;
            },
          },
        },
      );
      const { url, stop: stopServer } = await startServer(postern.app, { host: '127.0.0.1', port: 0 });
      const stop = async () => {
        await stopServer();
        await postern.close();
      };
      const process = { url, stop, client: (login: Login) => jmapClient(url, login), imap: counted };
      processes.push(process);
      return process;
    },
    stop: async () => {
      await Promise.all(processes.map(({ stop }) => stop()));
    },
  };
}
