import { expect, test } from '@jest/globals';
import type { Id } from '../../shared/jmap/scalars.ts';
import { type BlobStore, isUploadId } from '../../shared/methods/Blob/uploads.ts';

const alice = 'a1' as Id;
const bob = 'a2' as Id;

/** Octets that tell where in the blob they stand. */
export function octetsOf(size: number): Buffer {
  return Buffer.from(Uint8Array.from({ length: size }, (_, index) => (index * 31 + (index >> 8)) % 256));
}

export async function* chunksOf(octets: Buffer, chunkSize = 100_000): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < octets.length; at += chunkSize) yield octets.subarray(at, at + chunkSize);
}

export async function readAll(stream: ReadableStream<Uint8Array> | null): Promise<Buffer | null> {
  return stream && Buffer.from(await new Response(stream).arrayBuffer());
}

/** What every place for uploaded blobs does. */
export function describeBlobStore(blobStore: () => BlobStore, { largest = 3_000_000 } = {}): void {
  test.each([[0], [1], [262_144], [largest]])('%i octets come back as they were', async (size) => {
    const blobs = blobStore()(alice);
    const octets = octetsOf(size);
    const { id, size: kept } = await blobs.put(chunksOf(octets));
    expect(isUploadId(id)).toBe(true);
    expect(kept).toBe(size);
    expect(await blobs.size(id)).toBe(size);
    expect((await readAll(await blobs.open(id)))?.equals(octets)).toBe(true);
  });

  test('the same octets twice are two blobs', async () => {
    const blobs = blobStore()(alice);
    const [one, two] = [await blobs.put(chunksOf(octetsOf(3))), await blobs.put(chunksOf(octetsOf(3)))];
    expect(one.id).not.toBe(two.id);
  });

  test.each([
    [0, 10],
    [5, 1],
    [999_990, 10],
    [300_000, 600_000],
  ])('a slice from %i of %i octets is just that', async (offset, length) => {
    const blobs = blobStore()(alice);
    const octets = octetsOf(1_000_000);
    const { id } = await blobs.put(chunksOf(octets));
    const slice = await readAll(await blobs.open(id, { offset, length }));
    expect(slice?.equals(octets.subarray(offset, offset + length))).toBe(true);
  });

  test('another account has no part in it', async () => {
    const { id } = await blobStore()(alice).put(chunksOf(octetsOf(3)));
    expect(await blobStore()(bob).size(id)).toBeNull();
    expect(await blobStore()(bob).open(id)).toBeNull();
  });

  test.each([['u0123456789abcdef0123456789abcdef'], ['e1'], ['../a1'], ['']])(
    'there is nothing under "%s"',
    async (id) => {
      const blobs = blobStore()(alice);
      expect(await blobs.size(id as Id)).toBeNull();
      expect(await blobs.open(id as Id)).toBeNull();
    },
  );

  test('what fails to arrive is passed on, and leaves room for the next', async () => {
    const blobs = blobStore()(alice);
    async function* breaking(): AsyncGenerator<Uint8Array> {
      yield octetsOf(1_000_000);
      throw new Error('broke off');
    }
    await expect(blobs.put(breaking())).rejects.toThrow('broke off');
    expect((await blobs.put(chunksOf(octetsOf(5)))).size).toBe(5);
  });

  test('a reader who leaves early disturbs nobody', async () => {
    const blobs = blobStore()(alice);
    const { id } = await blobs.put(chunksOf(octetsOf(2_000_000)));
    const reader = (await blobs.open(id))?.getReader();
    await reader?.read();
    await reader?.cancel();
    expect((await readAll(await blobs.open(id)))?.byteLength).toBe(2_000_000);
  });

  test('many at a time do not get mixed up', async () => {
    const blobs = blobStore()(alice);
    const sizes = [10, 300_000, 20, 500_000, 0, 7];
    const kept = await Promise.all(sizes.map((size) => blobs.put(chunksOf(octetsOf(size), 50_000))));
    expect(kept.map(({ size }) => size)).toEqual(sizes);
    const back = await Promise.all(kept.map(async ({ id }) => readAll(await blobs.open(id))));
    expect(back.map((octets, index) => octets?.equals(octetsOf(sizes[index] ?? -1)))).toEqual(sizes.map(() => true));
  });
}
