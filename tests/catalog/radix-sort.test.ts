import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { radixSort } from '../../shared/catalog/radix-sort.ts';

/** Some that differ in one octet only, and some anywhere. */
const key = fc.oneof(
  fc.nat({ max: 3 }),
  fc.nat({ max: 255 }).map((octet) => ((octet << 24) | 7) >>> 0),
  fc.nat({ max: 0xffff_ffff }),
);

test('items are sorted by their keys, and those of the same key stay in their order', () => {
  fc.assert(
    fc.property(fc.array(key, { maxLength: 300, size: 'max' }), (all) => {
      const items = Uint32Array.from(all, (_, place) => all.length - place);
      const keys = Uint32Array.from(all);
      radixSort(items, keys);
      const sorted = all.map((own, place) => ({ own, item: all.length - place })).sort((a, b) => a.own - b.own);
      expect([...items]).toEqual(sorted.map(({ item }) => item));
      expect([...keys]).toEqual(sorted.map(({ own }) => own));
    }),
  );
});
