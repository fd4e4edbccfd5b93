import { SendMessageCommand, type SQSClient } from '@aws-sdk/client-sqs';
import { asUnavailable } from '../../shared/aws/as-unavailable.ts';
import { sendLane } from '../../shared/providers.ts';
import type { Due } from './queue.ts';

/** What SQS can delay a message by. */
export const delayMaxMs = 15 * 60_000;

/**
 * Has the sender called when something is due, if that is within the next quarter of an hour; what is due later is found in the store
 * when its time comes. `now` in milliseconds. `lanes`: providers that have a queue of their own.
 */
export function sqsClock({
  client,
  queueUrl,
  lanes,
  now,
}: {
  readonly client: SQSClient;
  readonly queueUrl: string;
  readonly lanes: ReadonlySet<string>;
  readonly now: () => number;
}): (due: Due) => Promise<void> {
  return async (due) => {
    const delayMs = Math.max(0, due.at - now());
    if (delayMs > delayMaxMs) return;
    // Rounded down: the sender waits for the rest.
    const DelaySeconds = Math.floor(delayMs / 1_000);
    const QueueUrl = lanes.has(due.provider) ? sendLane(queueUrl, due.provider) : queueUrl;
    const message = new SendMessageCommand({ QueueUrl, MessageBody: JSON.stringify(due), DelaySeconds });
    await asUnavailable(() => client.send(message));
  };
}
