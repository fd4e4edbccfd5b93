import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { JsonObject } from '../../shared/jmap/scalars.ts';
import { singleProvider } from '../../shared/providers.ts';
import { type Certificate, certificateFor } from '../imap/scripted-server.ts';
import { asking, receipt } from '../methods/MDN/receipts.ts';
import { everyServer } from '../servers/servers.ts';
import { type SubmissionServer, submissionServer } from '../smtp/submission-server.ts';
import { type Product, startProduct } from './harness.ts';
import { type ImapActor, imapActor } from './imap-actor.ts';
import { coreAndMail, type JmapClient } from './jmap-client.ts';

const mdnUri = 'urn:ietf:params:jmap:mdn';

describe.each(everyServer)('read receipts, on %s', (_, start) => {
  let certificate: Certificate;
  let submission: SubmissionServer;
  let product: Product;
  let actor: ImapActor;
  let client: JmapClient;

  beforeAll(async () => {
    const [server, made] = await Promise.all([start(), certificateFor('IP:127.0.0.1')]);
    certificate = made;
    submission = await submissionServer({ certificate });
    const imap = { host: server.host, port: server.imapPort, tls: 'plaintext', ca: null } as const;
    const { sending } = singleProvider('plain', { imap, smtp: null, sieve: null });
    product = startProduct(server, { smtp: submission.endpoint, sending: { ...sending, domain: 'example.com' } });
    const user = await server.freshUser();
    actor = await imapActor(server, user);
    client = await (await product.startProcess()).client(user);
  });
  afterAll(async () => {
    await actor?.close();
    await product?.stop();
    await submission?.stop();
  });

  async function delivered(subject: string, raw: string): Promise<string> {
    await actor.deliver('INBOX', raw.replaceAll('\n', '\r\n'));
    product.advanceClock(2_000);
    return (await client.query('Email', { filter: { subject } })).ids[0] ?? '';
  }
  const call = (method: string, args: JsonObject) =>
    client.call([[method, { accountId: client.accountId, ...args }, '0']], [...coreAndMail, mdnUri]);
  const disposition = { actionMode: 'manual-action', sendingMode: 'mdn-sent-manually', type: 'displayed' };

  test('are sent once, and the Email says so', async () => {
    expect(client.session.capabilities).toHaveProperty([mdnUri], {});
    expect(client.session.accounts[client.accountId]?.accountCapabilities).toHaveProperty([mdnUri], {});
    const fields = { Subject: 'please', 'Message-ID': '<please@example.net>' };
    const forEmailId = await delivered('please', asking(fields));
    const send = { k: { forEmailId, disposition, includeOriginalMessage: true } };
    const args = { identityId: 'Idefault', send, onSuccessUpdateEmail: { '#k': { 'keywords/$mdnsent': true } } };
    const answers = await call('MDN/send', args);
    expect(answers.map(([method]) => method)).toEqual(['MDN/send', 'Email/set']);
    expect(answers[0]?.[1]).toMatchObject({
      sent: { k: { originalMessageId: '<please@example.net>', finalRecipient: expect.stringMatching(/^rfc822; /) } },
      notSent: null,
    });
    expect(answers[1]?.[1]).toMatchObject({ updated: { [forEmailId]: null } });
    const [sent] = submission.accepted.slice(-1);
    expect(sent).toMatchObject({ from: '', to: ['bob@example.net'] });
    expect(sent?.text).toContain('Original-Message-ID: <please@example.net>\r\n');
    expect(sent?.text).toContain(asking(fields).replaceAll('\n', '\r\n'));
    const { list } = await client.get<{ keywords: object }>('Email', { ids: [forEmailId], properties: ['keywords'] });
    expect(list[0]?.keywords).toHaveProperty(['$mdnsent'], true);

    const count = submission.accepted.length;
    const [again] = await call('MDN/send', args);
    expect(again?.[1]).toMatchObject({ sent: null, notSent: { k: { type: 'mdnAlreadySent' } } });
    expect(submission.accepted).toHaveLength(count);
  });

  test('are read, and lead to the Email that they are about', async () => {
    const original = asking({ Subject: 'sent before', 'Message-ID': '<before@example.com>' });
    const emailId = await delivered('sent before', original);
    const notification =
      'Final-Recipient: rfc822; bob@example.net\nOriginal-Message-ID: <before@example.com>\nDisposition: manual-action/MDN-sent-manually; displayed';
    const blobId = await delivered('Gelesen', receipt({ notification }));
    const [answer] = await call('MDN/parse', { blobIds: [blobId, emailId] });
    expect(answer?.[1]).toMatchObject({
      parsed: { [blobId]: { forEmailId: emailId, disposition, originalMessageId: '<before@example.com>' } },
      notParsable: [emailId],
    });
  });
});
