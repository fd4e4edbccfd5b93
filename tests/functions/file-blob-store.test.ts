import { randomBytes } from 'node:crypto';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { type FileBlobStore, openFileBlobStore } from '../../functions/local/file-blob-store.ts';
import { Unavailable } from '../../shared/jmap/errors.ts';
import type { Id } from '../../shared/jmap/scalars.ts';
import { uploadId } from '../../shared/methods/Blob/uploads.ts';
import { chunksOf, describeBlobStore, octetsOf, readAll } from './blob-store-contract.ts';
import { memoryBlobStore } from './memory-blob-store.ts';

const account = 'a1' as Id;
const hour = 3_600_000;

let folder: string;
let clock: number;
const opened: FileBlobStore[] = [];
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'postern-blobs-'));
  clock = 1_790_000_000_000;
});
afterEach(async () => {
  for (const store of opened.splice(0)) store.stop();
  await rm(folder, { recursive: true });
});

async function open(octetsMax = 1_000_000_000): Promise<FileBlobStore> {
  const newId = () => uploadId(randomBytes(16));
  const store = await openFileBlobStore({ folder, lifetimeMs: 24 * hour, octetsMax, newId, now: () => clock });
  opened.push(store);
  return store;
}

const put = async ({ blobs }: FileBlobStore, size: number) => (await blobs(account).put(chunksOf(octetsOf(size)))).id;

describe('in files', () => {
  let store: FileBlobStore;
  beforeEach(async () => {
    store = await open();
  });
  describeBlobStore(() => store.blobs);
});

describe('in memory', () => describeBlobStore(memoryBlobStore));

describe('the folder of uploaded blobs', () => {
  test('still has them when it is opened again, but nothing of what was not yet whole', async () => {
    const id = await put(await open(), 100_000);
    await writeFile(path.join(folder, `a1.${uploadId(randomBytes(16))}.part`), 'half');
    await writeFile(path.join(folder, 'README'), 'of somebody else');
    const { blobs } = await open();
    expect((await readAll(await blobs(account).open(id)))?.equals(octetsOf(100_000))).toBe(true);
    expect((await readdir(folder)).sort()).toEqual(['README', `a1.${id}`]);
  });

  test('keeps a blob for its time, and no longer', async () => {
    const store = await open();
    const id = await put(store, 10);
    clock += 24 * hour - 1;
    expect(await store.blobs(account).size(id)).toBe(10);
    expect(await store.sweep()).toBe(0);
    clock += 1;
    expect(await store.blobs(account).size(id)).toBeNull();
    expect(await store.blobs(account).open(id)).toBeNull();
    expect(await store.sweep()).toBe(1);
    expect(await readdir(folder)).toEqual([]);
  });

  test('knows the time of each blob when it is opened again', async () => {
    const old = await put(await open(), 10);
    clock += 20 * hour;
    const young = await put(await open(), 10);
    clock += 10 * hour;
    const { blobs } = await open();
    expect([await blobs(account).size(old), await blobs(account).size(young)]).toEqual([null, 10]);
    expect(await readdir(folder)).toEqual([`a1.${young}`]);
  });

  test('makes room for a new blob of an account by deleting its oldest, and nobody else’s', async () => {
    const store = await open(250_000);
    const other = (await store.blobs('a2' as Id).put(chunksOf(octetsOf(200_000)))).id;
    const ids: Id[] = [];
    for (let n = 0; n < 4; n++) {
      ids.push(await put(store, 100_000));
      clock += 1;
    }
    expect(await Promise.all(ids.map((id) => store.blobs(account).size(id)))).toEqual([null, null, 100_000, 100_000]);
    expect(await store.blobs('a2' as Id).size(other)).toBe(200_000);
    expect(await readdir(folder)).toHaveLength(3);
    const large = await put(store, 300_000);
    expect(await store.blobs(account).size(large)).toBe(300_000);
    expect(await readdir(folder)).toHaveLength(2);
  });

  test('lets nobody fill the disk with empty files', async () => {
    const store = await open(100_000);
    for (let n = 0; n < 40; n++) await put(store, 0);
    expect((await readdir(folder)).length).toBe(24);
  });

  test('that fails is unavailable, and nothing half is left', async () => {
    const store = await open();
    await rm(folder, { recursive: true });
    await expect(put(store, 10)).rejects.toBeInstanceOf(Unavailable);
    await open();
    expect(await readdir(folder)).toEqual([]);
  });

  test('leaves nothing of a blob that broke off', async () => {
    const { blobs } = await open();
    async function* breaking(): AsyncGenerator<Uint8Array> {
      yield octetsOf(10);
      throw new Error('broke off');
    }
    await expect(blobs(account).put(breaking())).rejects.toThrow('broke off');
    expect(await readdir(folder)).toEqual([]);
  });
});
