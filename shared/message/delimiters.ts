import { Buffer } from 'node:buffer';
import { lineEnd } from './lines.ts';

/** A line that begins with `--` and a boundary (RFC 2046 §5.1.1). Offsets into the message. */
export type DelimiterLine = {
  /** Which of the delimiters it is. */
  readonly index: number;
  readonly isClosing: boolean;
  readonly start: number;
  /** Behind the line break, or the end of the message. */
  readonly end: number;
};

const HYPHEN = 0x2d;
const hyphensOnNewLine = Buffer.from('\n--');

/** What a boundary line begins with. */
export function delimiterOf(boundary: string): Buffer {
  return Buffer.from(`--${boundary}`);
}

/** The first delimiter line at or behind `from`, which is the start of a line; null if there is none. */
export function nextDelimiterLine(bytes: Buffer, from: number, delimiters: readonly Buffer[]): DelimiterLine | null {
  let start = from;
  while (start < bytes.length) {
    const line = delimiterLineAt(bytes, start, delimiters);
    if (line) return line;
    const found = bytes.indexOf(hyphensOnNewLine, start);
    if (found < 0) return null;
    start = found + 1;
  }
  return null;
}

/**
 * The delimiter line that starts at `start`, or null. It is enough that the line begins with a delimiter (RFC 2046 §5.1.1);
 * of several that fit the longest counts, and the innermost of those that are equal.
 */
export function delimiterLineAt(bytes: Buffer, start: number, delimiters: readonly Buffer[]): DelimiterLine | null {
  if (bytes[start] !== HYPHEN || bytes[start + 1] !== HYPHEN) return null;
  let index = -1;
  let length = 0;
  for (const [candidate, delimiter] of delimiters.entries()) {
    if (delimiter.length < length || !startsWithAt(bytes, start, delimiter)) continue;
    index = candidate;
    length = delimiter.length;
  }
  if (index < 0) return null;
  const behind = start + length;
  const isClosing = bytes[behind] === HYPHEN && bytes[behind + 1] === HYPHEN;
  return { index, isClosing, start, end: lineEnd(bytes, start) };
}

function startsWithAt(bytes: Buffer, start: number, prefix: Buffer): boolean {
  for (let at = 0; at < prefix.length; at++) {
    if (bytes[start + at] !== prefix[at]) return false;
  }
  return true;
}
