/** The URLs of the Session object (RFC 8620 §2): templates of level 1, all of one origin. */
export type SessionUrls = { apiUrl: string; downloadUrl: string; uploadUrl: string; eventSourceUrl: string };

/** The same paths as clients see them. `origin` has no slash at the end. */
export function sessionUrls(origin: string): SessionUrls {
  return {
    apiUrl: `${origin}/jmap/api`,
    downloadUrl: `${origin}/jmap/download/{accountId}/{blobId}/{name}?type={type}`,
    uploadUrl: `${origin}/jmap/upload/{accountId}/`,
    eventSourceUrl: `${origin}/jmap/eventsource?types={types}&closeafter={closeafter}&ping={ping}`,
  };
}
