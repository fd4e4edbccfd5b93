import { crlf } from './outline.ts';

/** Messages that are too large for the corpus, with how many leaves each has and the subject it shows. */
export type HugeMessage = {
  readonly name: string;
  readonly octets: Buffer;
  readonly leaves: number;
  readonly subject: string | null;
  /** Mail servers that show another subject. */
  readonly subjectOtherwiseBy?: readonly string[];
};

const mixed = (boundary: string) => `Content-Type: multipart/mixed; boundary=${boundary}\n\n`;
const times = (count: number, each: (n: number) => string) => Array.from({ length: count }, (_, n) => each(n)).join('');

export function hugeMessages(): HugeMessage[] {
  return [
    {
      name: '9,000 parts',
      octets: crlf(`Subject: parts\nMIME-Version: 1.0\n${mixed('b')}${times(9_000, (n) => `--b\n\n${n}\n`)}--b--\n`),
      leaves: 9_000,
      subject: 'parts',
    },
    {
      // The message itself is one of the 10,000 entities; the last one holds the rest.
      name: '12,000 parts',
      octets: crlf(`Subject: parts\nMIME-Version: 1.0\n${mixed('b')}${times(12_000, (n) => `--b\n\n${n}\n`)}--b--\n`),
      leaves: 9_999,
      subject: 'parts',
    },
    {
      // At the depth limit a multipart is an opaque leaf. The dots keep boundaries from beginning with others.
      name: '500 multiparts within one another',
      octets: crlf(`Subject: deep\nMIME-Version: 1.0\n${times(500, (n) => `${mixed(`b${n}.`)}--b${n}.\n`)}\nx\n`),
      leaves: 1,
      subject: 'deep',
    },
    {
      name: 'a subject of 900,000 octets',
      octets: crlf(`Subject: ${'x'.repeat(900_000)}\n\nx\n`),
      leaves: 1,
      subject: 'x'.repeat(900_000),
    },
    {
      // A header is read as far as its first 1,048,576 octets; a mail server finds the field.
      subjectOtherwiseBy: ['Dovecot', 'Cyrus', 'Courier'],
      name: 'a subject behind a field of two megabytes',
      octets: crlf(`X-Long: ${'x'.repeat(2_000_000)}\nSubject: lost\n\nx\n`),
      leaves: 1,
      subject: null,
    },
    {
      // Cyrus knows no more than the first 1,000.
      subjectOtherwiseBy: ['Cyrus'],
      name: '9,000 fields',
      octets: crlf(`${times(9_000, (n) => `X-${n}: ${n}\n`)}Subject: last\n\nx\n`),
      leaves: 1,
      subject: 'last',
    },
    {
      name: 'a line of ten megabytes',
      octets: crlf(`Subject: line\n\n${'x'.repeat(10_000_000)}`),
      leaves: 1,
      subject: 'line',
    },
  ];
}
