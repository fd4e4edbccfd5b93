import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { cutUidSet } from '../../shared/imap/arguments.ts';
import { clipRanges, countUids, outside, parseUidRanges, rangesOf, uidsIn } from '../../shared/imap/uid-ranges.ts';

describe('UID ranges', () => {
  test.each([
    [
      '41,43:116,118',
      [
        [41, 41],
        [43, 116],
        [118, 118],
      ],
    ],
    ['5:3,1,2', [[1, 5]]],
    ['1:4294967295', [[1, 4294967295]]],
  ])('of "%s" are ascending and apart', (text, ranges) => {
    expect(parseUidRanges(text)).toEqual(ranges);
  });

  test.each(['', '0', '1:*', '$', '4294967296', '1,,2', '1:2:3', 'a', '-1', '1e3'])(
    'are not read from "%s"',
    (text) => {
      expect(parseUidRanges(text)).toBeNull();
    },
  );

  test('hold exactly the UIDs they were made of, however these are ordered', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.integer({ min: 1, max: 60 })),
        fc.uniqueArray(fc.integer({ min: 1, max: 60 })),
        (some, more) => {
          const ranges = rangesOf(some);
          const sorted = [...some].sort((a, b) => a - b);
          expect(uidsIn(ranges, 100)).toEqual(sorted);
          expect(countUids(ranges)).toBe(some.length);
          expect(uidsIn(clipRanges(ranges, 10, 20), 100)).toEqual(sorted.filter((uid) => uid >= 10 && uid <= 20));
          const others = [...more].sort((a, b) => a - b);
          expect(outside(others, ranges)).toEqual(others.filter((uid) => !some.includes(uid)));
          expect(cutUidSet(ranges, 7).flatMap((set) => uidsIn(set, 100))).toEqual(sorted);
          expect(cutUidSet(ranges, 7).every((set) => countUids(set) <= 7)).toBe(true);
        },
      ),
    );
  });

  test('mean no more UIDs than asked for, whatever the server claims', () => {
    expect(uidsIn([[1, 4294967295]], 3)).toEqual([1, 2, 3]);
  });

  test('are cut so that each command fits into a line', () => {
    const scattered = rangesOf(Array.from({ length: 5000 }, (_, index) => 4_000_000_000 + 3 * index));
    const sets = cutUidSet(scattered, 100_000);
    const lengths = sets.map((set) => set.map(([a, b]) => (a === b ? `${a}` : `${a}:${b}`)).join(',').length);
    expect(Math.max(...lengths)).toBeLessThan(7_100);
    expect(sets.flat()).toEqual(scattered);
  });

  test('of which a thousand are scattered in a mailbox of 100,000 are one command', () => {
    expect(cutUidSet(rangesOf(Array.from({ length: 1000 }, (_, index) => 1 + 99 * index)), 2_000)).toHaveLength(1);
  });
});
