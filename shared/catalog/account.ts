import { Unavailable } from '../jmap/errors.ts';
import { type Adopted, adopt } from './adopt.ts';
import type { CanTellKept } from './mailbox.ts';
import type { OwnChanges } from './own-changes.ts';
import { type LearnedFacts, rememberedFacts } from './remembered-facts.ts';
import type { MailSource } from './source.ts';
import type { Surroundings } from './store.ts';
import { sync } from './sync.ts';
import type { Enough, Foresight, SyncContext } from './sync-context.ts';
import { BlockLost, type Catalog, type CatalogView } from './view.ts';
import { watchedView } from './watched-view.ts';

export type { LearnedFacts } from './remembered-facts.ts';
export type { Enough } from './sync-context.ts';

/**
 * How fresh an answer has to be. `now`: the mail server is asked after the call began. `recent`: what this request has seen
 * already is good enough, and what this process heard from the server at most `freshnessMs` ago; then an answer costs one head read.
 */
export type Freshness = 'now' | 'recent';

/** One account's catalog, kept up to date with its mail server. What the methods ask of the catalog. */
export type AccountCatalog = {
  /**
   * A version as fresh as asked for. During first contact it waits until every mailbox is in, or `enough` says so; at the
   * deadline it throws `Unavailable`. Also throws what the source and the store throw. So do the methods of the view when a block of
   * it was lost: the next call then indexes the account again.
   */
  readonly view: (freshness: Freshness, enough?: Enough) => Promise<CatalogView>;
  /** Keeps facts without any state change. Losing them is harmless: a race with another writer may drop them. */
  readonly remember: (facts: LearnedFacts) => Promise<void>;
};

/** The catalog for a method that changes what is on the mail server. */
export type ChangingCatalog = AccountCatalog & {
  /**
   * Brings the catalog up to date with what the caller did to the mail server since it took this view, and tells which states that
   * led from and to. Whatever the caller did is done, also when this throws `Unavailable`.
   */
  readonly adopt: (since: CatalogView, own: OwnChanges) => Promise<Adopted>;
};

export type AccountCatalogOptions = {
  readonly catalog: Catalog;
  /** Opened when the server must be asked, at most once per sync. */
  readonly source: () => Promise<MailSource>;
  /** What is kept of mailboxes, by id; absent: nothing is kept of any. */
  readonly kept?: CanTellKept;
  readonly foresight?: Foresight;
  readonly surroundings: Pick<Surroundings, 'now'>;
  /** Age in milliseconds up to which a `recent` answer needs no asking. */
  readonly freshnessMs: number;
  /** Milliseconds since the epoch by which `view` has to have answered. */
  readonly deadline: number;
  /** What this process remembers of the account between requests: made once by `accountMemory`. */
  readonly memory: AccountMemory;
};

/** Per process and account: what was heard from the server, and the sync that is under way. */
export type AccountMemory = {
  /** When the last sync that came to its end began, in milliseconds since the epoch. */
  syncedAt: number | null;
  /** The catalog version in which a block was missed. */
  lostVersion: number | null;
  /** Syncs begun so far. */
  syncs: number;
  underWay: { readonly number: number; readonly result: Promise<CatalogView> } | null;
};

/** A memory of an account this process has not met. */
export function accountMemory(): AccountMemory {
  return { syncedAt: null, lostVersion: null, syncs: 0, underWay: null };
}

/**
 * The catalog of one account for one request: its calls are answered from one version, unless one of them asks for what is there now.
 * Requests of a process share the syncs of the account through its `memory`.
 */
