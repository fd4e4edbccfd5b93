import type { CoreCapability } from '../../shared/jmap/session.ts';
import type { BlobStore } from '../../shared/methods/Blob/uploads.ts';
import { createApiHandler, type RunApiRequest } from './api.ts';
import { createDownloadHandler, type OpenBlob } from './download.ts';
import { HttpError } from './problem.ts';
import type { Handler, Route } from './route.ts';
import { createSessionHandler, type DescribeSession } from './session.ts';
import { createUploadHandler } from './upload.ts';

/** What the routes ask of the rooms below. */
export type RouteParts = {
  readonly describeSession: DescribeSession;
  readonly runApiRequest: RunApiRequest;
  readonly openBlob: OpenBlob;
  readonly blobs: BlobStore;
  readonly limits: Pick<
    CoreCapability,
    'maxSizeRequest' | 'maxConcurrentRequests' | 'maxSizeUpload' | 'maxConcurrentUpload'
  >;
};

/** Every path that is served. */
export function routesOf(parts: RouteParts): Route[] {
  const session = createSessionHandler(parts.describeSession);
  return [
    { method: 'GET', template: '/.well-known/jmap', handler: session },
    { method: 'GET', template: '/jmap/session', handler: session },
    { method: 'POST', template: '/jmap/api', handler: createApiHandler(parts.runApiRequest, parts.limits) },
    {
      method: 'GET',
      template: '/jmap/download/{accountId}/{blobId}/{+name}',
      handler: createDownloadHandler(parts.openBlob),
    },
    {
      method: 'POST',
      template: '/jmap/upload/{accountId}/',
      handler: createUploadHandler(parts.blobs, parts.limits),
    },
    { method: 'GET', template: '/jmap/eventsource', handler: notOffered('Pushing changes to an event source') },
    { method: 'GET', template: '/healthz', handler: health },
  ];
}

/** Says only that this process answers: it must not depend on anybody's mail server. */
const health: Handler = {
  admits: 'anybody',
  serve: async () => Response.json({ status: 'ok' }, { headers: { 'Cache-Control': 'no-store' } }),
};

/** The Session has to name a URL for it (RFC 8620 §2), and its limits say that nothing is accepted there. */
function notOffered(what: string): Handler {
  return {
    admits: 'users',
    serve: async () => {
      throw new HttpError(501, `${what} is not offered by this server.`);
    },
  };
}
