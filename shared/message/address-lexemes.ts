import { commentEnd, quotedStringEnd, unescapeQuotedPairs } from './comments.ts';
import type { HeaderToken } from './encoded-words.ts';

/** What an address-list is made of. Texts are without the brackets, quotes and parentheses around them. */
export type AddressLexeme =
  | HeaderToken
  | { readonly kind: 'comment' | 'angle'; readonly text: string }
  | { readonly kind: 'comma' | 'semicolon' | 'colon' };

/** An encoded-word that ends where a word may end. Without `<`, `>`, `@`, `"`: they could hide an address. */
const encodedWordAt = /=\?[^\s?<>@"]{1,100}\?[bq]\?[^\s?<>@"]*\?=(?=[\s<(,;:)]|$)/iy;
/** A run of characters that end no word; a domain literal holds colons. */
const atomAt = /(?:@\[[^\]\\\s<>"]{0,255}\]|[^\s"(),:;<>])+/y;
const blankAt = /\s+/y;

const separators = new Map<string, 'comma' | 'semicolon' | 'colon'>([
  [',', 'comma'],
  [';', 'semicolon'],
  [':', 'colon'],
]);

/**
 * Cuts an unfolded address-list (RFC 5322 §3.4) into words, white space, comments, angle-addrs and separators. A bracket,
 * quote or parenthesis without its counterpart is passed over, so that it hides nothing behind it. Linear.
 */
export function* addressLexemes(text: string): Generator<AddressLexeme> {
  // What was once found not to close is not searched for again: that keeps hostile values linear.
  let opensComment = true;
  let opensQuote = true;
  let at = 0;
  while (at < text.length) {
    const char = text[at] ?? '';
    const separator = separators.get(char);
    if (separator) {
      at++;
      yield { kind: separator };
    } else if (char === '(' || char === '"') {
      const isComment = char === '(';
      const end = isComment ? opensComment && commentEnd(text, at) : opensQuote && quotedStringEnd(text, at);
      if (typeof end === 'number' && end > 0) {
        yield { kind: isComment ? 'comment' : 'quoted', text: unescapeQuotedPairs(text.slice(at + 1, end - 1)) };
        at = end;
      } else {
        if (isComment) opensComment = false;
        else opensQuote = false;
        at++;
      }
    } else if (char === '<') {
      const end = angleEnd(text, at + 1, opensQuote);
      yield { kind: 'angle', text: text.slice(at + 1, end) };
      at = end;
    } else if (char === '>' || char === ')') {
      at++;
    } else {
      const blank = matchAt(blankAt, text, at);
      const word = blank ?? matchAt(encodedWordAt, text, at) ?? matchAt(atomAt, text, at) ?? char;
      at += word.length;
      yield blank === null ? { kind: 'word', text: word } : { kind: 'space', text: ' ' };
    }
  }
}

function matchAt(sticky: RegExp, text: string, at: number): string | null {
  sticky.lastIndex = at;
  return sticky.exec(text)?.[0] ?? null;
}

/**
 * Where the inside of an angle-addr ends: at its `>`. If a `<` comes first, or nothing closes it, before the next separator.
 * A quoted local part may hold any of these.
 */
function angleEnd(text: string, start: number, opensQuote: boolean): number {
  const quoteEnd = opensQuote && text[start] === '"' ? quotedStringEnd(text, start) : -1;
  const from = Math.max(start, quoteEnd);
  const bracket = indexOfAny(text, '<>', from, text.length);
  return text[bracket] === '>' ? bracket : indexOfAny(text, ',;', from, bracket);
}

/** The offset of the first of the characters between `from` and `end`, or `end`. */
function indexOfAny(text: string, chars: string, from: number, end: number): number {
  for (let at = from; at < end; at++) {
    if (chars.includes(text[at] ?? '')) return at;
  }
  return end;
}
