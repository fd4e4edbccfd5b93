import { fork } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { DynamoDBClient, paginateQuery } from '@aws-sdk/client-dynamodb';
import { localStoreAccess } from '../../functions/local/store-access.ts';

export const tableName = 'bench';

export type StoreProcess = {
  readonly endpoint: string;
  /** Octets of all items of an account. */
  readonly octetsOf: (accountId: string) => Promise<number>;
  readonly stop: () => Promise<void>;
};

/** Starts an embedded DynamoDB, in memory and in a process of its own. */
export async function startStoreProcess(): Promise<StoreProcess> {
  const file = path.join(path.dirname(fileURLToPath(import.meta.url)), 'store-process.ts');
  const child = fork(file, { execArgv: ['--import', 'tsx'], stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  const [message] = await Promise.race([
    once(child, 'message'),
    once(child, 'exit').then(() => Promise.reject(new Error('The store did not start'))),
  ]);
  const { endpoint } = message as { endpoint: string };
  const client = new DynamoDBClient({ endpoint, ...localStoreAccess });
  return {
    endpoint,
    octetsOf: async (accountId) => {
      const pages = paginateQuery(
        { client },
        {
          TableName: tableName,
          KeyConditionExpression: 'pk = :account',
          ExpressionAttributeValues: { ':account': { S: accountId } },
        },
      );
      let octets = 0;
      for await (const { Items = [] } of pages) {
        for (const item of Items) octets += item.data?.B?.byteLength ?? 0;
      }
      return octets;
    },
    stop: async () => {
      client.destroy();
      const ended = once(child, 'exit');
      child.disconnect();
      await ended;
    },
  };
}
