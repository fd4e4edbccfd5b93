import type { RequestError } from './errors.ts';
import type { JsonObject } from './scalars.ts';

/** The body of the HTTP response to a request that is refused as a whole (RFC 8620 §3.6.1, RFC 7807). */
export function problemDetails({ type, status, detail, limit }: RequestError): JsonObject {
  return {
    type: `urn:ietf:params:jmap:error:${type}`,
    status,
    detail,
    ...(limit === undefined ? {} : { limit }),
  };
}
