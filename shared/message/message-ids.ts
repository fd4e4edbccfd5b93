import { withoutComments } from './comments.ts';
import { unfold } from './unfold.ts';

/** Ids read from one header field; what follows is ignored. */
const messageIdsMax = 10_000;

/**
 * The MessageIds form of a Raw header value (RFC 8621 §4.1.2.5): the ids without angle brackets, comments and white space.
 * Phrases between ids, which RFC 5322 §4.5.4 knows as an obsolete form of In-Reply-To, are passed over.
 *
 * Mailers that write an id without its brackets are understood if the whole value is such ids. Null if there is no id.
 */
export function messageIds(raw: string): string[] | null {
  const value = withoutComments(unfold(raw));
  const ids: string[] = [];
  if (!value.includes('<')) {
    for (const word of value.split(/[\s,]+/)) {
      if (word === '') continue;
      if (!/^[^@]+@[^@]+$/.test(word)) return null;
      if (ids.length < messageIdsMax) ids.push(word);
    }
  } else {
    for (const [, inner = ''] of value.matchAll(/<([^<>]*)>/g)) {
      const id = inner.replace(/\s+/g, '');
      if (id !== '' && ids.length < messageIdsMax) ids.push(id);
    }
  }
  return ids.length > 0 ? ids : null;
}
