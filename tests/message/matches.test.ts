import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { matchesIn } from '../../shared/message/matches.ts';

/** The text with its matches in brackets. */
function bracketed(text: string, terms: readonly string[]): string {
  let shown = '';
  let at = 0;
  for (const { start, end } of matchesIn(text, terms)) {
    shown += `${text.slice(at, start)}[${text.slice(start, end)}]`;
    at = end;
  }
  return shown + text.slice(at);
}

describe('a term is found', () => {
  const found: [string, string[], string][] = [
    ['inside of words', ['foo'], 'The [Foo]sball, and [foo]'],
    ['whatever the case', ['STRASSE'], 'in der [Straße] 5'],
    ['whatever the sigma', ['ΣΟΦΟΣ'], 'ο [σοφός]'],
    ['whatever the accents', ['resume'], 'my [résumé]'],
    ['with accents that stand for themselves', ['résumé'], 'my [re\u0301sume\u0301], [Resume]'],
    ['in full width', ['ABC'], '「[ＡＢＣ]」'],
    ['in Japanese', ['会議'], '明日の[会議]について、[会議]室'],
    ['in Korean, while a syllable is still being typed', ['하'], '[한]국, [하]늘'],
    ['in Arabic', ['قصص'], 'كتاب [قصص] قديمة'],
    ['in Hindi, vowel signs and all', ['कि'], '[कि]ताब का'],
    ['as a ligature', ['office'], 'the [oﬃce]'],
    ['beyond the basic plane', ['😀'], 'well [😀] done'],
    ['across line breaks', ['two words'], 'in [two \r\n\t words]'],
    ['with others', ['foo', 'bar'], '[bar] and [foo]'],
    ['once where terms overlap', ['foobar', 'oba', 'bars'], 'a [foobars]'],
    ['once where terms touch', ['foo', 'bar'], 'a [foobar]'],
    ['as often as it stands there', ['aa'], '[aaaa]a'],
    ['with its signs', ['a.c', '(x)'], 'abc [a.c] [(x)]'],
  ];
  test.each(found)('%s', (_, terms, expected) => {
    expect(bracketed(expected.replace(/[[\]]/g, ''), terms)).toBe(expected);
  });

  const missed: [string, string[], string][] = [
    ['of another text', ['foo'], 'fo o'],
    ['with another vowel sign', ['कि'], 'का'],
    ['of nothing', [''], 'text'],
    ['of accents alone', ['\u0301'], 'é'],
    ['where there is none', [], 'text'],
    ['in nothing', ['foo'], ''],
  ];
  test.each(missed)('but not %s', (_, terms, text) => {
    expect(matchesIn(text, terms)).toEqual([]);
  });
});

test('spans lie in order within the text, apart from each other, and none is empty', () => {
  const texts = fc.string({
    unit: fc.constantFrom('a', 'A', 'é', 'e', '\u0301', 'ﬁ', 'ß', ' ', '\n', '한', '😀', 'İ'),
    maxLength: 40,
  });
  fc.assert(
    fc.property(texts, fc.array(texts, { maxLength: 3 }), (text, terms) => {
      let last = -1;
      for (const { start, end } of matchesIn(text, terms)) {
        expect(start).toBeGreaterThan(last);
        expect(end).toBeGreaterThan(start);
        last = end;
      }
      expect(last).toBeLessThanOrEqual(text.length);
    }),
  );
});

test('a piece of a text is found in it', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', maxLength: 30 }), fc.nat(), fc.nat(10), (text, from, length) => {
      const characters = [...text];
      const piece = characters
        .slice(from % (characters.length + 1))
        .slice(0, length + 1)
        .join('');
      const isText = piece.normalize('NFKD').replace(/[\u0300-\u036f\s]/g, '') !== '';
      if (isText) expect(matchesIn(text, [piece])).not.toEqual([]);
    }),
  );
});
