import { expect, test } from '@jest/globals';
import { searchTerms } from '../../../shared/catalog/query/search-terms.ts';

test.each<[string, string[]]>([
  ['apple', ['apple']],
  ['  apple   pear ', ['apple', 'pear']],
  ['apple apple', ['apple']],
  ['app*', ['app']],
  ['app* pea*', ['app', 'pea']],
  ['*', []],
  ['', []],
  [' \t\n', []],
  ['"apple pear"', ['apple pear']],
  ["'apple pear' plum", ['apple pear', 'plum']],
  ['"apple*"', ['apple*']],
  ['"say \\"hi\\" \\\\ there"', ['say "hi" \\ there']],
  ['"it\'s"', ["it's"]],
  ["don't can't", ["don't", "can't"]],
  ['"open end', ['"open', 'end']],
  ['5" disk 3"', ['5"', 'disk', '3"']],
  ['""', []],
  ['"two\r\n lines"', ['two lines']],
  ['ピザ 食べる', ['ピザ', '食べる']],
])('the text %j looks for %j', (value, terms) => {
  expect(searchTerms({ property: 'subject', value }).map((term) => term.value)).toEqual(terms);
});

test.each<[string | null, (string | null)[]]>([
  [null, [null]],
  ['', [null]],
  ['*', [null]],
  ['a b', ['a', 'b']],
])('the header text %j looks for %j, null meaning the field itself', (value, terms) => {
  const expected = terms.map((term) => ({ kind: 'header', name: 'List-Id', value: term }));
  expect(searchTerms({ property: 'header', name: 'List-Id', value })).toEqual(expected);
});
