import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Id } from '../../../shared/jmap/scalars.ts';
import { type Window, windowOf } from '../../../shared/jmap/standard/window.ts';

const results = ['a', 'b', 'c', 'd', 'e'] as Id[];
const from = (position: number, limit: number | null = null): Window => ({ from: 'position', position, limit });
const around = (anchor: string, anchorOffset: number, limit: number | null = null): Window => ({
  from: 'anchor',
  anchor: anchor as Id,
  anchorOffset,
  limit,
});

describe('windowOf', () => {
  const windows: [string, Window, number, string][] = [
    ['all results', from(0), 0, 'abcde'],
    ['from a position on', from(3), 3, 'de'],
    ['as many as the limit', from(1, 2), 1, 'bc'],
    ['none with limit 0', from(2, 0), 2, ''],
    ['fewer than the limit at the end', from(4, 9), 4, 'e'],
    ['none at the end', from(5), 5, ''],
    ['none beyond the end, at the position asked for', from(100, 10), 100, ''],
    ['from the end', from(-2), 3, 'de'],
    ['from the end, limited', from(-3, 1), 2, 'c'],
    ['from the start when there are fewer than that from the end', from(-9, 2), 0, 'ab'],
    ['from an anchor', around('c', 0, 2), 2, 'cd'],
    ['from behind an anchor', around('c', 1), 3, 'de'],
    ['from before an anchor', around('c', -1, 3), 1, 'bcd'],
    ['from the start when the offset goes before it', around('b', -7, 2), 0, 'ab'],
    ['none when the offset goes beyond the end', around('e', 3), 7, ''],
    ['none around an anchor with limit 0', around('d', 0, 0), 3, ''],
  ];
  test.each(windows)('gives %s', (_what, window, position, ids) => {
    expect(windowOf(results, window)).toEqual({ ok: true, value: { position, ids: [...ids] } });
  });

  test('refuses an anchor that is not among the results', () => {
    expect(windowOf(results, around('x', 0))).toMatchObject({ ok: false, error: { type: 'anchorNotFound' } });
  });

  const whole = fc.uniqueArray(fc.stringMatching(/^[a-z]{1,3}$/), { maxLength: 20 }).map((ids) => ids as Id[]);
  const limit = fc.option(fc.nat(30));

  test('never gives anything but a run of the results that starts where it says', () => {
    fc.assert(
      fc.property(whole, fc.integer({ min: -30, max: 30 }), limit, (ids, position, max) => {
        const cut = windowOf(ids, from(position, max));
        if (!cut.ok) throw new Error('a position is always good');
        expect(cut.value.position).toBeGreaterThanOrEqual(0);
        expect(cut.value.ids.length).toBeLessThanOrEqual(max ?? ids.length);
        expect(ids.slice(cut.value.position, cut.value.position + cut.value.ids.length)).toEqual(cut.value.ids);
        const behind = cut.value.position + cut.value.ids.length;
        if (max === null) expect(behind).toBeGreaterThanOrEqual(ids.length);
      }),
    );
  });

  test('from an anchor is the same as from the position of the anchor', () => {
    fc.assert(
      fc.property(whole, fc.nat(), fc.integer({ min: -30, max: 30 }), limit, (ids, pick, anchorOffset, max) => {
        fc.pre(ids.length > 0);
        const index = pick % ids.length;
        const byAnchor = windowOf(ids, around(ids[index] ?? '', anchorOffset, max));
        expect(byAnchor).toEqual(windowOf(ids, from(Math.max(0, index + anchorOffset), max)));
      }),
    );
  });

  test('page after page gives every result once', () => {
    fc.assert(
      fc.property(whole, fc.integer({ min: 1, max: 5 }), (ids, max) => {
        const pages: Id[] = [];
        for (let position = 0; position < ids.length; position += max) {
          const page = windowOf(ids, from(position, max));
          if (page.ok) pages.push(...page.value.ids);
        }
        expect(pages).toEqual(ids);
      }),
    );
  });
});
