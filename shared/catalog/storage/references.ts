import type { ByteReader, ByteWriter } from './packing.ts';
import type { Key, KeyPacking } from './shape.ts';

/** Names an immutable block from above: a leaf, or a page of further references. */
export type BlockRef<K extends Key> = {
  /** The block's key in the store. */
  readonly block: string;
  /** No key below it (or, in the first block of a table, below the next one's `first`) is elsewhere. Of number keys: the first one there is. */
  readonly first: K;
  /** Of number keys: the last one there is, minus `first`. Of texts: 0. */
  readonly span: number;
  /** Entries in it, or below it. */
  readonly count: number;
  /** Seconds since the epoch, by `Shape.dateOf`. */
  readonly oldest: number;
  readonly newest: number;
  /** Day since the epoch on which the first of it and the blocks below it expires. */
  readonly expires: number;
};

/** The top of a table, kept in the head. At depth 0 the references name leaves, at depth n pages of depth n − 1. */
export type Root<K extends Key> = { readonly depth: number; readonly refs: readonly BlockRef<K>[] };

export const emptyRoot = { depth: 0, refs: [] } as const;

/** Packs references; pages and the head share the form. */
export function writeRefs<K extends Key>(writer: ByteWriter, keys: KeyPacking<K>, refs: readonly BlockRef<K>[]): void {
  writer.number(refs.length);
  keys.writeKeys(
    writer,
    refs.map((ref) => ref.first),
  );
  for (const ref of refs) writer.number(ref.span);
  for (const ref of refs) writer.number(ref.count);
  let date = 0;
  for (const ref of refs) {
    writer.signed(ref.oldest - date);
    writer.signed(ref.newest - ref.oldest);
    date = ref.newest;
  }
  let day = 0;
  for (const ref of refs) {
    writer.signed(ref.expires - day);
    day = ref.expires;
  }
  writer.texts(refs.map((ref) => ref.block));
}

export function readRefs<K extends Key>(reader: ByteReader, keys: KeyPacking<K>): BlockRef<K>[] {
  const count = reader.number();
  const firsts = keys.readKeys(reader, count);
  const spans = Array.from({ length: count }, reader.number);
  const counts = Array.from({ length: count }, reader.number);
  let date = 0;
  const dates = Array.from({ length: count }, () => {
    const oldest = date + reader.signed();
    const newest = oldest + reader.signed();
    date = newest;
    return { oldest, newest };
  });
  let day = 0;
  const days = Array.from({ length: count }, () => {
    day += reader.signed();
    return day;
  });
  const blocks = reader.texts(count);
  return blocks.map((block, i) => ({
    block,
    first: firsts[i] as K,
    span: spans[i] as number,
    count: counts[i] as number,
    ...(dates[i] as { oldest: number; newest: number }),
    expires: days[i] as number,
  }));
}
