import type { Id } from '../jmap/scalars.ts';

/** A small integer that names a mailbox inside packed blocks; given at first sight, never reused within an epoch. */
export type MailboxKey = number;

/** One copy of an Email: a message in a mailbox of the server. */
export type EmailRow = {
  readonly mailbox: MailboxKey;
  readonly uid: number;
  /** JMAP keywords (RFC 8621 §4.1.1): lower case, sorted, without `\Deleted` and `\Recent`. */
  readonly keywords: readonly string[];
  /** Flagged `\Deleted`: the row is counted by the server, but does not exist for JMAP. */
  readonly deleted: boolean;
};

/** An Email is a set of rows of equal content. It exists for JMAP while one of them is not `deleted`. */
export type Email = {
  readonly id: Id;
  readonly threadId: Id;
  /** The earliest INTERNALDATE at first sight, in seconds since the epoch. */
  readonly receivedAt: number;
  /** RFC822.SIZE in octets. */
  readonly size: number;
  /** null until BODYSTRUCTURE was looked at. */
  readonly hasAttachment: boolean | null;
  /** Sorted by (mailbox, uid); never empty. */
  readonly rows: readonly EmailRow[];
};

/** What rows have in common with many others. */
export type RowMarks = Pick<Row, 'keywords' | 'deleted' | 'shared' | 'hasAttachment'>;

/** One row as a mailbox's block holds it: what a query over that mailbox needs, without a look-up. */
export type Row = {
  readonly uid: number;
  readonly emailId: Id;
  readonly threadId: Id;
  readonly receivedAt: number;
  readonly size: number;
  readonly hasAttachment: boolean | null;
  readonly keywords: readonly string[];
  readonly deleted: boolean;
  /** The Email has other rows too: its merged keywords and mailboxIds need `CatalogView.emails`. */
  readonly shared: boolean;
};
