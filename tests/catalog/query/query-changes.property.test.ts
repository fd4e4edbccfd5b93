import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { queryEmails } from '../../../shared/catalog/query/query.ts';
import { queryEmailChanges } from '../../../shared/catalog/query/query-changes.ts';
import type { Id, State } from '../../../shared/jmap/scalars.ts';
import type { QueryChanges } from '../../../shared/jmap/verbs.ts';
import { histories, serve } from './account.ts';
import { naiveResults } from './naive.ts';
import { questions } from './questions.ts';

/** What a client does with the answer (RFC 8620 §5.6): null stands for results that it has not loaded. */
function applied(cached: readonly (Id | null)[], { removed, added }: QueryChanges, total: number): (Id | null)[] {
  const gone = new Set<Id | null>(removed);
  const ids = cached.filter((each) => !gone.has(each));
  for (const { id, index } of added) {
    while (ids.length < index) ids.push(null);
    ids.splice(index, 0, id);
  }
  while (ids.length < total) ids.push(null);
  return ids.slice(0, total);
}

test('the changes since any earlier version, applied to the old results, give the new results', async () => {
  await fc.assert(
    fc.asyncProperty(
      histories,
      questions,
      fc.boolean(),
      fc.boolean(),
      async (history, question, calculateTotal, searches) => {
        const { filter, sort, collapseThreads } = question;
        const args = { collapseThreads };
        const { account, view, sources } = serve(history, undefined, undefined, { searches });
        const results = naiveResults(account, history.contents, question);
        for (let version = 1; version <= history.versions.length; version++) {
          const then = serve(history, version);
          const window = { from: 'position', position: 0, limit: null } as const;
          const old = await queryEmails(then.view, { filter, sort, window, calculateTotal: false, args }, then.sources);
          if (!old.ok) throw new Error(old.error.type);
          const request = { filter, sort, args, sinceQueryState: old.value.queryState, maxChanges: null, upToId: null };

          const answer = await queryEmailChanges(view, { ...request, calculateTotal }, sources);

          if (!answer.ok) throw new Error(answer.error.type);
          const changes = answer.value;
          expect(applied(old.value.ids, changes, results.length)).toEqual(results);
          expect(changes.total).toBe(calculateTotal ? results.length : undefined);
          expect(new Set(changes.removed).size).toBe(changes.removed.length);
          expect(changes.added.every(({ id, index }) => results[index] === id)).toBe(true);
          if (version === history.versions.length) expect([changes.removed, changes.added]).toEqual([[], []]);
        }
      },
    ),
    { numRuns: 500 },
  );
});

test('a client that holds the first results, up to the one it names, has the new first results after applying the changes', async () => {
  await fc.assert(
    fc.asyncProperty(histories, questions, fc.nat(), async (history, question, n) => {
      const { filter, sort, collapseThreads } = question;
      const args = { collapseThreads };
      const { account, view, sources } = serve(history);
      const then = serve(history, 1);
      const old = naiveResults(then.account, history.contents, question);
      const results = naiveResults(account, history.contents, question);
      const known = old.slice(0, old.length === 0 ? 0 : 1 + (n % old.length));
      const upToId = known.at(-1) ?? null;
      const byHeaders = sort.some(({ property }) => ['from', 'to', 'subject', 'sentAt'].includes(property));
      const sinceQueryState = `epoch-1${byHeaders ? '-f' : ''}` as State;
      const request = { filter, sort, args, sinceQueryState, maxChanges: null, upToId, calculateTotal: true };

      const answer = await queryEmailChanges(view, request, sources);

      if (!answer.ok) throw new Error(answer.error.type);
      const now = applied([...known, ...old.slice(known.length).map(() => null)], answer.value, results.length);
      expect(now.map((id, index) => id ?? results[index])).toEqual(results);
      // Where no Email can move in the order, nothing is missing up to the Email that the client named.
      const isFixed = !sort.some(({ property }) => property.endsWith('Keyword'));
      const upTo = upToId === null ? -1 : results.indexOf(upToId);
      if (isFixed && upTo >= 0) expect(now.slice(0, upTo + 1)).toEqual(results.slice(0, upTo + 1));
    }),
    { numRuns: 500 },
  );
});
