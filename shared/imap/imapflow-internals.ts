import type { ImapFlow } from 'imapflow';
import type { ImapArgument } from './arguments.ts';

/**
 * What imapflow 2.10 has at run time and leaves out of its types. tests/imap/connect.test.ts pins the behaviour that
 * connect.ts relies on; the version is pinned in package.json.
 */
declare module 'imapflow' {
  interface ImapFlow {
    /** The commands that `connect()` runs by name. */
    commands: Map<string, (client: ImapFlow, ...parameters: readonly unknown[]) => Promise<unknown>>;
    /** Sends one command. `next` of the answer must be called before another one is sent. */
    exec(
      command: string,
      parameters: readonly ImapArgument[],
      options?: { readonly onPlusTag?: () => Promise<void> },
    ): Promise<{ readonly next: () => void }>;
    /** Sends a line outside a command: the answer to a continuation. */
    write(line: string): void;
    /** Waits after a throttled command, for as long as the server says; true when the wait was cut short. */
    throttleWait: (delayMs: number) => Promise<boolean>;
  }
}

/** What imapflow tells of a failure. */
export type ImapFlowFailure = Error & {
  readonly code?: string;
  /** NO or BAD of the command that was refused. */
  readonly responseStatus?: string;
  readonly responseText?: string;
  readonly response?: unknown;
  /** The text of a BYE. */
  readonly reason?: string;
};

export type { ImapFlow };
