import type { MailboxEntry } from '../mailbox.ts';
import { mailboxLeafBytesMax } from './limits.ts';
import { numberKeys, type Shape } from './shape.ts';

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
    const columns = entryFields.map((field) => entries.map((entry) => entry[field]));
    writer.text(JSON.stringify(columns));
  },
  readValues: (reader, keys) => {
    const columns = JSON.parse(reader.text()) as unknown[][];
    return keys.map((key, i) => Object.fromEntries([['key', key], ...entryFields.map((field, column) => [field, columns[column]?.[i]])]) as MailboxEntry);
  },
};

/** Everything but the key, in the order of the packed columns. */
const entryFields = [
  'id',
  'name',
  'delimiter',
  'selectable',
  'attributes',
  'subscribed',
  'serverId',
  'vector',
  'counts',
  'rights',
  'flagsReadAt',
] as const satisfies readonly Exclude<keyof MailboxEntry, 'key'>[];
