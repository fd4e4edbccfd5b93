// EmailSubmission/query (RFC 8621 §7.3)
import { decide } from '../../catalog/query/truth.ts';
import { ok } from '../../jmap/errors.ts';
import { arrayOf, id, string, utcDate } from '../../jmap/grammar.ts';
import type { Id } from '../../jmap/scalars.ts';
import type { ComparatorOf } from '../../jmap/standard/comparator.ts';
import type { ConditionOf, Filter } from '../../jmap/standard/filter.ts';
import { windowOf } from '../../jmap/standard/window.ts';
import type { CanQuery } from '../../jmap/verbs.ts';
import { currentSubmissions } from './current.ts';
import type { KeptSubmission, SubmissionPorts } from './record.ts';

/** What EmailSubmissions can be queried by. The RFC sorts by `sentAt` and calls the property `sendAt`: both are taken. */
export const submissionQuery = {
  filter: {
    identityIds: arrayOf(id),
    emailIds: arrayOf(id),
    threadIds: arrayOf(id),
    undoStatus: string,
    before: utcDate,
    after: utcDate,
  },
  sort: { emailId: {}, threadId: {}, sentAt: {}, sendAt: {} },
} as const;

export type SubmissionCondition = ConditionOf<typeof submissionQuery.filter>;
export type SubmissionComparator = ComparatorOf<typeof submissionQuery.sort>;
type Query = {
  readonly filter: Filter<SubmissionCondition> | null;
  readonly sort: readonly SubmissionComparator[];
};

export function canQuerySubmissions(ports: SubmissionPorts): CanQuery<SubmissionCondition, SubmissionComparator> {
  return {
    query: async (request) => {
      const { state, records } = await currentSubmissions(ports);
      const results = querySubmissions(records, request);
      const window = windowOf(results, request.window);
      if (!window.ok) return window;
      return ok({ queryState: state, canCalculateChanges: true, total: results.length, ...window.value });
    },
  };
}

/** All results in order; those that compare equal go by date and id. Nothing that one sorts by ever changes. */
export function querySubmissions(records: ReadonlyMap<Id, KeptSubmission>, { filter, sort }: Query): Id[] {
  const tests = filter && testsOf(filter);
  return [...records]
    .filter(([, kept]) => tests === null || decide(tests, (test) => test(kept)) === true)
    .sort(inOrder(sort))
    .map(([submissionId]) => submissionId);
}

type Test = (kept: KeptSubmission) => boolean;

function testsOf(filter: Filter<SubmissionCondition>): Filter<readonly Test[]> {
  if (filter.operator !== undefined) return { ...filter, conditions: filter.conditions.map(testsOf) };
  const { identityIds, emailIds, threadIds, undoStatus, before, after } = filter.condition;
  return {
    condition: [
      (kept) => identityIds?.includes(kept.identityId) ?? true,
      (kept) => emailIds?.includes(kept.emailId) ?? true,
      (kept) => threadIds?.includes(kept.threadId) ?? true,
      (kept) => undoStatus === undefined || undoStatus === kept.undoStatus,
      (kept) => before === undefined || Date.parse(kept.sendAt) < Date.parse(before),
      (kept) => after === undefined || Date.parse(kept.sendAt) >= Date.parse(after),
    ],
  };
}

type Entry = readonly [Id, KeptSubmission];

function inOrder(sort: readonly SubmissionComparator[]): (one: Entry, other: Entry) => number {
  return (one, other) => {
    for (const { property, isAscending } of sort) {
      const key = property === 'sentAt' ? 'sendAt' : property;
      const order = compare(one[1][key], other[1][key]);
      if (order !== 0) return isAscending ? order : -order;
    }
    return compare(one[1].sendAt, other[1].sendAt) || compare(one[0], other[0]);
  };
}

function compare(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0;
}
