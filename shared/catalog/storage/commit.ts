import { Unavailable } from '../../jmap/errors.ts';
import type { MailboxEntry } from '../mailbox.ts';
import type { CatalogStore, Surroundings } from '../store.ts';
import type { CatalogEdit } from '../view.ts';
import { type BlockReader, createBlockWriter, secondsPerDay } from './blocks.ts';
import { changesOf } from './edit.ts';
import { changingTypes, type Head, packHead, unpackHead } from './head.ts';
import { blockLifeDays, bufferedChangesMax, headBytesMax, headBytesTarget, headBytesTolerated } from './limits.ts';
import { load } from './load.ts';
import type { Load, LoadedTable } from './loaded-tables.ts';
import { prunedLog } from './log-retention.ts';
import { type Merging, merge, noRenewal } from './merge.ts';
import { firstExpiry, renewalFor } from './renewal.ts';
import type { Rewriting } from './repack.ts';
import type { Key } from './shape.ts';
import { buffered, emptyTable, merged, partlyFlushed, type Table, type TableChange, valuesOf } from './table.ts';
import { type Contents, lastingTables, shapes, type TableName, type Tables, tableNames } from './tables.ts';

/** Where one account's catalog is kept. */
export type Storage = {
  readonly store: CatalogStore;
  readonly account: string;
  readonly surroundings: Surroundings;
  readonly blocks: BlockReader;
};

/** A head, and the bytes it is packed into. */
export type PackedHead = { readonly head: Head; readonly bytes: Uint8Array };

/**
 * The head that follows `base` by an edit, and by a load if there is one. Its blocks are written, the head itself is not. Throws
 * `BlockLost`.
 */
export async function prepareCommit(
  storage: Storage,
  base: Head,
  edit: CatalogEdit,
  loaded: Load | null = null,
): Promise<PackedHead> {
  const { store, account, surroundings, blocks } = storage;
  const committedAt = Math.floor(surroundings.now() / 1000);
  const today = Math.floor(committedAt / secondsPerDay);
  const commitId = surroundings.randomKey();
  // What is loaded is not decoded here, and will be read by the same process first.
  const onPut = loaded === null ? {} : { onPut: blocks.rememberPacked };
  const writer = createBlockWriter({ store, account, prefix: commitId, today, ...onPut });

  const unindexed = base.unindexed + (await addedUnindexed(storage, base, edit));
  const { changes, versions } = changesOf(edit, base.versions, committedAt);
  const renewal = renewalFor(base.tables, today, today - Math.floor(base.committedAt / secondsPerDay));
  const advance = <Name extends TableName>(name: Name, table: Table<Contents[Name][0], Contents[Name][1]>) =>
    advanced<Contents[Name][0], Contents[Name][1]>(
      { shape: shapes[name], blocks, writer, renewal },
      table,
      changes[name],
    );
  let tables = loaded === null ? base.tables : await loadedTables(base.tables, loaded, { blocks, writer });
  const oldestVersions = { ...base.oldestVersions };
  for (const name of lastingTables) tables = { ...tables, [name]: await advance(name, tables[name]) };
  for (const type of changingTypes) {
    const told = { oldest: base.oldestVersions[type], newest: base.versions[type] };
    const { log, oldestVersion } = edit.newEpoch
      ? { log: emptyTable, oldestVersion: versions[type] }
      : await prunedLog({ shape: shapes[type], blocks, writer }, tables[type], told, committedAt);
    tables = { ...tables, [type]: await advance(type, log) };
    oldestVersions[type] = oldestVersion;
  }

  const epoch = edit.newEpoch ? surroundings.randomKey() : base.epoch;
  const version = base.version + 1;
  const facts = { ...base, epoch, version, commitId, committedAt, unindexed, versions, oldestVersions };
  for (let bytesMax = headBytesTarget; ; bytesMax = headBytesTolerated) {
    const head: Head = { ...facts, tables };
    const bytes = packHead(head);
    const heaviest = bytes.length > bytesMax ? heaviestBuffer(tables) : null;
    if (heaviest === null) {
      await writer.finish();
      return { head, bytes };
    }
    tables = { ...tables, [heaviest]: await relieved(heaviest, tables, { blocks, writer, renewal: noRenewal }) };
  }
}

