import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { appendMessages, type MailAccount, type MessageToAppend } from '../../functions/local/append-messages.ts';
import { startDovecot } from '../../functions/local/dovecot.ts';
import { bulkMessages } from '../../functions/local/sample-mail/bulk-messages.ts';

/** Its messages have the UIDs from 1. */
export type FilledMailbox = { readonly name: string; readonly messages: number };

/** An account with so many messages in the inbox and a few in each of the other mailboxes, on a Dovecot of its own. */
export type FilledAccount = MailAccount & {
  readonly mailboxes: readonly FilledMailbox[];
  readonly imapsPort: number;
  /** The certificate of the server, as PEM. */
  readonly ca: string;
  readonly stop: () => Promise<void>;
};

export const mailboxesInAccount = 200;
const messagesElsewhere = 3;
const specialUse = ['Drafts', 'Sent', 'Junk', 'Trash', 'Archive'];

/** Starts the server in the folder and fills the account. */
export async function startFilledAccount(folder: string, messages: number): Promise<FilledAccount> {
  const login = { user: 'robin@example.org', password: 'postern' };
  const dovecot = await startDovecot({ folder: path.join(folder, 'dovecot'), users: [login] });
  try {
    const { host, imapPort, imapsPort, caFile, stop } = dovecot;
    const others = Array.from({ length: mailboxesInAccount - 1 - specialUse.length }, (_, index) => {
      return `Folder ${String(index + 1).padStart(3, '0')}`;
    });
    const mailboxes = [
      { name: 'INBOX', messages },
      ...[...specialUse, ...others].map((name) => ({ name, messages: messagesElsewhere })),
    ];
    await appendMessages({ ...login, host, imapPort }, mailOf(mailboxes));
    return { ...login, host, imapPort, imapsPort, ca: await readFile(caFile, 'utf8'), mailboxes, stop };
  } catch (error) {
    await dovecot.stop();
    throw error;
  }
}

function* mailOf(mailboxes: readonly FilledMailbox[]): Generator<MessageToAppend> {
  const now = new Date();
  for (const [index, { name, messages }] of mailboxes.entries()) {
    yield* bulkMessages({ mailbox: [name], count: messages, seed: index + 1, now });
  }
}
