import { randomBytes } from 'node:crypto';
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { openFolderOutbox } from '../../functions/local/folder-outbox.ts';
import { openKeyFileVault } from '../../functions/local/key-file-vault.ts';
import { createQueue, type Queue } from '../../functions/sending/queue.ts';
import { dynamodbRecordStore } from '../../shared/aws/dynamodb-record-store.ts';
import type { Endpoint } from '../../shared/endpoint.ts';
import type { Id } from '../../shared/jmap/scalars.ts';
import type { SubmissionPorts } from '../../shared/methods/EmailSubmission/record.ts';
import type { CanRelay } from '../../shared/methods/EmailSubmission/relay.ts';
import { singleProvider } from '../../shared/providers.ts';
import { accountRecords } from '../../shared/records/account-records.ts';
import { smtpRelay } from '../../shared/smtp/relay.ts';
import { mailAccount } from '../methods/mail-account.ts';

/** Where everything is that outlives a process. */
export type SenderSetup = {
  readonly storeEndpoint: string;
  readonly tableName: string;
  readonly folder: string;
  readonly smtp: Endpoint;
};

const letter =
  'From: anna@example.com\nTo: bob@example.net\nSubject: x\nDate: Thu, 01 Jan 2026 00:00:00 +0000\n\nHello\n';

/** What sends mail in a process: the real adapters, and a mailbox of one message. `onStep`: after each call that leaves the process. */
export async function startSender(
  { tableName, folder, smtp }: SenderSetup,
  { client, now, onStep }: { client: DynamoDBClient; now: () => number; onStep: () => void },
): Promise<{ readonly queue: Queue; readonly portsOf: (account: Id) => SubmissionPorts }> {
  const stepping =
    <A extends readonly unknown[], T>(call: (...args: A) => Promise<T>) =>
    async (...args: A): Promise<T> => {
      const result = await call(...args);
      onStep();
      return result;
    };
  const inner = dynamodbRecordStore({ client, tableName, now });
  const store = {
    read: stepping(inner.read),
    list: inner.list,
    write: stepping(inner.write),
    remove: stepping(inner.remove),
  };
  const folderOutbox = await openFolderOutbox(`${folder}/outbox`);
  const outbox = {
    put: stepping(folderOutbox.put),
    get: stepping(folderOutbox.get),
    remove: stepping(folderOutbox.remove),
  };
  const vault = await openKeyFileVault({ file: `${folder}/keys.json`, now });
  const provider = singleProvider('test', { imap: smtp, smtp, sieve: null });
  const credential = { kind: 'password', user: 'anna', password: 'secret' } as const;
  const send = smtpRelay({ smtp, auth: ['plain'] }, credential);
  const relay: CanRelay = async (request) => {
    const outcome = await send({ ...request, beforeEnd: stepping(request.beforeEnd) });
    onStep();
    return outcome;
  };
  const randomKey = () => randomBytes(12).toString('hex');
  const { ports: mail } = mailAccount([letter]);
  const recordsOf = (account: Id) => accountRecords({ store, account, randomKey });
  const portsOf = (account: Id): SubmissionPorts => ({
    ...mail,
    search: { search: async () => null, sort: async () => null },
    records: recordsOf(account),
    sending: { policy: { address: 'anna@example.com', alsoFrom: [] }, newId: () => `S${randomKey()}` as Id },
    submission: {
      ...{ relay, now, worker: randomKey(), maxRecipients: 10, maxSizeMessage: 100_000, savesSent: false },
      deadline: Number.POSITIVE_INFINITY,
      emailOf: new Map(),
      serverHoldsSeconds: null,
      held: queue.heldOf(account),
      onUnavailable: () => {},
      queue: queue.of({ username: 'anna@example.com', accountId: account, provider, credential }),
    },
  });
  const queue = createQueue({
    ...{ store, vault, outbox, providers: [provider], maxDelaySeconds: 90 * 86_400, now, recordsOf },
    openAccount: ({ accountId }) => ({ ports: portsOf(accountId), close: async () => {} }),
  });
  return { queue, portsOf };
}
