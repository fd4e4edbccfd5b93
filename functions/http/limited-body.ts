import { RequestError } from '../../shared/jmap/errors.ts';
import { HttpError } from './problem.ts';

/**
 * A request's body, chunk by chunk. As soon as it is larger than so many octets, or at once where its header says so, it
 * throws the `limit` problem of RFC 8620 §3.6.1 with status 413; when it breaks off, `HttpError` 400.
 */
export async function* limitedBody(
  request: Request,
  limit: 'maxSizeRequest' | 'maxSizeUpload',
  octetsMax: number,
): AsyncGenerator<Uint8Array> {
  const tooLarge = () =>
    new RequestError('limit', `The request is larger than ${octetsMax} octets.`, { status: 413, limit });
  if (Number(request.headers.get('Content-Length')) > octetsMax) throw tooLarge();
  let size = 0;
  try {
    // Leaving the loop cancels the stream.
    for await (const chunk of request.body ?? []) {
      size += chunk.byteLength;
      if (size > octetsMax) throw tooLarge();
      yield chunk;
    }
  } catch (error) {
    throw error instanceof RequestError ? error : new HttpError(400, 'The request broke off.');
  }
}
