/**
 * What records need of a key-value store: items that stay until they are removed, each written only over the version that its
 * writer knew. Filled by shared/aws. Keys are printable ASCII; an account is a partition of its own.
 */
export type RecordStore = {
  /** Strongly consistent. */
  readonly read: (account: string, key: string) => Promise<StoredItem | null>;
  /** Items with `first ≤ key ≤ last`, by ascending key, at most `limit`. Strongly consistent. */
  readonly list: (
    account: string,
    range: { readonly first: string; readonly last: string; readonly limit: number },
  ) => Promise<readonly ListedItem[]>;
  /**
   * One conditional write: succeeds only while the stored version is `expectedVersion` (null: while there is no item). false =
   * it is another one. An answer lost on the wire throws `Unavailable`, and a repeated write may be refused because it had
   * succeeded: the writer finds out by reading.
   */
  readonly write: (account: string, key: string, item: StoredItem, expectedVersion: number | null) => Promise<boolean>;
  /** Succeeds only while the stored version is `expectedVersion`; null: whatever it is. False also where there is no item. */
  readonly remove: (account: string, key: string, expectedVersion: number | null) => Promise<boolean>;
};

export type StoredItem = {
  readonly version: number;
  /** At most `itemOctetsMax`. */
  readonly bytes: Uint8Array;
  /** Seconds since the epoch; null: it stays. */
  readonly expiresAt: number | null;
};
export type ListedItem = StoredItem & { readonly key: string };

/** What one item may hold: DynamoDB takes 400 KB with names and keys. */
export const itemOctetsMax = 380_000;
