import { Buffer } from 'node:buffer';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { JsonObject, JsonValue } from '../../../shared/jmap/scalars.ts';
import { base64Encoded, base64Size } from '../../../shared/message/compose/base64.ts';
import { decodeTransfer } from '../../../shared/message/decode-transfer.ts';
import { convenienceProperties } from '../../../shared/message/header-form.ts';
import { parseHeaders } from '../../../shared/message/parse-headers.ts';
import { parseMessage, partBody } from '../../../shared/message/parse-message.ts';
import type { Part } from '../../../shared/message/part.ts';
import { emailOf } from '../email-of.ts';
import { leaves } from '../outline.ts';
import { blobs, chunksOf, collected, message, refusal } from './composed.ts';
import { hostile } from './hostile.ts';

const textPart = { partId: 't', type: 'text/plain' };
const htmlPart = { partId: 'h', type: 'text/html' };
const bodyValues = { t: { value: 'Hello\n' }, h: { value: '<p>Hello</p>' } };
const picture = { blobId: 'Bpng', type: 'image/png', name: 'a.png' };
const embedded = { ...picture, cid: 'pic@x' };

describe('the parts of a message', () => {
  test.each<[string, JsonObject, string]>([
    ['nothing is an empty text', {}, 'text/plain'],
    ['a text is the body', { textBody: [textPart] }, 'text/plain'],
    ['HTML is the body', { htmlBody: [htmlPart] }, 'text/html'],
    [
      'a text and HTML are alternatives',
      { textBody: [textPart], htmlBody: [htmlPart] },
      'alternative(text/plain text/html)',
    ],
    [
      'an attachment stands behind the text',
      { textBody: [textPart], attachments: [picture] },
      'mixed(text/plain image/png)',
    ],
    ['an attachment alone is in a multipart', { attachments: [picture] }, 'mixed(image/png)'],
    [
      'a picture with a cid belongs to the HTML',
      { htmlBody: [htmlPart], attachments: [embedded] },
      'related(text/html image/png)',
    ],
    [
      'a picture with a cid stands behind the text where there is no HTML',
      { textBody: [textPart], attachments: [embedded] },
      'mixed(text/plain image/png)',
    ],
    [
      'a picture with a cid that is to be an attachment is one',
      { htmlBody: [htmlPart], attachments: [{ ...embedded, disposition: 'attachment' }] },
      'mixed(text/html image/png)',
    ],
    [
      'everything at once',
      {
        textBody: [textPart],
        htmlBody: [htmlPart],
        attachments: [picture, embedded, { blobId: 'Bmessage', type: 'message/rfc822' }],
      },
      'mixed(alternative(text/plain related(text/html image/png)) image/png message/rfc822)',
    ],
    [
      'a bodyStructure is as it was given',
      {
        bodyStructure: {
          type: 'multipart/x-odd',
          subParts: [htmlPart, { subParts: [picture, textPart] }, { blobId: 'Bbig' }],
        },
      },
      'x-odd(text/html mixed(image/png text/plain) application/octet-stream)',
    ],
  ])('%s', async (_, email, structure) => {
    expect(shape(parseMessage(await message({ bodyValues, ...email })))).toBe(structure);
  });
});

/** A part tree as `mixed(text/plain image/png)`. */
function shape(part: Part): string {
  if (part.partId !== null) return part.type;
  return `${part.type.replace('multipart/', '')}(${part.subParts.map(shape).join(' ')})`;
}

