import type { UidRanges } from './source.ts';

/** How many UIDs the ranges span; they may name UIDs that no message has. */
export function spanOf(ranges: UidRanges): number {
  return ranges.reduce((sum, [first, last]) => sum + (last - first + 1), 0);
}

/** Every UID of the ranges, ascending. */
export function* uidsIn(ranges: UidRanges): Generator<number> {
  for (const [first, last] of ranges) for (let uid = first; uid <= last; uid += 1) yield uid;
}

/** Whether one of the ranges holds the UID. */
export function hasUid(ranges: UidRanges, uid: number): boolean {
  let low = 0;
  let high = ranges.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((ranges[middle]?.[1] ?? 0) < uid) low = middle + 1;
    else high = middle;
  }
  const range = ranges[low];
  return range !== undefined && range[0] <= uid;
}

/** The shortest ranges that hold exactly these UIDs. */
export function rangesOf(uids: Iterable<number>): UidRanges {
  const ranges: [number, number][] = [];
  for (const uid of [...uids].sort((a, b) => a - b)) {
    const last = ranges.at(-1);
    if (last !== undefined && uid <= last[1] + 1) last[1] = uid;
    else ranges.push([uid, uid]);
  }
  return ranges;
}
