import type { ImapSession } from './session.ts';

/** Gives a session to an operation, alone, and waits for its end: the session's selected mailbox is the operation's own. */
export type UseSession = <T>(operation: (session: ImapSession) => Promise<T>) => Promise<T>;

/** Keeps the session from being given back until the returned function is called: more operations will follow. */
export type HoldSession = () => () => void;
