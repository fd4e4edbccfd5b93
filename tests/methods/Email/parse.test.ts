import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Id, JsonObject } from '../../../shared/jmap/scalars.ts';
import { email } from '../../../shared/methods/Email/index.ts';
import { parseLimits } from '../../../shared/methods/Email/parse.ts';
import { contextFor } from '../context.ts';
import { callMethod, mailAccount } from '../mail-account.ts';

const inner = `From: Ann <ann@example.org>
Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=
Date: Mon, 2 Nov 2026 10:11:12 +0100
Content-Type: multipart/mixed; boundary=i

--i
Content-Type: text/plain; charset=utf-8
Content-Transfer-Encoding: base64

Y2Fmw6k=
--i
Content-Type: image/png; name=dot.png
Content-Disposition: attachment
Content-Transfer-Encoding: base64

AAECAw==
--i--
`;

/** A message whose part 1 is text and whose part 2 is this message. */
const enclosing = (message: string, boundary = 'o') => `From: bob@example.org
Subject: Fwd
Content-Type: multipart/mixed; boundary=${boundary}

--${boundary}
Content-Type: text/plain

See below.
--${boundary}
Content-Type: message/rfc822

${message}
--${boundary}--
`;

const pdf = `From: bob@example.org
Content-Type: multipart/mixed; boundary=o

--o
Content-Type: application/pdf
Content-Transfer-Encoding: base64

${Buffer.from('%PDF-1.4\nno: field\n\nof a header').toString('base64')}
--o
Content-Type: application/octet-stream; name=saved.eml
Content-Transfer-Encoding: base64

${Buffer.from('Subject: saved\r\n\r\nAs a file.').toString('base64')}
--o
Content-Type: text/plain

No field here: none
--o
Content-Type: message/rfc822


--o--
`;

async function parse(raws: readonly (string | null)[], args: JsonObject) {
  const { ports } = mailAccount(raws);
  return callMethod(email.methods.parse, args, ports);
}

async function parsed(raws: readonly (string | null)[], blobId: string, args: JsonObject = {}) {
  const answer = (await parse(raws, { blobIds: [blobId], ...args })) as { parsed: { [id: string]: JsonObject } };
  return answer.parsed[blobId];
}

