import { describe, expect, test } from '@jest/globals';
import type { Email, EmailRow } from '../../../shared/catalog/email.ts';
import { type QueryLimits, queryLimits } from '../../../shared/catalog/query/evaluation.ts';
import type { EmailFilter, EmailFilterCondition } from '../../../shared/catalog/query/filter.ts';
import { type EmailQueryRequest, queryEmails } from '../../../shared/catalog/query/query.ts';
import type { EmailComparator } from '../../../shared/catalog/query/sort.ts';
import type { SortFields } from '../../../shared/catalog/query/sources.ts';
import type { CatalogView } from '../../../shared/catalog/view.ts';
import type { Id, UTCDate } from '../../../shared/jmap/scalars.ts';
import { type Content, id, sourcesOf } from './account.ts';
import { inMemoryView, type PlainAccount } from './in-memory-view.ts';

const row = (mailbox: number, uid: number, ...keywords: string[]): EmailRow => {
  return { mailbox, uid, keywords: [...keywords].sort(), deleted: false };
};
const email = (name: string, facts: Partial<Email>): Email => {
  return { id: id(name), threadId: id(`t-${name}`), receivedAt: 0, size: 0, hasAttachment: false, rows: [], ...facts };
};
const mailboxes = [
  { key: 1, id: id('inbox') },
  { key: 2, id: id('archive') },
  { key: 3, id: id('trash') },
];

/** a and b are one Thread; c lies in two mailboxes, read in one of them; d exists no more for JMAP. */
const small: PlainAccount = {
  mailboxes,
  emails: [
    email('a', { threadId: id('t1'), receivedAt: 10, size: 100, rows: [row(1, 1, '$seen', 'work')] }),
    email('b', { threadId: id('t1'), receivedAt: 20, size: 200, hasAttachment: true, rows: [row(2, 1, '$flagged')] }),
    email('c', { receivedAt: 30, size: 300, hasAttachment: null, rows: [row(1, 2, '$seen'), row(3, 1)] }),
    email('d', { receivedAt: 40, size: 400, rows: [{ ...row(1, 3), deleted: true }] }),
  ],
};
const text = { from: 'ann', to: 'bob', cc: 'cyd', bcc: 'dan', subject: 'tea', body: 'milk' };
const content = (changed: Partial<Content['text']>, fields: SortFields, listId: string | null): Content => {
  const noFields = { from: null, to: null, subject: null, sentAt: null };
  return { text: { ...text, ...changed }, listId, fields: { ...noFields, ...fields }, hasAttachment: true };
};
const contents = new Map<Id, Content>([
  [
    id('a'),
    content({ from: 'zoe' }, { from: { name: 'zoe', email: 'a@x' }, subject: 'Re: tea', sentAt: 5 }, 'tea.list'),
  ],
  [id('b'), content({ to: 'zoe' }, { from: { name: '', email: 'm@x' }, subject: 'Fwd: apple', sentAt: 3 }, null)],
  [id('c'), content({ body: 'zoe' }, { to: { name: null, email: 'q@x' } }, 'milk.list')],
  [id('d'), content({ subject: 'zoe' }, {}, null)],
]);

const plainly: Omit<EmailQueryRequest, 'filter' | 'sort'> = {
  window: { from: 'position', position: 0, limit: null },
  calculateTotal: false,
  args: { collapseThreads: false },
};

async function idsOf(filter: EmailFilter | null, sort: readonly EmailComparator[] = [], args = plainly.args) {
  const answer = await queryEmails(inMemoryView(small), { ...plainly, filter, sort, args }, sourcesOf(small, contents));
  return answer.ok ? answer.value.ids.join(' ') : answer.error.type;
}

const date = (seconds: number) => new Date(seconds * 1000).toISOString() as UTCDate;

