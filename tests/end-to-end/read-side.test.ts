import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Id, JsonObject } from '../../shared/jmap/scalars.ts';
import { courier, cyrus, dovecot } from '../servers/servers.ts';
import { type Product, startProduct } from './harness.ts';
import { imapActor } from './imap-actor.ts';
import { startInterceptingProxy } from './intercepting-proxy.ts';
import { answerOf, coreAndMail, type JmapClient } from './jmap-client.ts';

const crlf = (text: string) => text.replace(/\r?\n/g, '\r\n');

const mime = (subject: string, type: string, body: string) =>
  crlf(`From: Anna <anna@example.com>
To: robin@example.org
Subject: ${subject}
Date: Mon, 6 Jan 2025 10:00:00 +0000
Message-ID: <${Buffer.from(subject).toString('hex').slice(0, 40)}@example.com>
MIME-Version: 1.0
Content-Type: ${type}
${body}`);

const letters = {
  quoted: mime(
    '=?utf-8?q?Caf=C3=A9_am_Markt?=',
    'text/plain; charset=utf-8\nContent-Transfer-Encoding: quoted-printable',
    `\nThe harvest was plen=\ntiful & <good>, said M=C3=BCller.\n`,
  ),
  html: mime('Newsletter', 'text/html; charset=utf-8', '\n<p>Fresh <b>quinces</b> &amp; pears</p>\n'),
  japanese: mime(
    `=?utf-8?B?${Buffer.from('明日の会議').toString('base64')}?=`,
    'text/plain; charset=utf-8\nContent-Transfer-Encoding: base64',
    `\n${Buffer.from('会議は九時からです。').toString('base64')}\n`,
  ),
  forward: mime(
    'Fwd',
    'multipart/mixed; boundary=b',
    `\n--b\nContent-Type: text/plain\n\nSee below.\n--b\nContent-Type: message/rfc822\n\n${mime('Inner', 'text/plain', '\nA medlar.\n')}\n--b--\n`,
  ),
};

