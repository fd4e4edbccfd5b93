import type { Id } from '../jmap/scalars.ts';
import { type Collection, type Edit, edited } from './collection.ts';
import { packCommit } from './packed-collection.ts';
import { itemOctetsMax } from './store.ts';

/** Characters that count as an octet at the least, however little is left of them when they are deflated: all are read each time. */
const charactersPerOctet = 20;
/** Once something has to go, so much of the room is free afterwards, for the next ones. */
const freeAfterwards = 0.1;

/** The collection `without` what had to go, then with the edits, and its octets. */
export type Fitting = { readonly without: Collection; readonly next: Collection; readonly bytes: Uint8Array };

/**
 * The collection after these edits. Where there is no room for it, records that are expendable and not edited go before it, no more of
 * them than it takes to have some room again. Null: there is none.
 */
export function madeToFit(
  collection: Collection,
  wish: {
    readonly edits: readonly Edit[];
    readonly outlived?: readonly Id[];
    readonly expendable: readonly Id[];
    readonly spare?: number;
    readonly commits: readonly string[];
  },
): Fitting | null {
  const { edits, outlived = [], expendable, spare = 0, commits } = wish;
  const room = itemOctetsMax - spare;
  const edit = new Set(edits.map(({ id }) => id));
  let without = gone(
    collection,
    outlived.filter((id) => !edit.has(id)),
  );
  const left = expendable.filter((id) => !edit.has(id) && without.records.has(id));
  for (;;) {
    const next = edited(without, edits);
    const { bytes, characters } = packCommit({ commits, collection: next });
    const size = Math.max(bytes.length, characters / charactersPerOctet);
    if (size <= room) return { without, next, bytes };
    if (left.length === 0) return null;
    // As if all of them could be deflated alike; if it was not enough, it is tried again.
    const surplus = characters * (1 - (room * (1 - freeAfterwards)) / size);
    const going: Id[] = [];
    for (let taken = 0; taken < surplus && left.length > 0; ) {
      const id = left.shift() as Id;
      taken += JSON.stringify(without.records.get(id)).length;
      going.push(id);
    }
    without = gone(without, going);
  }
}

function gone(collection: Collection, ids: readonly Id[]): Collection {
  if (ids.length === 0) return collection;
  return edited(
    collection,
    ids.map((id) => ({ id, value: null })),
  );
}