describe('a message in full', () => {
  test('of a text', async () => {
    const email = {
      to: [{ name: 'Jo Müller', email: 'jo@example.com' }],
      subject: 'Grüße',
      from: [{ name: null, email: 'me@example.org' }],
      'header:X-Mailer:asText': 'test',
      inReplyTo: ['a@b'],
      bodyValues,
      textBody: [textPart],
    };
    expect((await message(email)).toString()).toBe(
      [
        'Date: Sun, 29 Nov 2026 02:00:00 +0000',
        'From: me@example.org',
        'To: =?utf-8?q?Jo_M=C3=BCller?= <jo@example.com>',
        'Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=',
        'Message-ID: <key0@example.org>',
        'In-Reply-To: <a@b>',
        'X-Mailer: test',
        'MIME-Version: 1.0',
        'Content-Type: text/plain; charset=us-ascii',
        'Content-Transfer-Encoding: 7bit',
        '',
        'Hello',
        '',
      ].join('\r\n'),
    );
  });

  test('of several parts', async () => {
    const email = {
      messageId: ['own@id'],
      sentAt: '2020-01-02T03:04:05-08:00',
      bodyValues: { h: { value: '<p>Grüße</p>' } },
      htmlBody: [htmlPart],
      attachments: [
        { ...embedded, name: 'Bild ä.png', location: 'x.png', language: ['de', 'en-GB'] },
        { blobId: 'B8bit', type: 'message/rfc822' },
      ],
    };
    expect((await message(email)).toString()).toBe(
      [
        'Date: Thu, 2 Jan 2020 03:04:05 -0800',
        'Message-ID: <own@id>',
        'MIME-Version: 1.0',
        'Content-Type: multipart/mixed;',
        ' boundary="=_key1"',
        'Content-Transfer-Encoding: 8bit',
        '',
        '--=_key1',
        'Content-Type: multipart/related;',
        ' boundary="=_key0"',
        '',
        '--=_key0',
        'Content-Type: text/html; charset=utf-8',
        'Content-Transfer-Encoding: quoted-printable',
        '',
        '<p>Gr=C3=BC=C3=9Fe</p>',
        '--=_key0',
        'Content-Type: image/png',
        'Content-Transfer-Encoding: base64',
        "Content-Disposition: inline; filename*=utf-8''Bild%20%C3%A4.png",
        'Content-ID: <pic@x>',
        'Content-Language: de, en-GB',
        'Content-Location: x.png',
        '',
        'iVBORw0KGgoAAA==',
        '--=_key0--',
        '',
        '--=_key1',
        'Content-Type: message/rfc822',
        'Content-Transfer-Encoding: 8bit',
        'Content-Disposition: attachment',
        '',
        'Subject: innér',
        '',
        'bödy',
        '',
        '--=_key1--',
        '',
      ].join('\r\n'),
    );
  });

  test.each([
    ['Bmessage', null, '7bit'],
    ['B8bit', '8bit', '8bit'],
    ['Blong', 'binary', 'binary'],
  ])('says of an attached message, and of what it is in, what their lines are: %s', async (blobId, around, inner) => {
    const email = {
      attachments: [
        { blobId, type: 'message/rfc822' },
        { blobId: 'B8bit', type: 'image/png' },
      ],
    };
    const [outer = '', first = '', second = ''] = (await message(email)).toString().split(/^--=_key\d+\r\n/m);
    const encodingIn = (text: string) => /^Content-Transfer-Encoding: (\S+)/m.exec(text)?.[1] ?? null;
    expect([outer, first, second].map(encodingIn)).toEqual([around, inner, 'base64']);
  });

  test('whose fields come from the root part, too', async () => {
    const email = {
      subject: 'S',
      bodyStructure: {
        ...textPart,
        'header:From': ' a@b.example',
        'header:Content-Type:asText': undefined as unknown as null,
      },
      bodyValues,
    };
    const headers = parseHeaders(await message(email)).map(({ name }) => name);
    expect(headers).toEqual([
      'Date',
      'Subject',
      'Message-ID',
      'MIME-Version',
      'Content-Type',
      'Content-Transfer-Encoding',
      'From',
    ]);
  });

  test.each<[string, JsonObject, string]>([
    ['of the sender', { from: [{ name: 'x', email: 'me@mail.example.org' }] }, '<key0@mail.example.org>'],
    ['of nobody where there is no sender', {}, '<key0@postern.invalid>'],
    [
      'of nobody where the sender has none that can be written',
      { from: [{ name: null, email: 'me@exämple.org' }] },
      '<key0@postern.invalid>',
    ],
    [
      'of nobody where the sender has no real one',
      { from: [{ name: null, email: 'me@[127.0.0.1]' }] },
      '<key0@postern.invalid>',
    ],
  ])('has a Message-ID in the domain %s', async (_, email, messageId) => {
    const id = parseHeaders(await message(email)).find(({ name }) => name === 'Message-ID');
    expect(id?.value.trim()).toBe(messageId);
  });
});

