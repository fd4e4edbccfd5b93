import type { UidRanges } from '../catalog/source.ts';
import { type ImapValue, listOf, numberOf, textOf } from './response.ts';
import { parseUidRanges, rangesOf } from './uid-ranges.ts';

/**
 * The UIDs in one response to UID SEARCH: `* SEARCH 2 3`, or `* ESEARCH (TAG "p5") UID ALL 2:3` (RFC 4731) when it answers
 * the command with this tag; none for other responses.
 */
export function uidsFound(name: string, values: readonly ImapValue[], tag: string): UidRanges {
  if (name === 'SEARCH') return rangesOf(numbersIn(values));
  return name === 'ESEARCH' && isAnswerTo(tag, values) ? (allOf(values) ?? []) : [];
}

/** RFC 4466 §2.6.2. */
function isAnswerTo(tag: string, [correlator]: readonly ImapValue[]): boolean {
  const [word, value] = listOf(correlator);
  return textOf(word)?.toUpperCase() === 'TAG' && textOf(value) === tag;
}

/** Null where nothing was found. */
function allOf(values: readonly ImapValue[]): UidRanges | null {
  const at = values.findIndex((value) => typeof value === 'string' && value.toUpperCase() === 'ALL');
  return at < 0 ? null : parseUidRanges(textOf(values[at + 1]) ?? '');
}

function* numbersIn(values: readonly ImapValue[]): Generator<number> {
  for (const value of values) {
    const found = numberOf(value);
    if (found !== null && found > 0) yield found;
  }
}
