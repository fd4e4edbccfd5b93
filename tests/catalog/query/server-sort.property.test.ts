import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { queryLimits } from '../../../shared/catalog/query/evaluation.ts';
import { queryEmails } from '../../../shared/catalog/query/query.ts';
import { histories, mailboxId, mailboxKeys, serve } from './account.ts';
import { naiveResults } from './naive.ts';
import { comparators, filters } from './questions.ts';

const headerProperties = ['from', 'to', 'subject', 'sentAt'];

test('beyond the limit the server sorts one mailbox as the comparators say, whatever is left out of it', async () => {
  const sorts = fc.array(comparators, { minLength: 1, maxLength: 3 }).filter((sort) => {
    const first = sort.findIndex(({ property }) => headerProperties.includes(property));
    return first >= 0 && sort.slice(first).every(({ property }) => !property.endsWith('Keyword'));
  });
  const mailboxes = fc.constantFrom(...mailboxKeys);
  const elsewhere = filters.filter((filter) => !JSON.stringify(filter).includes('inMailbox'));
  await fc.assert(
    fc.asyncProperty(
      histories,
      mailboxes,
      elsewhere,
      sorts,
      fc.boolean(),
      async (history, key, more, sort, collapseThreads) => {
        const { account, view, sources } = serve(history);
        const inMailbox = { condition: { inMailbox: mailboxId(key) } };
        const filter = { operator: 'AND', conditions: more === null ? [inMailbox] : [more, inMailbox] } as const;
        const uidOf = (email: (typeof account.emails)[number]) =>
          email.rows.find((row) => row.mailbox === key)?.uid ?? 0;
        const question = { filter, sort, collapseThreads };
        const all = naiveResults(account, history.contents, question, (a, b) => uidOf(a) - uidOf(b));
        const window = { from: 'position', position: 0, limit: null } as const;
        const request = { filter, sort, window, calculateTotal: false, args: { collapseThreads } };

        const answer = await queryEmails(view, request, sources, { ...queryLimits, fetchedToSortMax: 0 });

        if (!answer.ok) throw new Error(answer.error.type);
        expect(answer.value.ids).toEqual(all);
        expect(sources.asked.fields).toEqual([]);
        if (all.length > 0) expect(answer.value.queryState).toBe(`epoch-${account.version}-s1`);
      },
    ),
    { numRuns: 400 },
  );
});
