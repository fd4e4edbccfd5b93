import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { crlfLines, surveyLines } from '../../../shared/message/compose/crlf-lines.ts';
import { chunksOf, collected } from './composed.ts';

const long = 'x'.repeat(998);

const texts: [string, string, string, '7bit' | '8bit' | 'binary'][] = [
  ['nothing', '', '', '7bit'],
  ['no line end', 'a', 'a', '7bit'],
  ['CRLF', 'a\r\nb\r\n', 'a\r\nb\r\n', '7bit'],
  ['bare LF', '\na\nb\r\n\n', '\r\na\r\nb\r\n\r\n', '7bit'],
  ['more than US-ASCII', 'ü\n', 'ü\r\n', '8bit'],
  ['the longest line', `${long}\r\n${long}\n${long}`, `${long}\r\n${long}\r\n${long}`, '7bit'],
  ['a line that is too long', `${long}x\n`, `${long}x\r\n`, 'binary'],
  ['a last line that is too long', `a\n${long}x`, `a\r\n${long}x`, 'binary'],
  ['a bare CR', 'a\rb\n', 'a\rb\r\n', 'binary'],
  ['a bare CR at the end', 'ü\r', 'ü\r', 'binary'],
  ['a CR before CRLF', 'a\r\r\n', 'a\r\r\n', 'binary'],
];
test.each(texts)('lines with %s, in chunks of any size', async (_, text, expected, encoding) => {
  const octets = Buffer.from(text);
  for (const size of [1, 2, 3, 5_000]) {
    expect((await collected(crlfLines(chunksOf(octets, size)))).toString()).toBe(expected);
    const lines = { size: Buffer.byteLength(expected), encoding, hasNul: false };
    expect(await surveyLines(chunksOf(octets, size))).toEqual(lines);
  }
});

test('NUL is told', async () => {
  expect(await surveyLines(chunksOf(Buffer.from('a\0b')))).toMatchObject({ hasNul: true });
});

test('every LF gets its CR, and nothing else changes', async () => {
  const octets = fc
    .string({ unit: fc.constantFrom('a', '\r', '\n', 'ü'), maxLength: 30 })
    .map((text) => Buffer.from(text));
  await fc.assert(
    fc.asyncProperty(octets, fc.integer({ min: 1, max: 9 }), async (text, size) => {
      const made = (await collected(crlfLines(chunksOf(text, size)))).toString();
      expect(made).toBe(text.toString().replace(/(?<!\r)\n/g, '\r\n'));
    }),
  );
});
