import type { FoundBlob } from './find.ts';
import { streamOf } from './octets.ts';

/** A stretch of a blob, in octets, which may reach beyond its end. `length` null: all that follows. */
export type Stretch = { readonly offset: number; readonly length: number | null };

export type OpenedStretch = {
  /** What there is of the stretch. Leaving the loop over it ends the reading. */
  readonly octets: AsyncIterable<Uint8Array>;
  /** How many octets the whole blob has; asked when `octets` have ended. Null where nobody came to know. */
  readonly size: () => number | null;
};

/** Opens a stretch of a blob; null when the blob is gone. `wantsSize`: reads on to the end where nothing else tells the size. */
export async function openStretch(
  blob: FoundBlob,
  { offset, length }: Stretch,
  wantsSize: boolean,
): Promise<OpenedStretch | null> {
  const end = length === null ? Number.POSITIVE_INFINITY : offset + length;
  if (blob.openSlice !== null && blob.size !== null) {
    const { size } = blob;
    const from = Math.min(offset, size);
    const slice = { offset: from, length: Math.min(end, size) - from };
    const octets = slice.length === 0 ? streamOf(new Uint8Array()) : await blob.openSlice(slice);
    return octets && { octets, size: () => size };
  }

  const opened = await blob.open();
  if (opened === null) return null;
  const told = opened.size ?? blob.size;
  let position = 0;
  let isEnded = false;
  async function* inStretch(whole: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array> {
    for await (const chunk of whole) {
      const inside = chunk.subarray(Math.max(0, offset - position), Math.max(0, end - position));
      position += chunk.byteLength;
      if (inside.byteLength > 0) yield inside;
      if (position >= end && (told !== null || !wantsSize)) return;
    }
    isEnded = true;
  }
  return { octets: inStretch(opened.octets), size: () => (isEnded ? position : told) };
}
