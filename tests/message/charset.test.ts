import { readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from '@jest/globals';
import { decodeCharset } from '../../shared/message/charset.ts';
import { headerText } from '../../shared/message/header-text.ts';

type Row = {
  readonly charset: string;
  /** Every label of the Encoding Standard. */
  readonly labels: readonly string[];
  /** Each as one character. */
  readonly octets: string;
  readonly text: string;
};

const file = path.join(path.dirname(fileURLToPath(import.meta.url)), '../corpus/charsets.json');
const rows = JSON.parse(readFileSync(file, 'utf8')) as readonly Row[];
const labels = rows.flatMap(({ labels: names, octets, text }) =>
  names.map((label): [string, Buffer, string] => [label, Buffer.from(octets, 'latin1'), text]),
);

describe('a charset of the web platform is read as a browser reads it:', () => {
  test('they are all there', () => {
    expect(labels.length).toBe(217);
  });

  test.each(labels)('%s', (label, octets, text) => {
    expect(decodeCharset(octets, label)).toEqual({ text, isEncodingProblem: false });
    expect(decodeCharset(octets, ` "${label.toUpperCase()}" `)).toEqual({ text, isEncodingProblem: false });
    expect(headerText(` =?${label}?B?${octets.toString('base64')}?=`)).toBe(
      // A colon may not stand in an encoded-word's charset, nor a control character in its text.
      label.includes(':')
        ? `=?${label}?B?${octets.toString('base64')}?=`
        : text.replace(/[\x7f-\x9f]/g, '').normalize('NFC'),
    );
  });

  test.each(rows.map(({ charset, octets, text }) => [charset, Buffer.from(octets, 'latin1'), text] as const))(
    '%s, cut anywhere',
    (charset, octets, text) => {
      for (let end = 0; end <= octets.length; end++) {
        const prefix = decodeCharset(octets.subarray(0, end), charset, true);
        expect(prefix.isEncodingProblem).toBe(false);
        expect(text.startsWith(prefix.text)).toBe(true);
      }
    },
  );
});

test.each([
  ['gb2312', 'a2e3 a3a0 a8bf 80 8130d330', '€\u3000ǹ€ђ'],
  ['gbk', 'a98a fe50', '⿰⺁'],
  ['koi8-u', 'ae be a4', 'ўЎє'],
  ['windows-1255', 'e5ca', 'ו\u05ba'],
  ['ibm866', '1a1c7f', '\x1a\x1c\x7f'],
])('what not every decoder has of %s is read: %s', (label, octets, text) => {
  const bytes = Buffer.from(octets.replaceAll(' ', ''), 'hex');
  expect(decodeCharset(bytes, label)).toEqual({ text, isEncodingProblem: false });
});

test.each([
  ['windows-874', 'db'],
  ['windows-1253', 'aa'],
  ['gbk', 'ff'],
])('what stands for nothing in %s is a problem: %s', (label, octets) => {
  expect(decodeCharset(Buffer.from(octets, 'hex'), label)).toEqual({ text: '\ufffd', isEncodingProblem: true });
});

test.each([
  'utf-7',
  'unicode-1-1-utf-7',
  'csunicode11utf7',
  'x-user-defined',
  'replacement',
  'iso-2022-kr',
  'hz-gb-2312',
  'iso-2022-cn',
  'base64',
  'hex',
  'utf-7-imap',
])('%s is not read, and is a problem', (label) => {
  const markup = Buffer.from('+ADw-~{ \x1b$)C');
  expect(decodeCharset(markup, label)).toEqual({ text: markup.toString(), isEncodingProblem: true });
});
