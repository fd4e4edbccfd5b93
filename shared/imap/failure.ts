import { AuthenticationFailed, Unavailable } from '../jmap/errors.ts';
import type { RefusalKind } from '../refusal.ts';
import type { RefusalReason } from './classify.ts';

/** The server wants less of us: `Unavailable`, with what should be left alone for a while. */
export class Throttled extends Unavailable {
  /** `host`: it said so before it knew for whom we come, so every account there is meant. */
  readonly concerns: 'host' | 'account';
  /** Seconds. */
  readonly pause: number;

  constructor(concerns: 'host' | 'account', pause: number) {
    super('The mail server asks to be left alone for a while', { retryAfterSeconds: pause });
    this.concerns = concerns;
    this.pause = pause;
  }
}

/** The connection ended. A command without side effects may be tried again on another one. */
export class ConnectionLost extends Unavailable {}

/**
 * The server ended the connection by a BYE, or made it useless. QUIRK(dovecot 2.3): it does so when another client deletes or renames
 * the mailbox that is selected, as soon as something is asked of it ("Mailbox was deleted under us").
 */
export class Dismissed extends ConnectionLost {}

/**
 * Octets of a command could not be had while it was sent, so that the connection was given up. The server has not got the whole
 * command: it did nothing.
 */
export class SourceFailed extends ConnectionLost {}

/** A tagged NO or BAD that concerns this one command. Uncaught, it is a server that cannot do what we need. */
export class CommandRefused extends Unavailable {
  readonly status: 'NO' | 'BAD';
  /** Name of the response code, where there is one. */
  readonly code: string | null;
  /** What it ran into, as far as the server says. */
  readonly reason: RefusalReason;

  constructor(command: string, status: 'NO' | 'BAD', code: string | null, reason: RefusalReason = 'other') {
    super(`The mail server refused ${command}${code === null ? '' : `: ${code}`}`);
    this.status = status;
    this.code = code;
    this.reason = reason;
  }
}

/** What to throw for a refusal. The text says nothing that the server said: that could name other people or secrets. */
export function refusalError(
  refusal: Exclude<RefusalKind, { kind: 'refused' | 'protocol' }>,
  concerns: 'host' | 'account',
): Error {
  switch (refusal.kind) {
    case 'authentication':
      return new AuthenticationFailed('The mail server refused the login');
    case 'throttled':
      return new Throttled(concerns, refusal.retryAfterSeconds);
    case 'unavailable':
      return new Unavailable('The mail server is not available', { retryAfterSeconds: refusal.retryAfterSeconds });
  }
}
