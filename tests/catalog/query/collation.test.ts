import { expect, test } from '@jest/globals';
import { collationAlgorithms, collationKey, compareTexts } from '../../../shared/catalog/query/collation.ts';

test.each<[string | null, string[]]>([
  [null, ['', 'apple', 'Äpfel', 'Zebra', 'Δ', 'я', '\u{fb20}', '😀']],
  ['i;unicode-casemap', ['apple', 'Äpfel', 'Zebra']],
  ['i;ascii-casemap', ['apple', 'Banana', 'Zebra', 'Äpfel']],
  ['i;octet', ['Banana', 'Zebra', 'apple']],
])('the collation %s orders %j so', (collation, inOrder) => {
  const key = (text: string) => collationKey(text, collation);
  expect(inOrder.toReversed().sort((a, b) => compareTexts(key(a), key(b)))).toEqual(inOrder);
});

test.each<[string | null, string, string, boolean]>([
  [null, 'straße', 'STRASSE', true],
  [null, 'zoë', 'ZOE\u0308', true],
  [null, 'zoë', 'zoe', false],
  ['i;ascii-casemap', 'tea', 'TEA', true],
  ['i;ascii-casemap', 'zoë', 'ZOË', false],
  ['i;octet', 'tea', 'Tea', false],
])('under %s, %j and %j are equal: %s', (collation, a, b, equal) => {
  expect(compareTexts(collationKey(a, collation), collationKey(b, collation)) === 0).toBe(equal);
});

test('characters beyond the basic plane come after all others, as in UTF-8', () => {
  const texts = ['\u{1f600}', '\u{ffee}', 'a', '\u{d7ff}'];
  const byOctets = (a: string, b: string) => Buffer.compare(Buffer.from(a), Buffer.from(b));
  expect(texts.toSorted(compareTexts)).toEqual(texts.toSorted(byOctets));
});

test('the default is the first of those announced', () => {
  expect(collationAlgorithms).toEqual(['i;unicode-casemap', 'i;ascii-casemap', 'i;octet']);
});
