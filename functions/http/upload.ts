import { concurrencyLimit } from '../../shared/jmap/concurrency.ts';
import type { BlobStore } from '../../shared/methods/Blob/uploads.ts';
import { limitedBody } from './limited-body.ts';
import { mediaType } from './media-type.ts';
import { HttpError } from './problem.ts';
import type { Handler } from './route.ts';

/** Uploads (RFC 8620 §6.1): kept as they arrive, so many of a user at once and no more. */
export function createUploadHandler(
  blobs: BlobStore,
  limits: { readonly maxSizeUpload: number; readonly maxConcurrentUpload: number },
): Handler {
  const concurrent = concurrencyLimit('maxConcurrentUpload', limits.maxConcurrentUpload);
  return {
    admits: 'users',
    serve: async ({ request, variables, note }, { accountId }) => {
      if (variables.accountId !== accountId) throw new HttpError(404, 'There is no such account.');
      const leave = concurrent.enter(accountId);
      try {
        const body = limitedBody(request, 'maxSizeUpload', limits.maxSizeUpload);
        const { id: blobId, size } = await blobs(accountId).put(body);
        note({ requestOctets: size });
        const type = mediaType(request.headers.get('Content-Type'));
        const headers = { 'Cache-Control': 'no-store' };
        // 200, not 201: RFC 8620 names none, and aerc (go-jmap) takes any other for a failure.
        return Response.json({ accountId, blobId, type, size }, { headers });
      } finally {
        leave();
      }
    },
  };
}
