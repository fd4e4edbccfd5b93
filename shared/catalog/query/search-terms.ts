import type { TextTest } from './filter.ts';
import type { SearchTerm } from './sources.ts';

/**
 * The texts that must all be found for the test to hold (RFC 8621 §4.4.1): white space divides tokens, text in matched
 * quotes is one phrase. A `*` at the end of a token, by which clients mean a prefix, is dropped: SEARCH finds substrings.
 * No terms: the test always holds.
 */
export function searchTerms(test: TextTest): SearchTerm[] {
  if (test.property !== 'header') return tokens(test.value).map((value) => ({ kind: test.property, value }));
  const values = test.value === null ? [] : tokens(test.value);
  return (values.length === 0 ? [null] : values).map((value) => ({ kind: 'header', name: test.name, value }));
}

function tokens(text: string): string[] {
  const found: string[] = [];
  for (const [token, double, single] of text.matchAll(tokenPattern)) {
    const phrase = double ?? single;
    const value =
      phrase === undefined
        ? token.replace(/\*$/, '')
        : phrase
            .replace(/\\(['"\\])/g, '$1')
            .replace(/\s+/g, ' ')
            .trim();
    if (value !== '') found.push(value);
  }
  return [...new Set(found)];
}

/** A quote opens a phrase only where a token begins and closes it only where one ends: the apostrophes of "don't can't" are text. */
const tokenPattern = /"((?:[^"\\]|\\.)*)"(?!\S)|'((?:[^'\\]|\\.)*)'(?!\S)|\S+/gs;
