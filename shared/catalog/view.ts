import type { Buffer } from 'node:buffer';
import type { Id } from '../jmap/scalars.ts';
import type { Email, MailboxKey, Row, RowMarks } from './email.ts';
import type { MailboxEntry } from './mailbox.ts';

/** How Email ids are made; chosen once per account and remembered (identity scheme). */
export type IdentityScheme = 'objectid' | 'gmail' | 'xguid' | 'digest';

export type ChangingType = 'Email' | 'Thread' | 'Mailbox';

/** What happened to one record. Entries, not commits, carry the versions, so that any `maxChanges` has an intermediate state. */
export type LogEntry =
  | {
      readonly type: 'Email';
      readonly id: Id;
      readonly threadId: Id;
      /** Mailboxes in which the Email existed for JMAP before and after; empty = it did not exist. */
      readonly before: readonly MailboxKey[];
      readonly after: readonly MailboxKey[];
    }
  | { readonly type: 'Thread'; readonly id: Id; readonly existedBefore: boolean; readonly existsAfter: boolean }
  | {
      readonly type: 'Mailbox';
      readonly id: Id;
      readonly existedBefore: boolean;
      readonly existsAfter: boolean;
      /** Only the four counts differ: `updatedProperties` of RFC 8621 §2.2. */
      readonly countsOnly: boolean;
    };

/** A log entry with the version of its type that it brought about. */
export type VersionedEntry = LogEntry & { readonly version: number };

/** Rows of one mailbox in a consecutive UID range, with what can be told without reading them. */
export type RowBlock = {
  readonly count: number;
  readonly firstUid: number;
  readonly lastUid: number;
  /** Seconds since the epoch. */
  readonly oldest: number;
  readonly newest: number;
  /** Rows in UID order. Cached in a warm process. */
  readonly rows: () => Promise<readonly Row[]>;
};

/**
 * One version of an account's catalog. Immutable: a reader keeps its answer consistent while a writer goes on.
 * Every method reads only the blocks it needs, several at once where it can.
 */
export type CatalogView = {
  readonly epoch: string;
  /** Version of the head item; grows by one with each commit. */
  readonly version: number;
  readonly scheme: IdentityScheme;
  /** Threads come from the server (THREADID, X-GM-THRID) or are derived from Message-IDs. */
  readonly threads: 'server' | 'derived';
  /** Some mailbox was never indexed: its `vector` is null (first contact). */
  readonly provisional: boolean;
  readonly versions: Readonly<Record<ChangingType, number>>;
  /** Oldest version per type from which `log` can still tell everything. */
  readonly oldestVersions: Readonly<Record<ChangingType, number>>;
  /** Seconds since the epoch. */
  readonly committedAt: number;
  readonly mailboxes: () => Promise<ReadonlyMap<MailboxKey, MailboxEntry>>;
  /** Whole Emails by id; ids that name nothing are absent. */
  readonly emails: (ids: Iterable<Id>) => Promise<ReadonlyMap<Id, Email>>;
  /** Email ids of the given UIDs of one mailbox; UIDs without a row are absent. */
  readonly emailIdsAt: (mailbox: MailboxKey, uids: Iterable<number>) => Promise<ReadonlyMap<number, Id>>;
  /** Ids of the Emails (deleted ones too) of each thread, in no particular order; unknown threads are absent. */
  readonly threadEmails: (threadIds: Iterable<Id>) => Promise<ReadonlyMap<Id, readonly Id[]>>;
  /** Thread ids by hash of a Message-ID (see ids.ts `messageIdHash`); unknown hashes are absent. */
  readonly threadsByMessageId: (hashes: Iterable<string>) => Promise<ReadonlyMap<string, Id>>;
  /** The blocks of a mailbox in UID order. Reads no rows. */
  readonly rowBlocks: (mailbox: MailboxKey) => Promise<readonly RowBlock[]>;
  /** Entries of a type with version > `since`, oldest first. The caller has checked `since` against `oldestVersions`. */
  readonly log: (type: ChangingType, since: number) => AsyncIterable<readonly VersionedEntry[]>;
};

