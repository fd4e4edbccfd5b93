import { expect, test } from '@jest/globals';
import { timelySearch } from '../../functions/http/timely-search.ts';
import { Unavailable } from '../../shared/jmap/errors.ts';
import type { CanSearchMessages } from '../../shared/methods/Email/mail.ts';

test('mailboxes are searched and sorted while there is time, and no more when it is over', async () => {
  const asked: string[] = [];
  const patient: CanSearchMessages = {
    search: async ({ name }) => {
      asked.push(`search ${name}`);
      return [[1]];
    },
    sort: async ({ name }) => {
      asked.push(`sort ${name}`);
      return [1];
    },
  };
  const box = (name: string) => ({ name, uidValidity: 1, uidNext: 2, messages: null });
  const search = timelySearch(patient, () => asked.length < 2);
  expect(await search.search(box('a'), [])).toEqual([[1]]);
  expect(await search.sort(box('b'), 'from', [])).toEqual([1]);
  await expect(search.search(box('c'), [])).rejects.toThrow(Unavailable);
  await expect(search.sort(box('c'), 'from', [])).rejects.toThrow(Unavailable);
  expect(asked).toEqual(['search a', 'sort b']);
});
