import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { JsonObject } from '../../shared/jmap/scalars.ts';
import { singleProvider } from '../../shared/providers.ts';
import { submissionPrograms } from '../servers/dovecot-submission.ts';
import { ownDovecot, type TestUser } from '../servers/servers.ts';
import { type SubmissionServer, submissionServer } from '../smtp/submission-server.ts';
import { type Process, type Product, startProduct } from './harness.ts';
import { type ImapActor, imapActor } from './imap-actor.ts';
import type { JmapClient } from './jmap-client.ts';

type Server = Awaited<ReturnType<typeof ownDovecot>>;

/** What Dovecot's submission server gives messages on to. */
let sink: SubmissionServer;
let server: Server;
/** What happens once when the recipient of a message is told, before its body is fetched. */
let onRecipient: (() => Promise<void>) | null = null;
let user: TestUser;
let actor: ImapActor;
const products: Product[] = [];
/** Every connection of this process, and the port it goes to. */
const sockets = new Map<Socket, number>();
const watch = (message: unknown) => {
  const { socket } = message as { socket: Socket };
  socket.once('connect', () => sockets.set(socket, socket.remotePort ?? 0));
};

beforeAll(async () => {
  subscribe('net.client.socket', watch);
  sink = await submissionServer({
    isOpen: true,
    reached: async (milestone) => {
      if (milestone !== 'RCPT') return;
      const happens = onRecipient;
      onRecipient = null;
      await happens?.();
    },
  });
  server = await ownDovecot({ submission: { relayPort: sink.endpoint.port, programs: await submissionPrograms() } });
  user = await server.freshUser();
  actor = await imapActor(server, user);
}, 60_000);
afterAll(async () => {
  unsubscribe('net.client.socket', watch);
  await actor?.close();
  await Promise.all(products.map((product) => product.stop()));
  await server?.stop();
  await sink?.stop();
});

/** The product, which knows the mail server by this name. */
async function start(host: string): Promise<{ product: Product; process: Process; client: JmapClient }> {
  const imap = { host, port: server.imapPort, tls: 'plaintext', ca: null } as const;
  const { sending } = singleProvider('plain', { imap, smtp: null, sieve: null });
  const smtp = { ...imap, port: server.submissionPort ?? 0 };
  const product = startProduct({ ...server, host }, { smtp, sending: { ...sending, domain: 'example.com' } });
  products.push(product);
  const process = await product.startProcess();
  return { product, process, client: await process.client(user) };
}

/** Octets that came from the mail server, and went to the submission server, so far. */
function octets() {
  const of = (port: number | null, what: 'bytesRead' | 'bytesWritten') =>
    [...sockets].filter(([, to]) => to === port).reduce((sum, [socket]) => sum + socket[what], 0);
  return { read: of(server.imapPort, 'bytesRead'), written: of(server.submissionPort, 'bytesWritten') };
}

const line = `${'0123456789 '.repeat(6)}\r\n`;
const largeBody = line.repeat(4_000);
let letters = 0;

/** A message in a mailbox, as it is stored. */
async function deliver(mailbox: string, body = largeBody, more: readonly string[] = []) {
  letters += 1;
  const subject = `letter${letters}`;
  const fields = [
    `From: ${user.user}@example.com`,
    'To: bob@example.net',
    `Subject: ${subject}`,
    'Date: Thu, 01 Jan 2026 00:00:00 +0000',
    `Message-ID: <${subject}@example.com>`,
  ];
  const message = [...fields, ...more, '', body].join('\r\n');
  await actor.deliver(mailbox, Buffer.from(message));
  return { subject, message };
}

/** Sends a message that was delivered; what went over the wires for it, and what came out at the other end. */
async function send({ product, process, client }: Awaited<ReturnType<typeof start>>, subject: string) {
  product.advanceClock(2_000);
  const { ids } = await client.query('Email', { filter: { subject } });
  const [emailId = ''] = ids;
  const accepted = sink.accepted.length;
  const before = octets();
  const commands = process.imap.commands.length;
  const create = { k: { identityId: 'Idefault', emailId } };
  const [[, answer] = []] = await client.call([['EmailSubmission/set', { accountId: client.accountId, create }, '0']]);
  const after = octets();
  return {
    answer: answer as JsonObject,
    commands: process.imap.commands.slice(commands),
    read: after.read - before.read,
    written: after.written - before.written,
    accepted: sink.accepted.slice(accepted),
  };
}

