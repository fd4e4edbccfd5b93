import { expect, test } from '@jest/globals';
import type { Part } from '../../../shared/message/part.ts';
import { batchesOf, type SizeWish } from '../../../shared/methods/Email/part-sizes.ts';

test('one call reads a few megabytes at a time for sizes, and not without end', () => {
  const wishes = Array.from({ length: 100 }, (_, place): SizeWish<number> => {
    return { part: { encodedSize: 2 ** 20 } as Part, place, request: { place, section: '1' } };
  });
  expect([...batchesOf(wishes)].map((batch) => batch.map(({ place }) => place))).toEqual(
    Array.from({ length: 8 }, (_, batch) => Array.from({ length: 8 }, (__, place) => 8 * batch + place)),
  );
  expect([...batchesOf(wishes.slice(0, 9))].map(({ length }) => length)).toEqual([8, 1]);
  expect([...batchesOf([])]).toEqual([]);
});
