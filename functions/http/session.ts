import type { Session, SessionUrls } from '../../shared/jmap/session.ts';
import type { User } from './authenticate.ts';
import type { Handler } from './route.ts';
import { sessionUrls } from './session-urls.ts';

/** The Session object of a user (RFC 8620 §2). */
export type DescribeSession = (user: User, urls: SessionUrls) => Session;

/** Answers with the Session itself: a redirect would cost some browsers the Authorization header. */
export function createSessionHandler(describeSession: DescribeSession): Handler {
  return {
    admits: 'users',
    serve: async ({ request, origin }, user) => {
      const session = describeSession(user, sessionUrls(origin));
      const headers = { ETag: `"${session.state}"`, 'Cache-Control': 'no-cache, private' };
      if (request.headers.get('If-None-Match') === headers.ETag) return new Response(null, { status: 304, headers });
      return Response.json(session, { headers });
    },
  };
}
