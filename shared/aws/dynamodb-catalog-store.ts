import {
  type AttributeValue,
  BatchGetItemCommand,
  BatchWriteItemCommand,
  ConditionalCheckFailedException,
  type ConsumedCapacity,
  type DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  type WriteRequest,
} from '@aws-sdk/client-dynamodb';
import type { CatalogStore } from '../catalog/store.ts';
import { asUnavailable } from './as-unavailable.ts';
import { type Retries, retried } from './retry.ts';

/** What one call cost, for counting. */
export type OnCapacity = (units: { readonly kind: 'read' | 'write'; readonly units: number }) => void;

export type DynamodbCatalogStoreOptions = {
  readonly client: DynamoDBClient;
  readonly tableName: string;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly onCapacity?: OnCapacity;
  readonly retries?: Retries;
};

type Item = Record<string, AttributeValue>;

/** The sort key of a head, and what stands before the key of a block (docs/storage-schema.md). */
const headKey = 'head';
const blockPrefix = 'b';
/** What DynamoDB takes in one call. */
const keysPerGet = 100;
const itemsPerWrite = 25;
/** After so long a call, with the repetitions that the SDK makes of it, has failed. */
const callTimeoutMs = 10_000;

/**
 * The catalog's store on one DynamoDB table. An account is a partition, so no call can touch two. DynamoDB deletes expired
 * items some time after they expire; until then they are left out here.
 */
export function dynamodbCatalogStore(options: DynamodbCatalogStoreOptions): CatalogStore {
  const { client, tableName, now, onCapacity, retries } = options;
  // It copies all that is sent and answered for a log, whether there is one or not.
  client.middlewareStack.remove('loggerMiddleware');
  const seconds = () => Math.floor(now() / 1000);

  const count = (kind: 'read' | 'write', capacity: ConsumedCapacity | readonly ConsumedCapacity[] | undefined) => {
    if (onCapacity === undefined || capacity === undefined) return;
    const all = Array.isArray(capacity) ? (capacity as readonly ConsumedCapacity[]) : [capacity as ConsumedCapacity];
    onCapacity({ kind, units: all.reduce((sum, { CapacityUnits }) => sum + (CapacityUnits ?? 0), 0) });
  };
  const limits = () => ({ abortSignal: AbortSignal.timeout(callTimeoutMs) });
  const capacity = onCapacity === undefined ? {} : ({ ReturnConsumedCapacity: 'TOTAL' } as const);
  const dataOf = (item: Item | undefined): Uint8Array | null => {
    if (item === undefined || Number(item.ttl?.N ?? 0) <= seconds()) return null;
    return item.data?.B ?? null;
  };

  async function readBatch(account: string, keys: readonly string[], consistent: boolean): Promise<Item[]> {
    const found: Item[] = [];
    let left: Item[] = keys.map((key) => keyOf(account, blockPrefix + key));
    await retried(retries, async () => {
      const answer = await client.send(
        new BatchGetItemCommand({
          RequestItems: { [tableName]: { Keys: left, ConsistentRead: consistent } },
          ...capacity,
        }),
        limits(),
      );
      count('read', answer.ConsumedCapacity);
      found.push(...(answer.Responses?.[tableName] ?? []));
      left = answer.UnprocessedKeys?.[tableName]?.Keys ?? [];
      return left.length === 0;
    });
    return found;
  }

  async function writeBatch(requests: readonly WriteRequest[]): Promise<void> {
    let left = [...requests];
    await retried(retries, async () => {
      const answer = await client.send(
        new BatchWriteItemCommand({ RequestItems: { [tableName]: left }, ...capacity }),
        limits(),
      );
      count('write', answer.ConsumedCapacity);
      left = answer.UnprocessedItems?.[tableName] ?? [];
      return left.length === 0;
    });
  }

  return {
    readHead: (account) =>
      asUnavailable(async () => {
        const answer = await client.send(
          new GetItemCommand({
            TableName: tableName,
            Key: keyOf(account, headKey),
            ConsistentRead: true,
            ...capacity,
          }),
          limits(),
        );
        count('read', answer.ConsumedCapacity);
        return dataOf(answer.Item);
      }),

    writeHead: (account, { version, bytes, expiresAt }, expectedVersion) =>
      asUnavailable(async () => {
        // An expired head is as good as none, though DynamoDB may not have deleted it yet.
        const condition =
          expectedVersion === null
            ? { ConditionExpression: 'attribute_not_exists(pk) OR #ttl <= :now', values: { ':now': seconds() } }
            : {
                ConditionExpression: '#v = :expected AND #ttl > :now',
                values: { ':expected': expectedVersion, ':now': seconds() },
              };
        try {
          const answer = await client.send(
            new PutItemCommand({
              TableName: tableName,
              Item: { ...itemOf(account, headKey, bytes, expiresAt), v: { N: String(version) } },
              ConditionExpression: condition.ConditionExpression,
              ExpressionAttributeNames: expectedVersion === null ? { '#ttl': 'ttl' } : { '#ttl': 'ttl', '#v': 'v' },
              ExpressionAttributeValues: Object.fromEntries(
                Object.entries(condition.values).map(([name, value]) => [name, { N: String(value) }]),
              ),
              ...capacity,
            }),
            limits(),
          );
          count('write', answer.ConsumedCapacity);
          return true;
        } catch (error) {
          if (error instanceof ConditionalCheckFailedException) return false;
          throw error;
        }
      }),

    readBlocks: (account, keys, { consistent }) =>
      asUnavailable(async () => {
        const batches = chunks([...new Set(keys)], keysPerGet);
        const items = await Promise.all(batches.map((batch) => readBatch(account, batch, consistent)));
        const blocks = new Map<string, Uint8Array>();
        for (const item of items.flat()) {
          const bytes = dataOf(item);
          if (bytes !== null) blocks.set((item.sk?.S ?? '').slice(blockPrefix.length), bytes);
        }
        return blocks;
      }),

    writeBlocks: (account, blocks, expiresAt) =>
      asUnavailable(async () => {
        const requests = blocks.map(({ key, bytes }): WriteRequest => {
          return { PutRequest: { Item: itemOf(account, blockPrefix + key, bytes, expiresAt) } };
        });
        await Promise.all(chunks(requests, itemsPerWrite).map(writeBatch));
      }),
  };
}

function keyOf(account: string, sortKey: string): Item {
  return { pk: { S: account }, sk: { S: sortKey } };
}

function itemOf(account: string, sortKey: string, bytes: Uint8Array, expiresAt: number): Item {
  return { ...keyOf(account, sortKey), data: { B: bytes }, ttl: { N: String(expiresAt) } };
}

function chunks<T>(items: readonly T[], size: number): T[][] {
  const made: T[][] = [];
  for (let at = 0; at < items.length; at += size) made.push(items.slice(at, at + size));
  return made;
}
