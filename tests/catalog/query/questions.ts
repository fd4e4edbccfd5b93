import fc from 'fast-check';
import type { EmailFilter, EmailFilterCondition } from '../../../shared/catalog/query/filter.ts';
import type { EmailComparator } from '../../../shared/catalog/query/sort.ts';
import type { UTCDate } from '../../../shared/jmap/scalars.ts';
import { id, keywords, mailboxId, mailboxKeys } from './account.ts';
import { lookedFor, type Question } from './naive.ts';

const mailbox = fc.constantFrom(...mailboxKeys.map(mailboxId), id('unknown'));
const date = fc.integer({ min: -1, max: 27 }).map((halves) => new Date(halves * 500).toISOString() as UTCDate);
const size = fc.integer({ min: 0, max: 7 });
const keyword = fc.constantFrom(...keywords);
const text = fc.constantFrom(...Object.keys(lookedFor));

/** Every property of RFC 8621 §4.4.1, with values that match now and then. */
export const conditionValues = {
  inMailbox: mailbox,
  inMailboxOtherThan: fc.uniqueArray(mailbox, { maxLength: 4 }),
  before: date,
  after: date,
  minSize: size,
  maxSize: size,
  allInThreadHaveKeyword: keyword,
  someInThreadHaveKeyword: keyword,
  noneInThreadHaveKeyword: keyword,
  hasKeyword: keyword,
  notKeyword: keyword,
  hasAttachment: fc.boolean(),
  text,
  from: text,
  to: text,
  cc: text,
  bcc: text,
  subject: text,
  body: text,
  header: fc.oneof(
    fc.constant(['List-Id']),
    text.map((value) => ['List-Id', value]),
  ),
} satisfies { [K in keyof EmailFilterCondition]-?: fc.Arbitrary<NonNullable<EmailFilterCondition[K]>> };

const oneCondition: fc.Arbitrary<EmailFilterCondition> = fc.oneof(
  ...Object.entries(conditionValues).map(([name, values]) =>
    (values as fc.Arbitrary<unknown>).map((value) => ({ [name]: value })),
  ),
);
const condition = fc
  .array(oneCondition, { maxLength: 3 })
  .map((properties): EmailFilter => ({ condition: Object.assign({}, ...properties) }));

export const filters: fc.Arbitrary<EmailFilter | null> = fc.oneof(
  { weight: 1, arbitrary: fc.constant(null) },
  { weight: 2, arbitrary: mailbox.map((inMailbox): EmailFilter => ({ condition: { inMailbox } })) },
  {
    weight: 6,
    arbitrary: fc.letrec<{ tree: EmailFilter }>((tie) => ({
      tree: fc.oneof(
        { depthSize: 'small', withCrossShrink: true },
        condition,
        fc.record({
          operator: fc.constantFrom('AND', 'OR', 'NOT'),
          conditions: fc.array(tie('tree'), { maxLength: 3 }),
        }),
      ),
    })).tree,
  },
);

const rest = { isAscending: fc.boolean(), collation: fc.constant(null) };
export const comparators: fc.Arbitrary<EmailComparator> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ property: fc.constant('receivedAt' as const), ...rest }) },
  {
    weight: 3,
    arbitrary: fc.record({ property: fc.constantFrom('size', 'from', 'to', 'subject', 'sentAt'), ...rest }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      property: fc.constantFrom('hasKeyword', 'allInThreadHaveKeyword', 'someInThreadHaveKeyword'),
      keyword,
      ...rest,
    }),
  },
);

export const questions: fc.Arbitrary<Question> = fc.record({
  filter: filters,
  sort: fc.array(comparators, { maxLength: 3 }),
  collapseThreads: fc.boolean(),
});
