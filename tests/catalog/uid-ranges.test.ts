import { describe, expect, test } from '@jest/globals';
import { hasUid, rangesOf, spanOf, uidsIn } from '../../shared/catalog/uid-ranges.ts';

describe('ranges of UIDs', () => {
  test.each<[number[], (readonly [number, number])[]]>([
    [[], []],
    [[5], [[5, 5]]],
    [[3, 1, 2], [[1, 3]]],
    [
      [1, 2, 4, 5, 9],
      [
        [1, 2],
        [4, 5],
        [9, 9],
      ],
    ],
    [[2, 2, 3], [[2, 3]]],
  ])('of %j are %j', (uids, ranges) => {
    expect(rangesOf(uids)).toEqual(ranges);
    expect([...uidsIn(ranges)]).toEqual([...new Set(uids)].sort((a, b) => a - b));
    expect(spanOf(ranges)).toBe(new Set(uids).size);
  });

  test('hold their bounds and what lies between, and nothing else', () => {
    const ranges = [
      [2, 3],
      [5, 5],
      [8, 10],
    ] as const;
    const held = Array.from({ length: 13 }, (_, uid) => uid).filter((uid) => hasUid(ranges, uid));
    expect(held).toEqual([2, 3, 5, 8, 9, 10]);
    expect(hasUid([], 1)).toBe(false);
  });
});
