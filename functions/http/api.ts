import { concurrencyLimit } from '../../shared/jmap/concurrency.ts';
import { RequestError } from '../../shared/jmap/errors.ts';
import type { SessionUrls } from '../../shared/jmap/session.ts';
import type { User } from './authenticate.ts';
import type { Log } from './log.ts';
import { readBody } from './read-body.ts';
import type { Handler } from './route.ts';
import { sessionUrls } from './session-urls.ts';

/**
 * Runs one API request (RFC 8620 §3.3) and answers with its Response object (§3.4) as JSON text and with the names of its
 * method responses, errors as `error/<type>`. Throws `RequestError` for the request as a whole.
 */
export type RunApiRequest = (
  user: User,
  body: Uint8Array,
  facts: { readonly urls: SessionUrls; readonly log: Log; readonly requestId: string },
) => Promise<{ readonly json: string; readonly responses: readonly string[] }>;

/** The API resource: JSON in, JSON out, so many requests of a user at once and no more. */
export function createApiHandler(
  runApiRequest: RunApiRequest,
  limits: { readonly maxSizeRequest: number; readonly maxConcurrentRequests: number },
): Handler {
  const concurrent = concurrencyLimit('maxConcurrentRequests', limits.maxConcurrentRequests);
  return {
    admits: 'users',
    serve: async ({ request, origin, log, requestId, note }, user) => {
      const leave = concurrent.enter(user.accountId);
      try {
        requireJson(request.headers.get('Content-Type'));
        const body = await readBody(request, limits.maxSizeRequest);
        note({ requestOctets: body.byteLength });
        const { json, responses } = await runApiRequest(user, body, { urls: sessionUrls(origin), log, requestId });
        const octets = Buffer.from(json);
        note({ responses, responseOctets: octets.byteLength });
        return new Response(octets, {
          headers: {
            'Content-Type': 'application/json',
            'Content-Length': String(octets.byteLength),
            'Cache-Control': 'no-store',
          },
        });
      } finally {
        leave();
      }
    },
  };
}

/** RFC 8620 §3.6.1 files a wrong content type under `notJSON`. */
function requireJson(contentType: string | null): void {
  const mediaType = contentType?.split(';')[0]?.trim().toLowerCase();
  if (mediaType === 'application/json') return;
  throw new RequestError('notJSON', `The content type must be application/json, not ${JSON.stringify(contentType)}.`);
}
