import { randomBytes } from 'node:crypto';
import { createQueue, type Queue, type QueueParts } from '../../functions/sending/queue.ts';
import type { Id } from '../../shared/jmap/scalars.ts';
import type { CanGiveUrls } from '../../shared/methods/Email/mail.ts';
import type { SubmissionPorts } from '../../shared/methods/EmailSubmission/record.ts';
import type { CanRelay } from '../../shared/methods/EmailSubmission/relay.ts';
import type { Provider } from '../../shared/providers.ts';
import { accountRecords } from '../../shared/records/account-records.ts';
import { smtpRelay } from '../../shared/smtp/relay.ts';
import { mailAccount } from '../methods/mail-account.ts';
import { noUrls } from '../methods/sending-account.ts';
import { withSentCopies } from './sent-copies.ts';

/** What sends mail, and where it keeps what waits. */
export type SenderParts = Pick<QueueParts, 'store' | 'vault' | 'outbox' | 'now'> & {
  readonly providers: readonly [Provider, ...Provider[]];
  /** Of the body of the only message that there is to be sent. */
  readonly bodyOctets?: number;
  /** Message-IDs of what the provider has put into Sent. */
  readonly saved?: () => readonly string[];
  /** By which the server may fetch the body of the message. */
  readonly urls?: CanGiveUrls;
  /** What is done around the giving of a message to the server. */
  readonly around?: (relay: CanRelay) => CanRelay;
};

export type Sender = {
  readonly queue: Queue;
  /** Of the first provider, where none is named. */
  readonly portsOf: (account: Id, provider?: Provider) => SubmissionPorts;
};

/** A user with a mailbox of one message, and the real relay and queue. */
export function createSender(parts: SenderParts): Sender {
  const { store, providers, now, bodyOctets = 6, saved = () => [], around = (relay) => relay, urls = noUrls } = parts;
  const credential = { kind: 'password', user: 'anna', password: 'secret' } as const;
  const randomKey = () => randomBytes(12).toString('hex');
  const { ports: mail } = mailAccount([letter(bodyOctets)]);
  const sentCopies = withSentCopies(mail, saved);
  const recordsOf = (account: Id) => accountRecords({ store, account, randomKey });
  const portsOf = (account: Id, provider: Provider = providers[0]): SubmissionPorts => ({
    ...{ ...mail, ...sentCopies },
    records: recordsOf(account),
    sending: { policy: { address: 'anna@example.com', alsoFrom: [] }, newId: () => `S${randomKey()}` as Id },
    submission: {
      ...{ now, urls, worker: randomKey(), maxRecipients: 10, maxSizeMessage: 100_000_000 },
      relay: around(smtpRelay({ smtp: provider.smtp ?? provider.imap, auth: ['plain'] }, credential)),
      destroyEmails: async () => {},
      savesSent: provider.sending.savesSent,
      deadline: Number.POSITIVE_INFINITY,
      emailOf: new Map(),
      serverHoldsSeconds: null,
      held: queue.heldOf(account),
      onUnavailable: () => {},
      queue: queue.of({ username: 'anna@example.com', accountId: account, provider, credential }),
    },
  });
  const queue = createQueue({
    ...{ ...parts, providers, maxDelaySeconds: 90 * 86_400, recordsOf },
    openAccount: ({ accountId, provider }) => ({ ports: portsOf(accountId, provider), close: async () => {} }),
  });
  return { queue, portsOf };
}

function letter(bodyOctets: number): string {
  const body = 'Hello, Bob. '.repeat(6).concat('\n');
  const fields = [
    'From: anna@example.com',
    'To: bob@example.net',
    'Subject: x',
    'Date: Thu, 01 Jan 2026 00:00:00 +0000',
  ];
  return `${fields.join('\n')}\n\n${body.repeat(Math.ceil(bodyOctets / body.length))}`;
}