test.each<[EmailFilterCondition, string]>([
  [{}, 'c b a'],
  [{ inMailbox: id('inbox') }, 'c a'],
  [{ inMailbox: id('archive') }, 'b'],
  [{ inMailbox: id('nowhere') }, ''],
  [{ inMailboxOtherThan: [] }, 'c b a'],
  [{ inMailboxOtherThan: [id('inbox')] }, 'c b'],
  [{ inMailboxOtherThan: [id('inbox'), id('trash')] }, 'b'],
  [{ inMailboxOtherThan: [id('nowhere')] }, 'c b a'],
  [{ before: date(20) }, 'a'],
  [{ before: date(20.5) }, 'b a'],
  [{ after: date(20) }, 'c b'],
  [{ after: date(20.5) }, 'c'],
  [{ minSize: 200 }, 'c b'],
  [{ maxSize: 200 }, 'a'],
  [{ hasKeyword: 'work' }, 'a'],
  [{ hasKeyword: '$SEEN' }, 'a'],
  [{ notKeyword: '$seen' }, 'c b'],
  [{ notKeyword: 'Work' }, 'c b'],
  [{ allInThreadHaveKeyword: '$seen' }, ''],
  [{ someInThreadHaveKeyword: '$seen' }, 'b a'],
  [{ someInThreadHaveKeyword: '$FLAGGED' }, 'b a'],
  [{ noneInThreadHaveKeyword: '$flagged' }, 'c'],
  [{ hasAttachment: true }, 'c b'],
  [{ hasAttachment: false }, 'a'],
  [{ text: 'zoe' }, 'c b a'],
  [{ text: 'zoe tea' }, 'c b a'],
  [{ from: 'zoe' }, 'a'],
  [{ to: 'zoe' }, 'b'],
  [{ cc: 'cy*' }, 'c b a'],
  [{ bcc: 'zoe' }, ''],
  [{ subject: 'tea' }, 'c b a'],
  [{ body: 'milk' }, 'b a'],
  [{ header: ['List-Id'] }, 'c a'],
  [{ header: ['List-Id', 'tea'] }, 'a'],
  [{ inMailbox: id('inbox'), notKeyword: '$seen' }, 'c'],
])('the condition %j matches: %s', async (condition, ids) => {
  expect(await idsOf({ condition })).toBe(ids);
});

const a = { condition: { hasKeyword: 'work' } };
const b = { condition: { hasKeyword: '$flagged' } };
test.each<[EmailFilter, string]>([
  [{ operator: 'AND', conditions: [a, b] }, ''],
  [{ operator: 'AND', conditions: [] }, 'c b a'],
  [{ operator: 'OR', conditions: [a, b] }, 'b a'],
  [{ operator: 'OR', conditions: [] }, ''],
  [{ operator: 'NOT', conditions: [a, b] }, 'c'],
  [{ operator: 'NOT', conditions: [] }, 'c b a'],
  [{ operator: 'NOT', conditions: [{ operator: 'NOT', conditions: [a] }] }, 'a'],
  [{ operator: 'AND', conditions: [{ condition: { from: 'ann' } }, { condition: { to: 'bob' } }] }, 'c'],
])('the tree %j matches: %s', async (filter, ids) => {
  expect(await idsOf(filter)).toBe(ids);
});

const by = (property: 'receivedAt' | 'size' | 'from' | 'to' | 'subject' | 'sentAt', isAscending = true) => {
  return { property, isAscending, collation: null };
};
const byKeyword = (property: 'hasKeyword' | 'allInThreadHaveKeyword' | 'someInThreadHaveKeyword', keyword: string) => {
  return { property, keyword, isAscending: true, collation: null };
};
test.each<[readonly EmailComparator[], string]>([
  [[], 'c b a'],
  [[by('receivedAt')], 'a b c'],
  [[by('receivedAt', false)], 'c b a'],
  [[by('size')], 'a b c'],
  [[by('from')], 'c b a'],
  [[by('from', false)], 'a b c'],
  [[by('to'), by('size')], 'a b c'],
  [[by('subject')], 'c b a'],
  [[by('sentAt')], 'b a c'],
  [[byKeyword('hasKeyword', 'WORK')], 'c b a'],
  [[byKeyword('hasKeyword', '$flagged'), by('size')], 'a c b'],
  [[byKeyword('allInThreadHaveKeyword', '$seen'), by('size')], 'a b c'],
  [[byKeyword('someInThreadHaveKeyword', 'work'), by('size')], 'c a b'],
])('the sort %j gives: %s', async (sort, ids) => {
  expect(await idsOf(null, sort)).toBe(ids);
});

test.each<[EmailFilter | null, readonly EmailComparator[], string]>([
  [null, [], 'c b'],
  [null, [by('size')], 'a c'],
  [{ condition: { hasKeyword: 'work' } }, [], 'a'],
])('collapsing Threads leaves the first of each, by filter %j and sort %j: %s', async (filter, sort, ids) => {
  expect(await idsOf(filter, sort, { collapseThreads: true })).toBe(ids);
});

