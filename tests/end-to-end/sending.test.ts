import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { JsonObject } from '../../shared/jmap/scalars.ts';
import { singleProvider } from '../../shared/providers.ts';
import { type Certificate, certificateFor } from '../imap/scripted-server.ts';
import { everyServer, type TestServer, type TestUser } from '../servers/servers.ts';
import { type SubmissionServer, submissionServer } from '../smtp/submission-server.ts';
import { type Product, startProduct } from './harness.ts';
import { type ImapActor, imapActor } from './imap-actor.ts';
import type { JmapClient } from './jmap-client.ts';

const submissionUri = 'urn:ietf:params:jmap:submission';

describe.each(everyServer)('a client that sends mail, on %s', (_, start) => {
  let certificate: Certificate;
  let server: TestServer;
  let submission: SubmissionServer;
  let product: Product;
  let user: TestUser;
  let actor: ImapActor;
  let client: JmapClient;
  let from: string;

  beforeAll(async () => {
    [server, certificate] = await Promise.all([start(), certificateFor('IP:127.0.0.1')]);
    submission = await submissionServer({ certificate });
    const plain = singleProvider('plain', {
      imap: { host: server.host, port: server.imapPort, tls: 'plaintext', ca: null },
      smtp: null,
      sieve: null,
    });
    product = startProduct(server, {
      smtp: submission.endpoint,
      sending: { ...plain.sending, domain: 'example.com', extensions: ['SIZE'] },
    });
    user = await server.freshUser();
    actor = await imapActor(server, user);
    client = await (await product.startProcess()).client(user);
    const [identity] = (await client.get<{ email: string }>('Identity', {})).list;
    from = identity?.email ?? '';
  });
  afterAll(async () => {
    await actor?.close();
    await product?.stop();
    await submission?.stop();
  });

  async function draft(token: string, more: readonly string[] = [], body = 'Hello'): Promise<string> {
    const fields = [
      `From: ${from}`,
      `Subject: ${token}`,
      'Date: Thu, 01 Jan 2026 00:00:00 +0000',
      `Message-ID: <${token}@example.com>`,
    ];
    await actor.deliver('INBOX', [...fields, ...more, '', body, ''].join('\r\n'));
    product.advanceClock(2_000);
    const { ids } = await client.query('Email', { filter: { subject: token } });
    return ids[0] ?? '';
  }
  const submit = async (create: JsonObject, more: JsonObject = {}) =>
    client.call([['EmailSubmission/set', { accountId: client.accountId, create: { k: create }, ...more }, '0']]);

  test('is told that it can, and who it is', async () => {
    expect(client.session.accounts[client.accountId]?.accountCapabilities[submissionUri]).toMatchObject({
      submissionExtensions: { SIZE: [] },
    });
    expect(from).toBe(`${user.user.split('@')[0]}@${user.user.split('@')[1] ?? 'example.com'}`);
  });

  test('sends a message over TLS, with its own login, to all whom it names', async () => {
    const emailId = await draft('open', ['To: Bob <bob@example.net>', 'Bcc: secret@example.net']);
    const [[name, answer] = []] = await submit({ identityId: 'Idefault', emailId });
    expect(name).toBe('EmailSubmission/set');
    const { k } = (answer as { created: { k: JsonObject & { id: string } } }).created;
    expect(k).toMatchObject({
      undoStatus: 'final',
      deliveryStatus: {
        'bob@example.net': { smtpReply: expect.stringMatching(/^250 /), delivered: 'unknown' },
        'secret@example.net': { delivered: 'unknown' },
      },
    });
    expect(submission.accepted.at(-1)).toMatchObject({
      user: user.user,
      from,
      to: ['bob@example.net', 'secret@example.net'],
    });
    expect(submission.accepted.at(-1)?.text).toMatch(/^From: .*\r\n\r\nHello\r\n$/s);
    expect(submission.accepted.at(-1)?.text).not.toContain('secret');
    // The stored message still knows whom it was sent to.
    expect(await client.get('Email', { ids: [emailId], properties: ['bcc'] })).toMatchObject({
      list: [{ bcc: [{ email: 'secret@example.net' }] }],
    });
    expect(await client.query('EmailSubmission', { filter: { emailIds: [emailId] } })).toMatchObject({ ids: [k.id] });
    expect(await client.get('EmailSubmission', { ids: [k.id] })).toMatchObject({ list: [{ ...k, emailId }] });
  });

  test('is told of each recipient what the server said', async () => {
    const emailId = await draft('partly', ['To: bob@example.net, nobody@example.net']);
    const [[, answer] = []] = await submit({ identityId: 'Idefault', emailId });
    expect(answer).toMatchObject({
      created: {
        k: {
          deliveryStatus: {
            'bob@example.net': { delivered: 'unknown' },
            'nobody@example.net': { delivered: 'no', smtpReply: '550 5.1.1 nobody is not here' },
          },
        },
      },
    });
    expect(submission.accepted.at(-1)?.to).toEqual(['bob@example.net']);
    const none = await draft('none', ['To: nobody@example.net']);
    const [[, refused] = []] = await submit({ identityId: 'Idefault', emailId: none });
    expect(refused).toMatchObject({
      notCreated: { k: { type: 'invalidRecipients', invalidRecipients: ['nobody@example.net'] } },
    });
  });

  test('sends a large message whole, with dots, bare line ends and 8-bit text', async () => {
    const body = `.\r\n..\r\n\u00fc${'0123456789 '.repeat(80)}\r\n`.repeat(3_000);
    const more = [
      'To: bob@example.net',
      'MIME-Version: 1.0',
      'Content-Type: text/plain; charset=utf-8',
      'Content-Transfer-Encoding: 8bit',
    ];
    const emailId = await draft('large', more, body);
    await submit({ identityId: 'Idefault', emailId });
    expect(submission.accepted.at(-1)?.text.endsWith(`\r\n\r\n${body}\r\n`)).toBe(true);
  });

  test('is not the sender of what is not from him', async () => {
    const before = submission.accepted.length;
    await actor.deliver(
      'INBOX',
      `From: eve@example.com\r\nTo: a@b.example\r\nSubject: forged\r\nDate: Thu, 01 Jan 2026 00:00:00 +0000\r\n\r\nx\r\n`,
    );
    product.advanceClock(2_000);
    const { ids } = await client.query('Email', { filter: { subject: 'forged' } });
    const [[, answer] = []] = await submit({ identityId: 'Idefault', emailId: ids[0] ?? '' });
    expect(answer).toMatchObject({ notCreated: { k: { type: 'forbiddenFrom' } } });
    expect(submission.accepted).toHaveLength(before);
  });
});
