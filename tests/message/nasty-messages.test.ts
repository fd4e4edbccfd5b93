import { describe, expect, test } from '@jest/globals';
import { bodyParts, hasAttachment } from '../../shared/message/body-structure.ts';
import { bodyValue } from '../../shared/message/body-value.ts';
import { convenienceProperties, headerPropertyValue } from '../../shared/message/header-form.ts';
import { parseMessage, partBody } from '../../shared/message/parse-message.ts';
import type { Part } from '../../shared/message/part.ts';
import { preview, previewParts } from '../../shared/message/preview.ts';
import { crlf, leaves, outline } from './outline.ts';

/** Everything an Email shows of its content; the lists of parts as part ids. */
function emailOf(text: string) {
  const message = crlf(text);
  const root = parseMessage(message);
  const { textBody, htmlBody, attachments } = bodyParts(root);
  const ids = (parts: readonly Part[]) => parts.map((part) => part.partId).join(' ');
  const values = leaves(root)
    .filter((part) => part.type.startsWith('text/'))
    .map((part) => bodyValue(part, partBody(message, part), { maxBodyValueBytes: 0 }));
  const conveniences = [...convenienceProperties].map(([name, it]) => [
    name,
    headerPropertyValue(root.headers ?? [], it),
  ]);
  const [first] = previewParts(root);
  return {
    ...Object.fromEntries(conveniences),
    structure: outline(root),
    names: leaves(root).map((part) => part.name),
    lists: [textBody, htmlBody, attachments].map(ids),
    values: values.map(({ value }) => value),
    problems: values.map(({ isEncodingProblem }) => isEncodingProblem),
    hasAttachment: hasAttachment(root),
    preview: first ? preview(first, partBody(message, first)) : '',
  };
}

