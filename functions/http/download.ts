import { type Id, isId } from '../../shared/jmap/scalars.ts';
import type { User } from './authenticate.ts';
import { contentDisposition } from './content-disposition.ts';
import { HttpError } from './problem.ts';
import type { Handler } from './route.ts';

/** A blob's octets, decoded; `size` where it is known before they are read. Whoever reads ends or cancels the stream. */
export type OpenedBlob = { readonly octets: ReadableStream<Uint8Array>; readonly size: number | null };

/** Opens a blob of this user's account; null when there is none of that id. */
export type OpenBlob = (user: User, blobId: Id) => Promise<OpenedBlob | null>;

/** What a blob id names never changes (RFC 8620 §6), so a client may keep it for a year. */
const cacheControl = 'private, immutable, max-age=31536000';

/** Downloads (RFC 8620 §6.2): always as an attachment, in a type of the client's choice, and never run by a browser. */
export function createDownloadHandler(openBlob: OpenBlob): Handler {
  return {
    admits: 'users',
    serve: async ({ request, variables, note }, user) => {
      const { accountId, blobId = '', name = '' } = variables;
      const blob = accountId === user.accountId && isId(blobId) ? await openBlob(user, blobId) : null;
      if (blob === null) throw new HttpError(404, 'There is no such blob.');
      const headers = new Headers({
        'Content-Type': mediaType(new URL(request.url).searchParams.get('type')),
        'Content-Disposition': contentDisposition(name),
        'Cache-Control': cacheControl,
      });
      if (blob.size !== null) {
        headers.set('Content-Length', String(blob.size));
        note({ responseOctets: blob.size });
      }
      return new Response(blob.octets, { headers });
    },
  };
}

const token = "[A-Za-z0-9!#$%&'*+.^_`|~-]{1,127}";
const wellFormed = new RegExp(
  `^${token}/${token}(?: *; *${token}=(?:${token}|"[\\x20\\x21\\x23-\\x5b\\x5d-\\x7e]*"))*$`,
);

/** The type that was asked for; octets where it is none that a header could hold. */
function mediaType(asked: string | null): string {
  return asked !== null && asked.length <= 500 && wellFormed.test(asked) ? asked : 'application/octet-stream';
}