describe('a large message', () => {
  let under: Awaited<ReturnType<typeof start>>;
  beforeAll(async () => {
    under = await start('127.0.0.1');
  });

  test('goes from the mail server to the submission server, and not through us', async () => {
    const { subject, message } = await deliver('INBOX');
    const { answer, commands, read, written, accepted } = await send(under, subject);
    expect(answer.created).toMatchObject({
      k: { undoStatus: 'final', deliveryStatus: { 'bob@example.net': { smtpReply: expect.stringMatching(/^250 /) } } },
    });
    expect(accepted).toHaveLength(1);
    expect(accepted[0]).toMatchObject({ from: `${user.user}@example.com`, to: ['bob@example.net'] });
    // The submission server has put a field of its own in front (RFC 5321 §4.4).
    expect(accepted[0]?.text.replace(/^Received: .*\r\n(?:[ \t].*\r\n)*/, '')).toBe(message);
    expect(commands.filter((name) => name === 'GENURLAUTH')).toHaveLength(1);
    expect(message.length).toBeGreaterThan(250_000);
    expect(read).toBeLessThan(5_000);
    expect(written).toBeLessThan(5_000);
    expect(under.product.log.join('\n')).not.toMatch(/imap:|URLAUTH/i);
  });

  test('arrives as it is stored, with dots, long lines and 8-bit text', async () => {
    const body = `.\r\n..\r\n.\u00fc${line.trim().repeat(14)}\r\n\r\n`.repeat(200);
    const more = ['MIME-Version: 1.0', 'Content-Type: text/plain; charset=utf-8', 'Content-Transfer-Encoding: 8bit'];
    const { subject, message } = await deliver('INBOX', body, more);
    const { written, accepted } = await send(under, subject);
    expect(accepted).toHaveLength(1);
    expect(accepted[0]?.text.endsWith(`\r\n${message}`)).toBe(true);
    expect(written).toBeLessThan(5_000);
  });

  test('tells nobody of the secret recipients', async () => {
    const { subject } = await deliver('INBOX', largeBody, ['Bcc: secret@example.net']);
    const { written, accepted } = await send(under, subject);
    expect(accepted).toHaveLength(1);
    expect(accepted[0]?.to).toEqual(['bob@example.net', 'secret@example.net']);
    expect(accepted[0]?.text).not.toMatch(/secret|bcc/i);
    expect(accepted[0]?.text.endsWith(`\r\n\r\n${largeBody}`)).toBe(true);
    expect(written).toBeLessThan(5_000);
  });

  test.each([
    'a;UIDVALIDITY=1/;UID=1',
    'x@y:z?q#f',
    'a b%25c%2F&d',
    'Entw\u00fcrfe \ud83d\ude00',
    '"quoted" \\ LAST',
    '..a/b..',
    "!*'()[]{}",
  ])('may lie in the mailbox %s', async (mailbox) => {
    await actor.create(mailbox);
    const { subject, message } = await deliver(mailbox);
    const { written, accepted } = await send(under, subject);
    expect(accepted.map(({ text }) => text.slice(-message.length))).toEqual([message]);
    expect(written).toBeLessThan(5_000);
  });

  test('goes to those recipients that the submission server takes, and ends as it is stored', async () => {
    const { subject, message } = await deliver('INBOX', largeBody.trimEnd(), ['Cc: nobody@example.net']);
    const { answer, written, accepted } = await send(under, subject);
    expect(accepted.map(({ to, text }) => ({ to, text: text.slice(-message.length - 2) }))).toEqual([
      { to: ['bob@example.net'], text: `${message}\r\n` },
    ]);
    expect(answer.created).toMatchObject({
      k: {
        deliveryStatus: {
          'bob@example.net': { delivered: 'unknown' },
          'nobody@example.net': { delivered: 'no', smtpReply: expect.stringMatching(/^550 /) },
        },
      },
    });
    expect(written).toBeLessThan(5_000);
  });

  test('may be made, sent and moved in one request', async () => {
    const { product, process, client } = under;
    product.advanceClock(2_000);
    const { list } = await client.get<{ id: string; role: string | null }>('Mailbox', { ids: null });
    const [inbox = '', archive = ''] = ['inbox', 'archive'].map((role) => list.find((each) => each.role === role)?.id);
    // Nothing that has to be encoded.
    const text = `${line.trim()}\r\n`.repeat(4_000);
    const email = {
      mailboxIds: { [inbox]: true },
      keywords: { $draft: true },
      from: [{ email: `${user.user}@example.com` }],
      to: [{ email: 'bob@example.net' }],
      bcc: [{ email: 'secret@example.net' }],
      subject: 'made, sent and moved',
      bodyValues: { t: { value: text.replaceAll('\r\n', '\n') } },
      textBody: [{ partId: 't', type: 'text/plain' }],
    };
    const update = { '#k': { mailboxIds: { [archive]: true }, 'keywords/$draft': null } };
    const accepted = sink.accepted.length;
    const commands = process.imap.commands.length;
    const before = octets();
    const answers = await client.call([
      ['Email/set', { accountId: client.accountId, create: { e: email } }, '0'],
      [
        'EmailSubmission/set',
        {
          accountId: client.accountId,
          create: { k: { identityId: 'Idefault', emailId: '#e' } },
          onSuccessUpdateEmail: update,
        },
        '1',
      ],
    ]);
    expect(answers).toMatchObject([
      ['Email/set', { created: { e: {} } }, '0'],
      ['EmailSubmission/set', { created: { k: { undoStatus: 'final' } } }, '1'],
      ['Email/set', { updated: {} }, '1'],
    ]);
    const sent = sink.accepted.slice(accepted);
    expect(sent).toMatchObject([{ to: ['bob@example.net', 'secret@example.net'] }]);
    expect(sent[0]?.text).not.toMatch(/secret|bcc/i);
    expect(sent[0]?.text.endsWith(`\r\n\r\n${text}`)).toBe(true);
    const asked = process.imap.commands.slice(commands);
    expect(asked.filter((name) => name === 'GENURLAUTH')).toHaveLength(1);
    const { read, written } = octets();
    expect(read - before.read).toBeLessThan(10_000);
    expect(written - before.written).toBeLessThan(5_000);
  });

  test('is read where it is a small one', async () => {
    const { subject, message } = await deliver('INBOX', 'Hello\r\n');
    const { commands, accepted } = await send(under, subject);
    expect(accepted.map(({ text }) => text.slice(-message.length))).toEqual([message]);
    expect(commands).not.toContain('GENURLAUTH');
  });
});

