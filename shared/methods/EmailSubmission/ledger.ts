/**
 * How far a message has gone; kept with the submission, and changed only by conditional writes, so that of several who would send
 * it one does, and once.
 *
 * `queued`: no part of its end has been sent. Whoever sends it holds a claim until a time; after that, another may. Each claim is an
 * attempt, so that what ends whoever attempts it does not do so for ever.
 * `sending`: its end was about to be sent. From here on it is never sent again: whoever finds it so after `until` looks for it.
 * The others are the end of it. `sent`: its copy in Sent may still have to be looked for, at a time in milliseconds. `uncertain`: it may
 * have gone out, and nobody knows.
 */
export type Ledger =
  | { readonly state: 'queued'; readonly notBefore: number; readonly attempts: number; readonly claim: Claim | null }
  | { readonly state: 'sending'; readonly by: string; readonly until: number }
  | { readonly state: 'sent'; readonly copyAt?: number }
  | { readonly state: 'failed' | 'uncertain' | 'canceled' };
/** Milliseconds since the epoch. */
export type Claim = { readonly by: string; readonly until: number };

/** How long an attempt may take until the end of the message is sent; whoever is later may not send it any more. */
export const claimMs = 6 * 60_000;
/** How long whoever sent the end may wait for the answer, and note it. */
export const answerMs = 15 * 60_000;

/** How late the copy that the provider puts into Sent may be. */
export const copyLateMs = 30_000;

/** How long after its time a message may still be sent; what it takes to send it is not kept for longer. */
export const overdueMs = 14 * 24 * 3_600_000;

/** What there is to do about a message. */
export type Duty =
  | { readonly kind: 'send' }
  /** It has been tried often enough, or nobody has for too long. */
  | { readonly kind: 'give up' }
  | { readonly kind: 'find out' }
  /** Its copy in Sent may be one too many. */
  | { readonly kind: 'tidy' }
  /** Nothing before that time, in milliseconds. */
  | { readonly kind: 'wait'; readonly until: number }
  | { readonly kind: 'nothing' };

export function dutyOf(ledger: Ledger, now: number): Duty {
  switch (ledger.state) {
    case 'queued': {
      const until = Math.max(ledger.notBefore, ledger.claim?.until ?? 0);
      if (until > now) return { kind: 'wait', until };
      return ledger.attempts > pauses.length || until + overdueMs <= now ? { kind: 'give up' } : { kind: 'send' };
    }
    case 'sending':
      return ledger.until <= now ? { kind: 'find out' } : { kind: 'wait', until: ledger.until };
    case 'sent':
      if (ledger.copyAt === undefined) return { kind: 'nothing' };
      return ledger.copyAt <= now ? { kind: 'tidy' } : { kind: 'wait', until: ledger.copyAt };
    case 'failed':
    case 'uncertain':
    case 'canceled':
      return { kind: 'nothing' };
  }
}

/** The ledger once `by` has taken it on himself to send the message; null: he may not. */
export function claimed(ledger: Ledger, by: string, now: number): Ledger | null {
  if (ledger.state !== 'queued' || dutyOf(ledger, now).kind !== 'send') return null;
  return { ...ledger, attempts: ledger.attempts + 1, claim: { by, until: now + claimMs } };
}

/** The ledger once the end of the message is about to be sent; null: it must not be. */
export function begun(ledger: Ledger, by: string, now: number): Ledger | null {
  if (ledger.state !== 'queued' || ledger.claim?.by !== by || ledger.claim.until <= now) return null;
  return { state: 'sending', by, until: now + answerMs };
}

/** Whether the message can still be kept from going out. */
export function isRecallable(ledger: Ledger, now: number): boolean {
  return ledger.state === 'queued' && (ledger.claim === null || ledger.claim.until <= now);
}

/** Seconds from one attempt to the next; after the last one the message has failed. */
const pauses = [60, 120, 300, 600, 1_200, 1_800, 3_600, 3_600, 7_200, 7_200, 14_400, 14_400];

/** The ledger when the message could not be sent after so many attempts; null: it has been tried often enough. */
export function postponed(attempts: number, now: number): (Ledger & { state: 'queued' }) | null {
  const pause = pauses[attempts - 1];
  if (pause === undefined) return null;
  return { state: 'queued', notBefore: now + pause * 1_000, attempts, claim: null };
}
