import { describe, expect, test } from '@jest/globals';
import { ImapFlow } from 'imapflow';
import { appendMessages, type MailAccount, type MessageToAppend } from '../../functions/local/append-messages.ts';
import { fillSampleMailbox } from '../../functions/local/sample-mail/fill-sample-mailbox.ts';
import { sampleMailbox } from '../../functions/local/sample-mail/sample-mailbox.ts';
import { courier, cyrus, dovecot, type TestServer } from '../servers/servers.ts';

async function freshAccount(server: TestServer): Promise<MailAccount> {
  return { host: server.host, imapPort: server.imapPort, ...(await server.freshUser()) };
}

/** What another client finds: path, flags in order, arrival and octets of every message. */
async function found({ host, imapPort: port, user, password }: MailAccount) {
  const client = new ImapFlow({ host, port, doSTARTTLS: false, auth: { user, pass: password }, logger: false });
  await client.connect();
  const messages: { path: string; flags: string[]; receivedAt: number; raw: string }[] = [];
  for (const { path, subscribed, flags } of await client.list()) {
    // Above a nested mailbox there may be a mere name.
    if (flags.has('\\Noselect')) continue;
    const lock = await client.getMailboxLock(path, { readOnly: true });
    const { exists } = client.mailbox || { exists: 0 };
    for await (const { flags, internalDate, source } of client.fetch(exists === 0 ? [] : '1:*', {
      flags: true,
      internalDate: true,
      source: true,
    })) {
      const receivedAt = new Date(internalDate ?? 0).getTime();
      messages.push({ path, flags: plain(flags ?? []), receivedAt, raw: source?.toString('latin1') ?? '' });
    }
    lock.release();
    if (messages.some((message) => message.path === path)) expect(subscribed).toBe(true);
  }
  await client.logout();
  return messages;
}

const plain = (flags: Iterable<string>) => [...flags].filter((flag) => flag !== '\\Recent').sort();

const letter = (mailbox: string[], flags: string[], subject: string): MessageToAppend => ({
  mailbox,
  flags,
  receivedAt: new Date('2024-02-29T23:59:58Z'),
  raw: Buffer.from(`From: a@example.org\r\nSubject: ${subject}\r\n\r\ncafé {3}\r\nx\r\n`),
});

describe.each([
  ['dovecot', dovecot, '', '/'],
  ['cyrus', cyrus, '', '/'],
  ['courier', courier, 'INBOX.', '.'],
] as const)('%s', (_name, start, prefix, delimiter) => {
  test('messages arrive with their flags, time and octets, in mailboxes that are made', async () => {
    const account = await freshAccount(await start());
    const given = [
      letter(['INBOX'], ['\\Seen', '\\Flagged'], 'one'),
      letter(['INBOX'], [], 'two'),
      letter(['Projects', 'Apollo & Söhne'], ['$Forwarded'], 'three'),
      letter(['INBOX'], ['\\Answered'], 'four'),
    ];
    expect(await appendMessages(account, given)).toBe(4);
    const expected = given.map(({ mailbox, flags, receivedAt, raw }) => ({
      path: mailbox[0] === 'INBOX' ? 'INBOX' : `${prefix}${mailbox.join(delimiter)}`,
      flags: plain(flags),
      receivedAt: receivedAt.getTime(),
      raw: raw.toString('latin1'),
    }));
    expect((await found(account)).sort(bySubject)).toEqual(expected.sort(bySubject));
  });

  test('a wrong password is refused', async () => {
    const account = await freshAccount(await start());
    await expect(appendMessages({ ...account, password: 'wrong' }, [])).rejects.toThrow(/refused: a\d+ NO/);
  });
});

test('a message that the server does not take is refused', async () => {
  const account = await freshAccount(await dovecot());
  const unknown = letter(['INBOX'], ['\\Bogus'], 'x');
  await expect(appendMessages(account, [unknown])).rejects.toThrow(/refused: a\d+ BAD .*system flag/);
});

const bySubject = (one: { raw: string }, other: { raw: string }) => (one.raw < other.raw ? -1 : 1);

test('the sample mailbox is what a client finds in Dovecot', async () => {
  const account = await freshAccount(await dovecot());
  const options = { seed: 3, now: new Date('2026-01-15T12:00:00Z') };
  const given = sampleMailbox(options);
  expect(await fillSampleMailbox(account, options)).toBe(given.length);
  const octets = (raws: string[]) => raws.sort();
  const there = await found(account);
  expect(octets(there.map(({ raw }) => raw))).toEqual(octets(given.map(({ raw }) => raw.toString('latin1'))));
  expect(new Set(there.map(({ path }) => path))).toEqual(new Set(given.map(({ mailbox }) => mailbox.join('/'))));
});
