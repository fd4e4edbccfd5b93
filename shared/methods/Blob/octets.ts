import { transferDecoder } from '../../message/decode-transfer.ts';

/** Reads a stream to its end; null, and the rest is not read, when it has more than `octetsMax`. */
export async function collect(octets: ReadableStream<Uint8Array>, octetsMax: number): Promise<Uint8Array | null> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  // Leaving the loop cancels the stream.
  for await (const chunk of octets) {
    size += chunk.byteLength;
    if (size > octetsMax) return null;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** A stream of octets that are at hand. */
export function streamOf(octets: Uint8Array): ReadableStream<Uint8Array> {
  return new ReadableStream({
    start: (controller) => {
      if (octets.byteLength > 0) controller.enqueue(octets);
      controller.close();
    },
  });
}

/** The octets decoded from a Content-Transfer-Encoding, piece by piece. */
export function decoded(octets: ReadableStream<Uint8Array>, encoding: string): ReadableStream<Uint8Array> {
  const decoder = transferDecoder(encoding);
  return octets.pipeThrough(
    new TransformStream<Uint8Array, Uint8Array>({
      transform: (chunk, controller) => enqueue(controller, decoder.write(chunk)),
      flush: (controller) => enqueue(controller, decoder.end()),
    }),
  );
}

function enqueue(controller: TransformStreamDefaultController<Uint8Array>, octets: Uint8Array): void {
  if (octets.byteLength > 0) controller.enqueue(octets);
}
