/** Where sealed messages wait: those of each account apart. Every method may throw `Unavailable`. */
export type Outbox = {
  /** Lasting when it resolves. */
  readonly put: (account: string, id: string, sealed: Uint8Array) => Promise<void>;
  readonly get: (account: string, id: string) => Promise<Uint8Array | null>;
  readonly remove: (account: string, id: string) => Promise<void>;
};