test.each<[EmailFilter | null, boolean, number]>([
  [null, false, 3],
  [null, true, 2],
  [{ condition: { inMailbox: id('inbox') } }, false, 2],
  [{ condition: { inMailbox: id('nowhere') } }, false, 0],
  [{ condition: { inMailbox: id('inbox'), hasKeyword: 'work' } }, false, 1],
  [{ operator: 'AND', conditions: [{ condition: { inMailbox: id('inbox') } }] }, false, 2],
  [{ operator: 'NOT', conditions: [{ condition: { inMailbox: id('inbox') } }] }, false, 1],
])(
  'the total of the filter %j, collapsed %j, is %d, also where no ids are asked',
  async (filter, collapseThreads, total) => {
    const request = { ...plainly, filter, sort: [], calculateTotal: true, args: { collapseThreads } };
    for (const limit of [0, 1, null]) {
      const window = { from: 'position', position: 0, limit } as const;
      const answer = await queryEmails(inMemoryView(small), { ...request, window }, sourcesOf(small, contents));
      expect(answer).toMatchObject({ ok: true, value: { total } });
    }
  },
);

test.each<[number, number | null, string]>([
  [0, 1, 'm20'],
  [5, 2, 'm15 m14'],
  [-5, 2, 'm25 m24'],
  [-99, 2, 'm30 m29'],
  [99, 2, ''],
  [18, null, 'm2 m1'],
])('an anchor with the offset %d and the limit %j shows: %s', async (anchorOffset, limit, ids) => {
  const emails = Array.from({ length: 30 }, (_, n) => email(`m${n + 1}`, { receivedAt: n, rows: [row(1, n + 1)] }));
  const window = { from: 'anchor', anchor: id('m20'), anchorOffset, limit } as const;
  const request = { ...plainly, filter: null, sort: [], window };
  const answer = await queryEmails(inMemoryView({ mailboxes, emails }, 1), request, sourcesOf(small, contents));
  expect(answer.ok && answer.value.ids.join(' ')).toBe(ids);
});

test.each<[string, Partial<QueryLimits>, EmailFilter, readonly EmailComparator[], string]>([
  ['the texts of a filter', { searchTermsMax: 1 }, { condition: { text: 'a b' } }, [], 'unsupportedFilter'],
  ['as many texts', { searchTermsMax: 2 }, { condition: { text: 'ann bob' } }, [], 'c'],
  ['a sort over two mailboxes', { fetchedToSortMax: 2 }, { condition: {} }, [by('from')], 'unsupportedSort'],
  ['a sort over one', { fetchedToSortMax: 1 }, { condition: { inMailbox: id('inbox') } }, [by('from')], 'c a'],
])('limits: %s', async (_, limits, filter, sort, expected) => {
  const all = { ...queryLimits, ...limits };
  const answer = await queryEmails(inMemoryView(small), { ...plainly, filter, sort }, sourcesOf(small, contents), all);
  expect(answer.ok ? answer.value.ids.join(' ') : answer.error.type).toBe(expected);
});

describe('where the mail server cannot look for texts', () => {
  const asked = async (filter: EmailFilter, readToMatchMax: number) => {
    const sources = sourcesOf(small, contents, { searches: false });
    const limits = { ...queryLimits, readToMatchMax };
    const answer = await queryEmails(inMemoryView(small), { ...plainly, filter, sort: [] }, sources, limits);
    return [answer.ok ? answer.value.ids.join(' ') : answer.error.type, sources.asked.matched.length];
  };

  test('they are looked for in as many Emails as may be read', async () => {
    expect(await asked({ condition: { text: 'zoe' } }, 3)).toEqual(['c b a', 3]);
    expect(await asked({ condition: { text: 'zoe' } }, 2)).toEqual(['unsupportedFilter', 0]);
  });

  test('only Emails that nothing else decides count', async () => {
    expect(await asked({ condition: { text: 'zoe', hasKeyword: 'work' } }, 1)).toEqual(['a', 1]);
    const apart: EmailFilter = {
      operator: 'AND',
      conditions: [
        { condition: { from: 'zoe' } },
        { operator: 'OR', conditions: [{ condition: { body: 'milk', minSize: 150 } }, { condition: { to: 'bob' } }] },
      ],
    };
    expect(await asked(apart, 3)).toEqual(['a', 3]);
  });
});

