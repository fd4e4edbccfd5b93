import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { queryEmails } from '../../../shared/catalog/query/query.ts';
import { type Window, windowOf } from '../../../shared/jmap/standard/window.ts';
import { histories, id, serve } from './account.ts';
import { naiveResults } from './naive.ts';
import { questions } from './questions.ts';

const limit = fc.option(fc.nat({ max: 12 }));
const windows: fc.Arbitrary<Window> = fc.oneof(
  fc.record({ from: fc.constant('position' as const), position: fc.integer({ min: -8, max: 20 }), limit }),
  fc.record({
    from: fc.constant('anchor' as const),
    anchor: fc.nat({ max: 24 }).map((n) => id(`e${n}`)),
    anchorOffset: fc.integer({ min: -8, max: 8 }),
    limit,
  }),
);

test('any filter, sort, collapsing and window gives what a look at every Email gives', async () => {
  const rowsPerBlock = fc.constantFrom(1, 4, 100);
  await fc.assert(
    fc.asyncProperty(
      histories,
      questions,
      windows,
      fc.boolean(),
      rowsPerBlock,
      fc.boolean(),
      async (history, question, window, calculateTotal, rows, searches) => {
        const { account, view, sources } = serve(history, undefined, rows, { searches });
        const { filter, sort, collapseThreads } = question;
        const all = naiveResults(account, history.contents, question);
        const cut = windowOf(all, window);

        const answer = await queryEmails(
          view,
          { filter, sort, window, calculateTotal, args: { collapseThreads } },
          sources,
        );

        if (!cut.ok) {
          expect(answer).toMatchObject({ ok: false, error: { type: 'anchorNotFound' } });
          return;
        }
        expect(answer).toMatchObject({ ok: true, value: { ...cut.value, canCalculateChanges: true } });
        expect(answer.ok && answer.value.total).toBe(calculateTotal ? all.length : undefined);
        expect(new Set(sources.asked.matched).size).toBe(sources.asked.matched.length);
        expect(new Set(sources.asked.searched).size).toBe(sources.asked.searched.length);
      },
    ),
    { numRuns: 500 },
  );
});
