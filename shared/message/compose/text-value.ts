import { encodeWords } from './encode-words.ts';
import { piecesOf } from './fold.ts';

/** A longer word is encoded, so that lines can be broken within it. */
const plainWordCharsMax = 400;

/**
 * Unstructured text (RFC 8621 §4.1.2.2) as the pieces of a header value. What is not plain US-ASCII, or might be taken for an
 * encoded-word, is encoded: from the first to the last such word. White space at the ends is encoded too, since it would
 * not survive otherwise; a tab within what is encoded becomes a space.
 */
export function textPieces(text: string, name: string): string[] {
  if (text === '') return [' '];
  // Words and the white space between them in turn; a text with white space at its end has an empty word there.
  const words = text.split(/([ \t]+)/);
  const needs = words.map((word, index) => index % 2 === 0 && needsEncoding(word));
  if (words[0] === '') needs[2] = true;
  if (words.at(-1) === '') needs[words.length - 3] = true;
  const first = needs.indexOf(true);
  if (first < 0) return piecesOf(` ${text}`);
  const last = needs.lastIndexOf(true);
  const before = words.slice(0, first).join('');
  const encoded = words
    .slice(first, last + 1)
    .join('')
    .replaceAll('\t', ' ');
  const after = words.slice(last + 1).join('');
  const [firstWord = '', ...otherWords] = encodeWords(encoded, first === 0 ? name.length + 2 : 1);
  return [
    // The blank before the first encoded-word is in `before` already.
    ...piecesOf(` ${before}${firstWord}`),
    ...otherWords.map((word) => ` ${word}`),
    ...piecesOf(after),
  ];
}

function needsEncoding(word: string): boolean {
  return word === '' || word.length > plainWordCharsMax || !/^[\x21-\x7e]+$/.test(word) || word.includes('=?');
}
