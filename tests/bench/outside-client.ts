import { ImapFlow } from 'imapflow';
import type { MailAccount } from '../../functions/local/append-messages.ts';
import { bulkMessages } from '../../functions/local/sample-mail/bulk-messages.ts';
import { seededRandom } from '../../functions/local/sample-mail/random.ts';

/** Another IMAP client of the same user, with the inbox open: it sees to it that nobody can answer from memory. */
export type OutsideClient = {
  /** Flags some message of the inbox, or takes its flag away. */
  readonly change: () => Promise<void>;
  /** Puts a new message into the inbox. */
  readonly deliver: () => Promise<void>;
  readonly close: () => void;
};

export async function connectOutsideClient(
  { host, imapPort, user, password }: MailAccount,
  messages: number,
): Promise<OutsideClient> {
  const client = new ImapFlow({
    ...{ host, port: imapPort, secure: false, doSTARTTLS: false },
    ...{ auth: { user, pass: password }, logger: false, disableAutoIdle: true },
  });
  client.on('error', () => {});
  await client.connect();
  await client.mailboxOpen('INBOX');
  const random = seededRandom(1);
  const flagged = new Set<number>();
  let delivered = 0;
  return {
    change: async () => {
      const uid = random.below(messages) + 1;
      const store = flagged.has(uid) ? 'messageFlagsRemove' : 'messageFlagsAdd';
      if (!(await client[store](`${uid}`, ['\\Flagged'], { uid: true }))) throw new Error(`Could not flag ${uid}`);
      if (!flagged.delete(uid)) flagged.add(uid);
    },
    deliver: async () => {
      delivered += 1;
      const now = new Date();
      for (const { raw } of bulkMessages({ mailbox: ['INBOX'], count: 1, seed: 1_000_000 + delivered, now })) {
        if (!(await client.append('INBOX', raw, [], now))) throw new Error('Could not deliver a message');
      }
    },
    close: () => client.close(),
  };
}
