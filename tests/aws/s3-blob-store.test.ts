import { randomBytes } from 'node:crypto';
import { ListMultipartUploadsCommand, ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { type FauxqsServer, startFauxqs } from 'fauxqs';
import { s3BlobStore } from '../../shared/aws/s3-blob-store.ts';
import { Unavailable } from '../../shared/jmap/errors.ts';
import type { Id } from '../../shared/jmap/scalars.ts';
import { uploadId } from '../../shared/methods/Blob/uploads.ts';
import { chunksOf, describeBlobStore, octetsOf } from '../functions/blob-store-contract.ts';

const bucket = 'uploads';
const account = 'a1' as Id;
const day = 86_400_000;

let standIn: FauxqsServer;
let client: S3Client;
beforeAll(async () => {
  standIn = await startFauxqs({ port: 0, host: '127.0.0.1', logger: false });
  standIn.createBucket(bucket);
  client = clientOf(standIn.port);
});
afterAll(async () => {
  client.destroy();
  await standIn.stop();
});
afterEach(() => standIn.reset());

function clientOf(port: number): S3Client {
  const credentials = { accessKeyId: 'local', secretAccessKey: 'local' };
  const endpoint = `http://127.0.0.1:${port}`;
  return new S3Client({ endpoint, region: 'us-east-1', credentials, forcePathStyle: true, maxAttempts: 1 });
}

function blobsOf({ octetsMax = 1_000_000_000, now = Date.now, from = client } = {}) {
  const newId = () => uploadId(randomBytes(16));
  return s3BlobStore({ client: from, bucket, lifetimeMs: day, octetsMax, newId, now });
}

const put = async (size: number, blobs = blobsOf()) => (await blobs(account).put(chunksOf(octetsOf(size)))).id;

async function keys(): Promise<string[]> {
  const { Contents = [] } = await client.send(new ListObjectsV2Command({ Bucket: bucket }));
  return Contents.map(({ Key = '' }) => Key);
}

describe('in a bucket', () => describeBlobStore(() => blobsOf(), { largest: 20_000_000 }));

describe('the bucket of uploaded blobs', () => {
  test('gives a blob for its time, and no longer', async () => {
    const id = await put(10);
    const later = (ms: number) => blobsOf({ now: () => Date.now() + ms })(account);
    expect(await later(day - 60_000).size(id)).toBe(10);
    expect(await later(day + 60_000).size(id)).toBeNull();
    expect(await later(day + 60_000).open(id)).toBeNull();
  });

  test('makes room for a new blob of an account by deleting its oldest, and nobody else’s', async () => {
    const blobs = blobsOf({ octetsMax: 250_000 });
    const other = (await blobs('a2' as Id).put(chunksOf(octetsOf(200_000)))).id;
    const ids: Id[] = [];
    for (let n = 0; n < 4; n++) ids.push(await put(100_000, blobs));
    const left = [...ids.slice(2).map((id) => `a1/${id}`), `a2/${other}`];
    expect((await keys()).sort()).toEqual(left.sort());
    const large = await put(300_000, blobs);
    expect((await keys()).sort()).toEqual([`a1/${large}`, `a2/${other}`]);
  });

  test('is not filled with empty blobs', async () => {
    const blobs = blobsOf({ octetsMax: 41_000 });
    for (let n = 0; n < 15; n++) await put(0, blobs);
    expect(await keys()).toHaveLength(10);
  });

  test.each([[100_000], [9_000_000]])('keeps nothing of a blob that broke off after %i octets', async (size) => {
    async function* breaking(): AsyncGenerator<Uint8Array> {
      yield* chunksOf(octetsOf(size));
      throw new Error('broke off');
    }
    await expect(blobsOf()(account).put(breaking())).rejects.toThrow('broke off');
    expect(await keys()).toEqual([]);
    const { Uploads = [] } = await client.send(new ListMultipartUploadsCommand({ Bucket: bucket }));
    expect(Uploads).toEqual([]);
  });

  test('that cannot be reached is unavailable', async () => {
    const gone = await startFauxqs({ port: 0, host: '127.0.0.1', logger: false });
    const from = clientOf(gone.port);
    await gone.stop();
    const blobs = blobsOf({ from })(account);
    const id = uploadId(randomBytes(16));
    await expect(put(10, blobsOf({ from }))).rejects.toBeInstanceOf(Unavailable);
    await expect(blobs.size(id)).rejects.toBeInstanceOf(Unavailable);
    await expect(blobs.open(id)).rejects.toBeInstanceOf(Unavailable);
    from.destroy();
  });
});