describe('text is written so that nothing on the way changes it:', () => {
  test.each<[string, string, string, string]>([
    ['US-ASCII in short lines as it is', 'a b\nc\n', '7bit', 'a b\r\nc\r\n'],
    ['line breaks of every kind', 'a\nb\r\nc\rd', '7bit', 'a\r\nb\r\nc\r\nd'],
    ['an empty text', '', '7bit', ''],
    ['white space at the end of a line', 'a \nb\t', 'quoted-printable', 'a=20\r\nb=09'],
    ['a line that an mbox would change', 'x\nFrom here', 'quoted-printable', 'x\r\n=46rom here'],
    [
      'a long line',
      `${'x'.repeat(1_000)}`,
      'quoted-printable',
      `${`${'x'.repeat(75)}=\r\n`.repeat(13)}${'x'.repeat(25)}`,
    ],
    ['a dot that ends a message', 'ü\n.\n', 'quoted-printable', '=C3=BC\r\n=2E\r\n'],
    ['NUL', 'a\0b', 'quoted-printable', 'a=00b'],
    ['an escape sequence', '\u001b$B', 'quoted-printable', '=1B$B'],
    ['an equals sign among others', 'ü and =', 'quoted-printable', '=C3=BC and =3D'],
    ['what is mostly beyond US-ASCII', '日本語', 'base64', '5pel5pys6Kqe'],
  ])('%s', async (_, value, encoding, body) => {
    const octets = await message({ textBody: [textPart], bodyValues: { t: { value } } });
    const root = parseMessage(octets);
    expect(root.encoding).toBe(encoding);
    expect(Buffer.from(partBody(octets, root)).toString()).toBe(body);
  });

  test('any text is read again as it was', () => {
    const text = fc.oneof(
      fc.string({ unit: 'grapheme', maxLength: 400 }),
      fc
        .array(fc.constantFrom('From ', '.', ' ', '\t', '\n', '=', 'ü', 'x'.repeat(70), '\0', '日本'))
        .map((pieces) => pieces.join('')),
    );
    return fc.assert(
      fc.asyncProperty(text, async (value) => {
        const octets = await message({ textBody: [textPart], bodyValues: { t: { value } } });
        expect(emailOf(octets).bodyValues).toEqual({
          '1': {
            value: value.replace(/\r\n?/g, '\n').replace(/^\ufeff/, ''),
            isEncodingProblem: false,
            isTruncated: false,
          },
        });
        for (const line of octets.toString('latin1').split('\r\n')) expect(line.length).toBeLessThanOrEqual(998);
        expect(/(?<!\r)\n|\r(?!\n)|\0|[^\x00-\x7f]/.test(octets.toString('latin1'))).toBe(false);
      }),
      { numRuns: 100 },
    );
  });
});

describe('base64 in pieces', () => {
  test('has the size that was told, and is read again as it was, however it comes', () =>
    fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 1_000 }), fc.integer({ min: 1, max: 300 }), async (octets, chunk) => {
        const encoded = await collected(base64Encoded(chunksOf(octets, chunk)));
        expect(encoded.length).toBe(base64Size(octets.length));
        expect(decodeTransfer(encoded, 'base64').equals(Buffer.from(octets))).toBe(true);
        for (const line of encoded.toString().split('\r\n')) expect(line.length).toBeLessThanOrEqual(76);
      }),
    ));

  test.each([0, 1, 2, 3, 56, 57, 58, 113, 114, 115])('of %i octets', async (size) => {
    const encoded = await collected(base64Encoded(chunksOf(Buffer.alloc(size, 'y'))));
    expect(encoded.length).toBe(base64Size(size));
  });
});

