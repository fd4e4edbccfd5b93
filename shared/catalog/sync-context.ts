import { Unavailable } from '../jmap/errors.ts';
import type { MailSource } from './source.ts';
import type { Surroundings } from './store.ts';
import type { Catalog, CatalogView } from './view.ts';

/** What one sync works with. */
export type SyncContext = {
  readonly catalog: Catalog;
  readonly source: MailSource;
  readonly surroundings: Pick<Surroundings, 'now'>;
  /** Whether the time is up: what was read is committed, and the rest is left to whoever comes next. */
  readonly isOver: () => boolean;
  /** Asked while mailboxes are missing (first contact): whether the caller can do with what is in. */
  readonly isEnough: (view: CatalogView) => Promise<boolean>;
  /** How often a mailbox that the survey lists could not be opened, by name. */
  readonly refusals: Map<string, number>;
};

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
