import {
  AbortMultipartUploadCommand,
  type CompletedPart,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  HeadObjectCommand,
  NoSuchKey,
  NotFound,
  PutObjectCommand,
  paginateListObjectsV2,
  type S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import type { Id } from '../jmap/scalars.ts';
import type { BlobStore, Slice } from '../methods/Blob/uploads.ts';
import { asUnavailable } from './as-unavailable.ts';

/** What is sent at a time of a blob that is larger; S3 takes no less, but for the last part. Held in memory twice at most. */
const partOctets = 8 * 1024 * 1024;
/** What a blob counts for at the least, so that nobody fills the bucket with empty ones. */
const octetsOfBlobMin = 4_096;
/** Objects that one DeleteObjects takes. */
const deletesMax = 1_000;

/**
 * Uploaded blobs as objects `<account id>/<blob id>` of a bucket. They last for `lifetimeMs`; the bucket's lifecycle rule deletes
 * them some time after. When those of an account would take more than `octetsMax`, the oldest have to go.
 */
export function s3BlobStore(options: {
  readonly client: S3Client;
  readonly bucket: string;
  readonly lifetimeMs: number;
  readonly octetsMax: number;
  readonly newId: () => Id;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}): BlobStore {
  const { client, bucket: Bucket, lifetimeMs, octetsMax, newId, now } = options;
  const isLive = (LastModified: Date | undefined) => (LastModified?.getTime() ?? 0) + lifetimeMs > now();

  /** Keeps the account within its octets; the blob that has just come stays in any case. */
  async function makeRoom(accountId: Id, newest: string): Promise<void> {
    const others: { Key: string; octets: number; at: number }[] = [];
    let octets = 0;
    for await (const { Contents = [] } of paginateListObjectsV2({ client }, { Bucket, Prefix: `${accountId}/` })) {
      for (const { Key = '', Size = 0, LastModified } of Contents) {
        const counted = Math.max(Size, octetsOfBlobMin);
        octets += counted;
        if (Key !== newest) others.push({ Key, octets: counted, at: LastModified?.getTime() ?? 0 });
      }
    }
    const surplus: { Key: string }[] = [];
    for (const { Key, octets: freed } of others.sort((a, b) => a.at - b.at)) {
      if (octets <= octetsMax) break;
      surplus.push({ Key });
      octets -= freed;
    }
    for (let at = 0; at < surplus.length; at += deletesMax) {
      const Objects = surplus.slice(at, at + deletesMax);
      await client.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects, Quiet: true } }));
    }
  }

  return (accountId) => {
    const keyOf = (blobId: Id) => `${accountId}/${blobId}`;
    return {
      put: async (octets) => {
        const id = newId();
        const size = await putObject(client, { Bucket, Key: keyOf(id) }, octets);
        await asUnavailable(() => makeRoom(accountId, keyOf(id)));
        return { id, size };
      },
      size: (blobId) =>
        asUnavailable(async () => {
          const head = await unlessMissing(client.send(new HeadObjectCommand({ Bucket, Key: keyOf(blobId) })));
          return head && isLive(head.LastModified) ? (head.ContentLength ?? null) : null;
        }),
      open: (blobId, slice) =>
        asUnavailable(async () => {
          const range = slice === undefined ? {} : { Range: rangeOf(slice) };
          const got = await unlessMissing(client.send(new GetObjectCommand({ Bucket, Key: keyOf(blobId), ...range })));
          if (got?.Body === undefined) return null;
          const octets = streamOf(got.Body as AsyncIterable<Uint8Array>);
          if (isLive(got.LastModified)) return octets;
          await octets.cancel();
          return null;
        }),
    };
  };
}

type Place = { readonly Bucket: string; readonly Key: string };

/** A small blob at once, a larger one part by part; answers its size. What the octets' source throws is passed on. */
async function putObject(client: S3Client, place: Place, octets: AsyncIterable<Uint8Array>): Promise<number> {
  const parts = inParts(octets);
  const first = await parts.next();
  const start = first.value ?? Buffer.alloc(0);
  if (first.done || start.byteLength < partOctets) {
    await asUnavailable(() => client.send(new PutObjectCommand({ ...place, Body: start })));
    return start.byteLength;
  }

  const { UploadId } = await asUnavailable(() => client.send(new CreateMultipartUploadCommand(place)));
  const upload = { ...place, UploadId };
  const done: CompletedPart[] = [];
  let size = 0;
  const send = async (Body: Buffer) => {
    const PartNumber = done.length + 1;
    const { ETag } = await asUnavailable(() => client.send(new UploadPartCommand({ ...upload, PartNumber, Body })));
    done.push({ ETag, PartNumber });
    size += Body.byteLength;
  };
  try {
    await send(start);
    for await (const part of parts) await send(part);
    const MultipartUpload = { Parts: done };
    await asUnavailable(() => client.send(new CompleteMultipartUploadCommand({ ...upload, MultipartUpload })));
    return size;
  } catch (error) {
    // Parts of what was never completed cost money; the lifecycle rule deletes what is left even so.
    await client.send(new AbortMultipartUploadCommand(upload)).catch(() => {});
    throw error;
  }
}

/** The same octets in parts of the size that S3 wants; none when there are no octets. */
async function* inParts(octets: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer, undefined> {
  let held: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of octets) {
    for (let at = 0; at < chunk.byteLength; ) {
      const piece = chunk.subarray(at, at + partOctets - size);
      held.push(piece);
      size += piece.byteLength;
      at += piece.byteLength;
      if (size < partOctets) continue;
      yield Buffer.concat(held);
      held = [];
      size = 0;
    }
  }
  if (size > 0) yield Buffer.concat(held);
}

function rangeOf({ offset, length }: Slice): string {
  return `bytes=${offset}-${offset + length - 1}`;
}

/** Null where there is no such object. */
async function unlessMissing<T>(answer: Promise<T>): Promise<T | null> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof NotFound || error instanceof NoSuchKey) return null;
    throw error;
  }
}

/** What is read of a response, as fast as it is wanted; what fails on the way is `Unavailable`. */
function streamOf(body: AsyncIterable<Uint8Array>): ReadableStream<Uint8Array> {
  const chunks = body[Symbol.asyncIterator]();
  return new ReadableStream<Uint8Array>(
    {
      pull: async (controller) => {
        const { done, value } = await asUnavailable(() => chunks.next());
        if (done) controller.close();
        else controller.enqueue(value);
      },
      cancel: async () => {
        await chunks.return?.();
      },
    },
    { highWaterMark: 0 },
  );
}
