/** A run of items packed into one block. */
export type Piece<Item> = { readonly items: readonly Item[]; readonly bytes: Uint8Array };

/** Share of a block that is filled when there is more to come: room for a flag that changes later, or for items in between. */
const fillRatio = { full: 0.94, even: 0.66 };
/** Packings tried for one piece while the guess of an item's size is off. */
const attemptsMax = 4;

/**
 * Cuts items into pieces of at most `bytesMax` when packed (a single item may be larger).
 * What fits into one piece stays one. Otherwise `full` pieces are filled up one after the other, the last takes the
 * rest; `even` ones are of about equal size, so that each has room for items in between.
 */
export function cut<Item>(
  items: readonly Item[],
  {
    pack,
    bytesMax,
    itemBytes: guess,
    manner,
  }: { pack: (items: readonly Item[]) => Uint8Array; bytesMax: number; itemBytes: number; manner: 'full' | 'even' },
): Piece<Item>[] {
  const pieces: Piece<Item>[] = [];
  const fill = bytesMax * fillRatio[manner];
  let itemBytes = guess;
  let start = 0;

  /** How many of the `left` items the next piece should take. */
  const share = (left: number): number => {
    if ((manner === 'full' || left === items.length) && left * itemBytes <= bytesMax) return left;
    if (manner === 'full') return Math.max(1, Math.floor(fill / itemBytes));
    return Math.ceil(left / Math.ceil((left * itemBytes) / fill));
  };

  while (start < items.length) {
    const left = items.length - start;
    let take = Math.min(left, share(left));
    let bytes = pack(items.slice(start, start + take));
    for (let attempt = 1; ; attempt++) {
      itemBytes = bytes.length / take;
      const better = Math.min(left, share(left));
      const tooLarge = bytes.length > bytesMax && take > 1;
      const tooSmall = better > take * 1.2 && attempt < attemptsMax;
      if (!tooLarge && !tooSmall) break;
      take = tooLarge ? Math.max(1, Math.min(take - 1, better)) : better;
      bytes = pack(items.slice(start, start + take));
    }
    pieces.push({ items: items.slice(start, start + take), bytes });
    start += take;
  }
  return pieces;
}
