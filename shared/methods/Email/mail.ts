import type { Glimpse } from '../../catalog/own-changes.ts';
import type { Filter } from '../../jmap/standard/filter.ts';
import type { Part } from '../../message/part.ts';

/** Where one copy of a message lies on the server; read under exactly this UIDVALIDITY or not at all. */
export type Place = {
  /** Server name of the mailbox, decoded. */
  readonly mailbox: string;
  readonly uidValidity: number;
  readonly uid: number;
};

/** What is asked of each message; nothing else is fetched. */
export type MessageNeeds = {
  /** Lower-case field names, or all, or none. */
  readonly headers: 'none' | 'all' | readonly string[];
  readonly structure: boolean;
  readonly preview: boolean;
};

export type MessageFacts = {
  /** The raw header block, limited to the asked fields where not all were asked. */
  readonly headers?: Uint8Array;
  /** Root of the part tree. */
  readonly structure?: Part;
  /** PREVIEW (RFC 8970); absent where the server has none or answered NIL: then it is made from a part. */
  readonly preview?: string;
};

/** One section of one message, or some octets of it: '' = the whole message, '1.2' = a part's content, '1.2.HEADER', '1.2.MIME'. */
export type SectionRequest<P = Place> = {
  readonly place: P;
  readonly section: string;
  /** The first octet that is wanted; 0 if absent. */
  readonly from?: number;
  readonly maxOctets?: number;
};

/** Octets of a message or part as stored (not transfer-decoded), with the size where known. */
export type OpenedSection = { readonly octets: ReadableStream<Uint8Array>; readonly size: number | null };

/** Reading what is in messages. `P` says where each one is: on the mail server, unless it is at hand already. */
export type CanReadContents<P = Place> = {
  readonly read: (places: readonly P[], needs: MessageNeeds) => Promise<ReadonlyMap<P, MessageFacts>>;
  readonly readSections: (
    requests: readonly SectionRequest<P>[],
  ) => Promise<ReadonlyMap<SectionRequest<P>, Uint8Array>>;
};

/**
 * Reading messages: what Email/get, Email/query and downloads ask of the mail server. Places that are no longer there
 * (expunged, moved, UIDVALIDITY changed) are absent from the answers. One EXAMINE per mailbox, one FETCH per kind of need.
 */
export type CanReadMessages = CanReadContents & {
  /** null = not there any more. The stream holds the connection until it ends or is cancelled. */
  readonly open: (place: Place, section: string) => Promise<OpenedSection | null>;
};

/** URLs by which the submission server reads what lies on the mail server. */
export type CanGiveUrls = {
  /** Whether the mail server gives any (URLAUTH, RFC 4467). */
  readonly canGiveUrls: () => Promise<boolean>;
  /** The URL of a section, good until that time, in milliseconds; null: there is none. */
  readonly urlOf: (place: Place, section: string, expiresAtMs: number) => Promise<string | null>;
};

/** One text condition of Email/query (RFC 8621 §4.4.1) that only the server can answer. */
export type TextCondition =
  | { readonly kind: 'text' | 'from' | 'to' | 'cc' | 'bcc' | 'subject' | 'body'; readonly value: string }
  | { readonly kind: 'header'; readonly name: string; readonly value: string | null };

/** Text conditions, and how they go together: those of one FilterCondition must all be met. */
export type TextQuestion = Filter<readonly TextCondition[]>;

/** SEARCH: one EXAMINE and one command per question and mailbox at most. Searches that are asked for in the same turn share a flight. */
export type CanSearchMessages = {
  /**
   * For each question the UIDs of the mailbox that match it, ascending, below `uidNext`. Throws `Unavailable` when the server
   * cannot answer, and `CannotSearch` when it can, and does not search; null when the mailbox is not there under this UIDVALIDITY, or does not hold
   * all of the `messages` (null: as many as there are) below `uidNext` any more: of those that left, SEARCH knows nothing.
   */
  readonly search: (
    mailbox: { name: string; uidValidity: number; uidNext: number; messages: number | null },
    questions: readonly TextQuestion[],
  ) => Promise<readonly (readonly number[])[] | null>;
  /** UIDs in the ascending order of SORT (RFC 5256) where the server offers it and does it, else null. Equal keys go by `thenBy`. */
  readonly sort: (
    mailbox: { name: string; uidValidity: number; uidNext: number },
    key: 'from' | 'to' | 'subject' | 'sentAt',
    thenBy: readonly SortCriterion[],
  ) => Promise<readonly number[] | null>;
};

/** A further key of SORT; `receivedAt` is ARRIVAL. */
export type SortCriterion = {
  readonly key: 'from' | 'to' | 'subject' | 'sentAt' | 'receivedAt' | 'size';
  readonly isAscending: boolean;
};

/** Messages of one mailbox, by UIDs that hold under exactly this UIDVALIDITY. */
export type Messages = Omit<Place, 'uid'> & { readonly uids: readonly number[] };

/**
 * Why something could not be written. `gone`: the mailbox is not there under this UIDVALIDITY, or one of the messages is not.
 * `keyword`: the mailbox keeps no such keyword. `noTarget`: there is no mailbox to put it into. `lost`: there was no answer, and the
 * server may have done all of it, a part, or nothing.
 */
