import type { MailboxEntry } from '../mailbox.ts';
import { mailboxLeafBytesMax } from './limits.ts';
import { numberKeys, type Shape } from './shape.ts';

/** Everything but the key; a field that is missing here does not compile. */
const isField: { readonly [Field in Exclude<keyof MailboxEntry, 'key'>]: true } = {
  id: true,
  name: true,
  delimiter: true,
  selectable: true,
  attributes: true,
  subscribed: true,
  serverId: true,
  vector: true,
  progress: true,
  counts: true,
  rights: true,
  flagsReadAt: true,
  kept: true,
};
/** In the order of the packed columns. */
const fields = Object.keys(isField) as (keyof typeof isField)[];

/** The mailbox table by mailbox key. */
export const mailboxShape: Shape<number, MailboxEntry> = {
  leafBytesMax: mailboxLeafBytesMax,
  entryBytes: 90,
  memoryBytes: 900,
  groupOf: () => 0,
  appends: true,
  dateOf: () => 0,
  ...numberKeys,
  writeValues: (writer, entries) => {
    const columns = fields.map((field) => entries.map((entry) => entry[field]));
    writer.text(JSON.stringify(columns));
  },
  readValues: (reader, keys) => {
    const columns = JSON.parse(reader.text()) as unknown[][];
    const entryAt = (key: number, i: number) => [
      ['key', key],
      ...fields.map((field, column) => [field, columns[column]?.[i]]),
    ];
    return keys.map((key, i) => Object.fromEntries(entryAt(key, i)) as MailboxEntry);
  },
};