describe('an Email is refused that', () => {
  test.each<[string, JsonObject, string[]]>([
    ['has headers', { headers: [] }, ['headers']],
    ['has headers in a part', { bodyStructure: { ...textPart, headers: [] } }, ['bodyStructure']],
    ['gives a header field twice', { from: [], 'header:from': ' a@b' }, ['from', 'header:from']],
    [
      'gives a header field in two forms',
      { 'header:X-A': ' a', 'header:x-a:asText': 'a' },
      ['header:X-A', 'header:x-a:asText'],
    ],
    [
      'gives a header field once and :all',
      { subject: 'a', 'header:Subject:all': [' a'] },
      ['subject', 'header:Subject:all'],
    ],
    [
      'gives a header field twice in a part',
      { textBody: [{ ...textPart, 'header:X-A': ' a', 'header:X-A:asText': 'a' }] },
      ['textBody'],
    ],
    [
      'uses a form that the field does not have',
      { 'header:From:asDate': '2020-01-01T00:00:00Z' },
      ['header:From:asDate'],
    ],
    ['uses such a form in a part', { textBody: [{ ...textPart, 'header:From:asText': 'x' }] }, ['textBody']],
    ['uses a form that does not exist', { 'header:X-A:asNonsense': 'x' }, ['header:X-A:asNonsense']],
    ['gives a Content- field', { 'header:Content-Type': ' text/plain' }, ['header:Content-Type']],
    [
      'gives a Content- field in other capitals',
      { 'header:content-language:asText': 'de' },
      ['header:content-language:asText'],
    ],
    [
      'has a bodyStructure and lists of parts',
      { bodyStructure: textPart, textBody: [textPart], htmlBody: [htmlPart], attachments: [] },
      ['textBody', 'htmlBody', 'attachments'],
    ],
    [
      'gives a header field in its root part too',
      { subject: 'x', bodyStructure: { ...textPart, 'header:Subject': ' x' } },
      ['subject'],
    ],
    [
      'gives a header field in its only part too',
      { subject: 'x', textBody: [{ ...textPart, 'header:Subject': ' x' }] },
      ['subject'],
    ],
    ['has no part in textBody', { textBody: [] }, ['textBody']],
    ['has two parts in textBody', { textBody: [textPart, textPart] }, ['textBody']],
    ['has HTML in textBody', { textBody: [htmlPart] }, ['textBody']],
    ['has no part in htmlBody', { htmlBody: [] }, ['htmlBody']],
    ['has two parts in htmlBody', { htmlBody: [htmlPart, htmlPart] }, ['htmlBody']],
    ['has plain text in htmlBody', { htmlBody: [textPart] }, ['htmlBody']],
    ['has a part with a partId and a blobId', { textBody: [{ ...textPart, blobId: 'Btext' }] }, ['textBody']],
    ['has a part without content', { attachments: [{ type: 'image/png' }] }, ['attachments']],
    [
      'has a part with a partId and subParts',
      { bodyStructure: { partId: 't', subParts: [textPart] } },
      ['bodyStructure'],
    ],
    ['has a multipart without parts', { bodyStructure: { type: 'multipart/mixed', subParts: [] } }, ['bodyStructure']],
    [
      'has a multipart that is a blob',
      { bodyStructure: { type: 'multipart/mixed', blobId: 'Btext' } },
      ['bodyStructure'],
    ],
    [
      'has parts within what is no multipart',
      { bodyStructure: { type: 'text/plain', subParts: [textPart] } },
      ['bodyStructure'],
    ],
    ['has a partId that is not in bodyValues', { textBody: [{ ...textPart, partId: 'x' }] }, ['textBody']],
    ['has a partId like a member of every object', { textBody: [{ ...textPart, partId: '__proto__' }] }, ['textBody']],
    ['has a charset for a partId', { textBody: [{ ...textPart, charset: 'utf-8' }] }, ['textBody']],
    [
      'has a charset for a partId in a field',
      { bodyStructure: { partId: 't', 'header:Content-Type': ' text/plain; charset=utf-8' } },
      ['bodyStructure'],
    ],
    ['has a size for a partId', { htmlBody: [{ ...htmlPart, size: 5 }] }, ['htmlBody']],
    [
      'has a Content-Transfer-Encoding',
      { textBody: [{ ...textPart, 'header:Content-Transfer-Encoding': ' 7bit' }] },
      ['textBody'],
    ],
    [
      'has a value with an encoding problem',
      { bodyValues: { t: { value: 'x', isEncodingProblem: true } } },
      ['bodyValues'],
    ],
    ['has a truncated value', { bodyValues: { t: { value: 'x', isTruncated: true } } }, ['bodyValues']],
    ['has a type with parameters', { textBody: [{ ...textPart, type: 'text/plain; format=flowed' }] }, ['textBody']],
    ['has a type that is none', { attachments: [{ blobId: 'Bpng', type: 'image' }] }, ['attachments']],
    ['has a type and its field', { textBody: [{ ...textPart, 'header:Content-Type': ' text/plain' }] }, ['textBody']],
    ['has a cid and its field', { attachments: [{ ...embedded, 'header:Content-Id': ' <a@b>' }] }, ['attachments']],
    [
      'has a name and a field for it',
      { attachments: [{ ...picture, 'header:Content-Disposition:asText': 'inline' }] },
      ['attachments'],
    ],
    [
      'has a language and its field',
      { attachments: [{ ...picture, language: ['de'], 'header:Content-Language': ' de' }] },
      ['attachments'],
    ],
    [
      'has a location and its field',
      { attachments: [{ ...picture, location: 'x', 'header:Content-Location': ' x' }] },
      ['attachments'],
    ],
    [
      'chooses a boundary',
      { bodyStructure: { 'header:Content-Type': ' multipart/mixed; boundary=x', subParts: [textPart] } },
      ['bodyStructure'],
    ],
    [
      'leaves a quote open before the boundary',
      { bodyStructure: { 'header:Content-Type': ' multipart/mixed; x="y', subParts: [textPart] } },
      ['bodyStructure'],
    ],
    [
      'leaves a comment open before the boundary',
      { bodyStructure: { 'header:Content-Type': ' multipart/mixed; x=y (', subParts: [textPart] } },
      ['bodyStructure'],
    ],
    ['has a part with a property of nothing', { textBody: [{ ...textPart, colour: 'red' }] }, ['textBody']],
    ['has a part that is none', { attachments: ['Bpng'] }, ['attachments']],
    ['has a blobId that is no Id', { attachments: [{ ...picture, blobId: 'a b' }] }, ['attachments']],
    ['has a language that is none', { attachments: [{ ...picture, language: ['de, x'] }] }, ['attachments']],
    [
      'has a message with NUL within',
      { attachments: [{ partId: 'n', type: 'message/rfc822' }], bodyValues: { n: { value: '\0' } } },
      ['attachments'],
    ],
    ['has a null where every instance is to stand', { 'header:X-A:all': ' x' }, ['header:X-A:all']],
    [
      'is wrong in several ways',
      { headers: [], subject: '\n', attachments: [{}] },
      ['headers', 'subject', 'attachments'],
    ],
  ])('%s', async (_, email, properties) => {
    const error = await refusal({ bodyValues, ...email });
    expect(error).toMatchObject({ type: 'invalidProperties', description: expect.any(String) });
    expect([...(error.properties ?? [])].sort()).toEqual([...properties].sort());
  });

  test('has more parts than there may be', async () => {
    const attachments = Array.from({ length: 1_001 }, () => picture);
    expect(await refusal({ attachments })).toMatchObject({ properties: ['attachments'] });
  });

  test('has parts too deep within one another', async () => {
    let part: JsonObject = textPart;
    for (let depth = 0; depth < 51; depth++) part = { subParts: [part] };
    expect(await refusal({ bodyValues, bodyStructure: part })).toMatchObject({ properties: ['bodyStructure'] });
  });
});

