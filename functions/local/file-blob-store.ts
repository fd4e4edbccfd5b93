import { type FileHandle, mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { Unavailable } from '../../shared/jmap/errors.ts';
import type { Id } from '../../shared/jmap/scalars.ts';
import { type BlobStore, isUploadId, type Slice } from '../../shared/methods/Blob/uploads.ts';

export type FileBlobStore = {
  readonly blobs: BlobStore;
  /** Deletes what has expired; answers how many blobs. Also done every hour. */
  readonly sweep: () => Promise<number>;
  readonly stop: () => void;
};

/** How many octets an uploaded blob has, and when it came, in milliseconds since the epoch. */
type Kept = { readonly size: number; readonly uploadedAt: number };

const sweepEveryMs = 3_600_000;
/** What a blob counts for at the least: the smallest file takes a block of the disk. */
const octetsOfFileMin = 4_096;
const chunkOctets = 256 * 1024;
/** The end of the name of a file that is still being written. */
const unfinished = '.part';

/**
 * Uploaded blobs as files of one folder, which no other process may use. They last for `lifetimeMs`; when those of an account
 * would take more than `octetsMax`, the oldest have to go. What `put` answered survives a crash of the machine.
 */
export async function openFileBlobStore(options: {
  readonly folder: string;
  readonly lifetimeMs: number;
  readonly octetsMax: number;
  readonly newId: () => Id;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}): Promise<FileBlobStore> {
  const { folder, lifetimeMs, octetsMax, newId, now } = options;
  await mkdir(folder, { recursive: true });
  const accounts = await readFolder(folder);
  const fileOf = (accountId: Id, blobId: Id) => path.join(folder, `${accountId}.${blobId}`);
  const isLive = ({ uploadedAt }: Kept) => uploadedAt + lifetimeMs > now();

  async function remove(accountId: Id, blobIds: readonly Id[]): Promise<void> {
    const account = accounts.get(accountId);
    for (const blobId of blobIds) {
      account?.delete(blobId);
      await rm(fileOf(accountId, blobId), { force: true });
    }
    if (account?.size === 0) accounts.delete(accountId);
  }

  async function sweep(): Promise<number> {
    let count = 0;
    for (const [accountId, account] of [...accounts]) {
      const expired = [...account].flatMap(([blobId, kept]) => (isLive(kept) ? [] : [blobId]));
      await remove(accountId, expired);
      count += expired.length;
    }
    return count;
  }

  const blobs: BlobStore = (accountId) => {
    const find = (blobId: Id) => {
      const kept = accounts.get(accountId)?.get(blobId);
      return kept && isLive(kept) ? kept : null;
    };
    return {
      put: async (octets) => {
        const id = newId();
        const uploadedAt = now();
        const size = await writeFile(fileOf(accountId, id), octets, uploadedAt);
        const account = accounts.get(accountId) ?? new Map<Id, Kept>();
        accounts.set(accountId, account.set(id, { size, uploadedAt }));
        await remove(accountId, surplusOf(account, octetsMax));
        return { id, size };
      },
      size: async (blobId) => find(blobId)?.size ?? null,
      open: async (blobId, slice) => {
        const kept = find(blobId);
        if (kept === null) return null;
        const handle = await succeeding(open(fileOf(accountId, blobId)));
        return streamOf(handle, slice ?? { offset: 0, length: kept.size });
      },
    };
  };

  await sweep();
  const timer = setInterval(() => {
    sweep().catch(() => {});
  }, sweepEveryMs);
  timer.unref();
  return { blobs, sweep, stop: () => clearInterval(timer) };
}

/** What the folder holds, by account, the oldest first. What was still being written when a process ended is deleted. */
async function readFolder(folder: string): Promise<Map<Id, Map<Id, Kept>>> {
  const found: { readonly accountId: Id; readonly blobId: Id; readonly kept: Kept }[] = [];
  for (const name of await readdir(folder)) {
    const file = path.join(folder, name);
    const [accountId = '', blobId = ''] = name.split('.');
    if (name.endsWith(unfinished)) await rm(file, { force: true });
    else if (isUploadId(blobId)) {
      const { size, mtimeMs } = await stat(file);
      found.push({ accountId: accountId as Id, blobId, kept: { size, uploadedAt: Math.round(mtimeMs) } });
    }
  }
  const accounts = new Map<Id, Map<Id, Kept>>();
  for (const { accountId, blobId, kept } of found.sort((a, b) => a.kept.uploadedAt - b.kept.uploadedAt)) {
    accounts.set(accountId, (accounts.get(accountId) ?? new Map<Id, Kept>()).set(blobId, kept));
  }
  return accounts;
}

/** The oldest blobs that have to go for the others to take no more than `octetsMax`; never the newest. */
function surplusOf(account: ReadonlyMap<Id, Kept>, octetsMax: number): Id[] {
  const newestFirst = [...account].reverse();
  let octets = 0;
  return newestFirst.flatMap(([blobId, { size }], index) => {
    octets += Math.max(size, octetsOfFileMin);
    return index > 0 && octets > octetsMax ? [blobId] : [];
  });
}

/** Writes a new file, whole or not at all; answers its size. What the octets' source throws is passed on. */
async function writeFile(file: string, octets: AsyncIterable<Uint8Array>, writtenAt: number): Promise<number> {
  const draft = `${file}${unfinished}`;
  try {
    const handle = await succeeding(open(draft, 'wx'));
    let size = 0;
    try {
      for await (const chunk of octets) {
        await succeeding(handle.appendFile(chunk));
        size += chunk.byteLength;
      }
      await succeeding(handle.utimes(writtenAt / 1000, writtenAt / 1000));
      await succeeding(handle.sync());
    } finally {
      await handle.close();
    }
    await succeeding(rename(draft, file));
    await succeeding(syncFolder(path.dirname(file)));
    return size;
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  }
}

/** So that the name of a new file is on the disk too. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder);
  await handle.sync().finally(() => handle.close());
}

/** A slice of a file, read as fast as it is wanted; closes the file at its end, and when it is cancelled. */
function streamOf(handle: FileHandle, { offset, length }: Slice): ReadableStream<Uint8Array> {
  const end = offset + length;
  let at = offset;
  return new ReadableStream<Uint8Array>(
    {
      pull: async (controller) => {
        const wanted = Buffer.allocUnsafe(Math.min(chunkOctets, end - at));
        const { bytesRead } = await succeeding(handle.read(wanted, 0, wanted.length, at)).catch(async (error) => {
          await handle.close();
          throw error;
        });
        at += bytesRead;
        if (bytesRead > 0) controller.enqueue(wanted.subarray(0, bytesRead));
        if (bytesRead > 0 && at < end) return;
        await handle.close();
        controller.close();
      },
      cancel: () => handle.close(),
    },
    { highWaterMark: 0 },
  );
}

/** What fails on the disk is `Unavailable`. */
async function succeeding<T>(operation: Promise<T>): Promise<T> {
  try {
    return await operation;
  } catch (cause) {
    throw new Unavailable('the folder of uploaded blobs failed', { cause });
  }
}
