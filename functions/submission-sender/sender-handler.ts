import { setTimeout as delay } from 'node:timers/promises';
import * as v from 'valibot';
import type { Id } from '../../shared/jmap/scalars.ts';
import { type Due, everythingDue, type Queue } from '../sending/queue.ts';
import { delayMaxMs } from '../sending/sqs-clock.ts';

/** What the sender is called with: messages of its queue, or the tick of the schedule, which has none. */
export type SenderEvent = { readonly Records?: readonly { readonly body: string }[] };

/** How often the schedule ticks. */
const tickMs = 60_000;
/** What is overdue by so much was lost on its way, and is called for again. */
const overdueMs = 3 * 60_000;
/** What comes into reach of SQS is called for within this stretch, which is longer than a tick, so that nothing is missed. */
const reachMs = 2 * tickMs;

const dueMessage = v.strictObject({
  at: v.number(),
  account: v.string(),
  id: v.string(),
  provider: v.optional(v.string(), ''),
});

/**
 * Looks after what is due. `call` has it called again for something. Nothing is done early: who comes too soon waits, for that is never
 * for long. What fails is thrown, and SQS brings it again.
 */
export function createSenderHandler({
  queue,
  call,
  now,
  rest,
}: {
  readonly queue: Pick<Queue, 'dueUntil' | 'attendTo'>;
  readonly call: (due: Due) => Promise<void>;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Logs out of the mail servers: the process is frozen afterwards. */
  readonly rest: () => Promise<void>;
}): (event: SenderEvent) => Promise<void> {
  async function attend(due: Due): Promise<void> {
    const early = due.at - now();
    if (early > 2_000) return call(due);
    if (early > 0) await delay(early);
    // A timer may ring a moment too soon.
    while (now() < due.at) await delay(1);
    const next = await queue.attendTo(due);
    if (next !== null) await call(next);
  }

  return async ({ Records }) => {
    try {
      if (Records === undefined) {
        for await (const each of everythingDue(queue, now() + delayMaxMs)) {
          const inMs = each.at - now();
          if (inMs < -overdueMs || inMs > delayMaxMs - reachMs) await call(each);
        }
        return;
      }
      for (const { body } of Records) {
        const { account, id, ...due } = v.parse(dueMessage, JSON.parse(body));
        await attend({ ...due, account: account as Id, id: id as Id });
      }
    } finally {
      await rest();
    }
  };
}
