import { randomBytes } from 'node:crypto';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { KMSClient } from '@aws-sdk/client-kms';
import { S3Client } from '@aws-sdk/client-s3';
import { SQSClient } from '@aws-sdk/client-sqs';
import { dynamodbCatalogStore } from '../shared/aws/dynamodb-catalog-store.ts';
import { dynamodbRecordStore } from '../shared/aws/dynamodb-record-store.ts';
import { kmsVault } from '../shared/aws/kms-vault.ts';
import { s3BlobStore } from '../shared/aws/s3-blob-store.ts';
import { s3Outbox } from '../shared/aws/s3-outbox.ts';
import { type Config, readConfig, type SettingName, variableOf } from '../shared/config.ts';
import { ConfigurationError } from '../shared/configuration-error.ts';
import { uploadId } from '../shared/methods/Blob/uploads.ts';
import { sendLanes } from '../shared/providers.ts';
import { compose, type Postern } from './compose.ts';
import { readProviders } from './read-providers.ts';
import type { Due } from './sending/queue.ts';
import { sqsClock } from './sending/sqs-clock.ts';

/** Milliseconds since the epoch. */
export const now = () => Date.now();

const needed = ['providers', 'bucket', 'outboxBucket', 'vaultKey', 'sendQueue'] as const satisfies SettingName[];

/** Where everything is kept on AWS. */
export function storesInCloud({ storeEndpoint, bucketEndpoint }: Config): { client: DynamoDBClient; s3: S3Client } {
  return {
    client: new DynamoDBClient(at(storeEndpoint)),
    // A stand-in has no names for its buckets in the DNS.
    s3: new S3Client({ ...at(bucketEndpoint), ...(bucketEndpoint !== null && { forcePathStyle: true }) }),
  };
}

function at(endpoint: string | null): { readonly endpoint?: string } {
  return endpoint === null ? {} : { endpoint };
}

/** The server on AWS, with the environment that infra/stack.ts gives its functions; `call` has the sender called when something is due. */
export function composeInCloud(): Postern & { readonly call: (due: Due) => Promise<void> } {
  const config = readConfig();
  const { providers: providersFile, bucket, outboxBucket, vaultKey, sendQueue } = config;
  if (providersFile === null || bucket === null || outboxBucket === null || vaultKey === null || sendQueue === null) {
    const missing = needed.filter((name) => config[name] === null);
    throw new ConfigurationError(
      'These settings cannot be used',
      missing.map((name) => `${variableOf(name)} is missing`),
    );
  }
  const { client, s3 } = storesInCloud(config);
  const providers = readProviders(providersFile);
  const lanes = new Set(sendLanes(providers));
  const call = sqsClock({ client: new SQSClient(at(config.queueEndpoint)), queueUrl: sendQueue, lanes, now });
  const postern = compose(config, {
    providers,
    store: dynamodbCatalogStore({ client, tableName: config.table, now }),
    records: dynamodbRecordStore({ client, tableName: config.recordsTable, now }),
    blobs: s3BlobStore({
      client: s3,
      bucket,
      lifetimeMs: config.uploadHours * 3_600_000,
      octetsMax: config.maxSizeUploads,
      newId: () => uploadId(randomBytes(16)),
      now,
    }),
    held: {
      vault: kmsVault({ client: new KMSClient(at(config.kmsEndpoint)), keyId: vaultKey }),
      outbox: s3Outbox({ client: s3, bucket: outboxBucket }),
      onHeld: call,
    },
    writeLog: (line) => process.stdout.write(`${line}\n`),
  });
  return { ...postern, call };
}
