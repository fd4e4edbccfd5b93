import { setTimeout as delay } from 'node:timers/promises';
import { Unavailable } from '../jmap/errors.ts';

/** How often something that was only done in part is done again, and how long to wait first: doubled each time, with jitter. */
export type Retries = { readonly attempts: number; readonly firstDelayMs: number };

const defaultRetries: Retries = { attempts: 8, firstDelayMs: 25 };

/** Repeats `attempt` until it says that nothing is left; `Unavailable` when it never does. */
export async function retried(retries: Retries | undefined, attempt: () => Promise<boolean>): Promise<void> {
  const { attempts, firstDelayMs } = retries ?? defaultRetries;
  for (let n = 0; n < attempts; n += 1) {
    if (n > 0) await delay(firstDelayMs * 2 ** (n - 1) * (0.5 + Math.random() / 2));
    if (await attempt()) return;
  }
  throw new Unavailable('the store accepts only a part of what it is sent', { retryAfterSeconds: 5 });
}
