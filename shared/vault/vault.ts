/** For whom something is sealed, for what, and of which record: it opens for the same and for nothing else. */
export type SealContext = { readonly account: string; readonly purpose: string; readonly id: string };

/**
 * Seals what must not be read where it is kept. Throws `Unavailable` when the keys cannot be had, and `SealBroken` for what was not
 * sealed for this context, or not by this vault.
 */
export type Vault = {
  readonly seal: (plain: Uint8Array, context: SealContext) => Promise<Uint8Array>;
  readonly open: (sealed: Uint8Array, context: SealContext) => Promise<Uint8Array>;
};

/** The seal does not open: changed, of another account, purpose or record, or under a key that is gone. */
export class SealBroken extends Error {
  override readonly name = 'SealBroken';
}
