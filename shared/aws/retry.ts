import { setTimeout as delay } from 'node:timers/promises';
import { Unavailable } from '../jmap/errors.ts';
import { isThrottling } from './as-unavailable.ts';

/** How often something that was only done in part is done again, and how long to wait first: doubled each time, with jitter. */
export type Retries = { readonly attempts: number; readonly firstDelayMs: number };

/**
 * About ten seconds in all. One account is one partition of the table, and a partition takes a thousand write units a
 * second: whoever indexes a large mailbox must wait for his turn, and not give up.
 */
const defaultRetries: Retries = { attempts: 10, firstDelayMs: 25 };

/** Repeats `attempt` until it says that nothing is left; `Unavailable` when it never does. Throttling is nothing done yet. */
export async function retried(retries: Retries | undefined, attempt: () => Promise<boolean>): Promise<void> {
  const { attempts, firstDelayMs } = retries ?? defaultRetries;
  for (let n = 0; n < attempts; n += 1) {
    if (n > 0) await delay(firstDelayMs * 2 ** (n - 1) * (0.5 + Math.random() / 2));
    const isDone = await attempt().catch((error: unknown) => {
      if (isThrottling(error)) return false;
      throw error;
    });
    if (isDone) return;
  }
  throw new Unavailable('the store accepts only a part of what it is sent', { retryAfterSeconds: 5 });
}
