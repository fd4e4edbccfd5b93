import type { Id } from '../../shared/jmap/scalars.ts';

/** Where sealed messages wait: those of each account apart. Every method may throw `Unavailable`. */
export type Outbox = {
  /** Lasting when it resolves. */
  readonly put: (account: Id, id: Id, sealed: Uint8Array) => Promise<void>;
  readonly get: (account: Id, id: Id) => Promise<Uint8Array | null>;
  readonly remove: (account: Id, id: Id) => Promise<void>;
};
