import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { type EmailFilter, type EmailFilterCondition, testsOf } from '../../../shared/catalog/query/filter.ts';
import { gatherTexts } from '../../../shared/catalog/query/gather-texts.ts';
import { decide } from '../../../shared/catalog/query/truth.ts';
import { filters } from './questions.ts';

const is = (condition: EmailFilterCondition): EmailFilter => ({ condition });
const and = (...conditions: EmailFilter[]): EmailFilter => ({ operator: 'AND', conditions });
const or = (...conditions: EmailFilter[]): EmailFilter => ({ operator: 'OR', conditions });
const not = (...conditions: EmailFilter[]): EmailFilter => ({ operator: 'NOT', conditions });

const questionsOf = (filter: EmailFilter) => leaves(gatherTexts(testsOf(filter, new Map())), 'texts');

function leaves(tree: ReturnType<typeof gatherTexts>, property: string): unknown[] {
  if (tree.operator !== undefined) return tree.conditions.flatMap((inner) => leaves(inner, property));
  return tree.condition.filter((each) => each.property === property);
}

test.each<[string, EmailFilter, number]>([
  ['no text', is({ hasKeyword: '$seen' }), 0],
  ['a text without a word', is({ text: ' ' }), 0],
  ['several words', is({ text: 'a b c' }), 1],
  ['several properties', is({ from: 'a', subject: 'b', body: 'c', header: ['List-Id'] }), 1],
  ['what every client asks', and(is({ hasKeyword: '$seen' }), or(is({ from: 'a' }), is({ subject: 'b' }))), 1],
  ['texts in several conditions', and(is({ text: 'a', hasKeyword: '$seen' }), is({ text: 'b', minSize: 1 })), 1],
  ['texts under every operator', not(and(is({ text: 'a' }), or(is({ text: 'b' }), not(is({ text: 'c' }))))), 1],
  ['an OR in an OR', or(is({ text: 'a' }), or(is({ hasKeyword: '$seen' }), is({ text: 'b' }))), 1],
  ['an OR in a NOT', not(is({ text: 'a' }), or(is({ hasKeyword: '$seen' }), is({ text: 'b' }))), 1],
  ['an AND in an AND', and(is({ text: 'a' }), and(is({ text: 'b' }), is({ minSize: 1, text: 'c' }))), 1],
  ['texts that others keep apart', or(is({ text: 'a', hasKeyword: '$seen' }), is({ text: 'b' })), 2],
])('%s: so many questions', (_, filter, count) => {
  expect(questionsOf(filter)).toHaveLength(count);
});

test('whatever holds of the single conditions, the filter holds as before', () => {
  fc.assert(
    fc.property(filters, fc.infiniteStream(fc.boolean()), (filter, coins) => {
      const asked = testsOf(filter ?? is({}), new Map());
      const truths = new Map<string, boolean>();
      const holds = (what: object): boolean => {
        const name = JSON.stringify(what);
        const truth = truths.get(name) ?? coins.next().value === true;
        truths.set(name, truth);
        return truth;
      };
      // A text condition holds when each of its words does, so the words are gathered one by one for both.
      const wordsHold = (tree: ReturnType<typeof gatherTexts>): boolean | undefined =>
        decide(tree, (each) => (each.property === 'texts' ? decide(each.question, holds) : holds(each)));
      const apart = decide(asked, (each) => wordsHold(gatherTexts({ condition: [each] })));
      expect(wordsHold(gatherTexts(asked))).toBe(apart);
    }),
    { numRuns: 2_000 },
  );
});