export type WriteFailure =
  | 'gone'
  | 'forbidden'
  | 'overQuota'
  | 'keyword'
  | 'tooManyKeywords'
  | 'tooLarge'
  | 'noTarget'
  | 'refused'
  | 'lost';

/** What became of a command that changes messages. */
export type Written<T> = {
  /** What the server itself told to be so now; what it did not tell has to be looked at. */
  readonly done: T;
  /** null: it accepted everything. */
  readonly failure: WriteFailure | null;
  /** Of the mailbox that the messages lie in. */
  readonly glimpses: readonly Glimpse[];
};

/**
 * Changing messages. Many messages are one command. Nothing is ever sent twice; `Unavailable` is thrown only where nothing was
 * sent at all.
 */
export type CanWriteMessages = {
  /** Adds or removes IMAP flags. `done`: the flags that a message has now, as the server spells them, by UID. */
  readonly flag: (
    messages: Messages,
    sign: 'add' | 'remove',
    flags: readonly string[],
  ) => Promise<Written<ReadonlyMap<number, readonly string[]>>>;
  /** Whether messages can be moved in one step, so that each is in one of the two mailboxes at any time. */
  readonly canMove: () => Promise<boolean>;
  /** Waits for a moment that is of another length each time, so that two who undo each other's work do not go on for ever. */
  readonly getOutOfStep: () => Promise<void>;
  /** Copies or moves messages into another mailbox. `done`: the UID that each has there, under the UIDVALIDITY of the target. */
  readonly transfer: (
    kind: 'copy' | 'move',
    messages: Messages,
    target: { readonly mailbox: string; readonly uidValidity: number },
  ) => Promise<Written<ReadonlyMap<number, number>>>;
  /**
   * Takes messages out of a mailbox, these and no others: where the server cannot expunge single messages, they stay there flagged
   * `\Deleted`, which JMAP does not see. `done`: the UIDs that are gone, or flagged so.
   *
   * A message that has `copies` goes only if one of them is there, and not flagged `\Deleted`, after the message itself was
   * flagged. So of two writers that each take away the copy which the other one wants to stay, at most one succeeds. What somebody else
   * has flagged is his, and left to him.
   */
  readonly remove: (messages: Messages, copies?: Copies) => Promise<Removed>;
};

/** Where else a message lies, by its UID. */
export type Copies = ReadonlyMap<number, readonly Place[]>;

export type Removed = Written<ReadonlySet<number>> & {
  /** What stays: it is flagged no more, because no copy of it was there, or somebody else has flagged it and may take it away. */
  readonly kept: ReadonlySet<number>;
};

/** A piece of a message that is to be put into a mailbox. */
export type AppendPiece =
  | { readonly kind: 'octets'; readonly octets: Uint8Array }
  /** A section of a message that lies on the server, taken from there as it is: only where `canTakeStored`. */
  | { readonly kind: 'stored'; readonly place: Place; readonly section: string }
  /** Octets from elsewhere, exactly `size` of them. `open` must not use the connection that appends. */
  | {
      readonly kind: 'stream';
      readonly size: number;
      readonly open: () => AsyncIterable<Uint8Array> | Promise<AsyncIterable<Uint8Array>>;
    };

/** A message that is to be put into a mailbox. */
export type NewMessage = {
  readonly mailbox: string;
  readonly uidValidity: number;
  /** IMAP flags. */
  readonly flags: readonly string[];
  /** INTERNALDATE, in seconds since the epoch. */
  readonly receivedAt: number;
  readonly pieces: readonly AppendPiece[];
};

/**
 * What became of a new message. `done`: where it is, in the mailbox that the server put it into, which is another one where the
 * UIDVALIDITY is; null where the server did not tell. `unread`: pieces could not be had as they were announced; nothing was
 * stored.
 */
export type Appended = {
  readonly done: { readonly uidValidity: number; readonly uid: number } | null;
  readonly failure: WriteFailure | 'unread' | null;
};

/** How a message that was appended can be known among others. */
export type Likeness = {
  /** The first Message-ID field, unfolded and without white space at its ends; '' where there is none. */
  readonly messageId: string;
  /** INTERNALDATE, in seconds since the epoch. */
  readonly receivedAt: number;
  /** Octets. Servers may tell others, so it counts only where there is no Message-ID, or where several messages have the same one. */
  readonly size: number;
};

/** Putting messages into mailboxes. Nothing is ever sent twice. */
export type CanAppendMessages = {
  /** Whether `stored` pieces can be taken (CATENATE, RFC 4469). */
  readonly canTakeStored: () => Promise<boolean>;
  /** Throws `Unavailable` only where nothing was stored. */
  readonly append: (message: NewMessage) => Promise<Appended>;
  /**
   * The UID, from `uidFrom` on, of the newest message in the mailbox that is like this. `gone`: the mailbox is not there under this
   * UIDVALIDITY. `mayCome`: a server that did not answer may be about to store it, so it is looked for again for a while.
   */
  readonly findLike: (
    mailbox: { readonly mailbox: string; readonly uidValidity: number; readonly uidFrom: number },
    likeness: Likeness,
    mayCome: boolean,
  ) => Promise<number | 'absent' | 'gone'>;
};
