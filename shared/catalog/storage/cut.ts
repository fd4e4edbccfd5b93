/** A run of items packed into one block: `start` … `end` − 1. */
export type Piece = { readonly start: number; readonly end: number; readonly bytes: Uint8Array };

/**
 * Share of a block that is filled when there is more to come: room for a flag that changes later, or for items in between. An even leaf
 * of the look-up runs is billed as 2 KB.
 */
const fillRatio = { full: 0.94, even: 0.64 };
/** Items by which a piece may be smaller, to end where it is cut well, and how large a share of it they may be. */
const heldBackMax = 12;
const heldBackShare = 1 / 8;
/** Packings tried for one piece while the guess of an item's size is off. */
const attemptsMax = 4;

/**
 * Cuts so many items into pieces of at most `bytesMax` when packed (a single item may be larger), one after the other.
 * What fits into one piece stays one. Otherwise `full` pieces are filled up one after the other, the last takes the
 * rest; `even` ones are of about equal size, so that each has room for items in between.
 */
export function* cut(
  count: number,
  {
    pack,
    bytesMax,
    itemBytes: guess,
    manner,
    isGoodCut = () => true,
  }: {
    pack: (start: number, end: number) => Uint8Array;
    bytesMax: number;
    itemBytes: number;
    manner: 'full' | 'even';
    /** Whether a piece should rather end before this item than a few items earlier. */
    isGoodCut?: (place: number) => boolean;
  },
): Generator<Piece, void> {
  const fill = bytesMax * fillRatio[manner];
  let itemBytes = guess;

  /** How many of the `left` items the next piece should take. */
  const share = (left: number): number => {
    if ((manner === 'full' || left === count) && left * itemBytes <= bytesMax) return left;
    if (manner === 'full') return Math.max(1, Math.floor(fill / itemBytes));
    return Math.ceil(left / Math.ceil((left * itemBytes) / fill));
  };

  const endingWell = (start: number, take: number): number => {
    if (start + take >= count) return take;
    const least = take - Math.min(heldBackMax, Math.floor(take * heldBackShare));
    let less = take;
    while (less > least && !isGoodCut(start + less)) less--;
    return isGoodCut(start + less) ? less : take;
  };

  for (let start = 0, end = 0; start < count; start = end) {
    const left = count - start;
    let take = endingWell(start, Math.min(left, share(left)));
    let bytes = pack(start, start + take);
    for (let attempt = 1; ; attempt++) {
      itemBytes = bytes.length / take;
      const better = Math.min(left, share(left));
      const tooLarge = bytes.length > bytesMax && take > 1;
      const tooSmall = endingWell(start, better) > take * 1.2 && attempt < attemptsMax;
      if (!tooLarge && !tooSmall) break;
      take = endingWell(start, tooLarge ? Math.max(1, Math.min(take - 1, better)) : better);
      bytes = pack(start, start + take);
    }
    end = start + take;
    yield { start, end, bytes };
  }
}