describe('an Email is accepted that', () => {
  test.each<[string, JsonObject]>([
    [
      'has nulls for what it does not have',
      { from: null, 'header:From': ' a@b', subject: null, 'header:X-A:asText': null },
    ],
    [
      'has a part with nulls for what it does not have',
      { textBody: [{ ...textPart, blobId: null, charset: null, size: null, subParts: null }] },
    ],
    ['has a size for a blob, whatever it is', { attachments: [{ ...picture, size: 7 }] }],
    ['leaves the type of the text to us', { textBody: [{ partId: 't' }], htmlBody: [{ partId: 'h' }] }],
    ['has values that no part uses', { textBody: [textPart] }],
    ['has a field of a kind that nobody knows, several times', { 'header:X-A:asText:all': ['a', 'b'] }],
    [
      'gives parameters of the type in its field',
      {
        bodyStructure: {
          'header:Content-Type': ' multipart/signed; micalg=pgp-sha256;\r\n protocol="application/pgp-signature"',
          subParts: [textPart, { blobId: 'Btext', type: 'application/pgp-signature' }],
        },
      },
    ],
    [
      'gives parameters of a text in its field',
      { bodyStructure: { partId: 't', 'header:Content-Type:asText': 'text/plain; format=flowed; delsp=yes' } },
    ],
  ])('%s', async (_, email) => {
    expect(parseMessage(await message({ bodyValues, ...email })).type).not.toBe('');
  });

  test('gives parameters of the type, which stay with the ones that we add', async () => {
    const bodyStructure = {
      'header:Content-Type': ' multipart/signed; protocol="application/pgp-signature"',
      subParts: [
        { partId: 't', 'header:Content-Type:asText': 'text/plain; format=flowed' },
        { blobId: 'Btext', type: 'application/pgp-signature' },
      ],
    };
    const root = parseMessage(await message({ bodyValues, bodyStructure }));
    const contentTypes = [root, ...leaves(root)].map(
      (part) => part.headers?.find(({ name }) => name === 'Content-Type')?.value,
    );
    expect(contentTypes).toEqual([
      ' multipart/signed; protocol="application/pgp-signature";\r\n boundary="=_key1"',
      ' text/plain; format=flowed; charset=us-ascii',
      ' application/pgp-signature',
    ]);
  });
});

