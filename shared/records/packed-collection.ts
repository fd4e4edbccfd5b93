import { deflateRawSync, inflateRawSync } from 'node:zlib';
import type { Id, JsonObject, State } from '../jmap/scalars.ts';
import type { Collection } from './collection.ts';

/** A collection as it was committed; `commits`: random ids of the newest ones, by which writers know theirs again. */
export type Commit = { readonly commits: readonly string[]; readonly collection: Collection };

/** What stands for the layout of the bytes; another one is not ours to read, or to write over. */
const layout = 1;

type Packed = {
  readonly commits: readonly string[];
  readonly epoch: string;
  readonly version: number;
  readonly firstState: State | null;
  readonly toldFrom: number;
  readonly records: readonly (readonly [Id, created: number, changed: number, value: JsonObject])[];
  readonly destroyed: readonly (readonly [Id, created: number, destroyed: number])[];
};

/** A byte for the layout, then deflated JSON; and the characters of that JSON. */
export function packCommit({ commits, collection }: Commit): {
  readonly bytes: Uint8Array;
  readonly characters: number;
} {
  const { records, destroyed, ...rest } = collection;
  const packed: Packed = {
    commits,
    ...rest,
    records: [...records].map(([id, { created, changed, value }]) => [id, created, changed, value]),
    destroyed: destroyed.map((gone) => [gone.id, gone.created, gone.destroyed]),
  };
  const text = JSON.stringify(packed);
  return { bytes: Buffer.concat([Uint8Array.of(layout), deflateRawSync(text)]), characters: text.length };
}

/** Throws for what this program did not write: to take it for nothing would lose it. */
export function unpackCommit(bytes: Uint8Array): Commit {
  if (bytes[0] !== layout) throw new Error(`Could not read a collection: its layout is ${bytes[0]}`);
  const packed: Packed = JSON.parse(inflateRawSync(bytes.subarray(1)).toString());
  const { commits, records, destroyed, ...rest } = packed;
  return {
    commits,
    collection: {
      ...rest,
      records: new Map(records.map(([id, created, changed, value]) => [id, { created, changed, value }])),
      destroyed: destroyed.map(([id, created, gone]) => ({ id, created, destroyed: gone })),
    },
  };
}
