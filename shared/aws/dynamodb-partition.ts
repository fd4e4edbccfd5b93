import {
  type AttributeValue,
  BatchWriteItemCommand,
  type DynamoDBClient,
  paginateQuery,
  type WriteRequest,
} from '@aws-sdk/client-dynamodb';
import { asUnavailable } from './as-unavailable.ts';

/** An item of a partition: its sort key and its bytes. */
export type PartitionItem = { readonly key: string; readonly bytes: Uint8Array };

/** Everything that a table has of one account. */
export type Partition = {
  /** By ascending key. Throws `Unavailable`. */
  readonly items: () => Promise<readonly PartitionItem[]>;
  /** Removes everything; answers how many items. Throws `Unavailable`; then it can be called again. */
  readonly erase: () => Promise<number>;
};

/** What DynamoDB takes in one call. */
const itemsPerWrite = 25;

/** One account's partition of a table, whatever is in it, for the operator. */
export function dynamodbPartition(options: {
  readonly client: DynamoDBClient;
  readonly tableName: string;
  readonly account: string;
}): Partition {
  const { client, tableName: TableName, account } = options;

  async function* query(projection?: string): AsyncGenerator<Record<string, AttributeValue>> {
    const pages = paginateQuery(
      { client },
      {
        TableName,
        ConsistentRead: true,
        KeyConditionExpression: 'pk = :account',
        ExpressionAttributeValues: { ':account': { S: account } },
        ...(projection !== undefined && { ProjectionExpression: projection }),
      },
    );
    for await (const { Items = [] } of pages) yield* Items;
  }

  async function remove(keys: readonly Record<string, AttributeValue>[]): Promise<void> {
    let left: WriteRequest[] = keys.map((Key) => ({ DeleteRequest: { Key } }));
    while (left.length > 0) {
      const { UnprocessedItems = {} } = await client.send(
        new BatchWriteItemCommand({ RequestItems: { [TableName]: left } }),
      );
      left = UnprocessedItems[TableName] ?? [];
    }
  }

  return {
    items: () =>
      asUnavailable(async () => {
        const items: PartitionItem[] = [];
        for await (const { sk, data } of query()) {
          items.push({ key: sk?.S ?? '', bytes: data?.B ?? new Uint8Array() });
        }
        return items;
      }),
    erase: () =>
      asUnavailable(async () => {
        const keys: Record<string, AttributeValue>[] = [];
        for await (const key of query('pk, sk')) keys.push(key);
        for (let at = 0; at < keys.length; at += itemsPerWrite) await remove(keys.slice(at, at + itemsPerWrite));
        return keys.length;
      }),
  };
}
