import { type MethodError, methodError, ok, type Result, refuse } from '../errors.ts';
import { quote } from '../grammar.ts';
import type { Id } from '../scalars.ts';

/** Which part of a query's results is wanted (RFC 8620 §5.5). `limit` null: all that follow. */
export type Window = (
  | { readonly from: 'position'; readonly position: number }
  | { readonly from: 'anchor'; readonly anchor: Id; readonly anchorOffset: number }
) & { readonly limit: number | null };

/** Cuts the window from the whole list of results; `anchorNotFound` when the anchor is not among them. */
export function windowOf(
  results: readonly Id[],
  window: Window,
): Result<{ readonly position: number; readonly ids: Id[] }, MethodError> {
  const start = startOf(results, window);
  if (!start.ok) return start;
  const end = window.limit === null ? results.length : start.value + window.limit;
  return ok({ position: start.value, ids: results.slice(start.value, end) });
}

function startOf(results: readonly Id[], window: Window): Result<number, MethodError> {
  switch (window.from) {
    case 'position':
      return ok(window.position >= 0 ? window.position : Math.max(0, results.length + window.position));
    case 'anchor': {
      const index = results.indexOf(window.anchor);
      if (index === -1) {
        return refuse(methodError('anchorNotFound', `${quote(window.anchor)} is not among the results`));
      }
      return ok(Math.max(0, index + window.anchorOffset));
    }
  }
}