describe('a large message is sent once in the ordinary way', () => {
  test('where the mail server gives no URL under the name that we know it by', async () => {
    const under = await start('localhost');
    const { subject, message } = await deliver('INBOX');
    const { commands, written, accepted } = await send(under, subject);
    expect(accepted.map(({ text }) => text.slice(-message.length))).toEqual([message]);
    expect(commands).toContain('GENURLAUTH');
    expect(written).toBeGreaterThan(message.length);
  });

  test('where it is moved away before the submission server fetches the body', async () => {
    const under = await start('127.0.0.1');
    const { subject, message } = await deliver('INBOX');
    const uid = (await actor.uids('INBOX')).at(-1) ?? 0;
    onRecipient = async () => {
      await actor.move('INBOX', [uid], 'Archive');
      under.product.advanceClock(2_000);
    };
    const connections = sockets.size;
    const { answer, commands, written, accepted } = await send(under, subject);
    expect(answer.created).toMatchObject({ k: { undoStatus: 'final' } });
    expect(accepted.map(({ text }) => text.slice(-message.length))).toEqual([message]);
    expect(commands).toContain('GENURLAUTH');
    expect(written).toBeGreaterThan(message.length);
    const submissions = [...sockets.values()].slice(connections).filter((port) => port === server.submissionPort);
    expect(submissions).toHaveLength(2);
  });
});
