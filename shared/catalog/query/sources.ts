import type { Id } from '../../jmap/scalars.ts';
import type { Filter } from '../../jmap/standard/filter.ts';
import type { MailboxEntry } from '../mailbox.ts';

/**
 * What a query needs that the catalog does not hold. Every method may throw `Unavailable`, or `MailboxGone` when the mail
 * server has moved on from what the view says: then the query is to be put to a newer view.
 */
export type QuerySources = {
  /**
   * For each question the UIDs of the mailbox that match it, in no particular order; null when the mailbox is not there under
   * its UIDVALIDITY. Called at most once for each mailbox and query; what is asked in the same turn may travel together. Throws
   * `CannotSearch` too.
   */
  readonly search: (
    mailbox: MailboxEntry,
    questions: readonly SearchQuestion[],
  ) => Promise<readonly (readonly number[])[] | null>;
  /**
   * Which of the questions each Email answers, found out by reading it: for mail servers that cannot search. Emails that are gone by now
   * are absent.
   */
  readonly match: (
    ids: readonly Id[],
    questions: readonly SearchQuestion[],
  ) => Promise<ReadonlyMap<Id, readonly boolean[]>>;
  /** `hasAttachment` of Emails that were not looked at yet. Those that are gone by now are absent. */
  readonly attachments: (ids: readonly Id[]) => Promise<ReadonlyMap<Id, boolean>>;
  /** Header fields to sort by. Emails that are gone by now are absent. */
  readonly sortFields: (
    ids: readonly Id[],
    properties: readonly HeaderSortProperty[],
  ) => Promise<ReadonlyMap<Id, SortFields>>;
  /** UIDs of a whole mailbox in this order, by the server's SORT (RFC 5256); null where it cannot. */
  readonly serverSort: (mailbox: MailboxEntry, criteria: readonly SortCriterion[]) => Promise<readonly number[] | null>;
};

/** Texts to look for, and how they go together: one SEARCH. All terms of a condition must be found; there is at least one. */
export type SearchQuestion = Filter<readonly SearchTerm[]>;

/** One text to look for; the form of a SEARCH key. */
export type SearchTerm =
  | { readonly kind: 'text' | 'from' | 'to' | 'cc' | 'bcc' | 'subject' | 'body'; readonly value: string }
  | { readonly kind: 'header'; readonly name: string; readonly value: string | null };

export type HeaderSortProperty = 'from' | 'to' | 'subject' | 'sentAt';

/** Only the members that were asked for need be right. */
export type SortFields = {
  /** The first address of the field, decoded. */
  readonly from?: SortAddress | null;
  readonly to?: SortAddress | null;
  /** The decoded Subject. */
  readonly subject?: string | null;
  /** Seconds since the epoch; null without a Date field that can be read. */
  readonly sentAt?: number | null;
};
export type SortAddress = { readonly name: string | null; readonly email: string };

/** One key of SORT. */
export type SortCriterion = {
  readonly property: HeaderSortProperty | 'receivedAt' | 'size';
  readonly isAscending: boolean;
};
