import { transferDecoder } from '../../shared/message/decode-transfer.ts';
import { openBlob } from '../../shared/methods/Blob/open.ts';
import type { OpenAccount } from './api-runner.ts';
import type { OpenBlob } from './download.ts';

/** Opens blobs for download, decoded. The account stays open until the octets are read, or nobody wants them any more. */
export function createBlobOpener(openAccount: OpenAccount): OpenBlob {
  return async (user, blobId) => {
    const { ports, close } = openAccount(user);
    try {
      const blob = await openBlob(blobId, ports);
      if (blob !== null) {
        const { octets, size, encoding } = blob;
        const isEncoded = encoding !== '';
        return {
          octets: closing(isEncoded ? decoded(octets, encoding) : octets, close),
          size: isEncoded ? null : size,
        };
      }
    } catch (error) {
      await close();
      throw error;
    }
    await close();
    return null;
  };
}

function decoded(octets: ReadableStream<Uint8Array>, encoding: string): ReadableStream<Uint8Array> {
  const decoder = transferDecoder(encoding);
  const decoding = new TransformStream<Uint8Array, Uint8Array>({
    transform: (chunk, controller) => enqueue(controller, decoder.write(chunk)),
    flush: (controller) => enqueue(controller, decoder.end()),
  });
  return octets.pipeThrough(decoding);
}

function enqueue(controller: TransformStreamDefaultController<Uint8Array>, octets: Uint8Array): void {
  if (octets.byteLength > 0) controller.enqueue(octets);
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
