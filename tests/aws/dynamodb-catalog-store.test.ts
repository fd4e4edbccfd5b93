import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { startLocalStore } from '../../functions/local/store.ts';
import { localStoreAccess } from '../../functions/local/store-access.ts';
import { dynamodbCatalogStore } from '../../shared/aws/dynamodb-catalog-store.ts';
import { createMemoryStore } from '../../shared/catalog/storage/memory-store.ts';
import type { CatalogStore } from '../../shared/catalog/store.ts';
import { Unavailable } from '../../shared/jmap/errors.ts';
import { describeStore } from '../catalog/storage/store-contract.ts';

const tableName = 'catalogs';

/** The adapter on an embedded DynamoDB, with a clock to move and a look at what went over the wire. */
async function start() {
  let now = 1_700_000_000;
  const local = await startLocalStore({ folder: null, tableNames: [tableName], now: () => now * 1000 });
  const client = new DynamoDBClient({ endpoint: local.endpoint, ...localStoreAccess, maxAttempts: 1 });
  const units = { read: 0, write: 0 };
  const store = dynamodbCatalogStore({
    client,
    tableName,
    now: () => now * 1000,
    onCapacity: ({ kind, units: some }) => {
      units[kind] += some;
    },
    retries: { attempts: 4, firstDelayMs: 1 },
  });
  return {
    store,
    client,
    units,
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

describeStore('on DynamoDB', start);

describe('the store on DynamoDB', () => {
  let under: Awaited<ReturnType<typeof start>>;
  beforeAll(async () => {
    under = await start();
  });
  afterAll(() => under.stop());

  const blocks = (count: number, size = 100) =>
    Array.from({ length: count }, (_, i) => ({ key: `k${i}`, bytes: new Uint8Array(size).fill(i) }));

  /** Runs `task` while every answer of the store passes through `change`; answers how many there were. */
  async function withAnswers(
    change: (output: Record<string, unknown>, input: unknown, n: number) => void,
    task: () => Promise<void>,
  ): Promise<number> {
    let n = 0;
    under.client.middlewareStack.add(
      (next) => async (args) => {
        const result = await next(args);
        change(result.output as unknown as Record<string, unknown>, args.input, ++n);
        return result;
      },
      { step: 'initialize', name: 'tamper' },
    );
    try {
      await task();
    } finally {
      under.client.middlewareStack.remove('tamper');
    }
    return n;
  }

  test('asks again for keys that were not processed', async () => {
    await under.store.writeBlocks('again', blocks(5), under.nowSeconds() + 1000);
    const calls = await withAnswers(
      (output, _input, n) => {
        if (n > 2) return;
        const found = (output.Responses as Record<string, { pk: unknown; sk: unknown }[]>)[tableName] ?? [];
        const left = found.splice(1).map(({ pk, sk }) => ({ pk, sk }));
        output.UnprocessedKeys = { [tableName]: { Keys: left } };
      },
      async () => {
        const found = await under.store.readBlocks(
          'again',
          blocks(5).map(({ key }) => key),
          { consistent: false },
        );
        expect([...found.keys()].sort()).toEqual(['k0', 'k1', 'k2', 'k3', 'k4']);
      },
    );
    expect(calls).toBe(3);
  });

  test('sends items again that were not processed', async () => {
    const sent: number[] = [];
    await withAnswers(
      (output, input, n) => {
        const requests = (input as { RequestItems: Record<string, unknown[]> }).RequestItems[tableName] ?? [];
        sent.push(requests.length);
        if (n <= 2) output.UnprocessedItems = { [tableName]: requests.slice(1) };
      },
      () => under.store.writeBlocks('resent', blocks(5), under.nowSeconds() + 1000),
    );
    expect(sent).toEqual([5, 4, 3]);
  });

  test('waits for its turn when it is throttled', async () => {
    let refusals = 0;
    under.client.middlewareStack.add(
      (next) => async (args) => {
        if (refusals === 2) return next(args);
        refusals += 1;
        throw Object.assign(new Error('slow down'), { name: 'ProvisionedThroughputExceededException' });
      },
      { step: 'initialize', name: 'throttle' },
    );
    try {
      await under.store.writeBlocks('throttled', blocks(3), under.nowSeconds() + 1000);
      refusals = 0;
      const found = await under.store.readBlocks(
        'throttled',
        blocks(3).map(({ key }) => key),
        { consistent: false },
      );
      expect([refusals, found.size]).toEqual([2, 3]);
    } finally {
      under.client.middlewareStack.remove('throttle');
    }
  });

  test.each([
    { call: 'read', run: (store: CatalogStore) => store.readBlocks('stuck', ['k'], { consistent: false }) },
    { call: 'write', run: (store: CatalogStore) => store.writeBlocks('stuck', blocks(1), under.nowSeconds() + 1000) },
  ])('is unavailable, for a while, when a $call is never processed', async ({ run }) => {
    const failing = withAnswers(
      (output, input) => {
        const { RequestItems } = input as { RequestItems: unknown };
        Object.assign(output, { Responses: {}, UnprocessedKeys: RequestItems, UnprocessedItems: RequestItems });
      },
      async () => void (await run(under.store)),
    );
    await expect(failing).rejects.toThrow(expect.objectContaining({ name: 'Unavailable', retryAfterSeconds: 5 }));
  });

  test.each([
    { failure: 'ProvisionedThroughputExceededException', retryAfterSeconds: 5 },
    { failure: 'ThrottlingException', retryAfterSeconds: 5 },
    { failure: 'AccessDeniedException', retryAfterSeconds: undefined },
    { failure: 'TimeoutError', retryAfterSeconds: undefined },
  ])('turns $failure into Unavailable', async ({ failure, retryAfterSeconds }) => {
    const calls = [
      () => under.store.readHead('a'),
      () =>
        under.store.writeHead(
          'a',
          { version: 1, bytes: new Uint8Array(1), expiresAt: under.nowSeconds() + 1000 },
          null,
        ),
      () => under.store.readBlocks('a', ['k'], { consistent: true }),
      () => under.store.writeBlocks('a', blocks(1), under.nowSeconds() + 1000),
    ];
    under.client.middlewareStack.add(() => () => Promise.reject(Object.assign(new Error('no'), { name: failure })), {
      step: 'initialize',
      name: 'fail',
    });
    try {
      for (const call of calls) {
        const outcome = await call().catch((error: unknown) => error);
        expect(outcome).toBeInstanceOf(Unavailable);
        expect((outcome as Unavailable).retryAfterSeconds).toBe(retryAfterSeconds);
      }
    } finally {
      under.client.middlewareStack.remove('fail');
    }
  });

  test('is unavailable when nobody listens', async () => {
    const client = new DynamoDBClient({ endpoint: 'http://127.0.0.1:1', ...localStoreAccess, maxAttempts: 1 });
    const store = dynamodbCatalogStore({ client, tableName, now: () => 0 });
    await expect(store.readHead('a')).rejects.toThrow(Unavailable);
    client.destroy();
  });

  test('costs the units that the store in memory counts', async () => {
    const memory = createMemoryStore({ now: () => under.nowSeconds() * 1000 });
    const sizes = [1, 900, 1000, 1100, 3900, 4000, 4100, 15_900];
    const run = async (store: CatalogStore) => {
      const expiresAt = under.nowSeconds() + 1000;
      const written = sizes.map((size, i) => ({ key: `key-${i}`, bytes: new Uint8Array(size) }));
      await store.writeBlocks('counted', written, expiresAt);
      await store.readBlocks('counted', [...written.map(({ key }) => key), 'missing'], { consistent: false });
      await store.readBlocks('counted', [...written.map(({ key }) => key), 'missing'], { consistent: true });
      await store.writeHead('counted', { version: 7, bytes: new Uint8Array(5000), expiresAt }, null);
      await store.readHead('counted');
      await store.readHead('nobody');
    };
    under.units.read = 0;
    under.units.write = 0;
    await run(under.store);
    await run(memory);
    expect({ reads: under.units.read, writes: under.units.write }).toEqual({
      reads: memory.units().reads,
      writes: memory.units().writes,
    });
  });
});
