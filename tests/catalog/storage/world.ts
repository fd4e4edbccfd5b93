import { createBlockCache } from '../../../shared/catalog/storage/block-cache.ts';
import { createMemoryStore, type MemoryStore } from '../../../shared/catalog/storage/memory-store.ts';
import { openCatalog } from '../../../shared/catalog/storage/open.ts';
import type { CatalogStore } from '../../../shared/catalog/store.ts';
import type { Catalog, CatalogEdit, CatalogView, CommitOutcome } from '../../../shared/catalog/view.ts';
import { createRandom } from './random.ts';

/** A store, a clock that stands until it is moved, and processes that begin with an empty cache. */
export type World = {
  readonly store: MemoryStore;
  /** A catalog as a process without any cached block sees it. */
  readonly freshProcess: (account?: string, over?: CatalogStore) => Catalog;
  readonly passDays: (days: number) => void;
  readonly nowSeconds: () => number;
};

export function createWorld(seed = 1): World {
  const random = createRandom(seed);
  let nowMs = Date.UTC(2025, 0, 15);
  const surroundings = { now: () => nowMs, randomKey: () => random.hash(13) };
  const store = createMemoryStore({ now: surroundings.now });
  return {
    store,
    freshProcess: (account = 'alice', over = store) =>
      openCatalog({ store: over, account, surroundings, cache: createBlockCache({ maxBytes: 200e6 }) }),
    passDays: (days) => {
      nowMs += days * 86_400_000;
    },
    nowSeconds: () => Math.floor(nowMs / 1000),
  };
}

export const noEdit: CatalogEdit = {
  mailboxes: new Map(),
  emails: new Map(),
  threads: new Map(),
  messageIds: new Map(),
  log: [],
  newEpoch: false,
};

export function committed(outcome: CommitOutcome): CatalogView {
  if (outcome.kind !== 'committed') throw new Error(`the commit ended as "${outcome.kind}"`);
  return outcome.view;
}

export async function opened(catalog: Catalog): Promise<CatalogView> {
  const view = await catalog.open();
  if (view === null) throw new Error('there is no catalog');
  return view;
}
