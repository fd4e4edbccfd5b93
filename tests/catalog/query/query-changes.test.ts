import { describe, expect, test } from '@jest/globals';
import type { Email, EmailRow } from '../../../shared/catalog/email.ts';
import { queryLimits } from '../../../shared/catalog/query/evaluation.ts';
import type { EmailFilter, EmailFilterCondition } from '../../../shared/catalog/query/filter.ts';
import { type EmailQueryChangesRequest, queryEmailChanges } from '../../../shared/catalog/query/query-changes.ts';
import type { EmailComparator } from '../../../shared/catalog/query/sort.ts';
import { type State, utcDate } from '../../../shared/jmap/scalars.ts';
import { type Content, id, sourcesOf } from './account.ts';
import { inMemoryView, logBetween, type PlainAccount } from './in-memory-view.ts';

const mailboxes = [
  { key: 1, id: id('inbox') },
  { key: 2, id: id('archive') },
];
const rowIn = (mailbox: number, uid: number, ...keywords: string[]): EmailRow => {
  return { mailbox, uid, keywords, deleted: false };
};
const email = (name: string, thread: string, receivedAt: number, ...rows: EmailRow[]): Email => {
  return { id: id(name), threadId: id(thread), receivedAt, size: 0, hasAttachment: false, rows };
};

/** Two Threads: t holds a, b and c in the inbox and x in the archive; u holds d in the inbox. */
const before = [
  email('a', 't', 10, rowIn(1, 1)),
  email('b', 't', 20, rowIn(1, 2)),
  email('c', 't', 30, rowIn(1, 3)),
  email('d', 'u', 15, rowIn(1, 4)),
  email('x', 't', 5, rowIn(2, 1)),
];
const nothing = { from: '', to: '', cc: '', bcc: '', subject: '', body: '' };
const fields = { from: null, to: null, subject: null, sentAt: null };
const content: Content = { text: { ...nothing, subject: 'tea' }, listId: null, fields, hasAttachment: false };
const contents = new Map([...'abcdxyz'].map((name) => [id(name), content]));

type Change = (emails: Email[]) => Email[];
const arrives =
  (...arrived: Email[]): Change =>
  (emails) => [...emails, ...arrived];
const destroyed =
  (name: string): Change =>
  (emails) =>
    emails.filter((each) => each.id !== name);
const rowsOf =
  (name: string, ...rows: EmailRow[]): Change =>
  (emails) =>
    emails.map((each) => (each.id === name ? { ...each, rows } : each));

function changed(...changes: readonly Change[]): PlainAccount {
  let emails: Email[] = before;
  const log = changes.flatMap((change, index) => {
    const old = emails;
    emails = change(emails);
    return logBetween(old, emails, index + 2);
  });
  return { mailboxes, emails, log, version: changes.length + 1, oldestVersion: 1 };
}

async function changesOf(account: PlainAccount, request: Partial<EmailQueryChangesRequest>) {
  const defaults = { filter: inInbox, sort: [], args: plain, maxChanges: null, upToId: null, calculateTotal: false };
  const view = inMemoryView(account);
  const sources = sourcesOf(account, contents);
  const sinceQueryState = 'epoch-1' as State;
  const answer = await queryEmailChanges(view, { ...defaults, sinceQueryState, ...request }, sources);
  if (!answer.ok) return answer.error.type;
  const added = answer.value.added.map(({ id, index }) => `${id}@${index}`);
  return `-${answer.value.removed.toSorted().join()} +${added.join()}`;
}

const inInbox: EmailFilter = { condition: { inMailbox: id('inbox') } };
const where = (condition: EmailFilterCondition): EmailFilter => ({ condition });
const plain = { collapseThreads: false };
const collapsed = { collapseThreads: true };
const bySize: EmailComparator = { property: 'size', isAscending: true, collation: null };
const byFlag: EmailComparator = { property: 'hasKeyword', keyword: '$flagged', isAscending: false, collation: null };
const byThread: EmailComparator = { ...byFlag, property: 'someInThreadHaveKeyword' };
const byName: EmailComparator = { property: 'from', isAscending: true, collation: null };
const flagged = rowsOf('b', rowIn(1, 2, '$flagged'));
const unread = where({ inMailbox: id('inbox'), notKeyword: '$seen' });
const someFlagged = where({ inMailbox: id('inbox'), someInThreadHaveKeyword: '$flagged' });

