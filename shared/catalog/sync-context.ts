import { Unavailable } from '../jmap/errors.ts';
import type { MailboxKey } from './email.ts';
import type { CanTellKept, MailboxEntry } from './mailbox.ts';
import type { Foreseen, MailSource } from './source.ts';
import type { Surroundings } from './store.ts';
import type { Catalog, CatalogView } from './view.ts';

/** Says whether mailboxes of which some are still missing (`vector` null, first contact) already serve the caller. */
export type Enough = (mailboxes: ReadonlyMap<MailboxKey, MailboxEntry>) => boolean;

/** Tells which mailbox the caller will probably open when the sync is done. */
export type Foresight = (view: CatalogView) => Promise<Foreseen | null>;

/** What one sync works with. */
export type SyncContext = {
  readonly catalog: Catalog;
  readonly source: MailSource;
  readonly surroundings: Pick<Surroundings, 'now'>;
  /** Whether the time is up: what was read is committed, and the rest is left to whoever comes next. */
  readonly isOver: () => boolean;
  /** Asked while mailboxes are missing (first contact): whether the caller can do with those that are in. */
  readonly enough: Enough;
  /** What is kept of mailboxes, by id: asked where one is seen for the first time in this epoch. Absent: nothing is kept of any. */
  readonly kept?: CanTellKept;
  /** Absent: nothing is known of what comes after. */
  readonly foresight?: Foresight;
  /** What the server did not do for mailboxes that its survey lists, and how often: see `noteRefusal`. */
  readonly refusals: Map<string, number>;
};

/**
 * What a mailbox may refuse because it is called otherwise meanwhile, or because the server is so: EXAMINE, being seen by the server at all, telling
 * its MAILBOXID, being the one that the survey showed.
 */
type Refusable = 'open' | 'see' | 'identify' | 'agree';

/** What was refused so often in one sync is taken for the way the server is. */
const refusalsMax = 2;

export function noteRefusal({ refusals }: SyncContext, what: Refusable, name: string): void {
  const key = `${what} ${name}`;
  refusals.set(key, (refusals.get(key) ?? 0) + 1);
}

export function isRefused({ refusals }: SyncContext, what: Refusable, name: string): boolean {
  return (refusals.get(`${what} ${name}`) ?? 0) >= refusalsMax;
}

/** The time was up before what is needed was in. What was read so far is committed. */
export class OutOfTime extends Unavailable {
  constructor() {
    super('The account is still being indexed');
  }
}

/** Seconds since the epoch. */
export function secondsNow({ surroundings }: SyncContext): number {
  return Math.floor(surroundings.now() / 1000);
}
