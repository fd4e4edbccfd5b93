import type { Id } from '../../jmap/scalars.ts';
import type { Row } from '../email.ts';
import type { MailboxEntry } from '../mailbox.ts';
import { type Logged, logShapes } from './log.ts';
import { emailShape, type inKey, threadShape } from './lookups.ts';
import { mailboxShape } from './mailboxes.ts';
import { rowShape } from './rows.ts';
import type { Shape } from './shape.ts';
import { emptyTable, type Table } from './table.ts';

/** Key and value of each of an account's tables. */
export type Contents = {
  mailboxes: [number, MailboxEntry];
  rows: [number, Row];
  emails: [string, readonly number[]];
  threads: [string, Id | typeof inKey];
  Email: [number, Logged];
  Thread: [number, Logged];
  Mailbox: [number, Logged];
};

export type TableName = keyof Contents;

/** An account's tables: two look-up runs, rows, mailboxes, and the change log of each type. */
export type Tables = { readonly [Name in TableName]: Table<Contents[Name][0], Contents[Name][1]> };

export const shapes: { readonly [Name in TableName]: Shape<Contents[Name][0], Contents[Name][1]> } = {
  mailboxes: mailboxShape,
  rows: rowShape,
  emails: emailShape,
  threads: threadShape,
  ...logShapes,
};

/** What stays until it is changed; the change log is forgotten in time. */
export const lastingTables = ['mailboxes', 'rows', 'emails', 'threads'] as const satisfies readonly TableName[];
/** In the order in which the head holds them. */
export const tableNames = [...lastingTables, 'Email', 'Thread', 'Mailbox'] as const satisfies readonly TableName[];

export const emptyTables: Tables = {
  mailboxes: emptyTable,
  rows: emptyTable,
  emails: emptyTable,
  threads: emptyTable,
  Email: emptyTable,
  Thread: emptyTable,
  Mailbox: emptyTable,
};
