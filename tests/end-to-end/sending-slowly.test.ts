import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { JsonObject } from '../../shared/jmap/scalars.ts';
import { singleProvider } from '../../shared/providers.ts';
import { everyServer, type TestServer, type TestUser } from '../servers/servers.ts';
import { type SubmissionServer, submissionServer } from '../smtp/submission-server.ts';
import { type Product, startProduct } from './harness.ts';
import { imapActor } from './imap-actor.ts';
import type { JmapClient } from './jmap-client.ts';

const seconds = 10;

describe.each(everyServer)('before %s', (_, start) => {
  let release = () => {};
  let server: TestServer;
  let submission: SubmissionServer;
  let product: Product;
  let user: TestUser;
  let client: JmapClient;

  beforeAll(async () => {
    server = await start();
    // It has the message, and does not say so.
    submission = await submissionServer({
      delivered: () => {
        product.advanceClock(seconds * 1_000);
        return new Promise((resolve) => {
          release = resolve;
        });
      },
    });
    const imap = { host: server.host, port: server.imapPort, tls: 'plaintext', ca: null } as const;
    const plain = singleProvider('plain', { imap, smtp: null, sieve: null });
    const sending = { ...plain.sending, domain: 'example.com' };
    product = startProduct(server, { smtp: submission.endpoint, sending }, { requestTimeoutSeconds: seconds });
    user = await server.freshUser();
    client = await (await product.startProcess()).client(user);
  });
  afterAll(async () => {
    release();
    await product?.stop();
    await submission?.stop();
  });

  test('whoever sends by a server that takes too long is told in time that nobody knows, and the others have not gone out', async () => {
    const [identity] = (await client.get<{ email: string }>('Identity', {})).list;
    const fields = [
      `From: ${identity?.email}`,
      'To: bob@example.net',
      'Subject: slow',
      'Date: Thu, 01 Jan 2026 00:00:00 +0000',
    ];
    const actor = await imapActor(server, user);
    await actor.deliver('INBOX', [...fields, '', 'Hello', ''].join('\r\n'));
    await actor.close();
    product.advanceClock(2_000);
    const { ids } = await client.query('Email', { filter: { subject: 'slow' } });
    const one = { identityId: 'Idefault', emailId: ids[0] ?? '' };
    const begunAt = Date.now();
    const [[name, answer] = []] = await client.call([
      ['EmailSubmission/set', { accountId: client.accountId, create: { k: one, l: one } }, '0'],
    ]);
    expect(Date.now() - begunAt).toBeLessThan(seconds * 1_000);
    expect(name).toBe('EmailSubmission/set');
    expect(answer).toMatchObject({
      created: { k: { undoStatus: 'final', deliveryStatus: { 'bob@example.net': { delivered: 'unknown' } } } },
      notCreated: { l: { type: 'serverUnavailable' } },
    });
    const { k } = (answer as { created: { k: JsonObject & { id: string } } }).created;
    expect(await client.get('EmailSubmission', { ids: null })).toMatchObject({
      list: [
        {
          id: k.id,
          undoStatus: 'final',
          deliveryStatus: { 'bob@example.net': { smtpReply: expect.stringMatching(/^451 /) } },
        },
      ],
    });
    expect(submission.accepted).toHaveLength(1);
  }, 60_000);
});
