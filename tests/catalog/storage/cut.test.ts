import { describe, expect, test } from '@jest/globals';
import { cut } from '../../../shared/catalog/storage/cut.ts';

const packed = (start: number, end: number) => new Uint8Array(10 * (end - start));

/** Where the pieces end; nearly each is packed once. */
function endsOf(count: number, isGoodCut?: (place: number) => boolean): number[] {
  let packings = 0;
  const pack = (start: number, end: number) => {
    packings += 1;
    return packed(start, end);
  };
  const how = { pack, bytesMax: 1000, itemBytes: 10, manner: 'even' } as const;
  const pieces = [...cut(count, isGoodCut === undefined ? how : { ...how, isGoodCut })];
  for (const [place, { start, end, bytes }] of pieces.entries()) {
    expect(start).toBe(pieces[place - 1]?.end ?? 0);
    expect(bytes).toEqual(packed(start, end));
  }
  expect(packings).toBeLessThanOrEqual(pieces.length + 1);
  return pieces.map(({ end }) => end);
}

describe('items are cut', () => {
  test('into pieces of about the same size', () => {
    expect(endsOf(300)).toEqual([60, 120, 180, 240, 300]);
  });

  test('a few items earlier where that is a better place', () => {
    const ends = endsOf(300, (place) => place % 7 === 0);
    expect(ends.slice(0, -1).filter((end) => end % 7 !== 0)).toEqual([]);
    expect(ends.at(-1)).toBe(300);
  });

  test('not much earlier: there may be no good place far and wide', () => {
    expect(endsOf(300, (place) => place % 100 === 0)).toEqual([60, 120, 180, 240, 300]);
    expect(endsOf(300, (place) => place % 60 === 48)).toEqual([60, 120, 180, 240, 300]);
    expect(endsOf(300, () => false)).toEqual([60, 120, 180, 240, 300]);
  });
});