describe('hostile text', () => {
  const inPart =
    (property: string) =>
    (text: string): JsonObject => ({ attachments: [{ ...picture, [property]: text }] });
  const places: [string, (text: string) => JsonObject][] = [
    ['subject', (text) => ({ subject: `a${text}` })],
    ['name of an address', (text) => ({ to: [{ name: `a${text}`, email: 'a@b' }] })],
    ['email of an address', (text) => ({ bcc: [{ name: null, email: `a@b${text}` }] })],
    ['messageId', (text) => ({ messageId: [`a@b${text}`] })],
    ['references', (text) => ({ references: ['x@y', `a@b${text}`] })],
    ['sentAt', (text) => ({ sentAt: `2020-01-01T00:00:00Z${text}` })],
    ['header as text', (text) => ({ 'header:X-A:asText': text })],
    ['raw header', (text) => ({ 'header:X-A': text.replace('\r\n Bcc', '\n Bcc') })],
    ['each of several raw headers', (text) => ({ 'header:X-A:all': [' fine', text.replace('\r\n Bcc', '\n Bcc')] })],
    ['name of a header', (text) => ({ [`header:X${text}:asText`]: 'x' })],
    ['type', inPart('type')],
    ['subtype', (text) => ({ attachments: [{ ...picture, type: `image/png${text}` }] })],
    ['charset', inPart('charset')],
    ['disposition', inPart('disposition')],
    ['name of a file', inPart('name')],
    ['cid', inPart('cid')],
    ['location', inPart('location')],
    ['language', (text) => ({ attachments: [{ ...picture, language: [`de${text}`] }] })],
    ['header of a part', (text) => ({ attachments: [{ ...picture, 'header:X-A:asText': text }] })],
    ['blobId', inPart('blobId')],
    ['partId', (text) => ({ textBody: [{ partId: text }] })],
  ];

  test.each(places)('in the %s makes no header field', async (_, make) => {
    for (const text of hostile) {
      expect(await refusal(make(text))).toMatchObject({ type: 'invalidProperties' });
    }
  });

  test('in a body makes no part', async () => {
    for (const text of [
      ...hostile,
      '\r\n--=_key1\r\nContent-Type: text/html\r\n\r\n',
      '\r\n--=_key1--\r\n',
      '\r\n.\r\n',
    ]) {
      const values = { t: { value: `a${text}` }, h: { value: `b${text}` } };
      const root = parseMessage(await message({ textBody: [textPart], htmlBody: [htmlPart], bodyValues: values }));
      // The boundary of these tests is no secret, which is what the last lines of the value try to use.
      if (!text.includes('key1')) expect(shape(root)).toBe('alternative(text/plain text/html)');
    }
  });
});

