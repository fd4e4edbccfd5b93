/**
 * Why a mail server refused, whatever protocol it speaks.
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

/** Microsoft: `BAD Request is throttled. Suggested Backoff Time: 92415 milliseconds`. Gmail, Yahoo, Dovecot, Courier in words. */
const throttleText =
  /throttl|too many|too frequent|rate.?limit|backoff|back.?off|bandwidth limit|(?:connection|session)s? limit|limit (?:reached|exceeded|hit)|exceed(?:ed|s|ing)? .{0,40}limit|maximum (?:number of )?.{0,30}(?:connection|session)|try again in \d+/i;
const unavailableText =
  /temporar|unavailable|try again|try later|internal (?:server )?error|server error|not connected|timed? ?out|maintenance|shutting down|overload|backend|system failure|no server|service (?:is )?(?:not|down)|cannot connect|starttls|plaintext|insecure/i;
const authenticationText =
  /invalid (?:credential|login|user|password)|incorrect|bad (?:password|user|login|credential)|authentication (?:has )?(?:failed|failure|error)|auth(?:enticate)? failed|log ?in (?:has )?(?:failed|failure|denied|incorrect)|password|web (?:browser|login)|unknown user|no such user|account (?:is )?(?:disabled|locked|suspended)/i;

/** Whether a text says that too much was asked. */
export function saysThrottled(text: string): boolean {
  return throttleText.test(text);
}

/** Whether a text says that the server cannot at the moment. */
export function saysUnavailable(text: string): boolean {
  return unavailableText.test(text);
}

/** Whether a text says that the credential is wrong. */
export function saysAuthentication(text: string): boolean {
  return authenticationText.test(text);
}

/** Throttled for as long as the text says. */
export function throttled(text: string): RefusalKind {
  return { kind: 'throttled', retryAfterSeconds: secondsIn(text) ?? retryAfterSeconds.throttled };
}

/** Unavailable for as long as the text says. */
export function unavailable(text: string): RefusalKind {
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
