import { STATUS_CODES } from 'node:http';
import { AuthenticationFailed, RequestError, Unavailable } from '../../shared/jmap/errors.ts';
import { problemDetails } from '../../shared/jmap/problem-details.ts';
import type { JsonObject } from '../../shared/jmap/scalars.ts';

/** A request that ends with an HTTP status of its own, outside of what RFC 8620 names. Thrown by handlers. */
export class HttpError extends Error {
  override readonly name = 'HttpError';
  readonly status: number;
  readonly headers: { readonly [name: string]: string };

  constructor(status: number, detail: string, headers: { readonly [name: string]: string } = {}) {
    super(detail);
    this.status = status;
    this.headers = headers;
  }
}

/** Where nothing better is known, a client may try again after this long. */
const usualRetryAfterSeconds = 10;

/** The answer to a request that failed: problem+json (RFC 7807), with the types of RFC 8620 §3.6.1 where they apply. */
export function problemResponse(error: unknown, options: { realm: string; reportId: string }): Response {
  if (error instanceof RequestError) {
    const retry: { [name: string]: string } = error.status === 429 ? { 'Retry-After': '1' } : {};
    return problem({ ...problemDetails(error), status: error.status }, retry);
  }
  if (error instanceof HttpError) return problem({ status: error.status, detail: error.message }, error.headers);
  if (error instanceof AuthenticationFailed) return unauthorized(options.realm);
  if (error instanceof Unavailable) {
    const seconds = String(Math.ceil(error.retryAfterSeconds ?? usualRetryAfterSeconds));
    return problem({ status: 503, detail: 'The mail server cannot be used right now.' }, { 'Retry-After': seconds });
  }
  return problem({ status: 500, detail: `Something went wrong here. Report ${options.reportId}.` });
}

/** The same for every reason, so that nobody learns which logins exist. */
function unauthorized(realm: string): Response {
  const response = problem({ status: 401, detail: 'A valid user name and password are needed.' });
  response.headers.append('WWW-Authenticate', `Basic realm="${realm}", charset="UTF-8"`);
  response.headers.append('WWW-Authenticate', `Bearer realm="${realm}"`);
  return response;
}

function problem(
  details: JsonObject & { status: number },
  headers: { readonly [name: string]: string } = {},
): Response {
  const { status } = details;
  const title = STATUS_CODES[status] ?? 'Error';
  return new Response(JSON.stringify({ type: 'about:blank', title, ...details }), {
    status,
    headers: { 'Content-Type': 'application/problem+json', 'Cache-Control': 'no-store', ...headers },
  });
}
