import type { Id } from '../scalars.ts';
import type { AddedItem } from '../verbs.ts';

/**
 * The `removed` and `added` of a /queryChanges response (RFC 8620 §5.6), from the results as they are now and the
 * records that may have entered, left or moved since. It is enough to know a superset of these, and none of the old
 * results: `removed` may name more than was there.
 *
 * `upToId` may be given only when filter and sort are on immutable properties.
 */
export function spliceOf(
  results: readonly Id[],
  touched: ReadonlySet<Id>,
  upToId: Id | null,
): { readonly removed: Id[]; readonly added: AddedItem[] } {
  const lastIndex = upToId === null ? -1 : results.indexOf(upToId);
  const cached = lastIndex === -1 ? results : results.slice(0, lastIndex + 1);
  const added: AddedItem[] = [];
  for (const [index, id] of cached.entries()) if (touched.has(id)) added.push({ id, index });
  return { removed: [...touched], added };
}
