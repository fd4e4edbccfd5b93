const digits = 4;
const values = 256;

/**
 * Sorts items in place by their keys, of which each place has one and which move along; items of the same key stay in their order. One octet of
 * the keys after the other, the lowest first: without a comparison, and without an object for any.
 */
export function radixSort(items: Uint32Array, keys: Uint32Array): void {
  const count = items.length;
  const counts = new Uint32Array(digits * values);
  for (let place = 0; place < count; place++) {
    const key = keys[place] as number;
    for (let digit = 0; digit < digits; digit++) {
      const at = digit * values + ((key >>> (8 * digit)) & 0xff);
      counts[at] = (counts[at] as number) + 1;
    }
  }
  let from: Keyed = { items, keys };
  let to: Keyed = { items: new Uint32Array(count), keys: new Uint32Array(count) };
  for (let digit = 0; digit < digits; digit++) {
    const ends = counts.subarray(digit * values, (digit + 1) * values);
    if (ends.includes(count)) continue;
    let before = 0;
    for (let value = 0; value < values; value++) {
      const own = ends[value] as number;
      ends[value] = before;
      before += own;
    }
    scatter(from, to, ends, 8 * digit);
    [from, to] = [to, from];
  }
  if (from.items === items) return;
  items.set(from.items);
  keys.set(from.keys);
}

type Keyed = { readonly items: Uint32Array; readonly keys: Uint32Array };

/** Puts each item where those with this octet of the key are; `next` is where the next one of each comes. */
function scatter(from: Keyed, to: Keyed, next: Uint32Array, shift: number): void {
  const { items, keys } = from;
  const { items: ownItems, keys: ownKeys } = to;
  for (let place = 0; place < items.length; place++) {
    const key = keys[place] as number;
    const value = (key >>> shift) & 0xff;
    const own = next[value] as number;
    next[value] = own + 1;
    ownItems[own] = items[place] as number;
    ownKeys[own] = key;
  }
}
