import type { Id } from '../scalars.ts';

/** Which part of a query's results is wanted (RFC 8620 §5.5). `limit` null: no limit. */
export type Window =
  | { readonly from: 'position'; readonly position: number; readonly limit: number | null }
  | { readonly from: 'anchor'; readonly anchor: Id; readonly anchorOffset: number; readonly limit: number | null };
