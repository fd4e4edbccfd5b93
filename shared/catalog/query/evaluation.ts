import { type MethodError, methodError, type Result, refuse } from '../../jmap/errors.ts';
import type { Id } from '../../jmap/scalars.ts';
import type { MailboxKey } from '../email.ts';
import { missingAmong } from '../entries.ts';
import type { MailboxEntry } from '../mailbox.ts';
import { CannotSearch, MailboxGone } from '../source.ts';
import type { CatalogView } from '../view.ts';
import { type EmailFilter, type EmailTests, hasTest, isThreadTest, testsOf } from './filter.ts';
import { gatherTexts } from './gather-texts.ts';
import { type Knowledge, newKnowledge } from './knowledge.ts';
import { type Scope, scopeOf } from './scope.ts';
import { completed, type EmailComparator, isThreadComparator } from './sort.ts';
import type { QuerySources } from './sources.ts';

/** Which Emails, in which order: what /query and /queryChanges have in common. */
export type EmailQuery = {
  readonly filter: EmailFilter | null;
  readonly sort: readonly EmailComparator[];
  readonly args: { readonly collapseThreads: boolean };
};

export const queryLimits = {
  /** Emails that are sorted by header fields fetched for it; more are left to the server's SORT. */
  fetchedToSortMax: 5000,
  /** Texts that one filter may look for. */
  searchTermsMax: 32,
  /** Emails that are read to look for texts in them, where the server cannot search. */
  readToMatchMax: 1000,
};
export type QueryLimits = typeof queryLimits;

/** A query at work on one view. */
export type Evaluation = {
  readonly view: CatalogView;
  readonly sources: QuerySources;
  readonly limits: QueryLimits;
  readonly mailboxes: ReadonlyMap<MailboxKey, MailboxEntry>;
  readonly tests: EmailTests;
  readonly scope: Scope;
  /** Never empty: the last one is by date where the client left that open. */
  readonly comparators: readonly EmailComparator[];
  readonly collapseThreads: boolean;
  readonly knowledge: Knowledge;
};

/**
 * Whether all mailboxes that the query needs were indexed: during first contact it can be answered before the others are in.
 * Conditions on Threads need every mailbox that may hold an Email of a Thread.
 */
export function isAnswerable(query: EmailQuery, mailboxes: ReadonlyMap<MailboxKey, MailboxEntry>): boolean {
  const { tests, scope } = placed(query.filter, mailboxes);
  const needsThreads = hasTest(tests, isThreadTest) || query.sort.some(isThreadComparator);
  return !missingAmong(mailboxes).some(({ key }) => needsThreads || scope.mailboxes.has(key));
}

function placed(
  filter: EmailFilter | null,
  mailboxes: ReadonlyMap<MailboxKey, MailboxEntry>,
): Pick<Evaluation, 'tests' | 'scope'> {
  const keys = new Map<Id, MailboxKey>([...mailboxes.values()].map(({ id, key }) => [id, key]));
  const tests = filter === null ? { condition: [] } : gatherTexts(testsOf(filter, keys));
  return { tests, scope: scopeOf(tests, mailboxes) };
}

/**
 * Prepares the query and runs `answer` on it. `serverUnavailable`: a mailbox that it needs was not indexed yet, or is not
 * on the server any more as this view knows it; the next view will tell. `unsupportedFilter`: the server cannot look for such texts, and
 * they might be in too many messages to look for them there.
 */
export async function evaluate<T>(
  view: CatalogView,
  query: EmailQuery,
  sources: QuerySources,
  limits: QueryLimits,
  answer: (evaluation: Evaluation) => Promise<Result<T, MethodError>>,
): Promise<Result<T, MethodError>> {
  const mailboxes = await view.mailboxes();
  if (!isAnswerable(query, mailboxes)) {
    return refuse(methodError('serverUnavailable', 'a mailbox of this query was not read yet'));
  }
  const { tests, scope } = placed(query.filter, mailboxes);
  const knowledge = newKnowledge(view, mailboxes, tests, sources, limits.readToMatchMax);
  if (knowledge.searchTerms > limits.searchTermsMax) {
    return refuse(methodError('unsupportedFilter', `more than ${limits.searchTermsMax} texts to look for`));
  }
  const comparators = completed(query.sort);
  const { collapseThreads } = query.args;
  try {
    return await answer({ view, sources, limits, mailboxes, tests, scope, comparators, collapseThreads, knowledge });
  } catch (error) {
    if (error instanceof CannotSearch) return refuse(methodError('unsupportedFilter', error.message));
    if (!(error instanceof MailboxGone)) throw error;
    return refuse(methodError('serverUnavailable', 'a mailbox of this query has changed meanwhile'));
  }
}

/**
 * How many results there are, where the mailbox's counts tell: for `inMailbox` alone the total is its totalEmails or
 * totalThreads (RFC 8621 §4.4).
 */
export function countedTotal({ tests, mailboxes, collapseThreads }: Evaluation): number | undefined {
  const sole = soleMailbox(tests);
  if (sole === undefined) return undefined;
  const counts = sole.mailbox === undefined ? undefined : mailboxes.get(sole.mailbox)?.counts;
  if (counts === undefined) return 0;
  return collapseThreads ? counts.totalThreads : counts.totalEmails;
}

function soleMailbox(tests: EmailTests): { readonly mailbox: MailboxKey | undefined } | undefined {
  if (tests.operator === undefined) {
    const [test, ...others] = tests.condition;
    return test?.property === 'inMailbox' && others.length === 0 ? test : undefined;
  }
  const [inner, ...others] = tests.conditions;
  return tests.operator !== 'NOT' && inner !== undefined && others.length === 0 ? soleMailbox(inner) : undefined;
}
