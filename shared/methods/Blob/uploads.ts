import { type Id, isId } from '../../jmap/scalars.ts';

/** A stretch of a blob, in octets. */
export type Slice = { readonly offset: number; readonly length: number };

/**
 * The uploaded blobs of one account (RFC 8620 §6.1). No JMAP object refers to them: they are there for a named time, or until
 * newer ones take their place. Only the account's owner gets at them.
 */
export type UploadedBlobs = {
  /** Keeps the octets under a new id. When reading them fails, nothing is kept, and the failure is passed on. */
  readonly put: (octets: AsyncIterable<Uint8Array>) => Promise<UploadedBlob>;
  /** How many octets there are under this id; null for an id that names no uploaded blob, or one that has expired. */
  readonly size: (blobId: Id) => Promise<number | null>;
  /** The octets, or a slice within them. Null as above. */
  readonly open: (blobId: Id, slice?: Slice) => Promise<ReadableStream<Uint8Array> | null>;
};
export type UploadedBlob = { readonly id: Id; readonly size: number };

/** Where uploaded blobs are kept: those of each account apart. Every method may throw `Unavailable`. */
export type BlobStore = (accountId: Id) => UploadedBlobs;

/** The id of an uploaded blob, from 16 octets of randomness: no two are alike, and none is that of a message. */
export function uploadId(random: Uint8Array): Id {
  const id = `u${Buffer.from(random).toString('hex')}`;
  if (!isUploadId(id)) throw new Error('Could not make a blob id: expected 16 octets');
  return id;
}

/** Whether a blob id has the form of one that was given to an upload. */
export function isUploadId(blobId: string): blobId is Id {
  return /^u[0-9a-f]{32}$/.test(blobId) && isId(blobId);
}