export function accountCatalog(options: AccountCatalogOptions): ChangingCatalog {
  const { catalog, surroundings, memory } = options;
  /** The last version that this request was answered from. */
  let seen: CatalogView | null = null;
  /** The views that were given out, as the catalog knows them. */
  const originals = new WeakMap<CatalogView, CatalogView>();
  const givenOut = (view: CatalogView): CatalogView => {
    const watched = watchedView(view, () => {
      memory.lostVersion = view.version;
    });
    originals.set(watched, view);
    return watched;
  };
  const recent = async (enough: Enough): Promise<CatalogView | null> => {
    if (memory.lostVersion !== null) return null;
    return seen !== null && (await serves(seen, enough)) ? seen : remembered(options, enough);
  };
  return {
    view: async (freshness, enough = nothingLess) => {
      const view = (freshness === 'recent' ? await recent(enough) : null) ?? (await synced(options, freshness, enough));
      seen = view;
      return givenOut(view);
    },
    adopt: async (since, own) => {
      const start = originals.get(since);
      if (start === undefined) throw new Error('Own changes must be told upon a view of the same catalog');
      const context = await syncContext(options, nothingLess);
      try {
        const { before, after, latest, isAttributed } = await adopt(context, start, own);
        seen = latest;
        return { before: givenOut(before), after: givenOut(after), latest: givenOut(latest), isAttributed };
      } catch (error) {
        if (!(error instanceof BlockLost)) throw error;
        memory.lostVersion = start.version;
        throw new Unavailable('The account has to be indexed again', { cause: error });
      }
    },
    remember: async (facts) => {
      try {
        const view = await catalog.open();
        const edit = view && (await rememberedFacts(view, facts, Math.floor(surroundings.now() / 1000)));
        const outcome = view && edit && (await catalog.commit(view, edit));
        if (outcome?.kind === 'committed' && view?.version === seen?.version) seen = outcome.view;
      } catch (error) {
        // The answer they were learned for does not depend on their being kept.
        if (!(error instanceof Unavailable || error instanceof BlockLost)) throw error;
      }
    },
  };
}

/** Nothing less than all mailboxes will do. */
const nothingLess: Enough = () => false;

async function serves(view: CatalogView, enough: Enough): Promise<boolean> {
  return !view.provisional || enough(await view.mailboxes());
}

/** The newest version, when this process heard from the server recently enough. */
async function remembered(
  { catalog, surroundings, freshnessMs, memory }: AccountCatalogOptions,
  enough: Enough,
): Promise<CatalogView | null> {
  const { syncedAt } = memory;
  if (syncedAt === null || surroundings.now() - syncedAt > freshnessMs) return null;
  const view = await catalog.open();
  return view !== null && (await serves(view, enough)) ? view : null;
}

/**
 * The version a sync arrives at: of one that began after the call, or for `recent` also of the one under way. Each sync works with
 * the connection and the deadline of the request that began it; when it fails, or ends too early for this caller, the caller
 * begins one of its own.
 */
async function synced(options: AccountCatalogOptions, freshness: Freshness, enough: Enough): Promise<CatalogView> {
  const { memory } = options;
  const syncsBefore = memory.syncs;
  while (memory.underWay !== null) {
    const { number, result } = memory.underWay;
    const view = await result.catch(() => null);
    const isFresh = freshness === 'recent' || number > syncsBefore;
    if (view !== null && isFresh && (await serves(view, enough))) return view;
  }
  return beginSync(options, enough);
}

async function syncContext(
  { catalog, source, kept, foresight, surroundings, deadline }: AccountCatalogOptions,
  enough: Enough,
): Promise<SyncContext> {
  let told: ReturnType<CanTellKept> | null = null;
  return {
    catalog,
    source: await source(),
    ...(kept && { kept: () => (told ??= kept()) }),
    ...(foresight && { foresight }),
    surroundings,
    isOver: () => surroundings.now() >= deadline,
    enough,
    refusals: new Map<string, number>(),
  };
}

async function beginSync(options: AccountCatalogOptions, enough: Enough): Promise<CatalogView> {
  const { surroundings, memory } = options;
  const beganAt = surroundings.now();
  const run = async (): Promise<CatalogView> => {
    const view = await sync(await syncContext(options, enough), memory.lostVersion);
    memory.syncedAt = beganAt;
    memory.lostVersion = null;
    return view;
  };
  memory.syncs += 1;
  const underWay = { number: memory.syncs, result: run() };
  memory.underWay = underWay;
  try {
    return await underWay.result;
  } finally {
    if (memory.underWay === underWay) memory.underWay = null;
  }
}
