import type { UidRanges } from '../catalog/source.ts';

const uidMax = 0xffff_ffff;

/** The ranges of a `sequence-set` of UIDs as VANISHED and ESEARCH have it; null where it is none. Elements come in any order. */
export function parseUidRanges(text: string): UidRanges | null {
  const ranges: [number, number][] = [];
  for (const element of text.split(',')) {
    const match = /^(\d{1,10})(?::(\d{1,10}))?$/.exec(element);
    if (!match) return null;
    const first = Number(match[1]);
    const last = match[2] === undefined ? first : Number(match[2]);
    if (first < 1 || last < 1 || first > uidMax || last > uidMax) return null;
    ranges.push(first <= last ? [first, last] : [last, first]);
  }
  return normalizeRanges(ranges);
}

/** The ranges of UIDs given in any order. */
export function rangesOf(uids: Iterable<number>): UidRanges {
  const ranges: [number, number][] = [];
  for (const uid of uids) {
    const last = ranges.at(-1);
    if (last && uid === last[1] + 1) last[1] = uid;
    else ranges.push([uid, uid]);
  }
  return normalizeRanges(ranges);
}

/** Ascending, and not touching each other. */
export function normalizeRanges(ranges: readonly (readonly [number, number])[]): UidRanges {
  const sorted = isAscending(ranges) ? ranges : [...ranges].sort((a, b) => a[0] - b[0]);
  const joined: [number, number][] = [];
  for (const [first, last] of sorted) {
    const previous = joined.at(-1);
    if (previous && first <= previous[1] + 1) previous[1] = Math.max(previous[1], last);
    else joined.push([first, last]);
  }
  return joined;
}

/** The part of the ranges that lies from `first` to `last`. */
export function clipRanges(ranges: UidRanges, first: number, last: number): UidRanges {
  return ranges
    .filter((range) => range[1] >= first && range[0] <= last)
    .map((range) => [Math.max(range[0], first), Math.min(range[1], last)] as const);
}

export function countUids(ranges: UidRanges): number {
  return ranges.reduce((sum, [first, last]) => sum + last - first + 1, 0);
}

/** The UIDs of the ranges, at most `max` of them: a server decides how many its few octets mean. */
export function uidsIn(ranges: UidRanges, max: number): number[] {
  const uids: number[] = [];
  for (const [first, last] of ranges) {
    for (let uid = first; uid <= last && uids.length < max; uid++) uids.push(uid);
  }
  return uids;
}

/** Those of the UIDs (ascending) that no range holds. */
export function outside(uids: readonly number[], ranges: UidRanges): number[] {
  let at = 0;
  return uids.filter((uid) => {
    while (at < ranges.length && (ranges[at]?.[1] ?? 0) < uid) at++;
    const range = ranges[at];
    return range === undefined || uid < range[0];
  });
}

function isAscending(ranges: readonly (readonly [number, number])[]): boolean {
  return ranges.every(([first], index) => index === 0 || first >= (ranges[index - 1]?.[0] ?? 0));
}
