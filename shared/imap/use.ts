import type { ImapSession } from './session.ts';

/** Gives a session to an operation, alone, and waits for its end: the session's selected mailbox is the operation's own. */
export type UseSession = <T>(operation: (session: ImapSession) => Promise<T>) => Promise<T>;

/** Keeps the session from being given back until the returned function is called: more operations will follow. */
export type HoldSession = () => () => void;

/**
 * Gives a session to something that changes what is on the server. `prepare` only reads, and may be called again for another
 * session. Once `change` has begun it is never begun again: nobody knows what a server did that did not answer.
 */
export type ChangeWithSession = <P, T>(
  prepare: (session: ImapSession) => Promise<P>,
  change: (session: ImapSession, prepared: P) => Promise<T>,
) => Promise<T>;
