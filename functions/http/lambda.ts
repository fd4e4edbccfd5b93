import { randomBytes } from 'node:crypto';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { S3Client } from '@aws-sdk/client-s3';
import { dynamodbCatalogStore } from '../../shared/aws/dynamodb-catalog-store.ts';
import { dynamodbRecordStore } from '../../shared/aws/dynamodb-record-store.ts';
import { s3BlobStore } from '../../shared/aws/s3-blob-store.ts';
import { readConfig, variableOf } from '../../shared/config.ts';
import { ConfigurationError } from '../../shared/configuration-error.ts';
import { uploadId } from '../../shared/methods/Blob/uploads.ts';
import { compose } from '../compose.ts';
import { readProviders } from '../read-providers.ts';
import { createLambdaHandler } from './lambda-handler.ts';

const config = readConfig();
const { providers, bucket } = config;
if (providers === null || bucket === null) {
  const missing = (['providers', 'bucket'] as const).filter((name) => config[name] === null);
  const problems = missing.map((name) => `${variableOf(name)} is missing`);
  throw new ConfigurationError('These settings cannot be used', problems);
}
const now = () => Date.now();
const client = new DynamoDBClient(config.storeEndpoint === null ? {} : { endpoint: config.storeEndpoint });
const { app, log, rest } = compose(config, {
  providers: readProviders(providers),
  store: dynamodbCatalogStore({ client, tableName: config.table, now }),
  records: dynamodbRecordStore({ client, tableName: config.recordsTable, now }),
  blobs: s3BlobStore({
    // A stand-in has no names for its buckets in the DNS.
    client: new S3Client(
      config.bucketEndpoint === null ? {} : { endpoint: config.bucketEndpoint, forcePathStyle: true },
    ),
    bucket,
    lifetimeMs: config.uploadHours * 3_600_000,
    octetsMax: config.maxSizeUploads,
    newId: () => uploadId(randomBytes(16)),
    now,
  }),
  writeLog: (line) => process.stdout.write(`${line}\n`),
});

/** The HTTP function, as infra/stack.ts deploys it. */
export const handler = createLambdaHandler(app, log, rest);
