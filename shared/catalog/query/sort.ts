import type { Id } from '../../jmap/scalars.ts';
import type { Comparator } from '../../jmap/standard/comparator.ts';
import type { Candidate } from './candidate.ts';
import { compareTexts } from './collation.ts';
import type { HeaderSortProperty } from './sources.ts';

/** A Comparator of Email/query (RFC 8621 §4.4.2). */
export type EmailComparator =
  | Comparator<'receivedAt' | 'size' | HeaderSortProperty>
  | (Comparator<'hasKeyword' | 'allInThreadHaveKeyword' | 'someInThreadHaveKeyword'> & { readonly keyword: string });

/** What a comparator compares of one Email; false and true are 0 and 1. */
export type SortValue = number | string;
export type SortValueOf = (comparator: EmailComparator, candidate: Candidate) => SortValue;

/**
 * The order that is really used: what the comparators leave open goes by date, the newest first. The Email id, which
 * `sorted` compares last, makes it a total order.
 */
export function completed(sort: readonly EmailComparator[]): readonly EmailComparator[] {
  return sort.some(({ property }) => property === 'receivedAt') ? sort : [...sort, newestFirst];
}

const newestFirst: EmailComparator = { property: 'receivedAt', isAscending: false, collation: null };

/** The candidates in the order of the comparators. */
export function sorted(
  candidates: readonly Candidate[],
  comparators: readonly EmailComparator[],
  valueFor: SortValueOf,
): Candidate[] {
  return candidates
    .map((candidate) => ({ candidate, values: comparators.map((comparator) => valueFor(comparator, candidate)) }))
    .sort((a, b) => compareValues(comparators, a.values, b.values) || compareIds(a.candidate.id, b.candidate.id))
    .map(({ candidate }) => candidate);
}

function compareValues(
  comparators: readonly EmailComparator[],
  a: readonly SortValue[],
  b: readonly SortValue[],
): number {
  for (const [index, { isAscending }] of comparators.entries()) {
    const difference = compare(a[index], b[index]);
    if (difference !== 0) return isAscending ? difference : -difference;
  }
  return 0;
}

function compare(a: SortValue | undefined, b: SortValue | undefined): number {
  if (typeof a === 'number' && typeof b === 'number') return a < b ? -1 : a > b ? 1 : 0;
  return compareTexts(String(a), String(b));
}

function compareIds(a: Id, b: Id): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** The comparator orders by header fields, which the catalog does not hold. */
export function isHeaderComparator(comparator: EmailComparator): comparator is Comparator<HeaderSortProperty> {
  switch (comparator.property) {
    case 'from':
    case 'to':
    case 'subject':
    case 'sentAt':
      return true;
    default:
      return false;
  }
}

/** The comparator orders by the keywords of the whole Thread. */
export function isThreadComparator({ property }: EmailComparator): boolean {
  return property === 'allInThreadHaveKeyword' || property === 'someInThreadHaveKeyword';
}

/** The comparator orders by what may change about an Email. */
export function isMutableComparator(comparator: EmailComparator): boolean {
  return comparator.property === 'hasKeyword' || isThreadComparator(comparator);
}
