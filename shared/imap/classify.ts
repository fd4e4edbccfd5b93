import type { ResponseCode } from './response.ts';

/** A tagged NO or BAD, or a BYE, as far as it says why. */
export type Refusal = {
  readonly status: 'NO' | 'BAD' | 'BYE';
  readonly code: Pick<ResponseCode, 'name'> | null;
  readonly text: string;
};

/**
 * Why a server refused.
 * `authentication`: the credential is wrong. `throttled`: too much was asked of the server, by us or by others.
 * `unavailable`: it cannot at the moment. `protocol`: it does not understand us. `refused`: it understood, and says no to
 * this one command.
 */
export type RefusalKind =
  | { readonly kind: 'authentication' }
  | { readonly kind: 'throttled'; readonly retryAfterSeconds: number }
  | { readonly kind: 'unavailable'; readonly retryAfterSeconds: number }
  | { readonly kind: 'protocol' }
  | { readonly kind: 'refused' };

/** Where the server names no time. */
export const retryAfterSeconds = { throttled: 60, unavailable: 15, max: 24 * 3600 } as const;

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

/** Microsoft: `BAD Request is throttled. Suggested Backoff Time: 92415 milliseconds`. Gmail, Yahoo, Dovecot, Courier in words. */
const throttleText =
  /throttl|too many|too frequent|rate.?limit|backoff|back.?off|bandwidth limit|(?:connection|session)s? limit|limit (?:reached|exceeded|hit)|exceed(?:ed|s|ing)? .{0,40}limit|maximum (?:number of )?.{0,30}(?:connection|session)|try again in \d+/i;
const unavailableText =
  /temporar|unavailable|try again|try later|internal (?:server )?error|server error|not connected|timed? ?out|maintenance|shutting down|overload|backend|system failure|no server|service (?:is )?(?:not|down)|cannot connect|starttls|plaintext|insecure/i;
const authenticationText =
  /invalid (?:credential|login|user|password)|incorrect|bad (?:password|user|login|credential)|authentication (?:has )?(?:failed|failure|error)|auth(?:enticate)? failed|log ?in (?:has )?(?:failed|failure|denied|incorrect)|password|web (?:browser|login)|unknown user|no such user|account (?:is )?(?:disabled|locked|suspended)/i;

/**
 * Classifies a refusal: by response code first, then by its text. During the login a NO that says nothing else means a
 * wrong credential; a throttled one never does, and a wrong credential is never called throttling.
 */
export function classifyRefusal(refusal: Refusal, during: 'login' | 'command'): RefusalKind {
  const byCode = kindOfCode.get(refusal.code?.name ?? '');
  if (byCode === 'authentication') return during === 'login' ? { kind: 'authentication' } : unavailable(refusal.text);
  if (byCode === 'unavailable') return unavailable(refusal.text);
  if (byCode === 'throttled' || throttleText.test(refusal.text)) return throttled(refusal.text);
  // A BYE ends the connection for reasons of the server's, unless it says that they are the login's.
  if (during === 'login') {
    if (unavailableText.test(refusal.text)) return unavailable(refusal.text);
    if (authenticationText.test(refusal.text)) return { kind: 'authentication' };
    if (refusal.status === 'BYE') return unavailable(refusal.text);
    return refusal.status === 'NO' ? { kind: 'authentication' } : { kind: 'protocol' };
  }
  if (refusal.status === 'BYE') return unavailable(refusal.text);
  if (refusal.status === 'BAD') return { kind: 'protocol' };
  return { kind: 'refused' };
}

function throttled(text: string): RefusalKind {
  return { kind: 'throttled', retryAfterSeconds: secondsIn(text) ?? retryAfterSeconds.throttled };
}

function unavailable(text: string): RefusalKind {
  return { kind: 'unavailable', retryAfterSeconds: secondsIn(text) ?? retryAfterSeconds.unavailable };
}

/** The time a text asks to wait, in whole seconds; null where it names none. */
function secondsIn(text: string): number | null {
  const [, digits, unit = ''] =
    /(?:backoff time|try again in|retry (?:after|in)|wait)[:=\s]+(\d{1,12})\s*(milliseconds?|msec|ms|seconds?|secs?|s|minutes?|mins?|m|hours?|h)?\b/i.exec(
      text,
    ) ?? [];
  if (digits === undefined) return null;
  const factor = /^m(?:s|illi|sec)/i.test(unit) ? 0.001 : /^m/i.test(unit) ? 60 : /^h/i.test(unit) ? 3600 : 1;
  return Math.min(Math.max(1, Math.ceil(Number(digits) * factor)), retryAfterSeconds.max);
}