describe('what is composed parses back to the same properties:', () => {
  const word = fc.constantFrom(
    'Hello',
    'Grüße',
    '日本語',
    'a,b',
    '"q"',
    '(c)',
    '<x>',
    '=?utf-8?q?x?=',
    'x@y',
    '🎉',
    'back\\slash',
  );
  const phrase = fc.array(word, { minLength: 1, maxLength: 6 }).map((words) => words.join(' '));
  const email = fc.constantFrom('a@b.example', 'grün@exämple.de', '"a b"@c.d', 'joe', 'a@[127.0.0.1]');
  const addressList = fc.array(fc.record({ name: fc.option(phrase), email }), { minLength: 1, maxLength: 4 });
  const ids = fc.array(fc.constantFrom('a@b', 'x.y@z', `${'l'.repeat(100)}@m`), { minLength: 1, maxLength: 4 });
  const headerProperties = {
    messageId: ids.map((list) => list.slice(0, 1)),
    inReplyTo: ids,
    references: ids,
    sender: addressList.map((list) => list.slice(0, 1)),
    from: addressList,
    to: addressList,
    cc: addressList,
    bcc: addressList,
    replyTo: addressList,
    subject: phrase,
    sentAt: fc.constantFrom('2014-10-30T14:12:00+08:00', '2024-02-29T23:59:59Z', '1999-12-31T00:00:00-11:30'),
    'header:X-Text:asText': phrase,
    'header:X-Raw': fc.constantFrom(' raw', '', ' folded\r\n\there', ' ü'),
    'header:X-Many:asText:all': fc.array(phrase, { minLength: 1, maxLength: 3 }),
    'header:Resent-To:asGroupedAddresses': fc.array(fc.record({ name: phrase, addresses: addressList }), {
      minLength: 1,
      maxLength: 2,
    }),
    'header:List-Post:asURLs': fc.array(fc.constantFrom('mailto:a@b', 'https://x/y?z=1,2'), {
      minLength: 1,
      maxLength: 3,
    }),
    'header:Resent-Date:asDate': fc.constantFrom('2014-10-30T14:12:00+08:00'),
    'header:X-Ids:asMessageIds': ids,
  };
  const headers = fc.record(headerProperties, { requiredKeys: [] });
  const partMembers = {
    name: fc.option(
      fc.oneof(phrase, fc.constantFrom('a.pdf', 'it\'s 100% "ok".txt', 'ü'.repeat(200), 'x'.repeat(300))),
    ),
    disposition: fc.constantFrom('attachment', 'inline'),
    cid: fc.option(fc.constantFrom('a@b', 'pic1')),
    language: fc.option(fc.constantFrom(['de'], ['en-GB', 'zh-Hant'])),
    location: fc.option(fc.constantFrom('https://x/y', 'pic.png')),
  };
  const blobLeaf = fc.record({
    ...partMembers,
    blobId: fc.constantFrom('Bpng', 'Bbig', 'Bempty'),
    type: fc.constantFrom('image/png', 'application/pdf', 'application/x-y+json'),
  });
  const textLeaf = fc.record({
    ...partMembers,
    partId: fc.constantFrom('p', 'h'),
    type: fc.constantFrom('text/plain', 'text/html', 'text/calendar'),
  });
  const messageLeaf = fc.record({
    ...partMembers,
    blobId: fc.constantFrom('Bmessage', 'B8bit', 'Blong'),
    type: fc.constant('message/rfc822'),
  });
  const leaf = fc.oneof(blobLeaf, textLeaf, messageLeaf);
  const structure = fc.letrec<{ part: JsonObject; multipart: JsonObject }>((tie) => ({
    part: fc.oneof({ maxDepth: 3 }, leaf as fc.Arbitrary<JsonObject>, tie('multipart')),
    multipart: fc.record({
      type: fc.constantFrom('multipart/mixed', 'multipart/alternative', 'multipart/related', 'multipart/x-odd'),
      subParts: fc.array(tie('part'), { minLength: 1, maxLength: 4 }),
    }) as unknown as fc.Arbitrary<JsonObject>,
  })).part;
  const values = { p: { value: 'Plain text\n' }, h: { value: '<p>Grüße</p>' } };

  test('header properties in every form', () =>
    fc.assert(
      fc.asyncProperty(headers, async (given) => {
        const read = emailOf(
          await message(given as JsonObject),
          Object.keys(given).filter((name) => name.startsWith('header:')),
        ).properties;
        for (const [name, value] of Object.entries(given)) expect({ name, value: read[name] }).toEqual({ name, value });
      }),
      { numRuns: 100 },
    ));

  test('bodyStructure', () =>
    fc.assert(
      fc.asyncProperty(structure, async (bodyStructure) => {
        const read = emailOf(await message({ subject: 'x', bodyStructure, bodyValues: values }));
        expectPart(read.bodyStructure, bodyStructure, values);
      }),
      { numRuns: 100 },
    ));

  test('textBody, htmlBody and attachments', () =>
    fc.assert(
      fc.asyncProperty(
        fc.option(fc.constant({ partId: 'p', type: 'text/plain' })),
        fc.option(fc.constant({ partId: 'h', type: 'text/html' })),
        fc.array(
          fc.oneof(blobLeaf, messageLeaf).map((part) => ({
            ...part,
            disposition: part.cid === null && part.location === null ? 'attachment' : part.disposition,
          })),
          { maxLength: 4 },
        ),
        async (text, html, attachments) => {
          // What is to be shown inline can only be told from the body where HTML embeds it.
          const shown =
            html === null ? attachments.map((part) => ({ ...part, disposition: 'attachment' })) : attachments;
          const octets = await message({
            ...(text && { textBody: [text] }),
            ...(html && { htmlBody: [html] }),
            attachments: shown as unknown as JsonValue[],
            bodyValues: values,
          });
          const read = emailOf(octets);
          const parts = new Map(leaves(parseMessage(octets)).map((part) => [part.partId, part]));
          const typesOf = (list: readonly string[]) => list.map((partId) => parts.get(partId)?.type);
          const isEmpty = text === null && html === null && attachments.length === 0;
          expect(typesOf(read.textBody)).toEqual(text || isEmpty ? ['text/plain'] : html ? ['text/html'] : []);
          expect(typesOf(read.htmlBody)).toEqual(html ? ['text/html'] : text || isEmpty ? ['text/plain'] : []);
          const name = (part: { name: string | null }) => part.name?.normalize('NFC') ?? null;
          const inRelated = shown.filter((part) => html && part.disposition === 'inline');
          const expected = [...inRelated, ...shown.filter((part) => !inRelated.includes(part))];
          expect(read.attachments.map((partId) => name(parts.get(partId) as Part))).toEqual(expected.map(name));
        },
      ),
      { numRuns: 100 },
    ));
});

/** Whether a part of `bodyStructure` is what was asked for. */
function expectPart(
  read: JsonValue | undefined,
  given: JsonObject,
  values: { [partId: string]: { value: string } },
): void {
  const { subParts, partId, blobId, ...members } = given;
  expect(read).toMatchObject(members);
  if (Array.isArray(subParts)) {
    const children = (read as { subParts: JsonValue[] }).subParts;
    expect(children.length).toBe(subParts.length);
    for (const [index, child] of subParts.entries()) expectPart(children[index], child as JsonObject, values);
    return;
  }
  const content =
    typeof blobId === 'string'
      ? blobs.get(blobId)
      : Buffer.from(values[String(partId)]?.value.replaceAll('\n', '\r\n') ?? '');
  expect((read as { size: number }).size).toBe(content?.length);
}

test('every convenience property is tried', () => {
  expect([...convenienceProperties.keys()].length).toBe(11);
});
