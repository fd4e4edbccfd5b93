import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { localStoreAccess } from '../../functions/local/store-access.ts';
import type { Id } from '../../shared/jmap/scalars.ts';
import { emailSubmission } from '../../shared/methods/EmailSubmission/index.ts';
import { contextFor } from '../methods/context.ts';
import { type DoomedSetup, startDoomedSender } from './doomed-sender.ts';

// A process that sends one message, now or later, and is killed by itself after so many steps that it took outside of itself, or after
// the one that is named.
const { account, killAfter, isLater, ...setup } = JSON.parse(process.argv[2] ?? '{}') as DoomedSetup & {
  readonly account: Id;
  readonly killAfter: number | string;
  readonly isLater: boolean;
};
let steps = 0;
/** By how much its clock is ahead: nothing is waited for. */
let aheadMs = 0;
const now = () => Date.now() + aheadMs;
const client = new DynamoDBClient({ endpoint: setup.storeEndpoint, ...localStoreAccess, maxAttempts: 1 });
const sender = await startDoomedSender(setup, {
  client,
  now,
  onStep: (step) => {
    steps += 1;
    if (steps === killAfter || step === killAfter) process.kill(process.pid, 'SIGKILL');
  },
});

const ports = sender.portsOf(account);
const parameters = isLater ? { HOLDFOR: '1' } : null;
const envelope = { mailFrom: { email: 'anna@example.com', parameters }, rcptTo: [{ email: `${account}@example.net` }] };
const create = { k: { identityId: 'Idefault', emailId: 'e1', envelope } };
await emailSubmission.methods.set.run({ accountId: account, create }, ports, contextFor(ports));
const waiting = await sender.queue.dueUntil(now() + 60_000, 100);
for (let due = waiting.find((each) => each.account === account) ?? null; due !== null; ) {
  aheadMs += Math.max(0, due.at - now());
  due = await sender.queue.attendTo(due);
}
client.destroy();
process.stdout.write(`${steps}`);
