import type { Id } from '../../jmap/scalars.ts';
import type { Email, MailboxKey, Row } from '../email.ts';
import { keywordsOf } from '../keywords.ts';

/** An Email as a query meets it: by one of its rows, or whole. */
export type Candidate = {
  readonly id: Id;
  readonly threadId: Id;
  /** Seconds since the epoch. */
  readonly receivedAt: number;
  readonly size: number;
  /** null: not looked at yet. */
  readonly hasAttachment: boolean | null;
  /** false: `places` lacks other rows of this Email, and `keywords` are those of one row only. */
  readonly whole: boolean;
  readonly keywords: readonly string[];
  /** Rows that exist for JMAP; never empty. */
  readonly places: readonly { readonly mailbox: MailboxKey; readonly uid: number }[];
};

/** The Email that a row of a mailbox belongs to; undefined when the row does not exist for JMAP. */
export function candidateAt(mailbox: MailboxKey, row: Row): Candidate | undefined {
  if (row.deleted) return undefined;
  return {
    id: row.emailId,
    threadId: row.threadId,
    receivedAt: row.receivedAt,
    size: row.size,
    hasAttachment: row.hasAttachment,
    whole: !row.shared,
    keywords: row.keywords,
    places: [{ mailbox, uid: row.uid }],
  };
}

/** The whole Email; undefined when it does not exist for JMAP. */
export function candidateOf(email: Email): Candidate | undefined {
  const places = email.rows.filter((row) => !row.deleted);
  if (places.length === 0) return undefined;
  const { id, threadId, receivedAt, size, hasAttachment } = email;
  return { id, threadId, receivedAt, size, hasAttachment, whole: true, keywords: keywordsOf(email), places };
}