/** What becomes of the lines that are sent to the mail server. */
type Rewrite = (line: string) => string;
const asTheyAre: Rewrite = (line) => line;
const inUnknownCharset: Rewrite = (line) => line.replace(/CHARSET UTF-8/, 'CHARSET X-UNKNOWN');
const searchingNothing: Rewrite = (line) => line.replace(/UID SEARCH [^{]*$/, 'UID SEARCH X-UNKNOWN\r\n');

describe.each([
  ['Dovecot', dovecot, asTheyAre],
  ['Cyrus', cyrus, asTheyAre],
  ['Courier', courier, asTheyAre],
  ['a Dovecot that looks for ASCII text only', dovecot, inUnknownCharset],
  ['a Dovecot that refuses to search', dovecot, searchingNothing],
] as const)('on %s', (_, startServer, rewrite) => {
  let product: Product;
  let client: JmapClient;
  const stops: (() => unknown)[] = [];
  beforeAll(async () => {
    const server = await startServer();
    const user = await server.freshUser();
    const actor = await imapActor(server, user);
    for (const letter of Object.values(letters)) await actor.deliver('INBOX', letter);
    await actor.close();
    const proxy = await startInterceptingProxy(server.imapPort, rewrite);
    stops.push(proxy.stop);
    product = startProduct({ host: server.host, imapPort: proxy.port });
    stops.push(product.stop);
    client = await (await product.startProcess()).client(user);
  });
  afterAll(async () => {
    for (const stop of stops.reverse()) await stop();
  });

  const conditions: [JsonObject, subjects: (string | null)[], previews: (string | null)[]][] = [
    [{ subject: 'market' }, [], []],
    [{ subject: 'markt' }, ['Café am <mark>Markt</mark>'], [null]],
    [{ text: 'MARK*' }, ['Café am <mark>Mark</mark>t'], [null]],
    [{ body: 'plentiful' }, [null], ['The harvest was <mark>plentiful</mark> &amp; &lt;good&gt;, said Müller.']],
    [{ text: 'müller' }, [null], ['The harvest was plentiful &amp; &lt;good&gt;, said <mark>Müller</mark>.']],
    [{ body: 'quinces' }, [null], ['Fresh <mark>quinces</mark> &amp; pears']],
    [{ text: '会議' }, ['明日の<mark>会議</mark>'], ['<mark>会議</mark>は九時からです。']],
    [{ from: 'anna', subject: 'newsletter' }, ['<mark>Newsletter</mark>'], [null]],
  ];
  test.each(conditions)('what Email/query finds by %j, its snippet shows', async (filter, subjects, previews) => {
    const { ids } = await client.query('Email', { filter });
    const { list } = await client.one<{ list: JsonObject[] }>('SearchSnippet/get', { filter, emailIds: [...ids] });
    expect(list.map(({ subject }) => subject)).toEqual(subjects);
    expect(list.map(({ preview }) => preview)).toEqual(previews);
  });

  test('an attached message is parsed, and its text can be downloaded', async () => {
    const { ids } = await client.query('Email', { filter: { subject: 'Fwd' } });
    const { list } = await client.get<{ attachments: { blobId: Id }[] }>('Email', { ids: [...ids] });
    const blobId = list[0]?.attachments[0]?.blobId ?? ('none' as Id);
    const { parsed } = await client.one<{ parsed: { [blobId: string]: { textBody: { blobId: Id }[] } } }>(
      'Email/parse',
      {
        blobIds: [blobId],
      },
    );
    expect(parsed[blobId]).toMatchObject({
      subject: 'Inner',
      from: [{ email: 'anna@example.com' }],
      preview: 'A medlar.',
    });
    const text = await client.download(parsed[blobId]?.textBody[0]?.blobId ?? '');
    expect(await text.text()).toContain('A medlar.');
  });

  test('a blob is put together, looked at, parsed and looked up in one request', async () => {
    const { ids } = await client.query('Email', { filter: { subject: 'Fwd' } });
    const blobId = `${ids[0]}-2`;
    const { accountId } = client;
    const using = [...coreAndMail, 'urn:ietf:params:jmap:blob'];
    const data = [{ 'data:asText': 'X-Before: 1\r\n' }, { blobId }];
    const answers = await client.call(
      [
        ['Blob/upload', { accountId, create: { b: { data } } }, '0'],
        ['Blob/get', { accountId, ids: ['#b'], length: 11, properties: ['data:asText'] }, '1'],
        ['Email/parse', { accountId, blobIds: ['#b'], properties: ['header:X-Before', 'subject'] }, '2'],
        ['Blob/lookup', { accountId, ids: [blobId, '#b'], typeNames: ['Email'] }, '3'],
      ],
      using,
    );
    const { created } = answerOf<{ created: { b: { id: Id } } }>('Blob/upload', answers[0]);
    const { id } = created.b;
    expect(answers.slice(1).map(([, answer]) => answer)).toMatchObject([
      { list: [{ id, 'data:asText': 'X-Before: 1' }] },
      { parsed: { [id]: { 'header:X-Before': ' 1', subject: 'Inner' } } },
      {
        list: [
          { id: blobId, matchedIds: { Email: ids } },
          { id, matchedIds: { Email: [] } },
        ],
      },
    ]);
  });

  test('an uploaded message is parsed, and its parts can be downloaded', async () => {
    const blobId = await client.upload(Buffer.from(letters.forward));
    const { parsed } = await client.one<{ parsed: { [blobId: string]: JsonObject } }>('Email/parse', {
      blobIds: [blobId, `${blobId}-2`],
      properties: ['subject', 'attachments'],
      bodyProperties: ['blobId'],
    });
    expect(parsed).toEqual({
      [blobId]: { subject: 'Fwd', attachments: [{ blobId: `${blobId}-2` }] },
      [`${blobId}-2`]: { subject: 'Inner', attachments: [] },
    });
    expect(await (await client.download(`${blobId}-2-1`)).text()).toContain('A medlar.');
    expect(await (await client.download(blobId)).text()).toBe(letters.forward);
  });
});