const headerRows: [string, string, Record<string, unknown>][] = [
  ['an empty subject', 'Subject:\n\n', { subject: '' }],
  ['a subject of blanks', 'Subject:   \n\n', { subject: '' }],
  ['two subjects', 'Subject: a\nSubject: b\n\n', { subject: 'b' }],
  ['no fields', '\n', { subject: null, from: null, sentAt: null, messageId: null }],
  ['fields in odd capitals', 'SUBJECT: a\nfROM: b@c\n\n', { subject: 'a', from: [{ name: null, email: 'b@c' }] }],
  ['raw latin-1', 'Subject: caf\xe9\n\n', { subject: 'caf\ufffd' }],
  [
    'raw UTF-8',
    'Subject: caf\xc3\xa9\nFrom: J\xc3\xb6 <j@x>\n\n',
    { subject: 'café', from: [{ name: 'Jö', email: 'j@x' }] },
  ],
  ['NUL octets', 'Sub\0ject: x\nSubject: a\0b\n\n', { subject: 'ab' }],
  [
    'a fold without its blank',
    'Subject: a\nrest of it\nFrom: b@c\n\n',
    { subject: 'a', from: [{ name: null, email: 'b@c' }] },
  ],
  ['a fold of blanks alone', 'Subject: a\n \n b\n\n', { subject: 'a  b' }],
  [
    'a mailer that folds within encoded-words',
    'Subject: =?utf-8?B?4oKs\n 4oKs?=\n\n',
    { subject: '=?utf-8?B?4oKs 4oKs?=' },
  ],
  ['a mailer that cuts characters apart', 'Subject: =?GB2312?B?xA==?=\n =?GB2312?B?4w==?=\n\n', { subject: '你' }],
  ['words in two charsets', 'Subject: =?koi8-r?Q?=F0?= =?utf-8?Q?=D1=80?=\n\n', { subject: 'Пр' }],
  [
    'iso-2022-jp in words of its own',
    'Subject: =?ISO-2022-JP?B?GyRCRnwbKEI=?=\n =?ISO-2022-JP?B?GyRCS1wbKEI=?=\n\n',
    { subject: '日本' },
  ],
  ['a base64 word without padding', 'Subject: =?utf-8?B?aGk?=\n\n', { subject: 'hi' }],
  ['a line break smuggled in', 'Subject: =?utf-8?Q?a=0D=0ABcc:_x@y?=\n\n', { subject: 'aBcc: x@y', bcc: null }],
  ['a charset with a blank', 'Subject: =?utf 8?Q?a?=\n\n', { subject: '=?utf 8?Q?a?=' }],
  ['an encoded address', 'From: =?utf-8?Q?a=40b?=\n\n', { from: [{ name: null, email: 'a@b' }] }],
  [
    'a name that plays an address',
    'From: "boss@bank.com" <evil@x>\n\n',
    { from: [{ name: 'boss@bank.com', email: 'evil@x' }] },
  ],
  ['quotes within a name', 'From: A "B" C <a@b>\n\n', { from: [{ name: 'A B C', email: 'a@b' }] }],
  [
    'a group among addresses',
    'To: a@b, G: c@d, e@f;, g@h\n\n',
    { to: ['a@b', 'c@d', 'e@f', 'g@h'].map((email) => ({ name: null, email })) },
  ],
  ['hidden recipients', 'To: undisclosed-recipients:;\n\n', { to: [] }],
  ['a sender of nobody', 'From: <>\n\n', { from: [] }],
  ['several Message-IDs in one', 'Message-ID: <a@b> <c@d>\n\n', { messageId: ['a@b', 'c@d'] }],
  ['a Message-ID without brackets', 'Message-ID: a@b\n\n', { messageId: ['a@b'] }],
  ['references with junk', 'References: <a@b>junk<c@d>,\n\t<e f@g>\n\n', { references: ['a@b', 'c@d', 'ef@g'] }],
  ['a phrase in In-Reply-To', 'In-Reply-To: Your message of "Mon, 1 Jan" <a@b>\n\n', { inReplyTo: ['a@b'] }],
  ['a date that is none', 'Date: yesterday\n\n', { sentAt: null }],
  [
    'a date with comments',
    'Date: Mon (x), 1 (y) Jan 2024 10:00:00 +0100 (CET)\n\n',
    { sentAt: '2024-01-01T10:00:00+01:00' },
  ],
  ['an mbox line on top', 'From a@b Mon Jan  1 10:00:00 2024\nSubject: x\n\nhi', { subject: 'x', values: ['hi'] }],
  [
    'a byte order mark on top',
    '\xef\xbb\xbfSubject: x\nFrom: a@b\n\nhi',
    { from: [{ name: null, email: 'a@b' }], values: ['hi'] },
  ],
  ['a field of a megabyte', `X: ${'x '.repeat(500_000)}\nSubject: a\n\nhi`, { subject: 'a', values: ['hi'] }],
  ['more header than is read', `X: ${'x '.repeat(600_000)}\nSubject: a\n\nhi`, { subject: null, values: ['hi'] }],
  [
    '10,000 recipients',
    `To: ${Array.from({ length: 10_000 }, (_, n) => `"R, ${n}" <r${n}@x>`).join(',\n ')}\nSubject: a\n\n`,
    { subject: 'a' },
  ],
];

const mixed = 'Content-Type: multipart/mixed; boundary=a\n\n';

