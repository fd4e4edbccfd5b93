import { randomBytes } from 'node:crypto';
import path from 'node:path';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { dynamodbCatalogStore } from '../../shared/aws/dynamodb-catalog-store.ts';
import { dynamodbRecordStore } from '../../shared/aws/dynamodb-record-store.ts';
import type { Config } from '../../shared/config.ts';
import { ConfigurationError } from '../../shared/configuration-error.ts';
import { Unavailable } from '../../shared/jmap/errors.ts';
import { uploadId } from '../../shared/methods/Blob/uploads.ts';
import { type Provider, singleProvider } from '../../shared/providers.ts';
import { compose } from '../compose.ts';
import type { App } from '../http/app.ts';
import { logDefect, logUnavailable } from '../http/log.ts';
import { readProviders } from '../read-providers.ts';
import { claimFolder } from './claim-folder.ts';
import { type DemoMailServer, startDemoMailServer } from './demo-mail-server.ts';
import { openFileBlobStore } from './file-blob-store.ts';
import { openFolderOutbox } from './folder-outbox.ts';
import { openKeyFileVault } from './key-file-vault.ts';
import { type SendTimer, startSendTimer } from './send-timer.ts';
import { type LocalServer, startServer } from './server.ts';
import { startLocalStore } from './store.ts';
import { localStoreAccess } from './store-access.ts';
import { startSweeping } from './sweep-outbox.ts';

export interface LocalPostern {
  /** `http://127.0.0.1:8080` */
  readonly url: string;
  /** The mail server that was started for want of another. */
  readonly demo: DemoMailServer | null;
  /** Stops everything that was started, the newest first. May be called twice. */
  stop(): Promise<void>;
}

/** What the world hears of it: what is being done, and the log. */
export interface Voices {
  readonly say: (line: string) => void;
  readonly writeLog: (line: string) => void;
}

/** Where the data folder has what is kept of accounts. */
export const localFolders = { store: 'store', uploads: 'uploads', outbox: 'outbox' } as const;

const firstPort = 8080;
const portsTried = 20;

/**
 * Starts everything in this process: the embedded store, the server, and a demo mail server unless the settings name
 * another. Nothing is left running when it fails. Throws `ConfigurationError` for what the operator can mend.
 */
export async function startLocal(config: Config, { say, writeLog }: Voices): Promise<LocalPostern> {
  const started: (() => Promise<void>)[] = [];
  let stopping: Promise<void> | undefined;
  const stopAll = async () => {
    for (const stop of started.reverse()) await stop();
  };
  const stop = () => {
    stopping ??= stopAll();
    return stopping;
  };
  const named = namedProviders(config);
  try {
    const folder = path.resolve(config.data);
    started.push(await claimFolder(folder));
    const now = Date.now;
    const tableNames = [config.table, config.recordsTable];
    const store = await startLocalStore({ folder: path.join(folder, localFolders.store), tableNames, now });
    const client = new DynamoDBClient({ endpoint: store.endpoint, ...localStoreAccess });
    started.push(async () => {
      client.destroy();
      await store.stop();
    });

    const uploads = await openFileBlobStore({
      folder: path.join(folder, localFolders.uploads),
      lifetimeMs: config.uploadHours * 3_600_000,
      octetsMax: config.maxSizeUploads,
      newId: () => uploadId(randomBytes(16)),
      now,
    });
    started.push(async () => uploads.stop());

    const demo = named === null ? await startDemoMailServer(path.join(folder, 'demo'), say) : null;
    if (demo !== null) started.push(demo.stop);

    const vault = await openKeyFileVault({ file: path.join(folder, 'keys.json'), now });
    const outbox = await openFolderOutbox(path.join(folder, localFolders.outbox));
    const records = dynamodbRecordStore({ client, tableName: config.recordsTable, now });
    let timer: SendTimer | null = null;
    const postern = compose(config, {
      providers: named ?? (demo === null ? [] : [demo.provider]),
      store: dynamodbCatalogStore({ client, tableName: config.table, now }),
      records,
      blobs: uploads.blobs,
      held: { vault, outbox, onHeld: async (due) => timer?.wake(due) },
      writeLog,
    });
    started.push(postern.close);
    if (postern.queue !== null) {
      const { log, queue } = postern;
      const onFailure = (error: unknown) =>
        error instanceof Unavailable ? logUnavailable(log, error) : logDefect(log, 'send queue', error);
      timer = startSendTimer({ queue, now, onFailure });
      started.push(timer.stop, startSweeping({ outbox, vault, store: records, queue, now }, onFailure).stop);
    }

    const server = await listen(postern.app, config);
    started.push(server.stop);
    return { url: server.url, demo, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** The mail servers that the settings name, or null. */
export function namedProviders({ providers, imap, smtp, sieve }: Config): Provider[] | null {
  if (providers !== null && imap !== null) {
    throw new ConfigurationError('These settings cannot be used', ['--providers and --imap both say where mail is']);
  }
  if (providers !== null) return readProviders(providers);
  return imap === null ? null : [singleProvider(`${imap.host}:${imap.port}`, { imap, smtp, sieve })];
}

/** The port that was asked for, or else the first free one. */
async function listen(app: App, { host, port, clientAddressHeader }: Config): Promise<LocalServer> {
  const ports = port === null ? Array.from({ length: portsTried }, (_, index) => firstPort + index) : [port];
  for (const each of ports) {
    try {
      return await startServer(app, { host, port: each, clientAddressHeader });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
    }
  }
  const tried = ports.length === 1 ? `port ${port} is` : `ports ${ports[0]} to ${ports.at(-1)} are`;
  throw new ConfigurationError('The server cannot listen', [`${tried} in use: choose another with --port`]);
}
