import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Endpoint } from '../../shared/endpoint.ts';
import type { JsonObject } from '../../shared/jmap/scalars.ts';
import { singleProvider } from '../../shared/providers.ts';
import { canStartPostfix, startPostfix } from '../servers/postfix.ts';
import { cyrus, dovecot, everyServer, type TestServer } from '../servers/servers.ts';
import { type SubmissionServer, submissionServer } from '../smtp/submission-server.ts';
import { type Product, startProduct } from './harness.ts';
import type { JmapClient } from './jmap-client.ts';

const messageOctetsMax = 100_000;
type MailServer = TestServer & { readonly lmtpPort?: number };
type Submission = { readonly endpoint: Endpoint; readonly stop: () => Promise<void> };

/** The `smtp-server` of npm takes the messages itself. */
const directly = async () => submissionServer({ size: messageOctetsMax });
/** Postfix gives them on: to a server that tells what came, and to the mail server. */
const throughPostfix = async (sink: SubmissionServer, { lmtpPort = 0 }: MailServer): Promise<Submission> =>
  startPostfix({
    routes: {
      'example.net': { by: 'smtp', port: sink.endpoint.port },
      'example.com': { by: 'lmtp', port: lmtpPort },
    },
    messageOctetsMax,
  });

type World = readonly [submission: string, mail: string, start: () => Promise<MailServer>];
const worlds: readonly World[] = [
  ...everyServer.map(([mail, start]): World => ['smtp-server', mail, start]),
  ...(canStartPostfix
    ? ([
        ['Postfix', 'Dovecot', dovecot],
        ['Postfix', 'Cyrus', cyrus],
      ] as const)
    : []),
];

