import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { dynamodbCatalogStore } from '../../shared/aws/dynamodb-catalog-store.ts';
import { readConfig, variableOf } from '../../shared/config.ts';
import { ConfigurationError } from '../../shared/configuration-error.ts';
import { compose } from '../compose.ts';
import { readProviders } from '../read-providers.ts';
import { createLambdaHandler } from './lambda-handler.ts';

const config = readConfig();
if (config.providers === null) {
  throw new ConfigurationError('These settings cannot be used', [`${variableOf('providers')} is missing`]);
}
const client = new DynamoDBClient(config.storeEndpoint === null ? {} : { endpoint: config.storeEndpoint });
const { app, log, rest } = compose(config, {
  providers: readProviders(config.providers),
  store: dynamodbCatalogStore({ client, tableName: config.table, now: () => Date.now() }),
  writeLog: (line) => process.stdout.write(`${line}\n`),
});

/** The HTTP function, as infra/stack.ts deploys it. */
export const handler = createLambdaHandler(app, log, rest);
