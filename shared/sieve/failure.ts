import { AuthenticationFailed, Unavailable } from '../jmap/errors.ts';
import {
  type RefusalKind,
  saysAuthentication,
  saysThrottled,
  saysUnavailable,
  throttled,
  unavailable,
} from '../refusal.ts';
import type { ResponseCode } from './response.ts';

/** The server wants less of us: to be left alone for so many seconds. */
export class Throttled extends Unavailable {
  /** `host`: it said so before it knew for whom we come, so every account there is meant. */
  readonly concerns: 'host' | 'account';
  readonly pause: number;

  constructor(concerns: 'host' | 'account', pause: number) {
    super('The ManageSieve server asks to be left alone for a while', { retryAfterSeconds: pause });
    this.concerns = concerns;
    this.pause = pause;
  }
}

/** The connection ended, so that nobody knows what became of the commands on it. */
export class ConnectionLost extends Unavailable {}

/** A NO that concerns this one command. Uncaught, it is a server that cannot do what we need. */
export class CommandRefused extends Unavailable {
  readonly code: ResponseCode | null;
  /** What the server says to its user about his script; no secret of ours is in any command that it answers. */
  readonly text: string;

  constructor(command: string, { code, text }: { code: ResponseCode | null; text: string }) {
    super(`The ManageSieve server refused ${command}${code === null ? '' : `: ${code.name}`}`);
    this.code = code;
    this.text = text;
  }
}

/** A NO or BYE, as far as it says why. */
export type Refusal = {
  readonly status: 'NO' | 'BYE';
  readonly code: ResponseCode | null;
  readonly text: string;
};

/**
 * Classifies a refusal, as that of an IMAP server is: by response code first (RFC 5804 §1.3), then by its text. During the login
 * a NO that says nothing else means a wrong credential; after it the text is about a script, and is not read for meaning.
 */
export function classifyRefusal({ status, code, text }: Refusal, during: 'login' | 'command'): RefusalKind {
  switch (code?.name.split('/')[0]) {
    case 'TRYLATER':
    case 'REFERRAL':
      return unavailable(text);
    case 'AUTH-TOO-WEAK':
    case 'ENCRYPT-NEEDED':
    case 'TRANSITION-NEEDED':
      return during === 'login' ? unavailable(text) : { kind: 'refused' };
    default:
  }
  if (status === 'NO' && during === 'command') return { kind: 'refused' };
  if (saysThrottled(text)) return throttled(text);
  if (during === 'command' || saysUnavailable(text)) return unavailable(text);
  if (status === 'NO' || saysAuthentication(text)) return { kind: 'authentication' };
  return unavailable(text);
}

/** What to throw for a refusal. The text says nothing that the server said: that could name other people or secrets. */
export function refusalError(
  kind: RefusalKind,
  command: string,
  refusal: Refusal,
  concerns: 'host' | 'account',
): Error {
  switch (kind.kind) {
    case 'authentication':
      return new AuthenticationFailed('The ManageSieve server refused the login');
    case 'throttled':
      return new Throttled(concerns, kind.retryAfterSeconds);
    case 'unavailable':
      return new Unavailable('The ManageSieve server is not available', { retryAfterSeconds: kind.retryAfterSeconds });
    case 'protocol':
    case 'refused':
      return new CommandRefused(command, refusal);
  }
}
