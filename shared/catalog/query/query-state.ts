import type { State } from '../../jmap/scalars.ts';
import type { CatalogView } from '../view.ts';

/**
 * Who compared header fields: nobody (the sort needs none), this code on fetched fields, or the server's SORT, whose order of
 * equal messages holds for one UIDVALIDITY only. Answers that were ordered differently cannot be compared.
 */
export type OrderedBy =
  | { readonly kind: 'catalog' }
  | { readonly kind: 'fields' }
  | { readonly kind: 'server'; readonly uidValidity: number };

/** What a queryState stands for: a version of the Emails, and an order. */
export type QueryState = { readonly epoch: string; readonly version: number; readonly orderedBy: OrderedBy };

/** The state of an answer from this view. It changes with the Emails only: nothing else can change an answer. */
export function queryStateOf(view: Pick<CatalogView, 'epoch' | 'versions'>, orderedBy: OrderedBy): State {
  return `${view.epoch}-${view.versions.Email}${mark(orderedBy)}` as State;
}

/** undefined: not a state of ours. */
export function parseQueryState(state: State): QueryState | undefined {
  const [, epoch, version, order, uidValidity] = /^([^-]+)-(\d{1,15})(?:-(f|s(\d{1,10})))?$/.exec(state) ?? [];
  if (epoch === undefined) return undefined;
  const orderedBy: OrderedBy =
    order === undefined
      ? { kind: 'catalog' }
      : uidValidity === undefined
        ? { kind: 'fields' }
        : { kind: 'server', uidValidity: Number(uidValidity) };
  return { epoch, version: Number(version), orderedBy };
}

/** Whether two answers were ordered by the same rule. */
export function sameOrder(a: OrderedBy, b: OrderedBy): boolean {
  return mark(a) === mark(b);
}

function mark(orderedBy: OrderedBy): string {
  switch (orderedBy.kind) {
    case 'catalog':
      return '';
    case 'fields':
      return '-f';
    case 'server':
      return `-s${orderedBy.uidValidity}`;
  }
}
