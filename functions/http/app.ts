import { cors } from '../../shared/config.ts';
import { AuthenticationFailed, RequestError, Unavailable } from '../../shared/jmap/errors.ts';
import type { Authenticator, User } from './authenticate.ts';
import { addHeadersOfEvery } from './headers-of-every.ts';
import { type Log, logDefect, logUnavailable } from './log.ts';
import { HttpError, problemResponse } from './problem.ts';
import { matchRoute, type Visit } from './route.ts';
import { type RouteParts, routesOf } from './routes.ts';

export type AppParts = RouteParts & {
  readonly authenticator: Authenticator;
  readonly log: Log;
  /** What browsers show above the password prompt. */
  readonly realm: string;
  /** The origin that clients use; null: the one of each request's URL. */
  readonly publicUrl: string | null;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
};

/** What the request itself does not say. */
export type Facts = { readonly clientAddress: string; readonly requestId: string };

/** Request in, response out. Never throws; the body of a response may still be streaming when it is returned. */
export type App = (request: Request, facts: Facts) => Promise<Response>;

/** The JMAP server as one function on WHATWG requests; nothing in it knows what kind of process it runs in. */
export function createApp(parts: AppParts): App {
  const routes = routesOf(parts);
  return async (request, { clientAddress, requestId }) => {
    const begunAt = parts.now();
    const log = parts.log.about(requestId);
    const url = new URL(request.url);
    const match = matchRoute(routes, request.method, url.pathname);
    const noted: Parameters<Visit['note']>[0] = {};
    let user: User | undefined;

    const serve = async (): Promise<Response> => {
      if (match.kind === 'notFound') throw new HttpError(404, 'There is nothing at this path.');
      if (request.method === 'OPTIONS') return new Response(null, { status: 204, headers: preflightHeaders });
      if (match.kind === 'methodNotAllowed') {
        throw new HttpError(405, `Only ${match.allowed.join(', ')} are possible here.`, {
          Allow: match.allowed.join(', '),
        });
      }
      const { handler, variables } = match;
      const origin = parts.publicUrl ?? url.origin;
      const note: Visit['note'] = (facts) => Object.assign(noted, facts);
      const visit: Visit = { request, variables, origin, log, requestId, note };
      if (handler.admits === 'anybody') return handler.serve(visit);
      user = await parts.authenticator.authenticate(request, clientAddress, log);
      return handler.serve(visit, user);
    };

    const response = await serve().catch((error: unknown) => {
      if (error instanceof AuthenticationFailed && user !== undefined) parts.authenticator.distrust(user);
      tell(log, error, requestId, user);
      return problemResponse(error, { realm: parts.realm, reportId: requestId });
    });
    addHeadersOfEvery(response.headers, url.protocol);
    response.headers.set('X-Request-Id', requestId);
    log.info({
      event: 'request',
      method: knownMethods.has(request.method) ? request.method : 'other',
      route: match.kind === 'notFound' ? 'none' : match.template,
      status: response.status,
      durationMs: parts.now() - begunAt,
      ...(user === undefined ? {} : { account: user.accountId }),
      ...noted,
    });
    if (request.method !== 'HEAD') return response;
    await response.body?.cancel();
    return new Response(null, response);
  };
}

const preflightHeaders = {
  'Access-Control-Allow-Methods': cors.allowMethods.join(', '),
  'Access-Control-Allow-Headers': cors.allowHeaders.join(', '),
  'Access-Control-Max-Age': String(cors.maxAgeSeconds),
};

const knownMethods: ReadonlySet<string> = new Set(['GET', 'HEAD', 'POST', 'OPTIONS', 'PUT', 'DELETE', 'PATCH']);

/** What clients got wrong is in the request's own entry, a failed login in its own; other failures are worth one more. */
function tell(log: Log, error: unknown, requestId: string, user: User | undefined): void {
  if (error instanceof RequestError || error instanceof HttpError || error instanceof AuthenticationFailed) return;
  if (!(error instanceof Unavailable)) logDefect(log, requestId, error);
  else if (user !== undefined) logUnavailable(log, error, user.accountId);
}