/** A touched Email, whole, before and after. null = not in the catalog. */
export type EmailEdit = { readonly before: Email | null; readonly after: Email | null };

/** Everything one commit changes. Pure data; `commit` derives blocks, lookup runs and the head from it. */
export type CatalogEdit = {
  /** The whole new mailbox entries of those that changed; null = gone (its rows are gone by `emails`). */
  readonly mailboxes: ReadonlyMap<MailboxKey, MailboxEntry | null>;
  readonly emails: ReadonlyMap<Id, EmailEdit>;
  /** Whole new member lists of threads that gained or lost Emails; empty = the thread is gone. */
  readonly threads: ReadonlyMap<Id, readonly Id[]>;
  /** Message-ID hashes newly bound to a thread; bindings are never removed. */
  readonly messageIds: ReadonlyMap<string, Id>;
  readonly log: readonly LogEntry[];
  /** A new random epoch: every older state becomes unusable. */
  readonly newEpoch: boolean;
};

/** Texts of ASCII by number, as octets in one piece of memory. */
export type NumberedTexts = {
  readonly octets: Buffer;
  readonly startOf: (number: number) => number;
  readonly endOf: (number: number) => number;
  readonly at: (number: number) => string;
};

/**
 * Everything that a catalog which knows nothing but mailboxes is filled with at once. Each table by ascending key, in columns; ids are
 * numbers of texts.
 */
export type Filling = {
  /** Whole entries of those that changed. */
  readonly mailboxes: ReadonlyMap<MailboxKey, MailboxEntry>;
  readonly texts: NumberedTexts;
  /** By mailbox, then UID. */
  readonly rows: {
    readonly count: number;
    readonly mailboxes: ArrayLike<MailboxKey>;
    readonly uids: ArrayLike<number>;
    readonly emailIds: ArrayLike<number>;
    /** Rows of one thread have the same number. */
    readonly threadIds: ArrayLike<number>;
    readonly receivedAt: ArrayLike<number>;
    readonly sizes: ArrayLike<number>;
    /** Which of `kinds` the row is of. */
    readonly marks: ArrayLike<number>;
    readonly kinds: readonly RowMarks[];
  };
  /** By Email id. The rows of each, ascending, are those of `rows` that `rowsOf` names, from its start to the next one's. */
  readonly emails: {
    readonly count: number;
    readonly ids: ArrayLike<number>;
    readonly starts: ArrayLike<number>;
    readonly rowsOf: ArrayLike<number>;
  };
  /**
   * By thread id. First comes, where the Message-ID that would begin the thread is known, the thread by which it is (there is no Email
   * then), and then each Email of the thread, by id. Thread ids have one number each; −1: there is none.
   */
  readonly threads: {
    readonly count: number;
    readonly ids: ArrayLike<number>;
    readonly emailIds: ArrayLike<number>;
    readonly knownBy: ArrayLike<number>;
  };
};

/** `conflict`: another writer committed first; read the head again and start over from the server. */
export type CommitOutcome = { readonly kind: 'committed'; readonly view: CatalogView } | { readonly kind: 'conflict' };

/** Opens and advances one account's catalog on a store. */
export type Catalog = {
  /** The newest version (strongly consistent head), or null where the account was never seen. `lost`: blocks of it are missing and it must be made anew. */
  readonly open: () => Promise<CatalogView | null>;
  /** First version of a new catalog, without mailboxes; `base` null. Otherwise `base` plus `edit`. */
  readonly create: (
    facts: { scheme: IdentityScheme; threads: 'server' | 'derived' },
    edit: CatalogEdit,
    replaces: CatalogView | null,
  ) => Promise<CommitOutcome>;
  readonly commit: (base: CatalogView, edit: CatalogEdit) => Promise<CommitOutcome>;
  /** Fills a catalog that has mailboxes and no row yet, under a new epoch. */
  readonly fill: (base: CatalogView, filling: Filling) => Promise<CommitOutcome>;
};

/** Thrown by a view when a block that its head names is gone even after a strong re-read: the account is indexed anew under a new epoch. */
export class BlockLost extends Error {
  override readonly name = 'BlockLost';
}
