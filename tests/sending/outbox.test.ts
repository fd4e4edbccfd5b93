import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { S3Client } from '@aws-sdk/client-s3';
import { describe, expect, test } from '@jest/globals';
import { startFauxqs } from 'fauxqs';
import { openFolderOutbox } from '../../functions/local/folder-outbox.ts';
import { s3Outbox } from '../../shared/aws/s3-outbox.ts';
import type { Outbox } from '../../shared/vault/outbox.ts';

const inFolder = async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'postern-outbox-'));
  return { outbox: await openFolderOutbox(folder), stop: () => rm(folder, { recursive: true }) };
};
const inBucket = async () => {
  const standIn = await startFauxqs({ port: 0, host: '127.0.0.1', logger: false });
  standIn.createBucket('outbox');
  const credentials = { accessKeyId: 'local', secretAccessKey: 'local' };
  const endpoint = `http://127.0.0.1:${standIn.port}`;
  const client = new S3Client({ endpoint, region: 'us-east-1', credentials, forcePathStyle: true });
  const stop = async () => {
    client.destroy();
    await standIn.stop();
  };
  return { outbox: s3Outbox({ client, bucket: 'outbox' }), stop };
};

describe.each<[string, () => Promise<{ outbox: Outbox; stop: () => Promise<void> }>]>([
  ['in a folder', inFolder],
  ['in a bucket', inBucket],
])('an outbox %s', (_, start) => {
  test('keeps a message until it is removed, for its account only', async () => {
    const { outbox, stop } = await start();
    const message = Buffer.from(Array.from({ length: 300_000 }, (_value, index) => index % 256));
    expect(await outbox.get('a', 'S1')).toBeNull();
    await outbox.put('a', 'S1', Buffer.from('first'));
    await outbox.put('a', 'S1', message);
    await outbox.put('b', 'S1', Buffer.from('other'));
    expect(Buffer.compare((await outbox.get('a', 'S1')) ?? Buffer.alloc(0), message)).toBe(0);
    await outbox.remove('a', 'S1');
    await outbox.remove('a', 'S1');
    expect(await outbox.get('a', 'S1')).toBeNull();
    expect(Buffer.from((await outbox.get('b', 'S1')) ?? []).toString()).toBe('other');
    await stop();
  });
});
