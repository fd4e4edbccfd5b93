import { randomBytes } from 'node:crypto';
import path from 'node:path';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { dynamodbCatalogStore } from '../../shared/aws/dynamodb-catalog-store.ts';
import { dynamodbPartition } from '../../shared/aws/dynamodb-partition.ts';
import { dynamodbRecordStore } from '../../shared/aws/dynamodb-record-store.ts';
import { createBlockCache } from '../../shared/catalog/storage/block-cache.ts';
import { openCatalog } from '../../shared/catalog/storage/open.ts';
import { type Config, readConfig } from '../../shared/config.ts';
import { ConfigurationError } from '../../shared/configuration-error.ts';
import { Unavailable } from '../../shared/jmap/errors.ts';
import type { Id } from '../../shared/jmap/scalars.ts';
import { matchLogin, type Provider, singleProvider } from '../../shared/providers.ts';
import { storesInCloud } from '../cloud.ts';
import { accountIdOf } from '../http/authenticate.ts';
import { claimFolder } from '../local/claim-folder.ts';
import { demoProviderName } from '../local/demo-mail-server.ts';
import { localFolders, namedProviders } from '../local/start-local.ts';
import { startLocalStore } from '../local/store.ts';
import { localStoreAccess } from '../local/store-access.ts';
import { type AccountData, type AccountPlaces, type Erased, eraseAccount, exportAccount } from './account-data.ts';
import { type AccountFiles, filesInBucket, filesInFolder } from './files.ts';

const usage = [
  'npm run --silent account -- export LOGIN [flags]   writes what is kept of an account, as JSON',
  'npm run --silent account -- erase LOGIN [flags]    removes all of it, also messages that wait to be sent',
];

/** Opens the places of an account, and closes them when `use` is done. */
type Open = <T>(account: Id, use: (places: AccountPlaces) => Promise<T>) => Promise<T>;

/** `npm run account`: the operator's answer to a user who asks what is kept of him, or wants it gone. */
async function main([verb, login, ...flags]: readonly string[]): Promise<void> {
  const does: ((places: AccountPlaces) => Promise<AccountData | Erased>) | null =
    verb === 'export' ? exportAccount : verb === 'erase' ? eraseAccount : null;
  if (does === null || login === undefined || login.startsWith('--'))
    throw new ConfigurationError('Say what to do, and for whom', usage);
  const config = readConfig(flags);
  const account = accountOf(login, providersOf(config));
  const open: Open = config.bucket === null ? inFolder(config) : inCloud(config);
  process.stdout.write(`${JSON.stringify(await open(account, does), null, 2)}\n`);
}

function accountOf(login: string, providers: readonly Provider[]): Id {
  const matched = matchLogin(providers, login);
  if (matched === null) throw new ConfigurationError('There is no such account', [`no provider has "${login}"`]);
  return accountIdOf(matched);
}

function providersOf(config: Config): readonly Provider[] {
  // Only its name matters here.
  const nowhere = { host: '127.0.0.1', port: 0, tls: 'plaintext', ca: null } as const;
  return namedProviders(config) ?? [singleProvider(demoProviderName, { imap: nowhere, smtp: null, sieve: null })];
}

function inFolder(config: Config): Open {
  return async (account, use) => {
    const folder = path.resolve(config.data);
    // The local server must not run: the store has one owner, and so have the uploaded files.
    const release = await claimFolder(folder);
    try {
      const store = await startLocalStore({
        folder: path.join(folder, localFolders.store),
        tableNames: [config.table, config.recordsTable],
        now: Date.now,
      });
      const client = new DynamoDBClient({ endpoint: store.endpoint, ...localStoreAccess });
      try {
        const outbox = filesInFolder(path.join(folder, localFolders.outbox), account);
        const uploads = filesInFolder(path.join(folder, localFolders.uploads), account);
        return await use(placesOf(account, config, { client, outbox, uploads }));
      } finally {
        client.destroy();
        await store.stop();
      }
    } finally {
      await release();
    }
  };
}

function inCloud(config: Config): Open {
  return async (account, use) => {
    const { client, s3 } = storesInCloud(config);
    const files = (bucket: string | null) => filesInBucket(s3, bucket ?? missing('--outbox-bucket'), account);
    const [outbox, uploads] = [files(config.outboxBucket), files(config.bucket)];
    try {
      return await use(placesOf(account, config, { client, outbox, uploads }));
    } finally {
      client.destroy();
      s3.destroy();
    }
  };
}

function placesOf(
  account: Id,
  { table, recordsTable }: Config,
  { client, ...files }: { client: DynamoDBClient; outbox: AccountFiles; uploads: AccountFiles },
): AccountPlaces {
  const surroundings = { now: Date.now, randomKey: () => randomBytes(12).toString('hex') };
  const catalog = openCatalog({
    store: dynamodbCatalogStore({ client, tableName: table, now: Date.now }),
    cache: createBlockCache({ maxBytes: 50_000_000 }),
    ...{ account, surroundings },
  });
  return {
    account,
    ...files,
    records: dynamodbPartition({ client, tableName: recordsTable, account }),
    store: dynamodbRecordStore({ client, tableName: recordsTable, now: Date.now }),
    catalog: dynamodbPartition({ client, tableName: table, account }),
    openCatalog: catalog.open,
  };
}

function missing(flag: string): never {
  throw new ConfigurationError('These settings cannot be used', [`${flag} is missing`]);
}

try {
  await main(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof ConfigurationError || error instanceof Unavailable)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exit(1);
}
