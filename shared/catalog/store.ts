/** What the catalog needs of a key-value store: immutable blocks and one conditionally written head per account. Filled by shared/aws. */
export type CatalogStore = {
  /** Strongly consistent. */
  readonly readHead: (account: string) => Promise<Uint8Array | null>;
  /**
   * One conditional write: succeeds only while the stored version is `expectedVersion` (null: while there is no head).
   * `expiresAt` in seconds since the epoch. false = somebody else was first. An answer lost on the wire throws
   * `Unavailable`; whether the write happened is then found out by reading the head.
   */
  readonly writeHead: (
    account: string,
    head: { version: number; bytes: Uint8Array; expiresAt: number },
    expectedVersion: number | null,
  ) => Promise<boolean>;
  /** Missing keys are absent from the map. `consistent` reads cost twice as much; blocks are immutable, so only a miss needs one. */
  readonly readBlocks: (
    account: string,
    keys: readonly string[],
    options: { consistent: boolean },
  ) => Promise<ReadonlyMap<string, Uint8Array>>;
  /** At most 16 KB each. Resolves when all are written. */
  readonly writeBlocks: (
    account: string,
    blocks: readonly { key: string; bytes: Uint8Array }[],
    expiresAt: number,
  ) => Promise<void>;
};

/** The world as pure code sees it. */
export type Surroundings = {
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** A fresh unguessable string of `[a-z0-9]`, at least 60 bits. */
  readonly randomKey: () => string;
};