describe('Email/parse (RFC 8621 §4.9)', () => {
  test('an attached message is an Email, whose parts are blobs of their own', async () => {
    const blob = await parsed([enclosing(inner)], 'e1-2', { fetchTextBodyValues: true });
    expect(blob).toEqual({
      messageId: null,
      inReplyTo: null,
      references: null,
      sender: null,
      from: [{ name: 'Ann', email: 'ann@example.org' }],
      to: null,
      cc: null,
      bcc: null,
      replyTo: null,
      subject: 'Grüße',
      sentAt: '2026-11-02T10:11:12+01:00',
      hasAttachment: true,
      preview: 'café',
      bodyValues: { '1': { value: 'café', isEncodingProblem: false, isTruncated: false } },
      textBody: [expect.objectContaining({ partId: '1', blobId: 'e1-2-1', size: 5, type: 'text/plain' })],
      htmlBody: [expect.objectContaining({ partId: '1', blobId: 'e1-2-1' })],
      attachments: [expect.objectContaining({ partId: '2', blobId: 'e1-2-2', size: 4, name: 'dot.png' })],
    });
  });

  test('what only a message in a mailbox has is null', async () => {
    const metadata = ['id', 'threadId', 'mailboxIds', 'keywords', 'receivedAt'];
    const blob = await parsed([enclosing(inner)], 'e1-2', { properties: [...metadata, 'blobId', 'size'] });
    const size = Buffer.byteLength(inner.replaceAll('\n', '\r\n'));
    expect(blob).toEqual({ ...Object.fromEntries(metadata.map((name) => [name, null])), blobId: 'e1-2', size });
  });

  test('parts of messages within messages are found by their blob ids', async () => {
    const raws = [enclosing(enclosing(inner, 'p'))];
    const properties = ['subject', 'attachments'];
    expect(await parsed(raws, 'e1-2', { properties, bodyProperties: ['blobId', 'type'] })).toEqual({
      subject: 'Fwd',
      attachments: [{ blobId: 'e1-2-2', type: 'message/rfc822' }],
    });
    expect(await parsed(raws, 'e1-2-2', { properties, bodyProperties: ['blobId'] })).toEqual({
      subject: 'Grüße',
      attachments: [{ blobId: 'e1-2-2-2' }],
    });
  });

  test('the message itself, and a message that was attached as a file, are parsed too', async () => {
    expect(await parsed([inner], 'e1', { properties: ['subject'] })).toEqual({ subject: 'Grüße' });
    expect(await parsed([pdf], 'e1-2', { properties: ['subject', 'preview'] })).toEqual({
      subject: 'saved',
      preview: 'As a file.',
    });
  });

  test('header properties keep the capitals of the request', async () => {
    const properties = ['header:SUBJECT:asText', 'header:x-none:all'];
    expect(await parsed([inner], 'e1', { properties })).toEqual({
      'header:SUBJECT:asText': 'Grüße',
      'header:x-none:all': [],
    });
  });

  const notParsable: [string, string][] = [
    ['e1-1', 'a file of another format'],
    ['e1-3', 'text'],
    ['e1-4', 'an attached message of no octets'],
  ];
  test.each(notParsable)('%s, %s, is notParsable', async (blobId) => {
    expect(await parse([pdf], { blobIds: [blobId, 'e1'], properties: ['subject'] })).toEqual({
      accountId: 'a',
      parsed: { e1: { subject: null } },
      notParsable: [blobId],
      notFound: null,
    });
  });

  test('a message within more messages than are looked into is notParsable, and what is listed can be had', async () => {
    let message = inner;
    for (let depth = 0; depth < 9; depth++) message = enclosing(message, `b${depth}`);
    const within = (depth: number) => `e1${'-2'.repeat(depth)}`;
    const answer = await parse([message], { blobIds: [within(7), within(8), within(9)], properties: ['blobId'] });
    expect(answer).toMatchObject({
      parsed: { [within(7)]: { blobId: within(7) } },
      notParsable: [within(8)],
      notFound: [within(9)],
    });
  });

  const missing: [string, string][] = [
    ['e2', 'an Email that does not exist'],
    ['e1-9', 'a part that does not exist'],
    ['e1-2-9', 'a part that does not exist of a message within'],
    ['e1-1-1', 'a part of what has no parts by that number'],
    ['nonsense', 'anything else'],
  ];
  test.each(missing)('%s, %s, is notFound', async (blobId) => {
    expect(await parse([enclosing(enclosing(inner, 'p'))], { blobIds: [blobId] })).toMatchObject({
      parsed: null,
      notParsable: null,
      notFound: [blobId],
    });
  });

  test('a message that is gone is looked for in a new version of the catalog, once for all of them', async () => {
    const { ports, views } = mailAccount([null, null, inner]);
    const blobIds = ['e1', 'e2', 'e3'];
    expect(await callMethod(email.methods.parse, { blobIds, properties: ['subject'] }, ports)).toMatchObject({
      parsed: { e3: { subject: 'Grüße' } },
      notFound: ['e1', 'e2'],
    });
    expect(views).toEqual(['recent', 'now']);
  });

  test('a blob that is named twice is parsed once, and by its creation id too', async () => {
    const { ports, asked } = mailAccount([enclosing(inner)]);
    const context = { ...contextFor(ports), createdIds: new Map([['b', 'e1-2' as Id]]) };
    const args = { blobIds: ['#b', 'e1-2', '#c'], properties: ['subject'] };
    expect(await callMethod(email.methods.parse, args, ports, context)).toMatchObject({
      parsed: { 'e1-2': { subject: 'Grüße' } },
      notFound: ['#c'],
    });
    expect(asked.reads).toHaveLength(1);
  });

  test('what is no message is read no further than it takes to see that, and what is one as far as a call may', async () => {
    const { ports } = mailAccount([]);
    const idOf = (digit: number) => `u${String(digit).repeat(32)}`;
    let read = 0;
    const octetsOf = (start: string, chunks: number) =>
      new ReadableStream<Uint8Array>(
        {
          pull: (controller) => {
            read += 1;
            if (read > chunks) controller.close();
            else controller.enqueue(Buffer.from((read === 1 ? start : '').padEnd(1_000_000, 'x')));
          },
        },
        { highWaterMark: 0 },
      );
    const parseAll = (count: number, start: string, chunks: number) => {
      const uploads = {
        ...ports.uploads,
        size: async () => chunks * 1_000_000,
        open: async () => {
          read = 0;
          return octetsOf(start, chunks);
        },
      };
      const blobIds = Array.from({ length: count }, (_, index) => idOf(index));
      return callMethod(email.methods.parse, { blobIds, properties: ['size'] }, { ...ports, uploads });
    };
    expect(await parseAll(1, 'No field here', 49)).toMatchObject({ notParsable: [idOf(0)] });
    expect(read).toBe(1);
    expect(await parseAll(1, 'Field: here', 60)).toMatchObject({ notParsable: [idOf(0)] });
    expect(read).toBe(51);
    expect(await parseAll(4, 'Field: here', 49)).toMatchObject({ parsed: { [idOf(3)]: { size: 49_000_000 } } });
    expect(await parseAll(4, 'Field: here', 60)).toMatchObject({ error: { type: 'requestTooLarge' } });
  });

  test('body values that would fill the memory are requestTooLarge, but for those of a single message', async () => {
    const large = `Subject: large\n\n${'x'.repeat(parseLimits.bodyOctetsMax / 2 + 1)}`;
    const args = { properties: ['bodyValues'], fetchTextBodyValues: true };
    const both = { blobIds: ['e1', 'e2'], ...args };
    expect(await parse([large, large], both)).toMatchObject({ error: { type: 'requestTooLarge' } });
    expect(await parse([large, large], { ...both, maxBodyValueBytes: 10 })).toMatchObject({ notFound: null });
    expect(await parse([`${large}${large}`], { blobIds: ['e1'], ...args })).toMatchObject({ notFound: null });
  });

  const refused: [string, string, JsonObject][] = [
    ['invalidArguments', 'an unknown property', { properties: ['colour'] }],
    ['invalidArguments', 'a form that the field does not have', { properties: ['header:From:asDate'] }],
    ['invalidArguments', 'an unknown body property', { bodyProperties: ['colour'] }],
    ['invalidArguments', 'no blobIds', { blobIds: null }],
    ['invalidArguments', 'what is no Id', { blobIds: ['a b'] }],
    ['requestTooLarge', 'too many blobs', { blobIds: Array.from({ length: 501 }, (_, index) => `e${index}`) }],
  ];
  test.each(refused)('%s: %s', async (type, _, args) => {
    expect(await parse([inner], { blobIds: ['e1'], ...args })).toMatchObject({ error: { type } });
  });
});

