import { expect, test } from '@jest/globals';
import type { CatalogView } from '../../../shared/catalog/view.ts';
import type { Invocation } from '../../../shared/jmap/request.ts';
import type { JsonObject } from '../../../shared/jmap/scalars.ts';
import { foresightOf } from '../../../shared/methods/Email/foresight.ts';

const vector = { uidValidity: 1, uidNext: 9, highestModseq: '4', messages: 3 };
const view = {
  mailboxes: async () =>
    new Map([
      [1, { id: 'F1', key: 1, name: 'INBOX', vector }],
      [2, { id: 'F2', key: 2, name: 'Work', vector }],
      [3, { id: 'F3', key: 3, name: 'Unread', vector: null }],
    ]),
  emails: async (ids: readonly string[]) =>
    new Map(ids.flatMap((id) => (id === 'M1' ? [[id, { id, rows: [{ mailbox: 2, uid: 5, deleted: false }] }]] : []))),
} as unknown as CatalogView;

const query = (filter: JsonObject | null): Invocation => ['Email/query', { filter }, 'q'];
const getFound = (properties?: string[]): Invocation => [
  'Email/get',
  { '#ids': { resultOf: 'q', name: 'Email/query', path: '/ids' }, ...(properties && { properties }) },
  'g',
];
const foreseen = (...calls: Invocation[]) => foresightOf(calls)(view);

test('the mailbox in which a query looks for what is read then', async () => {
  const inbox = { name: 'INBOX', vector, forChanges: false };
  expect(await foreseen(['Mailbox/get', {}, 'm'], query({ inMailbox: 'F1' }), getFound())).toEqual(inbox);
  expect(await foreseen(query({ inMailbox: 'F1' }), getFound(['id', 'subject']))).toEqual(inbox);
});

test('none for what the catalog tells, for a query in all mailboxes, and for one that is not followed by a reading', async () => {
  expect(await foreseen(query({ inMailbox: 'F1' }), getFound(['id', 'keywords', 'receivedAt']))).toBeNull();
  expect(await foreseen(query(null), getFound())).toBeNull();
  expect(await foreseen(query({ inMailbox: 'F1' }))).toBeNull();
  expect(await foreseen(['Mailbox/get', {}, 'm'], ['Email/changes', { sinceState: 's' }, 'c'])).toBeNull();
});

test('the mailbox of the first Email that is read or changed', async () => {
  const work = { name: 'Work', vector, forChanges: false };
  expect(await foreseen(['Email/get', { ids: ['M1', 'M2'] }, 'g'])).toEqual(work);
  expect(await foreseen(['Email/get', { ids: ['M1'], properties: ['keywords'] }, 'g'])).toBeNull();
  expect(await foreseen(['Email/set', { update: { M1: {} } }, 's'])).toEqual({ ...work, forChanges: true });
  expect(
    await foreseen(['Email/set', { update: { M1: { 'mailboxIds/F2': true, 'mailboxIds/F1': null } } }, 's']),
  ).toEqual({
    ...{ name: 'INBOX', vector, forChanges: true },
  });
  expect(await foreseen(['Email/set', { destroy: ['M1'] }, 's'])).toEqual({ ...work, forChanges: true });
  expect(await foreseen(['Email/set', { create: { c: {} } }, 's'])).toBeNull();
});

test('what is not there, not indexed, or no argument at all, is not foreseen', async () => {
  expect(await foreseen(query({ inMailbox: 'F9' }), getFound())).toBeNull();
  expect(await foreseen(query({ inMailbox: 'F3' }), getFound())).toBeNull();
  expect(await foreseen(['Email/get', { ids: ['M2'] }, 'g'])).toBeNull();
  expect(await foreseen(['Email/get', { ids: 7 }, 'g'], ['Email/get', { ids: ['M1'] }, 'h'])).toBeNull();
  expect(await foreseen(['Email/set', { update: [1], destroy: null }, 's'])).toBeNull();
});
