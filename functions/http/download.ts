import { type Id, isId } from '../../shared/jmap/scalars.ts';
import type { Slice } from '../../shared/methods/Blob/uploads.ts';
import type { User } from './authenticate.ts';
import { byteRange } from './byte-range.ts';
import { contentDisposition } from './content-disposition.ts';
import { mediaType } from './media-type.ts';
import { HttpError } from './problem.ts';
import type { Handler } from './route.ts';

/** A blob's octets, decoded. Whoever reads ends or cancels the stream. */
export type OpenedBlob = {
  readonly octets: ReadableStream<Uint8Array>;
  /** How many octets the whole blob has, where that is known before they are read. */
  readonly size: number | null;
  /** For a blob of which any slice can be read: the one that `octets` are, or null when they are the whole. */
  readonly slice?: Slice | null;
};

/** Which slice of a blob of this size is wanted; null: the whole. */
export type SliceFor = (size: number) => Slice | null;

/** Opens a blob of this user's account; null when there is none of that id. `sliceFor` is asked where slices can be read. */
export type OpenBlob = (user: User, blobId: Id, sliceFor: SliceFor) => Promise<OpenedBlob | null>;

/** What a blob id names never changes (RFC 8620 §6), so a client may keep it for a year. */
const cacheControl = 'private, immutable, max-age=31536000';

/** Downloads (RFC 8620 §6.2): always as an attachment, in a type of the client's choice, and never run by a browser. */
export function createDownloadHandler(openBlob: OpenBlob): Handler {
  return {
    admits: 'users',
    serve: async ({ request, variables, note }, user) => {
      const { accountId, blobId = '', name = '' } = variables;
      if (accountId !== user.accountId || !isId(blobId)) throw notThere();
      const blob = await openBlob(user, blobId, (size) => sliceFor(request, blobId, size));
      if (blob === null) throw notThere();
      if (isAtHand(request, blobId)) {
        await blob.octets.cancel();
        return new Response(null, {
          status: 304,
          headers: { 'Cache-Control': cacheControl, ETag: entityTag(blobId) },
        });
      }
      const headers = new Headers({
        'Content-Type': mediaType(new URL(request.url).searchParams.get('type')),
        'Content-Disposition': contentDisposition(name),
        'Cache-Control': cacheControl,
        ETag: entityTag(blobId),
      });
      const { octets, size, slice } = blob;
      const length = slice?.length ?? size;
      if (length !== null) {
        headers.set('Content-Length', String(length));
        note({ responseOctets: length });
      }
      if (slice !== undefined) headers.set('Accept-Ranges', 'bytes');
      if (slice) headers.set('Content-Range', `bytes ${slice.offset}-${slice.offset + slice.length - 1}/${size}`);
      return new Response(octets, { status: slice ? 206 : 200, headers });
    },
  };
}

const notThere = () => new HttpError(404, 'There is no such blob.');

/** As what it names never changes, the id is a validator. */
const entityTag = (blobId: Id) => `"${blobId}"`;

/** Whether the client has the blob already, and says so (RFC 9110 §13.1.2). */
function isAtHand({ headers }: Request, blobId: Id): boolean {
  const tags = (headers.get('If-None-Match') ?? '').split(',').map((tag) => tag.trim().replace(/^W\//, ''));
  return tags.includes('*') || tags.includes(entityTag(blobId));
}

/** What `Range` asks for; the whole where `If-Range` means another blob (RFC 9110 §13.1.5). Throws `HttpError` 416. */
function sliceFor(request: Request, blobId: Id, size: number): Slice | null {
  const { method, headers } = request;
  const condition = headers.get('If-Range');
  if (method !== 'GET' || isAtHand(request, blobId) || (condition !== null && condition !== entityTag(blobId)))
    return null;
  return byteRange(headers.get('Range'), size);
}
