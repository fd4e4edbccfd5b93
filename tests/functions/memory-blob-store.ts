import { randomBytes } from 'node:crypto';
import type { Id } from '../../shared/jmap/scalars.ts';
import { type BlobStore, uploadId } from '../../shared/methods/Blob/uploads.ts';

/** A store that keeps uploaded blobs in memory, for ever. */
export function memoryBlobStore(): BlobStore {
  const kept = new Map<string, Buffer>();
  return (accountId) => {
    const find = (blobId: Id) => kept.get(`${accountId} ${blobId}`);
    return {
      put: async (octets) => {
        const chunks: Uint8Array[] = [];
        for await (const chunk of octets) chunks.push(chunk);
        const whole = Buffer.concat(chunks);
        const id = uploadId(randomBytes(16));
        kept.set(`${accountId} ${id}`, whole);
        return { id, size: whole.byteLength };
      },
      size: async (blobId) => find(blobId)?.byteLength ?? null,
      open: async (blobId, slice) => {
        const whole = find(blobId);
        if (whole === undefined) return null;
        const { offset, length } = slice ?? { offset: 0, length: whole.byteLength };
        return new Blob([new Uint8Array(whole.subarray(offset, offset + length))]).stream();
      },
    };
  };
}
