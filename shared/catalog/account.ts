import type { Id } from '../jmap/scalars.ts';
import type { MailboxKey } from './email.ts';
import type { MailboxEntry } from './mailbox.ts';
import type { MailSource } from './source.ts';
import type { Surroundings } from './store.ts';
import type { Catalog, CatalogView } from './view.ts';

/**
 * How fresh an answer has to be. `now`: the mail server is asked after the call began. `recent`: what this process heard from
 * the server at most `freshnessMs` ago is good enough; then an answer costs one head read.
 */
export type Freshness = 'now' | 'recent';

/** Says whether a view in which some mailboxes are still missing (`vector` null, first contact) already serves the caller. */
export type Enough = (mailboxes: ReadonlyMap<MailboxKey, MailboxEntry>) => boolean;

/** Facts learned on the way to an answer. */
export type LearnedFacts = {
  readonly hasAttachment?: ReadonlyMap<Id, boolean>;
  /** MYRIGHTS letters. */
  readonly rights?: ReadonlyMap<MailboxKey, string>;
};

/** One account's catalog, kept up to date with its mail server. What the methods ask of the catalog. */
export type AccountCatalog = {
  /**
   * A version as fresh as asked for. During first contact it waits until every mailbox is in, or `enough` says so; at the
   * deadline it throws `Unavailable`. Also throws what the source and the store throw.
   */
  readonly view: (freshness: Freshness, enough?: Enough) => Promise<CatalogView>;
  /** Keeps facts without any state change. Losing them is harmless: a race with another writer may drop them. */
  readonly remember: (facts: LearnedFacts) => Promise<void>;
};

export type AccountCatalogOptions = {
  readonly catalog: Catalog;
  /** Opened when the server must be asked, at most once per sync. */
  readonly source: () => Promise<MailSource>;
  readonly surroundings: Surroundings;
  /** Age in milliseconds up to which a `recent` answer needs no asking. */
  readonly freshnessMs: number;
  /** Milliseconds since the epoch by which `view` has to have answered. */
  readonly deadline: number;
  /** What this process remembers of the account between requests: made once by `accountMemory`. */
  readonly memory: AccountMemory;
};

/** Per process and account: when the server was last asked, and the sync that is under way. */
export type AccountMemory = {
  syncedAt: number | null;
};

/** A memory of an account this process has not met. */
export function accountMemory(): AccountMemory {
  return { syncedAt: null };
}
