import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { Names, Texts } from '../../shared/catalog/texts.ts';

/** Many that begin alike, that are the beginning of others, and that are the same. */
const text = fc.oneof(
  fc.stringMatching(/^[a-c]{0,9}$/),
  fc.stringMatching(/^x[0-9a-f]{3}00000[ab]{0,3}$/),
  fc.constantFrom('', 'a', 'aaaa', 'aaaaa', '-', '_', '~'),
);

function textsOf(all: readonly string[]): Texts {
  const texts = new Texts();
  const numbers = all.map((one) => texts.add(one));
  expect(numbers).toEqual([...all.keys()]);
  return texts;
}

describe('texts in one piece of memory', () => {
  test('are what was added', () => {
    fc.assert(
      fc.property(fc.array(text), (all) => {
        const texts = textsOf(all);
        expect(all.map((_, number) => texts.at(number))).toEqual(all);
        expect(texts.size).toBe(all.length);
      }),
    );
  });

  test('are what was added, however many', () => {
    const all = Array.from({ length: 50_000 }, (_, n) => `text ${n}`);
    const texts = textsOf(all);
    const is = (number: number, one: string) => texts.is(number, Buffer.from(`(${one})`), 1, 1 + one.length);
    expect(all.every((one, number) => texts.at(number) === one && is(number, one))).toBe(true);
    expect(is(7, 'text 8') || is(7, 'text 70') || is(70, 'text 7')).toBe(false);
  });

  test('are sorted as texts are, and the same ones by number', () => {
    fc.assert(
      fc.property(fc.array(text, { maxLength: 300, size: 'max' }), (all) => {
        const texts = textsOf(all);
        // Items name texts from the last to the first.
        const textOf = all.map((_, item) => all.length - 1 - item);
        const wordOf = (item: number) => all[textOf[item] as number] as string;
        const items = all.map((_, item) => item);
        const expected = [...items].sort((a, b) => (wordOf(a) < wordOf(b) ? -1 : wordOf(a) > wordOf(b) ? 1 : a - b));
        const sorted = Uint32Array.from(items.toReversed());
        const same = texts.sort(sorted, textOf);
        expect([...sorted]).toEqual(expected);
        const isSame = (item: number, place: number) => place > 0 && wordOf(item) === wordOf(expected[place - 1] ?? 0);
        expect([...same]).toEqual(expected.map((item, place) => Number(isSame(item, place))));
      }),
    );
  });
});

test('a name has one number, however often it is named', () => {
  const texts = new Texts();
  const other = texts.add('name 3');
  const names = new Names(texts);
  const all = Array.from({ length: 20_000 }, (_, n) => `name ${n}`);
  const numbers = all.map((name) => names.numberOf(name));
  expect(new Set(numbers).size).toBe(all.length);
  expect(numbers).not.toContain(other);
  expect(all.map((name) => names.numberOf(name))).toEqual(numbers);
  expect(numbers.map((number) => texts.at(number))).toEqual(all);
});
