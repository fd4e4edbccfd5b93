import { Unavailable } from '../../shared/jmap/errors.ts';
import { type BlobPorts, blobFinder, type FoundBlob } from '../../shared/methods/Blob/find.ts';
import type { User } from './authenticate.ts';
import type { OpenBlob, OpenedBlob, SliceFor } from './download.ts';

/** A user's account, as far as blobs are concerned, and the end of it. */
export type OpenBlobAccount = (user: User) => { readonly ports: BlobPorts; readonly close: () => Promise<void> };

/** Opens blobs for download, decoded. The account stays open until the octets are read, or nobody wants them any more. */
export function createBlobOpener(openAccount: OpenBlobAccount): OpenBlob {
  return async (user, blobId, sliceFor) => {
    const { ports, close } = openAccount(user);
    try {
      const blob = await openBlob(await blobFinder(ports)(blobId), sliceFor);
      if (blob !== null) return { ...blob, octets: closing(blob.octets, blob.slice?.length ?? blob.size, close) };
    } catch (error) {
      await close();
      throw error;
    }
    await close();
    return null;
  };
}

async function openBlob(found: FoundBlob | null, sliceFor: SliceFor): Promise<OpenedBlob | null> {
  if (found?.openSlice == null || found.size === null) return (await found?.open()) ?? null;
  const { size } = found;
  const slice = sliceFor(size);
  const octets = slice === null ? (await found.open())?.octets : await found.openSlice(slice);
  return octets ? { octets, size, slice } : null;
}

/**
 * The same octets; `close` is called, and waited for, when they end in whatever way. Fails where they are not as many as the client was
 * told: what is beyond would be taken for the next response on the connection, and what is missing be waited for.
 */
function closing(
  octets: ReadableStream<Uint8Array>,
  length: number | null,
  close: () => Promise<void>,
): ReadableStream<Uint8Array> {
  const reader = octets.getReader();
  let sent = 0;
  const readNext = async () => {
    const next = await reader.read();
    sent += next.value?.byteLength ?? 0;
    if (length === null || (next.done ? sent === length : sent <= length)) return next;
    await reader.cancel();
    throw new Unavailable(`a blob of ${length} octets has ${next.done ? 'only' : 'at least'} ${sent}`);
  };
  return new ReadableStream<Uint8Array>(
    {
      pull: async (controller) => {
        try {
          const { done, value } = await readNext();
          if (!done) return controller.enqueue(value);
        } catch (error) {
          await close();
          throw error;
        }
        await close();
        controller.close();
      },
      cancel: async (reason) => {
        await reader.cancel(reason).finally(close);
      },
    },
    { highWaterMark: 0 },
  );
}
