import { createHash } from 'node:crypto';
import type { Id } from '../../shared/jmap/scalars.ts';
import { type UploadedBlobs, uploadId } from '../../shared/methods/Blob/uploads.ts';

/** The uploaded files of one account, in memory and for ever. */
export function inMemoryUploads(randomKey: () => string): UploadedBlobs {
  const files = new Map<Id, Buffer>();
  return {
    put: async (octets) => {
      const chunks: Uint8Array[] = [];
      for await (const chunk of octets) chunks.push(chunk);
      const file = Buffer.concat(chunks);
      const id = uploadId(createHash('md5').update(randomKey()).digest());
      files.set(id, file);
      return { id, size: file.byteLength };
    },
    size: async (blobId) => files.get(blobId)?.byteLength ?? null,
    open: async (blobId, { offset, length } = { offset: 0, length: Number.POSITIVE_INFINITY }) => {
      const file = files.get(blobId);
      return file === undefined ? null : new Blob([new Uint8Array(file.subarray(offset, offset + length))]).stream();
    },
  };
}
