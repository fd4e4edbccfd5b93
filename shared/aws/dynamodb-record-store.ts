import {
  type AttributeValue,
  ConditionalCheckFailedException,
  DeleteItemCommand,
  type DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
} from '@aws-sdk/client-dynamodb';
import type { ListedItem, RecordStore, StoredItem } from '../records/store.ts';
import { asUnavailable } from './as-unavailable.ts';

type Item = Record<string, AttributeValue>;

/** After so long a call, with the repetitions that the SDK makes of it, has failed. */
const callTimeoutMs = 10_000;

/** What is not expired, though DynamoDB may not have deleted it yet. */
const live = '(attribute_not_exists(#ttl) OR #ttl > :now)';

/**
 * Records on a DynamoDB table of their own (docs/storage-schema.md). An account is a partition, so no call can touch two. `now` in
 * milliseconds since the epoch.
 */
export function dynamodbRecordStore(options: {
  readonly client: DynamoDBClient;
  readonly tableName: string;
  readonly now: () => number;
}): RecordStore {
  const { client, tableName: TableName, now } = options;
  const seconds = () => Math.floor(now() / 1000);
  const limits = () => ({ abortSignal: AbortSignal.timeout(callTimeoutMs) });

  /** Whether the condition held. */
  async function conditionally(call: () => Promise<unknown>): Promise<boolean> {
    try {
      await call();
      return true;
    } catch (error) {
      if (error instanceof ConditionalCheckFailedException) return false;
      throw error;
    }
  }

  /** That there is such a version, or none at all. */
  function conditionOf(expectedVersion: number | 'any' | null) {
    const at = { ':now': { N: String(seconds()) } };
    if (expectedVersion === null || expectedVersion === 'any') {
      return {
        ConditionExpression:
          expectedVersion === null ? `attribute_not_exists(pk) OR NOT ${live}` : `attribute_exists(pk) AND ${live}`,
        ExpressionAttributeNames: { '#ttl': 'ttl' },
        ExpressionAttributeValues: at,
      };
    }
    return {
      ConditionExpression: `#v = :expected AND ${live}`,
      ExpressionAttributeNames: { '#ttl': 'ttl', '#v': 'v' },
      ExpressionAttributeValues: { ...at, ':expected': { N: String(expectedVersion) } },
    };
  }

  function itemOf(found: Item | undefined): StoredItem | null {
    if (found?.data?.B === undefined) return null;
    const expiresAt = found.ttl?.N === undefined ? null : Number(found.ttl.N);
    if (expiresAt !== null && expiresAt <= seconds()) return null;
    return { version: Number(found.v?.N), bytes: found.data.B, expiresAt };
  }

  return {
    read: (account, key) =>
      asUnavailable(async () => {
        const Key = keyOf(account, key);
        return itemOf((await client.send(new GetItemCommand({ TableName, Key, ConsistentRead: true }), limits())).Item);
      }),

    list: (account, { first, last, limit }) =>
      asUnavailable(async () => {
        const found: ListedItem[] = [];
        let from: Item | undefined;
        do {
          const answer = await client.send(
            new QueryCommand({
              TableName,
              ConsistentRead: true,
              KeyConditionExpression: 'pk = :account AND sk BETWEEN :first AND :last',
              ExpressionAttributeValues: { ':account': { S: account }, ':first': { S: first }, ':last': { S: last } },
              Limit: limit,
              ...(from && { ExclusiveStartKey: from }),
            }),
            limits(),
          );
          for (const each of answer.Items ?? []) {
            const item = itemOf(each);
            if (item !== null) found.push({ key: each.sk?.S ?? '', ...item });
          }
          from = answer.LastEvaluatedKey;
        } while (from !== undefined && found.length < limit);
        return found.slice(0, limit);
      }),

    write: (account, key, { version, bytes, expiresAt }, expectedVersion) =>
      asUnavailable(() => {
        const expiry: Item = expiresAt === null ? {} : { ttl: { N: String(expiresAt) } };
        const Item = { ...keyOf(account, key), data: { B: bytes }, v: { N: String(version) }, ...expiry };
        const put = new PutItemCommand({ TableName, Item, ...conditionOf(expectedVersion) });
        return conditionally(() => client.send(put, limits()));
      }),

    remove: (account, key, expectedVersion) =>
      asUnavailable(() => {
        const condition = conditionOf(expectedVersion ?? 'any');
        const deletion = new DeleteItemCommand({ TableName, Key: keyOf(account, key), ...condition });
        return conditionally(() => client.send(deletion, limits()));
      }),
  };
}

function keyOf(account: string, sortKey: string): Item {
  return { pk: { S: account }, sk: { S: sortKey } };
}