describe('no more is named than may have changed', () => {
  test.each<[string, Change, Partial<EmailQueryChangesRequest>, string]>([
    ['a new Email', arrives(email('y', 'v', 40, rowIn(1, 9))), {}, '- +y@0'],
    ['an old Email that arrives', arrives(email('y', 'v', 12, rowIn(1, 9))), {}, '- +y@3'],
    ['a new Email elsewhere', arrives(email('y', 'v', 40, rowIn(2, 9))), {}, '- +'],
    ['a destroyed Email', destroyed('b'), {}, '-b +'],
    ['one destroyed elsewhere', destroyed('x'), {}, '- +'],
    ['one that is moved away', rowsOf('b', rowIn(2, 9)), {}, '-b +'],
    ['one that is moved here', rowsOf('x', rowIn(1, 9)), {}, '- +x@4'],
    ['one that is copied here', rowsOf('x', rowIn(1, 9), rowIn(2, 1)), {}, '- +x@4'],
    ['one that is copied away', rowsOf('b', rowIn(1, 2), rowIn(2, 9)), {}, '- +'],
    ['a flag', flagged, {}, '- +'],
    ['a flag, without a filter', flagged, { filter: null }, '- +'],
    ['a flag, sorted by size', flagged, { sort: [bySize] }, '- +'],
    ['a flag, sorted by header', flagged, { sort: [byName], sinceQueryState: 'epoch-1-f' as State }, '- +'],
    ['a flag, sorted by it', flagged, { sort: [byFlag] }, '-b +b@0'],
    ['a flag, sorted by those of Threads', flagged, { sort: [byThread] }, '-a,b,c +c@0,b@1,a@2'],
    ['a flag, filtered by another', flagged, { filter: unread }, '-b +b@1'],
    ['a flag elsewhere, filtered by flags', rowsOf('x', rowIn(2, 1, '$seen')), { filter: unread }, '- +'],
    [
      'a flag elsewhere in the Thread',
      rowsOf('x', rowIn(2, 1, '$flagged')),
      { filter: someFlagged },
      '-a,b,c +c@0,b@1,a@2',
    ],
    ['an Email in the date range', flagged, { filter: where({ after: utcDate(15_000) }) }, '- +'],
    ['one that fits the text', arrives(email('y', 'v', 40, rowIn(1, 9))), { filter: where({ text: 'tea' }) }, '- +y@0'],
    ['one that does not', arrives(email('y', 'v', 40, rowIn(1, 9))), { filter: where({ text: 'milk' }) }, '- +'],
    ['a reply', arrives(email('y', 't', 40, rowIn(1, 9))), { args: collapsed }, '-c +y@0'],
    ['a reply elsewhere', arrives(email('y', 't', 40, rowIn(2, 9))), { args: collapsed }, '- +'],
    ['an older Email of a Thread', arrives(email('y', 't', 12, rowIn(1, 9))), { args: collapsed }, '- +'],
    ['the last Email of a Thread goes', destroyed('c'), { args: collapsed }, '-b,c +b@0'],
    ['a middle one goes', rowsOf('b', rowIn(2, 9)), { args: collapsed }, '- +'],
    ['a whole Thread goes', destroyed('d'), { args: collapsed }, '-d +'],
    ['a flag in a collapsed list', flagged, { args: collapsed }, '- +'],
    [
      'a collapsed list filtered by flags',
      rowsOf('c', rowIn(1, 3, '$seen')),
      { args: collapsed, filter: unread },
      '-b,c +b@0',
    ],
  ])('%s', async (_, change, request, expected) => {
    expect(await changesOf(changed(change), request)).toBe(expected);
  });
});

test('an Email that came and went is not named', async () => {
  const account = changed(arrives(email('y', 'v', 40, rowIn(1, 9))), destroyed('y'));
  expect(await changesOf(account, { filter: null })).toBe('- +');
});

test('nor do others of its Thread count as affected by it', async () => {
  const account = changed(arrives(email('y', 't', 40, rowIn(2, 9, '$flagged'))), destroyed('y'));
  expect(await changesOf(account, { filter: someFlagged })).toBe('- +');
});

