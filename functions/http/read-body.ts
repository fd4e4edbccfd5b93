import { RequestError } from '../../shared/jmap/errors.ts';

/**
 * Reads a request's body, and stops as soon as it is larger than `maxSizeRequest` octets: then the request is refused
 * with 413 and the `limit` problem of RFC 8620 §3.6.1.
 */
export async function readBody(request: Request, maxSizeRequest: number): Promise<Uint8Array> {
  const tooLarge = () =>
    new RequestError('limit', `The request is larger than ${maxSizeRequest} octets.`, {
      status: 413,
      limit: 'maxSizeRequest',
    });
  if (Number(request.headers.get('Content-Length')) > maxSizeRequest) throw tooLarge();
  const chunks: Uint8Array[] = [];
  let size = 0;
  // Leaving the loop cancels the stream.
  for await (const chunk of request.body ?? []) {
    size += chunk.byteLength;
    if (size > maxSizeRequest) throw tooLarge();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
