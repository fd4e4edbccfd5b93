import { compose } from '../../functions/compose.ts';
import { startServer } from '../../functions/local/server.ts';
import { createMemoryStore, type MemoryStore } from '../../shared/catalog/storage/memory-store.ts';
import { type Config, readConfig } from '../../shared/config.ts';
import { type Provider, singleProvider } from '../../shared/providers.ts';
import { createMemoryRecordStore } from '../../shared/records/memory-store.ts';
import { memoryBlobStore } from '../functions/memory-blob-store.ts';
import { cyrus, dovecot, type TestServer } from '../servers/servers.ts';
import { type JmapClient, jmapClient, type Login } from './jmap-client.ts';

/** A mail server behind the product, with one way of making ids. */
export type Backend = {
  readonly title: string;
  readonly start: () => Promise<TestServer>;
  readonly forbiddenIdentitySchemes: Provider['forbiddenIdentitySchemes'];
  readonly scheme: 'xguid' | 'digest' | 'objectid';
};

export const backends: readonly Backend[] = [
  { title: 'Dovecot', start: dovecot, forbiddenIdentitySchemes: [], scheme: 'xguid' },
  { title: 'Dovecot with digests', start: dovecot, forbiddenIdentitySchemes: ['xguid'], scheme: 'digest' },
  { title: 'Cyrus', start: cyrus, forbiddenIdentitySchemes: [], scheme: 'objectid' },
];

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
  /** Starts another process: it shares nothing with the others but the store. */
  readonly startProcess: () => Promise<Process>;
  readonly stop: () => Promise<void>;
};

/** The product in front of one mail server; `config`: settings other than the default ones. */
export function startProduct(
  server: Pick<TestServer, 'host' | 'imapPort'>,
  { forbiddenIdentitySchemes = [] }: Partial<Pick<Backend, 'forbiddenIdentitySchemes'>> = {},
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
  const provider = { ...singleProvider('test', { imap, smtp: null, sieve: null }), forbiddenIdentitySchemes };
  return {
    store,
    log,
    advanceClock: (ms) => {
      clock += ms;
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
