import type { CatalogStore, Surroundings } from '../store.ts';
import type { Catalog, CatalogEdit, CatalogView, CommitOutcome, Filling } from '../view.ts';
import type { BlockCache } from './block-cache.ts';
import { createBlockReader } from './blocks.ts';
import { type PackedHead, placeHead, prepareCommit } from './commit.ts';
import { type Head, type ReadHead, unpackHead } from './head.ts';
import { type Load, loadOf } from './loaded-tables.ts';
import { emptyTables } from './tables.ts';
import { openView } from './view.ts';

/** A head in memory is so many times as large as its bytes, about. */
const headMemoryFactor = 20;

/**
 * Opens one account's catalog on a store. `cache` is shared by all accounts of the process.
 * Views read blocks as they need them: their methods, and `commit`, throw `BlockLost` when one is gone, `Unavailable` when
 * the store does not answer.
 */
export function openCatalog({
  store,
  account,
  surroundings,
  cache,
}: {
  store: CatalogStore;
  account: string;
  surroundings: Surroundings;
  cache: BlockCache;
}): Catalog {
  const blocks = createBlockReader({ store, account, cache });
  const storage = { store, account, surroundings, blocks };
  const heads = new WeakMap<CatalogView, Head>();
  /** Version of a head in a layout that cannot be read, found by the last `open`: `create` replaces it. */
  let foreignVersion: number | null = null;

  /** The head that this process read or wrote last is not unpacked again. No key of a block has a space in it. */
  const headKey = `${account} the head`;
  const remember = (packed: PackedHead): void => {
    cache.set(headKey, { value: packed, bytes: packed.bytes.length * headMemoryFactor });
  };
  const read = (bytes: Uint8Array): ReadHead => {
    const known = cache.get(headKey)?.value as PackedHead | undefined;
    if (known !== undefined && Buffer.compare(known.bytes, bytes) === 0) return { kind: 'head', head: known.head };
    const unpacked = unpackHead(bytes);
    if (unpacked.kind === 'head') remember({ head: unpacked.head, bytes });
    return unpacked;
  };

  const viewOf = (head: Head): CatalogView => {
    const view = openView(head, blocks);
    heads.set(view, head);
    return view;
  };
  const advance = async (
    base: Head,
    edit: CatalogEdit,
    expectedVersion: number | null,
    loaded: Load | null = null,
  ): Promise<CommitOutcome> => {
    const packed = await prepareCommit(storage, base, edit, loaded);
    if (!(await placeHead(storage, packed, expectedVersion))) return { kind: 'conflict' };
    remember(packed);
    return { kind: 'committed', view: viewOf(packed.head) };
  };

  return {
    open: async () => {
      const stored = await store.readHead(account);
      const found = stored === null ? null : read(stored);
      foreignVersion = found?.kind === 'foreign' ? found.version : null;
      return found?.kind === 'head' ? viewOf(found.head) : null;
    },
    create: (facts, edit, replaces) => {
      const replacedVersion = replaces?.version ?? foreignVersion;
      const none = { Email: 0, Thread: 0, Mailbox: 0 };
      // A table that was lost must not let a writer who still holds an old version pass for one who holds a new one.
      const version = replacedVersion ?? Math.floor(surroundings.now() / 1000);
      const base: Head = {
        ...facts,
        epoch: surroundings.randomKey(),
        version,
        commitId: '',
        committedAt: 0,
        versions: none,
        oldestVersions: none,
        unindexed: 0,
        tables: emptyTables,
      };
      return advance(base, edit, replacedVersion);
    },
    commit: async (view, edit) => {
      const base = heads.get(view);
      if (base === undefined) throw new Error('a commit must start from a view of the same catalog');
      return advance(base, edit, base.version);
    },
    fill: async (view, filling) => {
      const base = heads.get(view);
      if (base === undefined) throw new Error('a catalog is filled from a view of itself');
      return advance(base, mailboxesOnly(filling), base.version, loadOf(filling));
    },
  };
}

function mailboxesOnly({ mailboxes }: Filling): CatalogEdit {
  return { mailboxes, emails: new Map(), threads: new Map(), messageIds: new Map(), log: [], newEpoch: true };
}
