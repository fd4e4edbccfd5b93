import {
  type RefusalKind,
  saysAuthentication,
  saysThrottled,
  saysUnavailable,
  throttled,
  unavailable,
} from '../refusal.ts';
import type { ResponseCode } from './response.ts';

/** A tagged NO or BAD, or a BYE, as far as it says why. */
export type Refusal = {
  readonly status: 'NO' | 'BAD' | 'BYE';
  readonly code: Pick<ResponseCode, 'name'> | null;
  readonly text: string;
};

/** Response codes (RFC 5530, RFC 9051 §7.1, and what the large providers send) that decide by themselves. */
const kindOfCode = new Map<string, 'authentication' | 'throttled' | 'unavailable'>([
  ['AUTHENTICATIONFAILED', 'authentication'],
  ['AUTHORIZATIONFAILED', 'authentication'],
  ['EXPIRED', 'authentication'],
  ['WEBALERT', 'authentication'],
  ['UNAVAILABLE', 'unavailable'],
  ['CONTACTADMIN', 'unavailable'],
  ['PRIVACYREQUIRED', 'unavailable'],
  ['SERVERBUG', 'unavailable'],
  ['INUSE', 'throttled'],
  ['LIMIT', 'throttled'],
  ['OVERQUOTA', 'throttled'],
  ['THROTTLED', 'throttled'],
]);

/**
 * Classifies a refusal: by response code first, then by its text. During the login a NO that says nothing else means a
 * wrong credential; a throttled one never does, and a wrong credential is never called throttling.
 */
export function classifyRefusal(refusal: Refusal, during: 'login' | 'command'): RefusalKind {
  const byCode = kindOfCode.get(refusal.code?.name ?? '');
  if (byCode === 'authentication') return during === 'login' ? { kind: 'authentication' } : unavailable(refusal.text);
  // QUIRK(dovecot 2.3): "[UNAVAILABLE] Maximum number of connections from user+IP exceeded".
  if (byCode === 'throttled' || saysThrottled(refusal.text)) return throttled(refusal.text);
  if (byCode === 'unavailable') return unavailable(refusal.text);
  // A BYE ends the connection for reasons of the server's, unless it says that they are the login's.
  if (during === 'login') {
    if (saysUnavailable(refusal.text)) return unavailable(refusal.text);
    if (saysAuthentication(refusal.text)) return { kind: 'authentication' };
    if (refusal.status === 'BYE') return unavailable(refusal.text);
    return refusal.status === 'NO' ? { kind: 'authentication' } : { kind: 'protocol' };
  }
  if (refusal.status === 'BYE') return unavailable(refusal.text);
  if (refusal.status === 'BAD') return { kind: 'protocol' };
  return { kind: 'refused' };
}