/**
 * Puts a head in its place. false: another writer was first. An answer that was lost, here or on a retry below us, is
 * settled by the commit id in the head that is stored now. Throws `Unavailable` when that cannot be read either.
 */
export async function placeHead(
  { store, account, surroundings }: Storage,
  { head, bytes }: PackedHead,
  expectedVersion: number | null,
): Promise<boolean> {
  if (bytes.length > headBytesMax) throw new Error(`a head of ${bytes.length} bytes is too large`);
  const today = Math.floor(surroundings.now() / 1000 / secondsPerDay);
  const expiresAt = (firstExpiry(head.tables) ?? today + blockLifeDays) * secondsPerDay;

  let lost: Unavailable | null = null;
  try {
    if (await store.writeHead(account, { version: head.version, bytes, expiresAt }, expectedVersion)) return true;
  } catch (error) {
    if (!(error instanceof Unavailable)) throw error;
    lost = error;
  }
  const stored = await store.readHead(account);
  const read = stored === null ? null : unpackHead(stored);
  if (read?.kind === 'head' && read.head.commitId === head.commitId) return true;
  if (lost !== null) throw lost;
  return false;
}

/** The tables with what is loaded into the empty ones. */
async function loadedTables(
  tables: Tables,
  loaded: Load,
  means: Omit<Rewriting<Key, unknown>, 'shape'>,
): Promise<Tables> {
  let filled = tables;
  const fill = async <Name extends keyof Load>(name: Name) => {
    const { root, buffer } = tables[name];
    if (root.refs.length > 0 || buffer.size > 0) throw new Error(`the table "${name}" is not empty`);
    const shape = shapes[name];
    filled = {
      ...filled,
      [name]: { root: await load({ ...means, shape }, loaded[name] as LoadedTable<Contents[Name][0]>), buffer },
    };
  };
  for (const name of Object.keys(loaded) as (keyof Load)[]) await fill(name);
  return filled;
}

/** A table after its changes, which are buffered unless they are many, and after some renewal. */
async function advanced<K extends Key, V>(
  merging: Merging<K, V>,
  table: Table<K, V>,
  changes: readonly TableChange<K, V>[],
): Promise<Table<K, V>> {
  if (table.buffer.size + changes.length > bufferedChangesMax) return merged(merging, table, changes);
  const isDue = table.root.refs.some((ref) => merging.renewal.isDue(ref.expires));
  return buffered(isDue ? { ...table, root: await merge(merging, table.root, []) } : table, changes);
}

/** A table with less in its buffer. */
function relieved<Name extends TableName>(name: Name, tables: Tables, means: Omit<Merging<Key, unknown>, 'shape'>) {
  return partlyFlushed<Contents[Name][0], Contents[Name][1]>({ ...means, shape: shapes[name] }, tables[name]);
}

/** The table whose buffer takes most of the head, about; null when all are empty. */
function heaviestBuffer(tables: Tables): TableName | null {
  const weight = (name: TableName): number => tables[name].buffer.size * shapes[name].entryBytes;
  const heaviest = tableNames.reduce<TableName>((a, b) => (weight(b) > weight(a) ? b : a), tableNames[0]);
  return weight(heaviest) === 0 ? null : heaviest;
}

/** By how many the edit raises the number of selectable mailboxes without an index. */
async function addedUnindexed({ blocks }: Storage, base: Head, edit: CatalogEdit): Promise<number> {
  const isUnindexed = (entry: MailboxEntry | null | undefined): boolean =>
    entry?.selectable === true && entry.vector === null;
  const before = await valuesOf({ shape: shapes.mailboxes, blocks }, base.tables.mailboxes, edit.mailboxes.keys());
  return [...edit.mailboxes].reduce(
    (sum, [key, after]) => sum + Number(isUnindexed(after)) - Number(isUnindexed(before.get(key))),
    0,
  );
}
