import type { ChangingType, IdentityScheme } from '../view.ts';
import { type ByteReader, type ByteWriter, createByteWriter, pack, unpack } from './packing.ts';
import { readRefs, writeRefs } from './references.ts';
import type { Key, Shape } from './shape.ts';
import { ascending, type Buffered, type Table } from './table.ts';
import { type Contents, shapes, type TableName, type Tables, tableNames } from './tables.ts';

/** The one item of an account that is ever overwritten: facts, the tops of all tables, and the newest changes. */
export type Head = {
  readonly epoch: string;
  readonly version: number;
  /** Random, of the commit that wrote this head: tells one's own write from another's when its answer was lost. */
  readonly commitId: string;
  readonly scheme: IdentityScheme;
  readonly threads: 'server' | 'derived';
  /** Seconds since the epoch. */
  readonly committedAt: number;
  readonly versions: Readonly<Record<ChangingType, number>>;
  readonly oldestVersions: Readonly<Record<ChangingType, number>>;
  /** Selectable mailboxes that were never indexed. */
  readonly unindexed: number;
  readonly tables: Tables;
};

/** What is read of a head: `foreign` was written in another layout, of which only the version is known. */
export type ReadHead =
  | { readonly kind: 'head'; readonly head: Head }
  | { readonly kind: 'foreign'; readonly version: number };

/** The layout of heads and blocks; a head of another one counts as none, and the account is indexed anew. */
const layout = 3;

export const changingTypes = ['Email', 'Thread', 'Mailbox'] as const satisfies readonly ChangingType[];

/** The layout and the version stand before the deflated rest: one byte and six. */
const prefixBytes = 7;

export function packHead(head: Head): Uint8Array {
  const prefix = Buffer.alloc(prefixBytes);
  prefix.writeUInt8(layout);
  prefix.writeUIntBE(head.version, 1, 6);
  const rest = pack((writer) => {
    for (const text of [head.epoch, head.commitId, head.scheme, head.threads]) writer.text(text);
    writer.number(head.committedAt);
    writer.number(head.unindexed);
    for (const type of changingTypes) {
      writer.number(head.versions[type]);
      writer.number(head.oldestVersions[type]);
    }
    for (const name of tableNames) writer.written(writtenTable(name, head.tables));
  }, 'plain');
  return Buffer.concat([prefix, rest]);
}

export function unpackHead(bytes: Uint8Array): ReadHead {
  const prefix = Buffer.from(bytes.buffer, bytes.byteOffset, prefixBytes);
  const version = prefix.readUIntBE(1, 6);
  if (prefix.readUInt8() !== layout) return { kind: 'foreign', version };

  // What changed is in several tables: plain, its ids are deflated to one.
  const reader = unpack(bytes.subarray(prefixBytes), 'plain');
  const [epoch, commitId, scheme, threads] = [reader.text(), reader.text(), reader.text(), reader.text()];
  const committedAt = reader.number();
  const unindexed = reader.number();
  const versions = { Email: 0, Thread: 0, Mailbox: 0 };
  const oldestVersions = { Email: 0, Thread: 0, Mailbox: 0 };
  for (const type of changingTypes) {
    versions[type] = reader.number();
    oldestVersions[type] = reader.number();
  }
  const read = <Name extends TableName>(name: Name) =>
    readTable<Contents[Name][0], Contents[Name][1]>(reader, shapes[name]);
  const tables = Object.fromEntries(tableNames.map((name) => [name, read(name)])) as Tables;
  const facts = { scheme: scheme as IdentityScheme, threads: threads as Head['threads'] };
  return {
    kind: 'head',
    head: { epoch, version, commitId, ...facts, committedAt, versions, oldestVersions, unindexed, tables },
  };
}

/** Tables as they were written, by name (empty ones are all the same object): a commit changes a few of them. */
const tablesWritten = new Map(tableNames.map((name) => [name, new WeakMap<object, Uint8Array>()]));

function writtenTable(name: TableName, tables: Tables): Uint8Array {
  const written = tablesWritten.get(name);
  const known = written?.get(tables[name]);
  if (known !== undefined) return known;
  const writer = createByteWriter();
  writeTable(writer, name, tables);
  const bytes = Buffer.from(writer.bytes());
  written?.set(tables[name], bytes);
  return bytes;
}

/** A table's root, then its buffered entries, then its buffered removals. */
function writeTable<Name extends TableName>(writer: ByteWriter, name: Name, tables: Tables): void {
  type K = Contents[Name][0];
  type V = Contents[Name][1];
  const shape: Shape<K, V> = shapes[name];
  const { root, buffer }: Table<K, V> = tables[name];
  writer.number(root.depth);
  writeRefs(writer, shape, root.refs);

  const keys = [...buffer.keys()].sort(ascending);
  const put = keys.flatMap((key) => {
    const { value, inTree } = buffer.get(key) as Buffered<V>;
    return value === null ? [] : [{ key, value, inTree }];
  });
  const removed = keys.filter((key) => buffer.get(key)?.value === null);
  writer.number(put.length);
  shape.writeKeys(
    writer,
    put.map(({ key }) => key),
  );
  for (const { inTree } of put) writer.number(inTree ? 1 : 0);
  shape.writeValues(
    writer,
    put.map(({ value }) => value),
  );
  writer.number(removed.length);
  shape.writeKeys(writer, removed);
}

function readTable<K extends Key, V>(reader: ByteReader, shape: Shape<K, V>): Table<K, V> {
  const root = { depth: reader.number(), refs: readRefs(reader, shape) };
  const keys = shape.readKeys(reader, reader.number());
  const inTree = keys.map(() => reader.number() === 1);
  const values = shape.readValues(reader, keys);
  const removed = shape.readKeys(reader, reader.number());
  const buffer = new Map<K, Buffered<V>>();
  keys.forEach((key, i) => {
    buffer.set(key, { value: values[i] as V, inTree: inTree[i] === true });
  });
  for (const key of removed) buffer.set(key, { value: null, inTree: true });
  return { root, buffer };
}
