import { type MethodError, methodError, ok, type Result, refuse } from '../../jmap/errors.ts';
import type { Id } from '../../jmap/scalars.ts';
import type { Comparator } from '../../jmap/standard/comparator.ts';
import type { MailboxEntry } from '../mailbox.ts';
import { baseSubject } from './base-subject.ts';
import type { Candidate } from './candidate.ts';
import { collationKey } from './collation.ts';
import type { Knowledge } from './knowledge.ts';
import type { OrderedBy } from './query-state.ts';
import { type EmailComparator, isHeaderComparator, isThreadComparator, type SortValue, sorted } from './sort.ts';
import type { HeaderSortProperty, QuerySources, SortAddress, SortCriterion, SortFields } from './sources.ts';

/** The candidates in order, and who compared their header fields. */
export type Ordered = { readonly emails: readonly Candidate[]; readonly orderedBy: OrderedBy };

/**
 * Orders candidates by comparators that need the catalog alone. May drop some that are gone, and makes them whole where
 * keywords are compared.
 */
export async function orderByCatalog(
  candidates: readonly Candidate[],
  comparators: readonly EmailComparator[],
  knowledge: Knowledge,
): Promise<Candidate[]> {
  const known = await knownFor(candidates, comparators, knowledge);
  return sorted(known, comparators, (comparator, candidate) => catalogValue(comparator, candidate, knowledge));
}

/**
 * Orders candidates by comparators of which at least one needs header fields: by fetched fields up to `fetchedMax`
 * candidates, beyond it by the SORT of `mailbox`, the only one that holds them all. `unsupportedSort` where that is
 * not possible.
 */
export async function orderByHeaders(
  candidates: readonly Candidate[],
  comparators: readonly EmailComparator[],
  knowledge: Knowledge,
  sources: QuerySources,
  mailbox: MailboxEntry | undefined,
  fetchedMax: number,
): Promise<Result<Ordered, MethodError>> {
  const known = await knownFor(candidates, comparators, knowledge);
  if (known.length > fetchedMax) return orderByServer(known, comparators, knowledge, sources, mailbox);
  const properties = comparators.filter(isHeaderComparator).map(({ property }) => property);
  const fields = await sources.sortFields(
    known.map(({ id }) => id),
    [...new Set(properties)],
  );
  const emails = sorted(known, comparators, (comparator, candidate) =>
    isHeaderComparator(comparator)
      ? headerValue(comparator, candidate, fields.get(candidate.id) ?? {})
      : catalogValue(comparator, candidate, knowledge),
  );
  return ok({ emails, orderedBy: { kind: 'fields' } });
}

/** From the first header comparator on, the server's SORT decides; what comes before is compared here. */
async function orderByServer(
  candidates: readonly Candidate[],
  comparators: readonly EmailComparator[],
  knowledge: Knowledge,
  sources: QuerySources,
  mailbox: MailboxEntry | undefined,
): Promise<Result<Ordered, MethodError>> {
  const first = comparators.findIndex(isHeaderComparator);
  const [before, rest] = [comparators.slice(0, first), comparators.slice(first)];
  const criteria = rest.flatMap((comparator) => criterionOf(comparator) ?? []);
  const [leading] = rest;
  const uids =
    mailbox?.vector != null && criteria.length === rest.length ? await sources.serverSort(mailbox, criteria) : null;
  if (mailbox?.vector == null || uids === null || leading === undefined) {
    return refuse(methodError('unsupportedSort', `Could not sort ${candidates.length} Emails by ${leading?.property}`));
  }
  const ranks = new Map(uids.map((uid, rank) => [uid, rank]));
  const rankOf = new Map<Id, number>();
  for (const { id, places } of candidates) {
    const known = places.flatMap(({ mailbox: key, uid }) => (key === mailbox.key ? (ranks.get(uid) ?? []) : []));
    rankOf.set(id, Math.min(...known));
  }
  const byRank: EmailComparator = { ...leading, isAscending: true };
  const emails = sorted(candidates, [...before, byRank], (comparator, candidate) =>
    comparator === byRank ? (rankOf.get(candidate.id) ?? 0) : catalogValue(comparator, candidate, knowledge),
  );
  return ok({ emails, orderedBy: { kind: 'server', uidValidity: mailbox.vector.uidValidity } });
}

function criterionOf({ property, isAscending }: EmailComparator): SortCriterion | undefined {
  switch (property) {
    case 'hasKeyword':
    case 'allInThreadHaveKeyword':
    case 'someInThreadHaveKeyword':
      return undefined;
    default:
      return { property, isAscending };
  }
}

/** The candidates with all that the comparators want to know of the catalog. */
async function knownFor(
  candidates: readonly Candidate[],
  comparators: readonly EmailComparator[],
  knowledge: Knowledge,
): Promise<readonly Candidate[]> {
  if (comparators.some(isThreadComparator)) await knowledge.learnThreads(candidates.map(({ threadId }) => threadId));
  return comparators.some(({ property }) => property === 'hasKeyword') ? knowledge.whole(candidates) : candidates;
}

const catalogValue = (comparator: EmailComparator, candidate: Candidate, knowledge: Knowledge): SortValue => {
  switch (comparator.property) {
    case 'receivedAt':
      return candidate.receivedAt;
    case 'size':
      return candidate.size;
    case 'hasKeyword':
      return Number(candidate.keywords.includes(comparator.keyword.toLowerCase()));
    case 'allInThreadHaveKeyword':
    case 'someInThreadHaveKeyword': {
      const keyword = comparator.keyword.toLowerCase();
      const thread = knowledge.keywordsInThread(candidate.threadId) ?? [];
      const has = (keywords: readonly string[]) => keywords.includes(keyword);
      return Number(comparator.property === 'allInThreadHaveKeyword' ? thread.every(has) : thread.some(has));
    }
    default:
      throw new Error(`Could not sort by ${comparator.property}: the catalog does not hold it`);
  }
};

/** RFC 8621 §4.4.2. Without a sent date the date of receipt stands in, as in SORT (RFC 5256 §2.2). */
function headerValue(
  { property, collation }: Comparator<HeaderSortProperty>,
  candidate: Candidate,
  fields: SortFields,
): SortValue {
  switch (property) {
    case 'from':
    case 'to':
      return collationKey(addressText(fields[property]), collation);
    case 'subject':
      return collationKey(baseSubject(fields.subject ?? ''), collation);
    case 'sentAt':
      return fields.sentAt ?? candidate.receivedAt;
  }
}

function addressText(address: SortAddress | null | undefined): string {
  return address?.name || address?.email || '';
}
