import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { setTimeout } from 'node:timers/promises';
import {
  type AttributeValue,
  ConditionalCheckFailedException,
  CreateTableCommand,
  DeleteItemCommand,
  type DeleteItemCommandInput,
  DescribeTableCommand,
  DynamoDBClient,
  paginateScan,
  ResourceInUseException,
} from '@aws-sdk/client-dynamodb';
import dynalite from 'dynalite';
import { localStoreAccess } from './store-access.ts';

export type LocalStore = {
  /** URL of a DynamoDB with the tables in it, on loopback. */
  readonly endpoint: string;
  /** Deletes what has expired, as DynamoDB does by itself; answers how many items. Also done every hour. */
  readonly sweep: () => Promise<number>;
  readonly stop: () => Promise<void>;
};

const sweepEveryMs = 3_600_000;
const deletesAtOnce = 25;
const tableLooksEveryMs = 5;

type Key = Record<string, AttributeValue>;
type TtlCondition = Pick<
  DeleteItemCommandInput,
  'ConditionExpression' | 'ExpressionAttributeNames' | 'ExpressionAttributeValues'
>;

/** Starts an embedded DynamoDB with these tables. What it holds is kept in the folder; without one, in memory. */
export async function startLocalStore(options: {
  readonly folder: string | null;
  readonly tableNames: readonly string[];
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}): Promise<LocalStore> {
  const { folder, tableNames, now } = options;
  if (folder !== null) await mkdir(folder, { recursive: true });
  const server = dynalite({ createTableMs: 0, ...(folder === null ? {} : { path: folder }) });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const client = new DynamoDBClient({ endpoint, ...localStoreAccess });

  /** Only while it is still expired: a head may have been written again since it was found. */
  const deleteExpired = async (table: string, key: Key, condition: TtlCondition): Promise<number> => {
    try {
      await client.send(new DeleteItemCommand({ TableName: table, Key: key, ...condition }));
      return 1;
    } catch (error) {
      if (error instanceof ConditionalCheckFailedException) return 0;
      throw error;
    }
  };
  const sweepTable = async (table: string): Promise<number> => {
    const expired = 'attribute_exists(#ttl) AND #ttl <= :now';
    const condition = {
      ExpressionAttributeNames: { '#ttl': 'ttl' },
      ExpressionAttributeValues: { ':now': { N: String(Math.floor(now() / 1000)) } },
    };
    const keysOnly = { ProjectionExpression: 'pk, sk', FilterExpression: expired };
    let count = 0;
    for await (const { Items = [] } of paginateScan({ client }, { TableName: table, ...keysOnly, ...condition })) {
      for (let at = 0; at < Items.length; at += deletesAtOnce) {
        const some = Items.slice(at, at + deletesAtOnce);
        const deleted = await Promise.all(
          some.map((key) => deleteExpired(table, key, { ConditionExpression: expired, ...condition })),
        );
        count += deleted.reduce((sum, one) => sum + one, 0);
      }
    }
    return count;
  };
  const sweep = async (): Promise<number> => {
    let count = 0;
    for (const table of tableNames) count += await sweepTable(table);
    return count;
  };

  const close = async (): Promise<void> => {
    client.destroy();
    await new Promise((resolve) => server.close(resolve));
  };
  try {
    for (const table of tableNames) await createTable(client, table);
    await sweep();
  } catch (error) {
    await close();
    throw error;
  }
  const timer = setInterval(() => {
    sweep().catch(() => {});
  }, sweepEveryMs);
  timer.unref();

  return {
    endpoint,
    sweep,
    stop: async () => {
      clearInterval(timer);
      await close();
    },
  };
}

/** The table is there, and can be used, when it resolves. */
async function createTable(client: DynamoDBClient, tableName: string): Promise<void> {
  await createUnlessThere(client, tableName);
  for (;;) {
    const { Table } = await client.send(new DescribeTableCommand({ TableName: tableName }));
    if (Table?.TableStatus === 'ACTIVE') return;
    await setTimeout(tableLooksEveryMs);
  }
}

async function createUnlessThere(client: DynamoDBClient, tableName: string): Promise<void> {
  try {
    await client.send(
      new CreateTableCommand({
        TableName: tableName,
        BillingMode: 'PAY_PER_REQUEST',
        KeySchema: [
          { AttributeName: 'pk', KeyType: 'HASH' },
          { AttributeName: 'sk', KeyType: 'RANGE' },
        ],
        AttributeDefinitions: [
          { AttributeName: 'pk', AttributeType: 'S' },
          { AttributeName: 'sk', AttributeType: 'S' },
        ],
      }),
    );
  } catch (error) {
    if (!(error instanceof ResourceInUseException)) throw error;
  }
}