describe.each(worlds)('a client that uses the extensions of %s, on %s', (name, _, start) => {
  const isPostfix = name === 'Postfix';
  const from = `${name.toLowerCase()}@example.com`;
  let sink: SubmissionServer;
  let submission: Submission;
  let product: Product;
  let client: JmapClient;

  beforeAll(async () => {
    const server = await start();
    // The Cyrus of the tests knows its users without a domain.
    const user = { user: server.name === 'cyrus' ? name.toLowerCase() : from, password: 'secret' };
    await server.addUser(user);
    if (isPostfix) {
      sink = await submissionServer({ isOpen: true });
      submission = await throughPostfix(sink, server);
    } else {
      sink = await directly();
      submission = sink;
    }
    const imap = { host: server.host, port: server.imapPort, tls: 'plaintext', ca: null } as const;
    const { sending } = singleProvider('plain', { imap, smtp: null, sieve: null });
    product = startProduct(server, {
      smtp: submission.endpoint,
      sending: { ...sending, domain: 'example.com', extensions: ['DSN', 'SIZE', 'SMTPUTF8'] },
    });
    client = await (await product.startProcess()).client(user);
  }, 60_000);
  afterAll(async () => {
    await product?.stop();
    await submission?.stop();
    if (isPostfix) await sink?.stop();
  });

  /** Composes a message and submits it; what the submission is, or why it is none. */
  async function send(
    subject: string,
    rcptTo: { email: string; parameters?: { [name: string]: string } }[],
    { parameters = null, body = 'Hello' }: { parameters?: { [name: string]: string } | null; body?: string } = {},
  ): Promise<JsonObject> {
    const { accountId } = client;
    const { list } = await client.get<{ id: string; role: string | null }>('Mailbox', { properties: ['role'] });
    const inbox = list.find(({ role }) => role === 'inbox')?.id ?? '';
    const email = {
      mailboxIds: { [inbox]: true },
      from: [{ email: from }],
      to: rcptTo.map(({ email: address }) => ({ email: address })),
      subject,
      bodyValues: { t: { value: body } },
      textBody: [{ partId: 't', type: 'text/plain' }],
    };
    const envelope = { mailFrom: { email: from, parameters }, rcptTo };
    const answers = await client.call([
      ['Email/set', { accountId, create: { e: email } }, 'a'],
      ['EmailSubmission/set', { accountId, create: { s: { identityId: 'Idefault', emailId: '#e', envelope } } }, 'b'],
    ]);
    const { created, notCreated } = (answers[1]?.[1] ?? {}) as { created: JsonObject; notCreated: JsonObject };
    return (created?.s ?? notCreated?.s) as JsonObject;
  }
  /** The reports that came back about a message, as soon as there are so many. */
  async function reports(envelopeId: string): Promise<string[]> {
    for (;;) {
      product.advanceClock(10_000);
      const { ids } = await client.query('Email', { filter: { from: 'MAILER-DAEMON' } });
      const { list } = await client.get<{ blobId: string }>('Email', { ids: [...ids], properties: ['blobId'] });
      const texts = await Promise.all(list.map(async ({ blobId }) => (await client.download(blobId)).text()));
      const about = texts.filter((text) => text.includes(`Original-Envelope-Id: ${envelopeId}`));
      if (about.length > 0) return about;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }

  test('has the parameters of DSN (RFC 3461) taken along to the last server', async () => {
    const before = sink.accepted.length;
    const created = await send(
      'with notices',
      [
        {
          email: 'bob+x@example.net',
          parameters: { NOTIFY: 'SUCCESS,FAILURE', ORCPT: 'rfc822;Robert+x@example.net' },
        },
      ],
      { parameters: { RET: 'HDRS', ENVID: 'QQ314159+1' } },
    );
    expect(created).toMatchObject({
      deliveryStatus: { 'bob+x@example.net': { smtpReply: expect.stringMatching(/^250 /) } },
    });
    await sink.hasAccepted(before + 1);
    expect(sink.accepted.at(-1)?.envelope).toMatchObject({
      dsn: { ret: 'HDRS', envid: 'QQ314159+1' },
      rcptTo: [
        {
          address: 'bob+x@example.net',
          dsn: { notify: ['SUCCESS', 'FAILURE'], orcpt: 'rfc822;Robert+x@example.net' },
        },
      ],
    });
  });

  test('sends to an address beyond US-ASCII (RFC 6531)', async () => {
    const before = sink.accepted.length;
    expect(await send('Grüße', [{ email: 'jörg@example.net' }])).toMatchObject({
      deliveryStatus: { 'jörg@example.net': { smtpReply: expect.stringMatching(/^250 /) } },
    });
    await sink.hasAccepted(before + 1);
    expect(sink.accepted.at(-1)).toMatchObject({ to: ['jörg@example.net'], envelope: { smtpUtf8: true } });
  });

  test('is told what size the server takes (RFC 1870), and nothing is sent that is larger', async () => {
    const before = sink.accepted.length;
    expect(await send('large', [{ email: 'bob@example.net' }], { body: 'x '.repeat(messageOctetsMax) })).toEqual({
      type: 'tooLarge',
      maxSize: messageOctetsMax,
    });
    await send('small', [{ email: 'bob@example.net' }]);
    await sink.hasAccepted(before + 1);
    expect(sink.accepted.at(-1)?.text).toContain('Subject: small');
  });

  if (!isPostfix) return;

  test('gets a notice that the message was delivered, if it wants one', async () => {
    await send('notify me', [{ email: from, parameters: { NOTIFY: 'SUCCESS', ORCPT: `rfc822;${from}` } }], {
      parameters: { ENVID: 'delivered-1' },
    });
    const [report] = await reports('delivered-1');
    expect(report).toContain(`Original-Recipient: rfc822;${from}`);
    expect(report).toMatch(/^Action: (?:delivered|relayed)/m);
  }, 30_000);

  test('gets the header of what failed and no more, if it wants no more', async () => {
    await send('it fails', [{ email: 'nobody@example.net', parameters: { NOTIFY: 'FAILURE' } }], {
      parameters: { ENVID: 'failed-1', RET: 'HDRS' },
      body: 'the words of the body',
    });
    const [report] = await reports('failed-1');
    expect(report).toMatch(/^Action: failed/m);
    expect(report).toContain('Subject: it fails');
    expect(report).not.toContain('the words of the body');
  }, 30_000);
});
