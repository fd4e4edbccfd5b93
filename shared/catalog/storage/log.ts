import type { Id } from '../../jmap/scalars.ts';
import type { ChangingType, LogEntry, VersionedEntry } from '../view.ts';
import { logLeafBytesMax } from './limits.ts';
import type { ByteReader, ByteWriter } from './packing.ts';
import { numberKeys, type Shape } from './shape.ts';

/** An entry of the change log, and when it was committed (seconds since the epoch). */
export type Logged = { readonly entry: VersionedEntry; readonly at: number };

/** The change log of each type by version. */
export const logShapes: { readonly [Type in ChangingType]: Shape<number, Logged> } = {
  Email: logShape('Email', {
    write: (writer, entries) => {
      writer.texts(entries.map((entry) => entry.threadId));
      for (const entry of entries) writer.text(`[[${entry.before.join()}],[${entry.after.join()}]]`);
    },
    read: (reader, ids) => {
      const threadIds = reader.texts(ids.length) as Id[];
      return ids.map((id, i) => {
        const [before, after] = JSON.parse(reader.text()) as [number[], number[]];
        return { type: 'Email', id, threadId: threadIds[i] as Id, before, after };
      });
    },
  }),
  Thread: logShape('Thread', {
    write: (writer, entries) => {
      for (const { existedBefore, existsAfter } of entries) writer.number(bits(existedBefore, existsAfter));
    },
    read: (reader, ids) =>
      ids.map((id) => {
        const flags = reader.number();
        return { type: 'Thread', id, existedBefore: (flags & 1) !== 0, existsAfter: (flags & 2) !== 0 };
      }),
  }),
  Mailbox: logShape('Mailbox', {
    write: (writer, entries) => {
      for (const { existedBefore, existsAfter, countsOnly } of entries)
        writer.number(bits(existedBefore, existsAfter, countsOnly));
    },
    read: (reader, ids) =>
      ids.map((id) => {
        const flags = reader.number();
        return {
          type: 'Mailbox',
          id,
          existedBefore: (flags & 1) !== 0,
          existsAfter: (flags & 2) !== 0,
          countsOnly: (flags & 4) !== 0,
        };
      }),
  }),
};

type EntryOf<Type extends ChangingType> = Extract<LogEntry, { type: Type }>;

function logShape<Type extends ChangingType>(
  type: Type,
  fields: {
    /** What an entry has beside its id. */
    readonly write: (writer: ByteWriter, entries: readonly EntryOf<Type>[]) => void;
    readonly read: (reader: ByteReader, ids: readonly Id[]) => EntryOf<Type>[];
  },
): Shape<number, Logged> {
  return {
    leafBytesMax: logLeafBytesMax,
    entryBytes: 26,
    memoryBytes: 260,
    groupOf: () => 0,
    appends: true,
    dateOf: ({ at }) => at,
    ...numberKeys,
    writeValues: (writer, values) => {
      let before = 0;
      for (const { at } of values) {
        writer.signed(at - before);
        before = at;
      }
      writer.texts(values.map(({ entry }) => entry.id));
      fields.write(
        writer,
        values.map(({ entry }) => entry as VersionedEntry & EntryOf<Type>),
      );
    },
    readValues: (reader, versions) => {
      let at = 0;
      const dates = versions.map(() => {
        at += reader.signed();
        return at;
      });
      const ids = reader.texts(versions.length) as Id[];
      return fields.read(reader, ids).map((entry, i): Logged => {
        if (entry.type !== type) throw new Error(`a log of ${type} holds "${entry.type}"`);
        return { entry: { ...entry, version: versions[i] as number }, at: dates[i] as number };
      });
    },
  };
}

function bits(...flags: readonly boolean[]): number {
  return flags.reduce((sum, flag, i) => sum + (flag ? 2 ** i : 0), 0);
}
