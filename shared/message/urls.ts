import { withoutComments } from './comments.ts';
import { unfold } from './unfold.ts';

/** URLs read from one header field; what follows is ignored. */
const urlsMax = 1_000;

/**
 * The URLs form of a Raw header value (RFC 8621 §4.1.2.7): the URLs in angle brackets, in order, without white space, which
 * mailers add to fold them (RFC 2369 §2), and without comments. Null if there is none, as in `List-Post: NO`.
 */
export function urls(raw: string): string[] | null {
  const found: string[] = [];
  for (const [, inner = ''] of withoutComments(unfold(raw)).matchAll(/<([^<>]*)>/g)) {
    const url = inner.replace(/\s+/g, '');
    if (url !== '' && found.length < urlsMax) found.push(url);
  }
  return found.length > 0 ? found : null;
}
