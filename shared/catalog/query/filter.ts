import type { Id, UTCDate } from '../../jmap/scalars.ts';
import type { Filter } from '../../jmap/standard/filter.ts';
import type { MailboxKey } from '../email.ts';
import type { SearchQuestion } from './sources.ts';

/** The FilterCondition of Email/query (RFC 8621 §4.4.1): every property that is there must match. */
export type EmailFilterCondition = {
  readonly inMailbox?: Id;
  readonly inMailboxOtherThan?: readonly Id[];
  readonly before?: UTCDate;
  readonly after?: UTCDate;
  readonly minSize?: number;
  readonly maxSize?: number;
  readonly allInThreadHaveKeyword?: string;
  readonly someInThreadHaveKeyword?: string;
  readonly noneInThreadHaveKeyword?: string;
  readonly hasKeyword?: string;
  readonly notKeyword?: string;
  readonly hasAttachment?: boolean;
  readonly text?: string;
  readonly from?: string;
  readonly to?: string;
  readonly cc?: string;
  readonly bcc?: string;
  readonly subject?: string;
  readonly body?: string;
  /** The name of a header field, and the text to look for in it: one or two elements. */
  readonly header?: readonly string[];
};

export type EmailFilter = Filter<EmailFilterCondition>;

/** A condition that only the text of a message can answer. `header` with `value` null: the field is there at all. */
export type TextTest =
  | { readonly property: 'text' | 'from' | 'to' | 'cc' | 'bcc' | 'subject' | 'body'; readonly value: string }
  | { readonly property: 'header'; readonly name: string; readonly value: string | null };

/**
 * One property of a FilterCondition, ready to be tested: mailboxes by their keys (ids that name none are left out),
 * dates in seconds since the epoch, keywords in lower case.
 */
export type EmailTest =
  | { readonly property: 'inMailbox'; readonly mailbox: MailboxKey | undefined }
  | { readonly property: 'inMailboxOtherThan'; readonly mailboxes: ReadonlySet<MailboxKey> }
  | { readonly property: 'before' | 'after' | 'minSize' | 'maxSize'; readonly value: number }
  | { readonly property: 'hasKeyword' | 'notKeyword'; readonly keyword: string }
  | {
      readonly property: 'allInThreadHaveKeyword' | 'someInThreadHaveKeyword' | 'noneInThreadHaveKeyword';
      readonly keyword: string;
    }
  | { readonly property: 'hasAttachment'; readonly value: boolean };

/** A filter as it was asked, every property of its conditions a test of its own. */
export type AskedTests = Filter<readonly (EmailTest | TextTest)[]>;

/** A filter as it is evaluated: what only the text of a message can answer is put into as few questions as possible. */
export type EmailTests = Filter<readonly DecidableTest[]>;
export type DecidableTest = EmailTest | TextsTest;
export type TextsTest = { readonly property: 'texts'; readonly question: SearchQuestion };

/** Splits every FilterCondition into its properties, as RFC 8621 §4.4.1 allows, and makes them ready to be tested. */
export function testsOf(filter: EmailFilter, mailboxKeys: ReadonlyMap<Id, MailboxKey>): AskedTests {
  if (filter.operator !== undefined) {
    return { operator: filter.operator, conditions: filter.conditions.map((inner) => testsOf(inner, mailboxKeys)) };
  }
  const { condition } = filter;
  const tests: (EmailTest | TextTest)[] = [];
  if (condition.inMailbox !== undefined) {
    tests.push({ property: 'inMailbox', mailbox: mailboxKeys.get(condition.inMailbox) });
  }
  if (condition.inMailboxOtherThan !== undefined) {
    const keys = condition.inMailboxOtherThan.map((id) => mailboxKeys.get(id)).filter((key) => key !== undefined);
    tests.push({ property: 'inMailboxOtherThan', mailboxes: new Set(keys) });
  }
  for (const property of ['before', 'after'] as const) {
    const value = condition[property];
    if (value !== undefined) tests.push({ property, value: secondsOf(value) });
  }
  for (const property of ['minSize', 'maxSize'] as const) {
    const value = condition[property];
    if (value !== undefined) tests.push({ property, value });
  }
  for (const property of keywordProperties) {
    const value = condition[property];
    if (value !== undefined) tests.push({ property, keyword: value.toLowerCase() });
  }
  if (condition.hasAttachment !== undefined) {
    tests.push({ property: 'hasAttachment', value: condition.hasAttachment });
  }
  for (const property of textProperties) {
    const value = condition[property];
    if (value !== undefined) tests.push({ property, value });
  }
  const [name, value = null] = condition.header ?? [];
  if (name !== undefined) tests.push({ property: 'header', name, value });
  return { condition: tests };
}

const keywordProperties = [
  'hasKeyword',
  'notKeyword',
  'allInThreadHaveKeyword',
  'someInThreadHaveKeyword',
  'noneInThreadHaveKeyword',
] as const;

const textProperties = ['text', 'from', 'to', 'cc', 'bcc', 'subject', 'body'] as const;

/** Seconds since the epoch; second 60, which `Date` does not know, is the first second of the next minute. */
function secondsOf(date: UTCDate): number {
  const leap = /^.{16}:60/.test(date);
  return Date.parse(leap ? date.replace(':60', ':59') : date) / 1000 + (leap ? 1 : 0);
}

/** Every test of the tree, wherever it stands. */
export function* allTests(tests: EmailTests): Generator<DecidableTest> {
  if (tests.operator === undefined) yield* tests.condition;
  else for (const inner of tests.conditions) yield* allTests(inner);
}

/** Whether the tree has a test of this kind anywhere. */
export function hasTest(tests: EmailTests, isSuch: (test: DecidableTest) => boolean): boolean {
  for (const test of allTests(tests)) if (isSuch(test)) return true;
  return false;
}

/** Answered by the text of the message alone. */
export function isTextTest(test: EmailTest | TextTest): test is TextTest {
  return test.property === 'header' || (textProperties as readonly string[]).includes(test.property);
}

/** Answered by the keywords of all Emails of the Thread. */
export function isThreadTest(test: DecidableTest): boolean {
  switch (test.property) {
    case 'allInThreadHaveKeyword':
    case 'someInThreadHaveKeyword':
    case 'noneInThreadHaveKeyword':
      return true;
    default:
      return false;
  }
}

/** Answered by what may change about an Email, or about the others of its Thread: mailboxes and keywords. */
export function isMutableTest(test: DecidableTest): boolean {
  return isThreadTest(test) || isPlacementTest(test);
}

/** Answered by all rows of an Email together, not by any one of them. */
export function isPlacementTest(test: DecidableTest): boolean {
  switch (test.property) {
    case 'inMailbox':
    case 'inMailboxOtherThan':
    case 'hasKeyword':
    case 'notKeyword':
      return true;
    default:
      return false;
  }
}

/** What an absent filter means: no condition, so everything matches. */
export const everything: EmailTests = { condition: [] };
