import type { Id } from '../jmap/scalars.ts';
import type { MailboxKey } from './email.ts';
import type { Role } from './roles.ts';

/** What a mailbox's EXAMINE or STATUS said when its rows were last read. A delta is valid only against the vector it was read from. */
export type MailboxVector = {
  readonly uidValidity: number;
  readonly uidNext: number;
  /** A decimal string (63 bits); null under NOMODSEQ or without CONDSTORE. */
  readonly highestModseq: string | null;
  /** EXISTS: rows including `\Deleted` ones. */
  readonly messages: number;
};

/** The four counts of RFC 8621 §2: Emails and Threads, not rows. */
export type MailboxCounts = {
  readonly totalEmails: number;
  readonly unreadEmails: number;
  readonly totalThreads: number;
  readonly unreadThreads: number;
};

/** What is kept of a mailbox because IMAP has no place for it; null: nothing was said, so it follows from the mailbox itself. */
export type KeptFacts = {
  readonly sortOrder: number | null;
  /** `none`: it has no role, whatever its attributes and its name. */
  readonly role: Role | 'none' | null;
};

/** Everything that is kept of mailboxes, by id: also of such as are no more. */
export type CanTellKept = () => Promise<ReadonlyMap<Id, KeptFacts>>;

/** A mailbox as the catalog knows it. */
export type MailboxEntry = {
  readonly key: MailboxKey;
  readonly id: Id;
  /** Full name on the server, decoded to Unicode, with the server's delimiter. */
  readonly name: string;
  readonly delimiter: string | null;
  /** false for `\Noselect` and `\NonExistent` nodes: they have no vector and no rows. */
  readonly selectable: boolean;
  /** LIST attributes, lower case with the backslash, sorted: `\sent`, `\noinferiors` … */
  readonly attributes: readonly string[];
  readonly subscribed: boolean;
  /** MAILBOXID (RFC 8474) where the server gives one. */
  readonly serverId: string | null;
  /** null until the mailbox was indexed (provisional epoch), and for unselectable nodes. */
  readonly vector: MailboxVector | null;
  /** While `vector` is null: how far the first indexing has come (rows below this `uidNext` are in, `messages` of them; 1: none yet). Else null. */
  readonly progress: MailboxVector | null;
  readonly counts: MailboxCounts;
  /** MYRIGHTS letters and when they were read (seconds since the epoch); null when never asked or without ACL. */
  readonly rights: { readonly letters: string; readonly readAt: number } | null;
  /** When every flag of the mailbox was last read in full (seconds); matters without mod-sequences only. */
  readonly flagsReadAt: number;
  /** null: nothing is kept of it. */
  readonly kept: KeptFacts | null;
};
