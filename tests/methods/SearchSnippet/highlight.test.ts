import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { matchesIn } from '../../../shared/message/matches.ts';
import { excerpt, excerptOctetsMax, highlight } from '../../../shared/methods/SearchSnippet/highlight.ts';

function excerptOf(text: string, ...terms: string[]): string {
  const [first, ...others] = matchesIn(text, terms);
  if (first === undefined) throw new Error('Nothing matches');
  return excerpt(text, [first, ...others]);
}

describe('highlighting', () => {
  const texts: [string, string[], string][] = [
    ['The Foosball', ['foo'], 'The <mark>Foo</mark>sball'],
    ['a < b && c > d', ['&&'], 'a &lt; b <mark>&amp;&amp;</mark> c &gt; d'],
    ['<mark>x</mark>', ['mark'], '&lt;<mark>mark</mark>&gt;x&lt;/<mark>mark</mark>&gt;'],
    ['nothing', ['else'], 'nothing'],
  ];
  test.each(texts)('%s', (text, terms, html) => {
    expect(highlight(text, matchesIn(text, terms))).toBe(html);
  });
});

const filler = 'lorem ipsum dolor sit amet consetetur sadipscing elitr sed diam nonumy '.repeat(6);

describe('an excerpt', () => {
  test('of a short text is all of it', () => {
    expect(excerptOf('a foo b', 'foo')).toBe('a <mark>foo</mark> b');
  });

  test('begins a little before the first match, goes on behind it, and is cut between words', () => {
    expect(excerptOf(`${filler}needle ${filler}`, 'needle')).toBe(
      '…ipsum dolor sit amet consetetur sadipscing elitr sed diam nonumy <mark>needle</mark> lorem ipsum dolor sit amet ' +
        'consetetur sadipscing elitr sed diam nonumy lorem ipsum dolor sit amet consetetur sadipscing elitr sed diam nonumy ' +
        'lorem ipsum dolor…',
    );
  });

  test('fills up with what stands before a match at the end', () => {
    const html = excerptOf(`${filler}needle`, 'needle');
    expect(html).toMatch(/^…\w.* <mark>needle<\/mark>$/);
    expect(Buffer.byteLength(html)).toBeGreaterThan(excerptOctetsMax - 25);
  });

  test('begins with a match at the beginning', () => {
    expect(excerptOf(`needle ${filler}`, 'needle')).toMatch(/^<mark>needle<\/mark> lorem .*\w…$/);
  });

  test('marks every match that it shows', () => {
    expect(excerptOf('foo bar foo', 'foo', 'bar')).toBe('<mark>foo</mark> <mark>bar</mark> <mark>foo</mark>');
  });

  test('of text without blanks is cut between characters', () => {
    const html = excerptOf(`${'吾輩は猫である。'.repeat(20)}会議${'名前はまだ無い。'.repeat(20)}`, '会議');
    expect(html).toMatch(/^…[^…]{20,}<mark>会議<\/mark>[^…]{40,}…$/);
  });

  test('ends before a match that would not be there in whole', () => {
    const html = excerptOf(`foo ${'y'.repeat(200)} ${'bar '.repeat(20)}z`, 'foo', `${'bar '.repeat(20)}z`);
    expect(html).toBe(`<mark>foo</mark> ${'y'.repeat(200)}…`);
  });

  test('shortens a match that is too long', () => {
    const html = excerptOf(`a ${'x'.repeat(600)} b`, 'x'.repeat(400));
    expect(html).toMatch(/^…?.*<mark>x{150,}<\/mark>…$/);
  });

  const characters = fc.constantFrom(
    'a',
    'b',
    ' ',
    '&',
    '<',
    '>',
    'é',
    'e\u0301',
    '会',
    '😀',
    '👩‍👩‍👧',
    '한',
    'x\u0323\u0307',
  );
  test('is never too long, shows the first match, and cuts no character, entity or tag apart', () => {
    fc.assert(
      fc.property(
        fc.array(characters, { maxLength: 400 }),
        fc.array(characters, { minLength: 1, maxLength: 4 }),
        fc.array(characters, { maxLength: 400 }),
        (before, term, after) => {
          const text = [...before, ...term, ...after].join('').replace(/\s+/g, ' ').trim();
          const [first, ...others] = matchesIn(text, [term.join('').trim()]);
          if (first === undefined) return;
          const html = excerpt(text, [first, ...others]);
          expect(Buffer.byteLength(html)).toBeLessThanOrEqual(excerptOctetsMax);
          expect(html).toMatch(/^(?:[^<>&]|&(?:amp|lt|gt);|<mark>(?:[^<>&]|&(?:amp|lt|gt);)+<\/mark>)*$/);
          const shown = html
            .replace(/^…|…$/g, '')
            .replace(/<\/?mark>/g, '')
            .replaceAll('&lt;', '<')
            .replaceAll('&gt;', '>')
            .replaceAll('&amp;', '&');
          const [marked = ''] = html.match(/<mark>.*?<\/mark>/) ?? [];
          expect(highlight(text.slice(first.start, first.end), [{ start: 0, end: first.end - first.start }])).toBe(
            marked,
          );
          const graphemes = [...new Intl.Segmenter().segment(text)].map(({ segment }) => segment);
          const isWhole = graphemes.some((_, from) => graphemes.slice(from).join('').startsWith(shown));
          expect(isWhole).toBe(true);
        },
      ),
    );
  });
});
