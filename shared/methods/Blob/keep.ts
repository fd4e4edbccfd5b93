import { ok, type Result, refuse, type SetError, Unavailable } from '../../jmap/errors.ts';
import type { UploadedBlob, UploadedBlobs } from './uploads.ts';

/** Octets that a client asked for cannot be had: thrown while a blob is put together, and ends as a SetError. */
export class BadSource extends Error {
  override readonly name = 'BadSource';
}

/** Keeps octets as a new blob. `tooLarge`: there are more of them than a blob may have. */
export async function keepBlob(
  octets: AsyncIterable<Uint8Array>,
  uploads: UploadedBlobs,
  sizeMax: number,
): Promise<Result<UploadedBlob, SetError>> {
  try {
    return ok(await uploads.put(limited(octets, sizeMax)));
  } catch (error) {
    if (error instanceof TooLarge) return refuse({ type: 'tooLarge', description: `more than ${sizeMax} octets` });
    if (!(error instanceof BadSource)) throw error;
    return refuse({ type: 'invalidProperties', properties: ['data'], description: error.message });
  }
}

/**
 * Makes blobs one after the other. When the world fails before any was kept, that is thrown; after that, it refuses the blob
 * it failed for, and the others keep their answers.
 */
export async function keepEach<K, T>(
  blobs: Iterable<readonly [K, T]>,
  keep: (blob: T) => Promise<Result<UploadedBlob, SetError>>,
): Promise<Map<K, Result<UploadedBlob, SetError>>> {
  const results = new Map<K, Result<UploadedBlob, SetError>>();
  let isAnyKept = false;
  for (const [key, blob] of blobs) {
    try {
      const result = await keep(blob);
      isAnyKept ||= result.ok;
      results.set(key, result);
    } catch (error) {
      if (!isAnyKept || !(error instanceof Unavailable)) throw error;
      results.set(key, refuse({ type: 'serverUnavailable' }));
    }
  }
  return results;
}

class TooLarge extends Error {
  override readonly name = 'TooLarge';
}

async function* limited(octets: AsyncIterable<Uint8Array>, sizeMax: number): AsyncGenerator<Uint8Array> {
  let size = 0;
  for await (const chunk of octets) {
    size += chunk.byteLength;
    if (size > sizeMax) throw new TooLarge();
    yield chunk;
  }
}