test('an Email from a mailbox that is gone may not have been outside of it', async () => {
  const account = { ...changed(rowsOf('x', rowIn(1, 9))), mailboxes: mailboxes.slice(0, 1) };
  expect(await changesOf(account, { filter: where({ inMailboxOtherThan: [id('archive')] }) })).toBe('-x +x@4');
});

test.each<[string, Change, string]>([
  ['may have been missed, and is named', rowsOf('b', rowIn(2, 9)), '-b +b@1'],
  ['cannot have been, if it only was flagged', flagged, '- +'],
])('an Email that a SEARCH was to find while it was moved %s', async (_, change, expected) => {
  expect(await changesOf(changed(change), { filter: where({ text: 'tea' }) })).toBe(expected);
});

test('where nothing has changed, nothing is searched', async () => {
  const account = changed(flagged);
  const sources = sourcesOf(account, contents);
  const filter = where({ inMailbox: id('archive'), text: 'tea' });
  const request = { filter, sort: [], args: plain, maxChanges: null, upToId: id('x'), calculateTotal: false };
  const sinceQueryState = 'epoch-1' as State;
  const answer = await queryEmailChanges(inMemoryView(account), { ...request, sinceQueryState }, sources);
  expect(answer).toMatchObject({ ok: true, value: { removed: [], added: [] } });
  expect(sources.asked.searched).toEqual([]);
});

test('an Email that went and came back keeps its place unnamed', async () => {
  expect(await changesOf(changed(rowsOf('b', rowIn(2, 9)), rowsOf('b', rowIn(1, 9))), {})).toBe('- +');
});

test.each<[string, Partial<PlainAccount['mailboxes'][number]>[], string]>([
  ['gone', [{ key: 2, id: id('archive') }], '-a,b,c,d +'],
  [
    'there again under another key',
    [
      { key: 2, id: id('archive') },
      { key: 3, id: id('inbox') },
    ],
    '-a,b,c,d +d@0',
  ],
])('everything in a mailbox that is %s may have been a result', async (_, mailboxesNow, expected) => {
  const emails = before.map((each) => (each.id === 'd' ? { ...each, rows: [rowIn(3, 1)] } : each));
  const kept = emails.filter(({ id }) => id === 'x' || (id === 'd' && mailboxesNow.length > 1));
  const account = { ...changed(() => kept), mailboxes: mailboxesNow as PlainAccount['mailboxes'] };
  expect(await changesOf(account, {})).toBe(expected);
});

describe('upToId', () => {
  const everywhere = { filter: null, upToId: id('b') };
  const older = arrives(email('y', 'v', 12, rowIn(1, 9)));
  const newer = arrives(email('y', 'v', 25, rowIn(1, 9)));
  test.each<[string, Change, Partial<EmailQueryChangesRequest>, string]>([
    ['an addition behind it is not told', older, everywhere, '- +'],
    ['an addition before it is', newer, everywhere, '- +y@1'],
    ['nor is one behind it when the total is asked', older, { ...everywhere, calculateTotal: true }, '- +'],
    [
      'where the first Email of a Thread was behind it and another is before it now, the new one is told',
      arrives(email('y', 'u', 40, rowIn(1, 9))),
      { ...everywhere, args: collapsed, upToId: id('c') },
      '- +y@0',
    ],
    [
      'a Thread whose first Email was behind it and is before it now',
      arrives(email('y', 'u', 25, rowIn(1, 9))),
      { ...everywhere, args: collapsed, upToId: id('c') },
      '- +',
    ],
    ['an Email that is gone itself', destroyed('b'), everywhere, '-b +'],
    ['it is ignored where the filter can change', older, { ...everywhere, filter: inInbox }, '- +y@3'],
    ['it is ignored where the sort can change', older, { ...everywhere, sort: [byFlag] }, '- +y@3'],
    ['an unknown one means all', older, { ...everywhere, upToId: id('z') }, '- +y@3'],
  ])('%s', async (_, change, request, expected) => {
    expect(await changesOf(changed(change), request)).toBe(expected);
  });
});

test.each<[number, string]>([
  [0, 'tooManyChanges'],
  [1, 'tooManyChanges'],
  [2, '-b +y@0'],
])('%d changes at most: %s', async (maxChanges, expected) => {
  const account = changed(destroyed('b'), arrives(email('y', 'v', 40, rowIn(1, 9))));
  expect(await changesOf(account, { maxChanges })).toBe(expected);
});