const bodyRows: [string, string, Record<string, unknown>][] = [
  [
    '8-bit text that names no charset',
    '\ngr\xc3\xbc\xc3\x9fe',
    { values: ['grüße'], problems: [false], preview: 'grüße' },
  ],
  [
    'windows-1252 that says us-ascii',
    'Content-Type: text/plain; charset=us-ascii\n\n\x80 5',
    { values: ['€ 5'], problems: [true] },
  ],
  [
    'UTF-8 that says iso-8859-1',
    'Content-Type: text/plain; charset=iso-8859-1\n\n\xc3\xa9',
    { values: ['Ã©'], problems: [false] },
  ],
  [
    'latin-1 that says utf-8',
    'Content-Type: text/plain; charset=utf-8\n\ncaf\xe9',
    { values: ['caf\ufffd'], problems: [true] },
  ],
  ['a charset no one knows', 'Content-Type: text/plain; charset=x-mars\n\nhi', { values: ['hi'], problems: [true] }],
  [
    'UTF-7 with markup in it',
    'Content-Type: text/html; charset=utf-7\n\n+ADw-script+AD4-',
    { values: ['+ADw-script+AD4-'], problems: [true] },
  ],
  [
    'UTF-16 in base64',
    `Content-Type: text/plain; charset=utf-16\nContent-Transfer-Encoding: base64\n\n${Buffer.from('\ufeffhé', 'utf16le').toString('base64')}`,
    { values: ['hé'], problems: [false] },
  ],
  [
    'a transfer encoding that does not exist',
    'Content-Transfer-Encoding: rot13\n\nhi',
    { values: ['hi'], problems: [true] },
  ],
  ['a transfer encoding with a comment', 'Content-Transfer-Encoding: base64 (really)\n\naGk=', { values: ['hi'] }],
  ['base64 with a footer of a list', 'Content-Transfer-Encoding: base64\n\naGk=\n-- \n', { values: ['hi'] }],
  ['base64 in several pieces', 'Content-Transfer-Encoding: base64\n\naGk=aGk=\n', { values: ['hihi'] }],
  [
    'quoted-printable that ends in the middle',
    'Content-Transfer-Encoding: quoted-printable\n\na=3',
    { values: ['a=3'] },
  ],
  ['quoted-printable with bare line feeds', 'Content-Transfer-Encoding: quoted-printable\n\na=\nb', { values: ['ab'] }],
  ['HTML that says it is plain text', '\n<b>x</b>', { structure: '1 text/plain 8', preview: '<b>x</b>' }],
  [
    'a type in capitals with blanks',
    'Content-Type:  TEXT/Html ;charset = "UTF-8"\n\n<b>x</b>',
    { structure: '1 text/html 8', preview: 'x' },
  ],
  ['a type that is no type', 'Content-Type: html\n\nx', { structure: '1 text/plain 1', values: ['x'] }],
  ['an empty type', 'Content-Type:\n\nx', { structure: '1 text/plain 1', values: ['x'] }],
  [
    'a boundary in quotes with blanks',
    'Content-Type: multipart/mixed; boundary="a b"\n\n--a b\n\nx\n--a b--\n',
    { structure: 'multipart/mixed [1 text/plain 1]' },
  ],
  [
    'a boundary with the characters of a pattern',
    'Content-Type: multipart/mixed; boundary="(a+)*$"\n\n--(a+)*$\n\nx\n--(a+)*$--\n',
    { structure: 'multipart/mixed [1 text/plain 1]' },
  ],
  [
    'a multipart that forgot its boundary',
    'Content-Type: multipart/mixed\n\n--a\n\nx\n--a--\n',
    { values: ['--a\n\nx\n--a--\n'], preview: '--a x --a--' },
  ],
  [
    'a multipart that was cut off in a header',
    `${mixed}--a\nContent-Type: text/ht`,
    { structure: 'multipart/mixed [1 text/ht 0]' },
  ],
  [
    'a multipart that was cut off in a boundary',
    `${mixed}--a\n\nx\n--`,
    { structure: 'multipart/mixed [1 text/plain 5]' },
  ],
  [
    'a delimiter line that looks nearly right',
    `${mixed}--a\n\nx\n-a\n -- a\n--\n--a--\n`,
    { values: ['x\n-a\n -- a\n--'] },
  ],
  [
    'an attachment only',
    'Content-Type: application/pdf; name="=?utf-8?Q?=C3=A4.pdf?="\nContent-Disposition: attachment\n\nx',
    { names: ['ä.pdf'], lists: ['', '', '1'], hasAttachment: true, preview: '' },
  ],
  [
    'a file name in three forms',
    `${mixed}--a\nContent-Type: image/png; name=plain.png\nContent-Disposition: inline; filename=old.png; filename*0*=utf-8''%c3%a4; filename*1=.png\n\nx\n--a--`,
    { names: ['ä.png'] },
  ],
  [
    'a file name that climbs',
    'Content-Disposition: attachment; filename="../../etc/passwd"\n\nx',
    { names: ['../../etc/passwd'] },
  ],
  [
    'a file name with line breaks',
    "Content-Disposition: attachment; filename*=utf-8''a%0D%0Ab\n\nx",
    { names: ['ab'] },
  ],
  [
    'a newsletter with blank plain text',
    'Content-Type: multipart/alternative; boundary=a\n\n--a\nContent-Type: text/plain\n\n \n--a\nContent-Type: text/html\n\n<p>News\n--a--\n',
    { lists: ['1', '2', ''], preview: '' },
  ],
  [
    'HTML with embedded images',
    'Content-Type: multipart/related; boundary=a\n\n--a\nContent-Type: text/html\n\n<img src="cid:i">hi\n--a\nContent-Type: image/png\nContent-ID: <i>\n\nx\n--a--\n',
    { lists: ['1', '1', '2'], hasAttachment: false, preview: 'hi' },
  ],
  [
    'a forwarded message with an attachment',
    `${mixed}--a\n\nfyi\n--a\nContent-Type: message/rfc822\n\nSubject: inner\nContent-Type: multipart/mixed; boundary=i\n\n--i\n\nx\n--i\nContent-Type: application/pdf\n\ny\n--i--\n--a--\n`,
    {
      structure: 'multipart/mixed [1 text/plain 3, 2 message/rfc822 119]',
      lists: ['1', '1', '2'],
      hasAttachment: true,
    },
  ],
  [
    'a bounce',
    'Content-Type: multipart/report; report-type=delivery-status; boundary=a\n\n--a\n\nfailed\n--a\nContent-Type: message/delivery-status\n\nAction: failed\n--a\nContent-Type: text/rfc822-headers\n\nSubject: x\n--a--\n',
    {
      structure: 'multipart/report [1 text/plain 6, 2 message/delivery-status 14, 3 text/rfc822-headers 10]',
      lists: ['1', '1', '2 3'],
    },
  ],
  [
    'a signed message',
    'Content-Type: multipart/signed; boundary=a\n\n--a\nContent-Type: text/plain\n\nhi\n--a\nContent-Type: application/pgp-signature\n\nx\n--a--\n',
    { lists: ['1', '1', '2'], hasAttachment: false, preview: 'hi' },
  ],
  [
    'an encrypted message',
    'Content-Type: multipart/encrypted; boundary=a\n\n--a\nContent-Type: application/pgp-encrypted\n\nVersion: 1\n--a\nContent-Type: application/octet-stream\n\nx\n--a--\n',
    { lists: ['', '', '1 2'], hasAttachment: true, preview: '' },
  ],
  [
    'an invitation',
    'Content-Type: multipart/alternative; boundary=a\n\n--a\n\nmeet\n--a\nContent-Type: text/html\n\n<p>meet\n--a\nContent-Type: text/calendar; method=REQUEST\n\nBEGIN:VCALENDAR\n--a--\n',
    { lists: ['1', '2', '3'], hasAttachment: false },
  ],
  [
    'a part named like a prototype',
    'Content-Type: __proto__/constructor; __proto__=x\n\nx',
    { structure: '1 __proto__/constructor 1' },
  ],
  [
    'nothing but delimiter lines',
    `${mixed}${'--a\n'.repeat(5)}`,
    { structure: `multipart/mixed [${[1, 2, 3, 4, 5].map((n) => `${n} text/plain 0`).join(', ')}]` },
  ],
  ['nothing but line breaks', '\n'.repeat(1_000), { structure: '1 text/plain 1998', preview: '' }],
  [
    'a line of a megabyte',
    `\n${'x'.repeat(1_000_000)}`,
    { structure: '1 text/plain 1000000', preview: 'x'.repeat(256) },
  ],
  [
    'a megabyte of tags',
    `Content-Type: text/html\n\n${'<div>'.repeat(200_000)}`,
    { structure: '1 text/html 1000000', preview: '' },
  ],
];

describe('a message with', () => {
  test.each(headerRows)('%s', (_name, text, expected) => {
    expect(emailOf(text)).toMatchObject(expected);
  });

  test.each(bodyRows)('%s', (_name, text, expected) => {
    expect(emailOf(text)).toMatchObject(expected);
  });
});
