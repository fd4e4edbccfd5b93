import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { startLocalStore } from '../../functions/local/store.ts';
import { localStoreAccess } from '../../functions/local/store-access.ts';
import { dynamodbRecordStore } from '../../shared/aws/dynamodb-record-store.ts';
import { Unavailable } from '../../shared/jmap/errors.ts';
import { describeRecordStore } from '../records/store-contract.ts';

const tableName = 'records';

/** The adapter on an embedded DynamoDB, with a clock to move. */
async function start() {
  let now = 1_700_000_000;
  const local = await startLocalStore({ folder: null, tableNames: [tableName], now: () => now * 1000 });
  const client = new DynamoDBClient({ endpoint: local.endpoint, ...localStoreAccess, maxAttempts: 1 });
  return {
    store: dynamodbRecordStore({ client, tableName, now: () => now * 1000 }),
    client,
    nowSeconds: () => now,
    passSeconds: (seconds: number) => {
      now += seconds;
    },
    stop: async () => {
      client.destroy();
      await local.stop();
    },
  };
}

describeRecordStore('on DynamoDB', start);

describe('the record store on DynamoDB', () => {
  let under: Awaited<ReturnType<typeof start>>;
  beforeAll(async () => {
    under = await start();
  });
  afterAll(() => under.stop());

  const item = { version: 1, bytes: new Uint8Array(1), expiresAt: null };

  test.each([
    { failure: 'ThrottlingException', retryAfterSeconds: 5 },
    { failure: 'AccessDeniedException', retryAfterSeconds: undefined },
  ])('turns $failure into Unavailable', async ({ failure, retryAfterSeconds }) => {
    const { store, client } = under;
    client.middlewareStack.add(() => () => Promise.reject(Object.assign(new Error('no'), { name: failure })), {
      step: 'initialize',
      name: 'fail',
    });
    try {
      for (const call of [
        () => store.read('a', 'k'),
        () => store.list('a', { first: 'a', last: 'z', limit: 10 }),
        () => store.write('a', 'k', item, null),
        () => store.remove('a', 'k', null),
      ]) {
        const outcome = await call().catch((error: unknown) => error);
        expect(outcome).toBeInstanceOf(Unavailable);
        expect((outcome as Unavailable).retryAfterSeconds).toBe(retryAfterSeconds);
      }
    } finally {
      client.middlewareStack.remove('fail');
    }
  });

  test('says that a repeated write was refused, though it was its own: the writer has to look', async () => {
    const { store } = under;
    expect(await store.write('repeated', 'k', item, null)).toBe(true);
    expect(await store.write('repeated', 'k', item, null)).toBe(false);
  });
});