/** 1000 Emails in each of three mailboxes, in blocks of 100; every tenth Email is a copy of the one in mailbox 1. */
function large(): PlainAccount {
  const emails: Email[] = [];
  for (let n = 1; n <= 1000; n++) {
    const isShared = n % 10 === 0;
    const thread = { threadId: id(`t${n % 300}`), receivedAt: n * 10 };
    const rows = [row(1, n, ...(n % 2 ? ['$seen'] : []))];
    emails.push(email(`i${n}`, { ...thread, rows: isShared ? [...rows, row(2, n)] : rows }));
    if (!isShared) emails.push(email(`a${n}`, { ...thread, rows: [row(2, n)] }));
    emails.push(email(`t${n}`, { ...thread, rows: [row(3, n)] }));
  }
  return { mailboxes, emails };
}

describe('no more is read than the answer takes', () => {
  const account = large();
  const inInbox = { condition: { inMailbox: id('inbox') } };
  const window = (position: number, limit: number | null) => ({ from: 'position', position, limit }) as const;
  const around = (anchor: string) => ({ from: 'anchor', anchor: id(anchor), anchorOffset: -2, limit: 5 }) as const;
  const range = { inMailbox: id('inbox'), after: date(4000), before: date(5000) };

  test.each<[string, Partial<EmailQueryRequest>, number, number]>([
    ['the newest of a mailbox', { filter: inInbox }, 1, 0],
    ['the newest of a mailbox and how many there are', { filter: inInbox, calculateTotal: true }, 1, 0],
    ['the newest Threads', { filter: inInbox, args: { collapseThreads: true }, calculateTotal: true }, 1, 0],
    ['a later window', { filter: inInbox, window: window(350, 50) }, 5, 0],
    ['the oldest of a mailbox', { filter: inInbox, sort: [by('receivedAt')] }, 1, 0],
    ['a window counted from the end', { filter: inInbox, window: window(-950, 50) }, 1, 0],
    ['the end of a mailbox', { filter: inInbox, window: window(-50, 50) }, 10, 0],
    ['no results but their number', { filter: inInbox, window: window(0, 0), calculateTotal: true }, 0, 0],
    ['an Email in the middle', { filter: inInbox, window: around('i700') }, 4, 1],
    ['an Email that is not there', { filter: inInbox, window: around('a700') }, 0, 1],
    ['a range of dates', { filter: { condition: range }, window: window(0, null) }, 2, 0],
    ['the newest of the account', {}, 4, 0],
    ['the newest unread of the account', { filter: { condition: { notKeyword: '$seen' } } }, 4, 10],
    ['the newest in two mailboxes at once', { filter: and(inInbox, { inMailbox: id('archive') }) }, 10, 100],
    ['all but one mailbox', { filter: { condition: { inMailboxOtherThan: [id('inbox')] } } }, 2, 0],
    ['either of two', { filter: or(inInbox, { inMailbox: id('trash') }) }, 2, 0],
    ['none of one', { filter: { operator: 'NOT', conditions: [inInbox] } }, 6, 10],
    ['a sort by size', { filter: inInbox, sort: [by('size')] }, 10, 0],
  ])('%s', async (_, request, blocks, emailsAtMost) => {
    const view = inMemoryView(account, 100);
    const whole = { ...plainly, filter: null, sort: [], window: window(0, 50), ...request };
    await queryEmails(view, whole, sourcesOf(account, contents));
    expect(view.reads.blocks.length).toBeLessThanOrEqual(blocks);
    expect(view.reads.emails).toBeLessThanOrEqual(emailsAtMost);
  });

  test('blocks of moved mail, whose dates overlap, are read as far as their dates reach', async () => {
    const moved = account.emails.map((each, n) => ({ ...each, receivedAt: n === 0 ? 99_999 : each.receivedAt }));
    const view = inMemoryView({ mailboxes, emails: moved }, 100);
    const request = { ...plainly, filter: inInbox, sort: [], window: window(0, 50) };
    const answer = await queryEmails(view, request, sourcesOf(account, contents));
    expect(answer.ok && answer.value.ids.slice(0, 2)).toEqual(['i1', 'i1000']);
    expect(view.reads.blocks).toHaveLength(2);
  });

  function and(one: EmailFilter, other: EmailFilterCondition): EmailFilter {
    return { operator: 'AND', conditions: [one, { condition: other }] };
  }
  function or(one: EmailFilter, other: EmailFilterCondition): EmailFilter {
    return { operator: 'OR', conditions: [one, { condition: other }] };
  }
});

