import fc from 'fast-check';
import { sampleMailbox } from '../../functions/local/sample-mail/sample-mailbox.ts';

/** A message with nearly everything that messages have. */
const everything = `Received: from a by b; Mon, 6 Jan 2025 10:00:00 +0000
From: =?utf-8?q?J=C3=B8rn?= (comment) <a@example.com>, group: "b, c" <b@example.com>, d@example.com;
To: undisclosed-recipients:;
Subject: =?iso-8859-1?q?caf=E9?= =?utf-8?b?4pi6?= and more
Date: Mon, 6 Jan 2025 10:00:00 +0000 (UTC)
Message-ID: <one@example.com>
References: <zero@example.com> <half@example.com>
List-Post: <mailto:list@example.com>, <https://example.com/list>
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary=b

preamble
--b
Content-Type: multipart/alternative; boundary="c d"

--c d
Content-Type: text/plain; charset=utf-8; format=flowed
Content-Transfer-Encoding: quoted-printable

caf=C3=A9 =
and so on
--c d
Content-Type: text/html; charset="windows-1252"

<html><head><style>p {}</style></head><body><p>caf\u00e9 &amp; more<img src="cid:x"></body></html>
--c d--
--b
Content-Type: image/png; name*0*=utf-8''%e2%98; name*1*=%ba.png
Content-ID: <x>
Content-Disposition: inline; filename="=?utf-8?q?a.png?="
Content-Transfer-Encoding: base64

iVBORw0KGgo=
--b
Content-Type: message/rfc822

Subject: within
Content-Type: multipart/digest; boundary=e

--e

Subject: deeper

text
--e--
--b--
epilogue
`.replace(/\n/g, '\r\n');

/** One that its user may send. */
const draft =
  'From: Anna <anna@example.com>\r\nTo: bob@example.org\r\nBcc: c@example.org\r\nSubject: out\r\n\r\nGo.\r\n';

/** Octets that mean something in a message, as latin1. */
const words = [
  ...['\r\n', '\r\n\r\n', '\n', '\r', '\0', '\t', ' ', ':', ';', '"', '\\', '(', ')', '<', '>', '@', ',', '=', '%'],
  ...['--', '--b--\r\n', '\r\n--b\r\n', '\r\n--b--\r\n', 'Content-Type: multipart/mixed; boundary=b\r\n'],
  ...['Content-Type: multipart/mixed; boundary=""\r\n', 'Content-Type: message/rfc822\r\n\r\n', 'Content-Type: /\r\n'],
  ...['Content-Type: text/html; charset=utf-7\r\n', 'Content-Transfer-Encoding: base64\r\n', 'begin 644 a\r\n'],
  ...['Content-Transfer-Encoding: quoted-printable\r\n', "Content-Disposition: attachment; filename*0*=utf-8''%\r\n"],
  ...[
    '=?utf-8?q?=C3?=',
    '=?utf-8?b?4pi?=',
    '=?x?x?x?=',
    '=?iso-2022-jp?b?GyRC?=',
    'Subject: ',
    'From: a:;\r\n',
    '\u00ff\u00fe',
  ],
  ...[
    'Date: Mon, 99 Jan 99999 99:99 +9999\r\n',
    'Message-ID: <>\r\n',
    'References: <a@b><c\r\n',
    '<html><!--',
    '&#x110000;',
  ],
];

const word = fc.oneof(fc.constantFrom(...words), fc.string({ unit: octet(), maxLength: 6 }));

function octet(): fc.Arbitrary<string> {
  return fc.nat({ max: 255 }).map((code) => String.fromCharCode(code));
}

const place = fc.double({ min: 0, max: 1, noNaN: true });

/** Takes octets out, doubles some, or puts a word in: at a place from 0 to 1 of the length. */
type Mutation =
  | { readonly kind: 'insert'; readonly at: number; readonly word: string }
  | { readonly kind: 'remove'; readonly at: number; readonly length: number }
  | { readonly kind: 'copy'; readonly from: number; readonly length: number; readonly at: number };

const mutation: fc.Arbitrary<Mutation> = fc.oneof(
  fc.record({ kind: fc.constant('insert' as const), at: place, word }),
  fc.record({ kind: fc.constant('remove' as const), at: place, length: fc.integer({ min: 1, max: 200 }) }),
  fc.record({ kind: fc.constant('copy' as const), from: place, length: fc.integer({ min: 1, max: 300 }), at: place }),
);

/** A message, well formed at first and then mutated, or nothing but words. Each character is an octet. */
export const anyMessage: fc.Arbitrary<string> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc
      .tuple(fc.constantFrom(...wellFormed()), fc.array(mutation, { maxLength: 6 }))
      .map(([raw, mutations]) => mutations.reduce(mutated, raw)),
  },
  fc.array(word, { maxLength: 30 }).map((parts) => parts.join('')),
);

function mutated(raw: string, change: Mutation): string {
  const at = Math.floor(change.at * raw.length);
  switch (change.kind) {
    case 'insert':
      return raw.slice(0, at) + change.word + raw.slice(at);
    case 'remove':
      return raw.slice(0, at) + raw.slice(at + change.length);
    case 'copy': {
      const from = Math.floor(change.from * raw.length);
      return raw.slice(0, at) + raw.slice(from, from + change.length) + raw.slice(at);
    }
  }
}

/** That, and one of each structure that the sample mailbox has. */
function wellFormed(): string[] {
  const byShape = new Map<string, string>();
  for (const { raw } of sampleMailbox({ seed: 1, now: new Date('2026-01-01T00:00:00Z') })) {
    const text = raw.toString('latin1');
    const shape = (text.match(/^Content-T[^;\r\n]*/gim) ?? []).join();
    if (text.length < 6000 && !byShape.has(shape)) byShape.set(shape, text);
  }
  return [everything, draft, ...byShape.values()];
}
