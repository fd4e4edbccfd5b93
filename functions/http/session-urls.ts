import type { SessionUrls } from '../../shared/jmap/session.ts';

/** The paths of routes.ts as clients see them: templates of level 1 (RFC 6570), all of one origin. `origin` has no slash at the end. */
export function sessionUrls(origin: string): SessionUrls {
  return {
    apiUrl: `${origin}/jmap/api`,
    downloadUrl: `${origin}/jmap/download/{accountId}/{blobId}/{name}?type={type}`,
    uploadUrl: `${origin}/jmap/upload/{accountId}/`,
    eventSourceUrl: `${origin}/jmap/eventsource?types={types}&closeafter={closeafter}&ping={ping}`,
  };
}
