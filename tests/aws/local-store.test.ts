import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DynamoDBClient, ScanCommand } from '@aws-sdk/client-dynamodb';
import { afterEach, describe, expect, test } from '@jest/globals';
import { startLocalStore } from '../../functions/local/store.ts';
import { localStoreAccess } from '../../functions/local/store-access.ts';
import { dynamodbCatalogStore } from '../../shared/aws/dynamodb-catalog-store.ts';

const tableName = 'catalogs';

describe('the embedded store', () => {
  const cleanups: (() => Promise<void>)[] = [];
  afterEach(async () => {
    for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
  });

  async function start(folder: string | null, now: () => number) {
    const local = await startLocalStore({ folder, tableNames: [tableName], now });
    const client = new DynamoDBClient({ endpoint: local.endpoint, ...localStoreAccess });
    const stop = async () => {
      client.destroy();
      await local.stop();
    };
    const count = async () => (await client.send(new ScanCommand({ TableName: tableName, Select: 'COUNT' }))).Count;
    return { ...local, stop, count, store: dynamodbCatalogStore({ client, tableName, now }) };
  }

  const block = (key: string) => ({ key, bytes: Buffer.from(`content of ${key}`) });

  test('holds what was written when it is started again on the same folder', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'local-store-'));
    cleanups.push(() => rm(folder, { recursive: true }));
    const first = await start(folder, () => 1000);
    await first.store.writeBlocks('a', [block('k')], 1000);
    await first.store.writeHead('a', { version: 1, bytes: Buffer.from('head'), expiresAt: 1000 }, null);
    await first.stop();

    const second = await start(folder, () => 1000);
    cleanups.push(second.stop);
    expect(Buffer.from((await second.store.readHead('a')) ?? []).toString()).toBe('head');
    const found = await second.store.readBlocks('a', ['k'], { consistent: true });
    expect(Buffer.from(found.get('k') ?? []).toString()).toBe('content of k');
  });

  test('leaves nothing running when it cannot start', async () => {
    const before = process.getActiveResourcesInfo().filter((kind) => kind === 'TCPServerWrap').length;
    await expect(startLocalStore({ folder: null, tableNames: ['?'], now: () => 0 })).rejects.toThrow('ableName');
    // A closed server is off the list one turn later.
    await new Promise((resolve) => setImmediate(resolve));
    expect(process.getActiveResourcesInfo().filter((kind) => kind === 'TCPServerWrap')).toHaveLength(before);
  });

  test('deletes what has expired and nothing else, when told to and when it starts', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'local-store-'));
    cleanups.push(() => rm(folder, { recursive: true }));
    let seconds = 0;
    const now = () => seconds * 1000;
    const first = await start(folder, now);
    await first.store.writeBlocks(
      'a',
      Array.from({ length: 60 }, (_, i) => block(`short${i}`)),
      100,
    );
    await first.store.writeBlocks('a', [block('long')], 300);
    await first.store.writeHead('a', { version: 1, bytes: Buffer.from('head'), expiresAt: 200 }, null);
    seconds = 99;
    expect(await first.sweep()).toBe(0);
    seconds = 100;
    expect(await first.sweep()).toBe(60);
    expect(await first.count()).toBe(2);
    await first.stop();

    seconds = 200;
    const second = await start(folder, now);
    cleanups.push(second.stop);
    expect(await second.count()).toBe(1);
    expect((await second.store.readBlocks('a', ['long'], { consistent: true })).size).toBe(1);
  });
});