/** Text of a message, as a mailer or an attacker may write it. */
const words = fc.stringMatching(/^[ a-zA-Z<>@&=?;:"'/.-]{0,40}$/);
const encodings = fc.constantFrom('7bit', 'base64', 'quoted-printable', 'x-none');
const leafTypes = fc.constantFrom(
  'text/plain',
  'text/html',
  'text/calendar',
  'image/png',
  'application/pdf',
  'nonsense',
);
const message = fc.letrec<{ part: string; message: string; multipart: string; leaf: string }>((tie) => ({
  part: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    tie('leaf'),
    tie('multipart'),
    tie('message').map((it) => `Content-Type: message/rfc822\n\n${it}`),
  ),
  leaf: fc
    .tuple(leafTypes, encodings, fc.array(words, { maxLength: 4 }), fc.constantFrom('', 'inline', 'attachment'))
    .map(([type, encoding, lines, disposition]) =>
      [
        `Content-Type: ${type}; charset=utf-8`,
        `Content-Transfer-Encoding: ${encoding}`,
        ...(disposition === '' ? [] : [`Content-Disposition: ${disposition}`]),
        '',
        ...(encoding === 'base64' ? [Buffer.from(lines.join('\r\n')).toString('base64')] : lines),
      ].join('\n'),
    ),
  multipart: fc
    .tuple(
      fc.constantFrom('mixed', 'alternative', 'related'),
      fc.stringMatching(/^[a-z]{6}$/),
      fc.array(tie('part'), { maxLength: 3 }),
    )
    .map(([subtype, boundary, parts]) =>
      [
        `Content-Type: multipart/${subtype}; boundary=${boundary}`,
        '',
        ...parts.flatMap((part) => [`--${boundary}`, part]),
        `--${boundary}--`,
        '',
      ].join('\n'),
    ),
  message: fc
    .tuple(words, words, tie('part'))
    .map(([subject, from, part]) => `Subject: ${subject}\nFrom: ${from}\n${part}`),
})).message;

const shown = {
  properties: [
    ...['subject', 'from', 'headers', 'hasAttachment', 'preview', 'bodyStructure', 'bodyValues'],
    ...['textBody', 'htmlBody', 'attachments', 'header:Content-Type:all'],
  ],
  bodyProperties: [
    'partId',
    'blobId',
    'name',
    'type',
    'charset',
    'disposition',
    'cid',
    'headers',
    'header:Content-Type',
  ],
  fetchAllBodyValues: true,
  maxBodyValueBytes: 20,
};

describe('whatever the message,', () => {
  test('Email/parse shows of its blob what Email/get shows of the Email', async () => {
    await fc.assert(
      fc.asyncProperty(message, async (raw) => {
        const { ports } = mailAccount([raw]);
        const search = { search: async () => null, sort: async () => null };
        const got = await callMethod(email.methods.get, { ids: ['e1'], ...shown }, { ...ports, search });
        const [{ id: _, ...gotEmail }] = got.list as [JsonObject];
        expect(await parsed([raw], 'e1', shown)).toEqual(gotEmail);
      }),
      { numRuns: 150 },
    );
  });

  test('attaching it changes nothing but its blob ids', async () => {
    const json = (value: unknown) => JSON.stringify(value).replaceAll('"e1-2-', '"e1-');
    await fc.assert(
      fc.asyncProperty(message, async (raw) => {
        const attached = await parsed([enclosing(raw, 'Enclosing')], 'e1-2', shown);
        expect(json(attached)).toEqual(JSON.stringify(await parsed([raw], 'e1', shown)));
      }),
      { numRuns: 150 },
    );
  });
});
