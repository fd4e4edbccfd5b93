import { blobOpener } from '../../shared/methods/Blob/open.ts';
import type { OpenAccount } from './api-runner.ts';
import type { OpenBlob } from './download.ts';

/** Opens blobs for download, decoded. The account stays open until the octets are read, or nobody wants them any more. */
export function createBlobOpener(openAccount: OpenAccount): OpenBlob {
  return async (user, blobId) => {
    const { ports, close } = openAccount(user);
    try {
      const blob = await blobOpener(ports)(blobId);
      if (blob !== null) return { octets: closing(blob.octets, close), size: blob.size };
    } catch (error) {
      await close();
      throw error;
    }
    await close();
    return null;
  };
}

/** The same octets; `close` is called, and waited for, when they end in whatever way. */
function closing(octets: ReadableStream<Uint8Array>, close: () => Promise<void>): ReadableStream<Uint8Array> {
  const reader = octets.getReader();
  return new ReadableStream<Uint8Array>(
    {
      pull: async (controller) => {
        try {
          const { done, value } = await reader.read();
          if (!done) return controller.enqueue(value);
        } catch (error) {
          await close();
          throw error;
        }
        await close();
        controller.close();
      },
      cancel: async (reason) => {
        await reader.cancel(reason);
        await close();
      },
    },
    { highWaterMark: 0 },
  );
}