describe('cannotCalculateChanges', () => {
  const account = changed(flagged, flagged);
  test.each<[string, Partial<PlainAccount>, string, readonly EmailComparator[], string]>([
    ['the log has forgotten', { oldestVersion: 2 }, 'epoch-1', [], 'cannotCalculateChanges'],
    ['the log begins just there', { oldestVersion: 1 }, 'epoch-1', [], '- +'],
    ['another epoch', { epoch: 'new' }, 'epoch-1', [], 'cannotCalculateChanges'],
    ['the future', { version: 1 }, 'epoch-2', [], 'cannotCalculateChanges'],
    ['another sort', {}, 'epoch-1-f', [], 'cannotCalculateChanges'],
    ['a sort by header fields without its mark', {}, 'epoch-1', [byName], 'cannotCalculateChanges'],
    ['nonsense', {}, 'epoch--1', [], 'cannotCalculateChanges'],
  ])('%s', async (_, changed, state, sort, expected) => {
    expect(await changesOf({ ...account, ...changed }, { sort, sinceQueryState: state as State })).toBe(expected);
  });

  test.each<[string, State, string]>([
    ['more Emails than before are to be sorted', 'epoch-1-f' as State, 'cannotCalculateChanges'],
    ['as before the server sorts them', 'epoch-1-s1' as State, '- +y@0'],
    ['the server sorted them under another UIDVALIDITY', 'epoch-1-s2' as State, 'cannotCalculateChanges'],
  ])('%s', async (_, sinceQueryState, expected) => {
    const grown = changed(arrives(email('y', 'v', 40, rowIn(1, 9))));
    const request = {
      filter: inInbox,
      sort: [byName],
      args: plain,
      maxChanges: null,
      upToId: null,
      calculateTotal: false,
    };
    const limits = { ...queryLimits, fetchedToSortMax: 4 };
    const sources = sourcesOf(grown, contents);
    const answer = await queryEmailChanges(inMemoryView(grown), { ...request, sinceQueryState }, sources, limits);
    const shown = answer.ok
      ? `- +${answer.value.added.map(({ id, index }) => `${id}@${index}`).join()}`
      : answer.error.type;
    expect(shown).toBe(expected);
  });
});

test('new mail in a large mailbox is found in its newest block', async () => {
  const many = Array.from({ length: 1000 }, (_, n) => email(`m${n}`, `t${n}`, n, rowIn(1, n + 1)));
  const now = [...many, email('y', 'v', 5000, rowIn(1, 5000))];
  const account = { mailboxes, emails: now, log: logBetween(many, now, 2), version: 2, oldestVersion: 1 };
  const view = inMemoryView(account, 100);
  const request = { filter: inInbox, sort: [], args: collapsed, maxChanges: 10, upToId: null, calculateTotal: true };
  const sinceQueryState = 'epoch-1' as State;
  const answer = await queryEmailChanges(view, { ...request, sinceQueryState }, sourcesOf(account, contents));
  expect(answer).toMatchObject({ ok: true, value: { removed: [], added: [{ id: 'y', index: 0 }], total: 1001 } });
  expect(view.reads.blocks).toHaveLength(1);
});

test('when every flag changes, a list by date takes no look at the Emails', async () => {
  const emails = Array.from({ length: 1000 }, (_, n) => email(`m${n}`, `t${n}`, n, rowIn(1, n + 1)));
  const now = emails.map((each) => ({ ...each, rows: [rowIn(1, each.receivedAt + 1, '$seen')] }));
  const account = { mailboxes, emails: now, log: logBetween(emails, now, 2), version: 2, oldestVersion: 1 };
  const view = inMemoryView(account, 100);
  const request = { filter: inInbox, sort: [], args: collapsed, maxChanges: 10, upToId: null, calculateTotal: true };
  const sinceQueryState = 'epoch-1' as State;
  const answer = await queryEmailChanges(view, { ...request, sinceQueryState }, sourcesOf(account, contents));
  expect(answer).toMatchObject({ ok: true, value: { removed: [], added: [], total: 1000, newQueryState: 'epoch-2' } });
  expect(view.reads).toEqual({ blocks: [], emails: 0, threads: 0 });
});
