import { type Id, isId } from '../../jmap/scalars.ts';

/**
 * One way to read a blob id: a part of a message, or of a message that is such a part, and so on. `root` is the blob at the
 * beginning, `path` the `partId` to take in each message; empty for the blob itself.
 */
export type BlobReading = { readonly root: Id; readonly path: readonly string[] };

/** How many messages may lie within one another for a part of the inmost to have a blob. */
export const blobDepthMax = 8;

const partSuffix = /^(.+)-(\d+(?:_\d+)*)$/;

/** The blob id of a whole message is the Email's id. */
export function messageBlobId(emailId: Id): Id {
  return emailId;
}

/**
 * `<blob id of the message>-<part number>`, with `_` for the dots of the part number, which an Id cannot hold (RFC 8620 §1.2).
 * Null where that would be longer than an Id may be.
 */
export function partBlobId(messageBlobId: Id, partId: string): Id | null {
  const blobId = `${messageBlobId}-${partId.replaceAll('.', '_')}`;
  return isId(blobId) ? blobId : null;
}

/** The readings of a blob id, the one with the longest root first. Which of the roots exists is not for the id to say. */
export function readingsOf(blobId: Id): BlobReading[] {
  const readings: BlobReading[] = [{ root: blobId, path: [] }];
  for (let depth = 0; depth < blobDepthMax; depth++) {
    const { root, path } = readings[depth] as BlobReading;
    const [, message, part] = partSuffix.exec(root) ?? [];
    if (message === undefined || part === undefined) break;
    readings.push({ root: message as Id, path: [part.replaceAll('_', '.'), ...path] });
  }
  return readings;
}
