import { Buffer } from 'node:buffer';
import { decodeCharset, isKnownCharset } from './charset.ts';
import { decodeTransfer } from './decode-transfer.ts';

/** A stretch of a header value. Only in a `word` may an encoded-word stand (RFC 2047 §5); `quoted` text is taken literally. */
export type HeaderToken = { readonly kind: 'word' | 'quoted' | 'space'; readonly text: string };

type EncodedWord = { readonly charset: string; readonly octets: Buffer };

/** charset, an optional language (RFC 2231 §5), encoding, encoded text: no blanks anywhere (RFC 2047 §2). */
const encodedWordPattern = /^=\?([^\s?*()<>@,;:"/[\].=]+)(?:\*[^\s?]*)?\?([bq])\?([\x21-\x3e\x40-\x7e]*)\?=$/i;

/**
 * Decodes the encoded-words of unstructured text that is already unfolded (RFC 2047 §5 (1)): each must be bounded by white
 * space or the ends of the text. What violates that, or names a charset that is unknown, is left as it is.
 */
export function decodeEncodedWords(text: string): string {
  if (!text.includes('=?')) return text;
  const tokens = text.split(/([ \t\r\n]+)/).map((piece, index): HeaderToken => {
    return { kind: index % 2 === 1 ? 'space' : 'word', text: piece };
  });
  return decodeTokens(tokens);
}

/**
 * Joins tokens to text, with encoded-words decoded. White space between two encoded-words is dropped (RFC 2047 §6.2), and
 * the octets of neighbours in the same charset are joined before they are decoded, because mailers split characters between
 * them. Control characters that were encoded are dropped (RFC 8621 §4.1.2.2).
 */
export function decodeTokens(tokens: readonly HeaderToken[]): string {
  const output: string[] = [];
  let charset = '';
  let octets: Buffer[] = [];
  let spaceAfterWord = '';

  const endRun = () => {
    if (octets.length > 0) output.push(withoutControls(decodeCharset(Buffer.concat(octets), charset).text));
    octets = [];
  };

  for (const [index, token] of tokens.entries()) {
    const isBounded = isBoundary(tokens[index - 1]) && isBoundary(tokens[index + 1]);
    const encoded = token.kind === 'word' && isBounded ? parseEncodedWord(token.text) : null;
    if (encoded) {
      if (octets.length > 0 && encoded.charset !== charset) endRun();
      charset = encoded.charset;
      octets.push(encoded.octets);
      spaceAfterWord = '';
    } else if (token.kind === 'space' && octets.length > 0) {
      spaceAfterWord += token.text;
    } else if (token.text !== '') {
      endRun();
      output.push(spaceAfterWord, token.text);
      spaceAfterWord = '';
    }
  }
  endRun();
  output.push(spaceAfterWord);
  return output.join('');
}

function isBoundary(neighbour: HeaderToken | undefined): boolean {
  return neighbour === undefined || neighbour.kind === 'space' || neighbour.text === '';
}

/** Null where the text is no encoded-word, or one in a charset that is not known. */
function parseEncodedWord(text: string): EncodedWord | null {
  if (!text.startsWith('=?')) return null;
  const match = encodedWordPattern.exec(text);
  if (!match) return null;
  const [, label = '', encoding = '', encoded = ''] = match;
  const charset = label.toLowerCase();
  if (!isKnownCharset(charset)) return null;
  const isB = encoding.toLowerCase() === 'b';
  return { charset, octets: isB ? decodeTransfer(Buffer.from(encoded), 'base64') : decodeQ(encoded) };
}

/** The "Q" encoding (RFC 2047 §4.2). A `=` without two hexadecimal digits stands for itself. */
function decodeQ(encoded: string): Buffer {
  const octets = Buffer.alloc(encoded.length);
  let length = 0;
  for (let at = 0; at < encoded.length; at++) {
    const char = encoded[at];
    const hex = char === '=' ? encoded.slice(at + 1, at + 3) : '';
    if (/^[0-9a-f]{2}$/i.test(hex)) {
      octets[length++] = Number.parseInt(hex, 16);
      at += 2;
    } else {
      octets[length++] = char === '_' ? 0x20 : encoded.charCodeAt(at);
    }
  }
  return octets.subarray(0, length);
}

function withoutControls(text: string): string {
  return text.replace(/[\u0000-\u001f\u007f-\u009f]/g, '');
}