describe('the mail server is asked for what nothing else decides', () => {
  test('SEARCH runs once in each mailbox that holds an undecided candidate, whatever is asked', async () => {
    const sources = sourcesOf(small, contents);
    const texts = or([{ from: 'zoe' }, { body: 'zoe' }, { header: ['List-Id'] }]);
    await queryEmails(inMemoryView(small), { ...plainly, filter: texts, sort: [] }, sources);
    expect(sources.asked.searched.toSorted()).toEqual([1, 2]);
  });

  test('a mailbox whose Emails are all decided is not searched', async () => {
    const sources = sourcesOf(small, contents);
    const filter = { condition: { hasKeyword: '$flagged', text: 'zoe' } };
    await queryEmails(inMemoryView(small), { ...plainly, filter, sort: [] }, sources);
    expect(sources.asked.searched).toEqual([2]);
  });

  test('the structure of messages is read only where text does not exclude them already', async () => {
    const sources = sourcesOf(small, contents);
    const filter = { condition: { hasAttachment: true, text: 'nothing' } };
    await queryEmails(inMemoryView(small), { ...plainly, filter, sort: [] }, sources);
    expect(sources.asked.attachments).toEqual([]);
  });

  function or(conditions: readonly EmailFilterCondition[]): EmailFilter {
    return { operator: 'OR', conditions: conditions.map((condition) => ({ condition })) };
  }
});

describe('while mailboxes are still to be indexed', () => {
  const view = inMemoryView(small);
  const provisional: CatalogView = {
    ...view,
    mailboxes: async () => {
      const entries = new Map(await view.mailboxes());
      const archive = entries.get(2);
      if (archive) entries.set(2, { ...archive, vector: null });
      return entries;
    },
  };

  test.each<[EmailFilterCondition, string]>([
    [{ inMailbox: id('inbox') }, 'c a'],
    [{ inMailbox: id('inbox'), text: 'zoe' }, 'c a'],
    [{ inMailbox: id('archive') }, 'serverUnavailable'],
    [{}, 'serverUnavailable'],
    [{ inMailbox: id('inbox'), someInThreadHaveKeyword: '$seen' }, 'serverUnavailable'],
  ])('the filter %j gives %s', async (condition, expected) => {
    const request = { ...plainly, filter: { condition }, sort: [] };
    const answer = await queryEmails(provisional, request, sourcesOf(small, contents));
    expect(answer.ok ? answer.value.ids.join(' ') : answer.error.type).toBe(expected);
  });
});

test('mailboxes are searched together, but not too many at a time, nor too many messages', async () => {
  const keys = Array.from({ length: 40 }, (_, index) => index + 1);
  const sizeOf = (key: number) => (key === 39 ? 1_900 : key === 40 ? 5_000 : 10);
  const account: PlainAccount = {
    mailboxes: keys.map((key) => ({
      ...{ key, id: id(`m${key}`) },
      vector: { uidValidity: 1, uidNext: 9_999, highestModseq: null, messages: sizeOf(key) },
    })),
    emails: keys.map((key) => email(`e${key}`, { receivedAt: key, rows: [row(key, 1)] })),
  };
  const all = new Map(keys.map((key) => [id(`e${key}`), content({}, {}, null)]));
  const sources = sourcesOf(account, all);
  const groups: number[][] = [];
  let underWay = 0;
  const search: typeof sources.search = async (mailbox, questions) => {
    if (underWay++ === 0) groups.push([]);
    groups.at(-1)?.push(mailbox.key);
    await new Promise(setImmediate);
    underWay -= 1;
    return sources.search(mailbox, questions);
  };
  const filter = { condition: { text: 'tea' } };
  const answer = await queryEmails(inMemoryView(account), { ...plainly, filter, sort: [] }, { ...sources, search });
  expect(answer).toMatchObject({ ok: true, value: { ids: keys.toReversed().map((key) => id(`e${key}`)) } });
  expect(groups.flat().toSorted((a, b) => a - b)).toEqual(keys);
  expect(groups.map((group) => group.length)).toEqual([1, 11, 16, 12]);
  expect(groups[1]).toContain(39);
});
