import type { Buffer } from 'node:buffer';
import { Unavailable } from '../jmap/errors.ts';
import type { MailboxVector } from './mailbox.ts';
import type { IdentityScheme } from './view.ts';

/** One mailbox as LIST and STATUS show it. */
export type SurveyedMailbox = {
  readonly name: string;
  readonly delimiter: string | null;
  readonly selectable: boolean;
  readonly attributes: readonly string[];
  readonly subscribed: boolean;
  /** STATUS; null for unselectable nodes and those that refuse STATUS. */
  readonly vector: MailboxVector | null;
};

/** Inclusive UID ranges, ascending, not touching each other. */
export type UidRanges = readonly (readonly [first: number, last: number])[];

/** A message not seen before in this mailbox, with what identity needs and no more. */
export type Appearance = {
  readonly uid: number;
  /** IMAP flags as the server spells them. */
  readonly flags: readonly string[];
  /** INTERNALDATE in seconds since the epoch. */
  readonly internalDate: number;
  /** RFC822.SIZE. */
  readonly size: number;
  /** EMAILID, X-GM-MSGID or X-GUID, as the scheme says; null under `digest`. */
  readonly serverEmailId: string | null;
  /** THREADID or X-GM-THRID; null → derived. */
  readonly serverThreadId: string | null;
  /** Raw unfolded header values; empty where absent. Read when threads are derived or the scheme is `digest`. */
  readonly messageId: string;
  readonly references: string;
  readonly inReplyTo: string;
  /** Only under `digest`: unfolded DATE and FROM, and the first 512 octets of the RECEIVED fields (latin1). */
  readonly digestFields: { readonly date: string; readonly from: string; readonly received: string } | null;
};

/** Messages in UID order. */
export type Appearances = Iterable<Appearance> & {
  readonly length: number;
  readonly at: (place: number) => Appearance | undefined;
  /** The same, where they were read into columns. */
  readonly columns?: AppearanceColumns;
};

/**
 * Messages in columns, their texts as the octets that came: the first index of an account reads hundreds of thousands of them, and would
 * throw away all the objects and strings that they were.
 */
export type AppearanceColumns = {
  /** The row that is at this place of the list. */
  readonly rowAt: (place: number) => number;
  /** Whether all is in the columns; else the message is only in the list. */
  readonly isRow: (row: number) => boolean;
  readonly uids: readonly number[];
  /** INTERNALDATE. */
  readonly dates: readonly number[];
  readonly sizes: readonly number[];
  readonly flags: readonly (readonly string[])[];
  /** All texts, one after the other, in ASCII. Those that are header fields are folded, and may have spaces around them. */
  readonly octets: Buffer;
  /** Where each text ends, those of `rowTexts` for each row, behind a zero for the first one to start at. An empty one is none. */
  readonly ends: readonly number[];
};

/** The texts of a row, in their order. */
export const rowTexts = [
  ...(['serverEmailId', 'serverThreadId'] as const),
  ...(['messageId', 'references', 'inReplyTo', 'date', 'from', 'received'] as const),
] as const;
export type RowText = (typeof rowTexts)[number];

/** What is known of a mailbox before it is read again. */
export type KnownMailbox = {
  readonly vector: MailboxVector;
  /** All known UIDs with their IMAP-side flags; read only by the tiers that must compare. */
  readonly uids: () => Promise<readonly number[]>;
};

/**
 * One reading of one mailbox, by EXAMINE and what follows it. The fields arrive in this order; `appeared` is read to its end
 * before another method of the source is called.
 */
export type MailboxReading = {
  readonly vector: MailboxVector;
  /** MAILBOXID as the answer to this EXAMINE names it (RFC 8474 §4.2); absent where it does not. */
  readonly mailboxId?: string;
  /**
   * `delta`: relative to the known vector (QRESYNC, or CONDSTORE with a UID comparison).
   * `full`: the UIDs that exist now; every known UID outside is gone, and `flags` names every known UID that exists.
   * `renewed`: UIDVALIDITY differs; nothing known holds, everything appears.
   */
  readonly kind: 'delta' | 'full' | 'renewed';
  /** For `delta`: UIDs reported gone (may name UIDs that were never known). */
  readonly vanished: UidRanges;
  /** For `full`: UIDs present. */
  readonly present: UidRanges;
  /** Known UIDs with their flags now: changed ones (`delta`) or all (`full`). */
  readonly flags: readonly { readonly uid: number; readonly flags: readonly string[] }[];
  /** Messages below `vector.uidNext` that were not known, in UID order, in batches, each to be read before the next one is asked for. May be returned from early when time is up. */
  readonly appeared: AsyncIterable<Appearances>;
};

/** A mailbox that will probably be opened next, for reading or to be changed, and what is known of it. */
export type Foreseen = { readonly name: string; readonly vector: MailboxVector; readonly forChanges: boolean };

/** What the catalog asks of the mail server. Filled by shared/imap; one authenticated connection, one command at a time. */
export type MailSource = {
  /** The best scheme the server offers and the operator allows. */
  readonly scheme: () => Promise<{ scheme: IdentityScheme; threads: 'server' | 'derived' }>;
  /**
   * LIST … RETURN (SPECIAL-USE SUBSCRIBED STATUS (…)): every mailbox of the personal namespace. `foreseen`, which never rejects, may be opened
   * in the same flight; null: none is.
   */
  readonly survey: (foreseen?: Promise<Foreseen | null>) => Promise<readonly SurveyedMailbox[]>;
  /** MAILBOXID of the given mailboxes (RFC 8474), asked for alone; null without OBJECTID. */
  readonly mailboxIds: (names: readonly string[]) => Promise<ReadonlyMap<string, string> | null>;
  /** Brings one mailbox's changes since `known`, or all of it; `told`: what the survey said of it, which may be otherwise by now; few messages are then asked for without waiting for what the EXAMINE tells. Throws `MailboxGone` when it cannot be opened, or `MailboxUnseen`. */
  readonly read: (
    name: string,
    known: KnownMailbox | null,
    facts: { scheme: IdentityScheme; threads: 'server' | 'derived' },
    told?: MailboxVector | null,
  ) => Promise<MailboxReading>;
  /**
   * Reads several mailboxes of few messages that were never read, without waiting for one after the other: by name, those that are as they
   * were `told` to be. Of the others `read` will tell what they are.
   */
  readonly readTogether: (
    mailboxes: readonly { readonly name: string; readonly told: MailboxVector }[],
    facts: { scheme: IdentityScheme; threads: 'server' | 'derived' },
  ) => Promise<ReadonlyMap<string, MailboxReading>>;
  /** UIDs that exist now (UID SEARCH ALL after NOOP) in the mailbox read last: settles counts that disagree and mass disappearance. */
  readonly presentUids: (name: string) => Promise<UidRanges>;
  /** MYRIGHTS letters per name; null where the server has no ACL. */
  readonly rights: (names: readonly string[]) => Promise<ReadonlyMap<string, string> | null>;
};

/** The mailbox could not be opened: deleted or renamed since the survey. */
export class MailboxGone extends Error {
  override readonly name = 'MailboxGone';
}

/**
 * The mail server lists the mailbox and says, on a connection that knows nothing else of it, that it is not there any more. What becomes of it is
 * not known; least of all that what is in it is gone.
 */
export class MailboxUnseen extends Unavailable {}

/** The mail server cannot look for such texts: never, or, where that has a `cause`, not now. */
export class CannotSearch extends Error {
  override readonly name = 'CannotSearch';
}

/** More was asked of the mail server at once than can be held in memory: fewer messages get through. */
export class TooMuchAtOnce extends Unavailable {}
