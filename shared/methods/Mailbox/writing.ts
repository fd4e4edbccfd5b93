import type { MailboxVector } from '../../catalog/mailbox.ts';
import type { Role } from '../../catalog/roles.ts';

/**
 * Why a mailbox is not as it was wanted. `name`: the server has no such names. `changed`: it does not hold what it was known to
 * hold. `refused`: the server does not say why. `lost`: there was no answer, and it did not happen as far as can be seen.
 * `unclear`: there was no answer, and it cannot be seen what happened.
 */
export type MailboxFailure =
  | 'name'
  | 'exists'
  | 'missing'
  | 'forbidden'
  | 'overQuota'
  | 'hasChild'
  | 'changed'
  | 'refused'
  | 'lost'
  | 'unclear';

/** How the server names the user's own mailboxes. */
export type Naming = {
  /** What every name but that of the inbox begins with; empty for most. */
  readonly prefix: string;
  /** null where there is no hierarchy, or the server does not say. */
  readonly delimiter: string | null;
};

/** What tells whether a mailbox holds the same messages; `uidValidity`: null where it may be any, as some servers change it with the name. */
export type MailboxContent = Pick<MailboxVector, 'uidNext' | 'messages'> & { readonly uidValidity: number | null };

/**
 * Changing the mailboxes of the mail server. Names are full ones, decoded. Each answers null when it is done. Nothing is ever sent
 * twice; `Unavailable` is thrown only where nothing was sent.
 */
export type CanWriteMailboxes = {
  readonly naming: () => Promise<Naming>;
  /** With a special use, where the server takes one; it may be left out without a word. */
  readonly create: (name: string, role: Role | null) => Promise<MailboxFailure | null>;
  /** With everything below it; `known`: only if it holds that. Subscriptions stay with the old names. */
  readonly rename: (from: string, to: string, known?: MailboxContent | null) => Promise<MailboxFailure | null>;
  /**
   * With all messages in it, if these are the ones it was known to hold and nothing is below it; `known`: null for a node that cannot
   * be selected. It is called `aside` before it is looked at for the last time, so that nothing more is delivered to it, and is put
   * back where it is not deleted; where it cannot be, it stays there. null: it is set aside already. Its subscription stays.
   */
  readonly remove: (name: string, known: MailboxContent | null, aside: string | null) => Promise<MailboxFailure | null>;
  readonly subscribe: (names: readonly string[], wanted: boolean) => Promise<MailboxFailure | null>;
};
