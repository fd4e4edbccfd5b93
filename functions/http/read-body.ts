import { limitedBody } from './limited-body.ts';

/** Reads a request's body; see `limitedBody` for what it throws. */
export async function readBody(request: Request, maxSizeRequest: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of limitedBody(request, 'maxSizeRequest', maxSizeRequest)) chunks.push(chunk);
  return Buffer.concat(chunks);
}
