import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { bodyValue, utf8Prefix } from '../../shared/message/body-value.ts';
import { decodeCharset } from '../../shared/message/charset.ts';
import { safeHtmlLength } from '../../shared/message/html-tags.ts';

const whole = { maxBodyValueBytes: 0 };
const octets = (text: string) => Buffer.from(text, 'latin1');
const textPart = (charset: string | null, encoding = '8bit') => ({ type: 'text/plain', charset, encoding });
const htmlPart = { type: 'text/html', charset: 'utf-8', encoding: '8bit' };

describe('bodyValue', () => {
  test.each<[string, string | null, string, string, string, boolean]>([
    ['utf-8', 'utf-8', '8bit', 'gr\xc3\xbc\xc3\x9fe', 'grüße', false],
    ['utf-8 with malformed octets', 'UTF-8', '8bit', 'a\xffb\xc3', 'a\ufffdb\ufffd', true],
    ['utf-8 with a byte order mark', 'utf-8', '8bit', '\xef\xbb\xbfa', 'a', false],
    ['us-ascii', 'us-ascii', '7bit', 'abc', 'abc', false],
    ['us-ascii that is utf-8', 'us-ascii', '8bit', '\xe2\x82\xac', '€', false],
    ['us-ascii that is windows-1252', 'us-ascii', '8bit', '\x93x\x94 \xe9', '“x” é', true],
    ['no charset', null, '8bit', '\xc3\xa9', 'é', false],
    ['iso-8859-1', 'ISO-8859-1', '8bit', '\xe9', 'é', false],
    ['iso-8859-1 with the punctuation of windows-1252', 'iso-8859-1', '8bit', '\x80', '€', false],
    ['windows-1252 with an octet it lacks', 'windows-1252', '8bit', 'a\x81', 'a\ufffd', true],
    ['windows-1251', 'windows-1251', '8bit', '\xcf\xf0', 'Пр', false],
    ['a windows charset in its short name', 'cp1251', '8bit', '\xcf\xf0', 'Пр', false],
    ['koi8-r', 'koi8-r', '8bit', '\xf0\xd2', 'Пр', false],
    ['iso-2022-jp', 'iso-2022-jp', '7bit', '\x1b$BF|K\\\x1b(B', '日本', false],
    ['iso-2022-jp that was joined from pieces', 'ISO-2022-JP', '7bit', '\x1b$BF|\x1b(B\x1b$BK\\\x1b(B', '日本', false],
    ['shift_jis', 'shift_jis', '8bit', '\x93\xfa\x96\x7b', '日本', false],
    ['euc-jp with malformed octets', 'euc-jp', '8bit', '\xc6\xfca\xff', '日a\ufffd', true],
    ['gb2312', 'gb2312', '8bit', '\xc4\xe3', '你', false],
    ['gb18030', 'gb18030', '8bit', '\x81\x30\x81\x30', '\u0080', false],
    ['big5', 'big5', '8bit', '\xa7\x41', '你', false],
    ['euc-kr', 'euc-kr', '8bit', '\xbe\xc8', '안', false],
    ['utf-16 with a big-endian mark', 'utf-16', 'binary', '\xfe\xff\x00a\x00b', 'ab', false],
    ['utf-16 with a little-endian mark', 'utf-16', 'binary', '\xff\xfea\x00b\x00', 'ab', false],
    ['utf-16 with a lone surrogate', 'utf-16', 'binary', '\xfe\xff\x00a\xd8\x00\x00b', 'a\ufffdb', true],
    ['cp850', 'cp850', '8bit', '\x81', 'ü', false],
    ['iso-8859-16', 'iso-8859-16', '8bit', '\xa4', '€', false],
    ['a charset in quotes', '"utf-8"', '8bit', '\xc3\xa9', 'é', false],
    ['an unknown charset', 'x-klingon', '7bit', 'abc', 'abc', true],
    ['an unknown charset that is utf-8', 'unknown-8bit', '8bit', '\xc3\xa9', 'é', true],
    ['utf-7, which is refused', 'utf-7', '7bit', '+ADw-script+AD4-', '+ADw-script+AD4-', true],
    ['utf-7 by its other name', 'unicode-1-1-utf-7', '7bit', '+AGE-', '+AGE-', true],
    ['a codec that is no charset', 'base64', '7bit', 'aGk=', 'aGk=', true],
    ['base64', 'utf-8', 'base64', '4oKs', '€', false],
    ['quoted-printable', 'iso-8859-1', 'quoted-printable', '=E9=\r\nx', 'éx', false],
    ['an unknown transfer encoding', 'utf-8', 'x-uuencode', 'abc', 'abc', true],
  ])('decodes %s', (_name, charset, encoding, encoded, value, isEncodingProblem) => {
    const result = bodyValue(textPart(charset, encoding), octets(encoded), whole);
    expect(result).toEqual({ value, isEncodingProblem, isTruncated: false });
  });

  test('replaces CRLF with LF, and leaves a lone CR and a bare LF', () => {
    expect(bodyValue(textPart('utf-8'), octets('a\r\nb\nc\rd\r\r\n'), whole).value).toBe('a\nb\nc\rd\r\n');
  });

  test.each([
    ['a\u00e9b', 4, 'a\u00e9b', false],
    ['a\u00e9b', 3, 'a\u00e9', true],
    ['a\u00e9b', 2, 'a', true],
    ['😀😀', 7, '😀', true],
    ['😀', 3, '', true],
    ['abc', 0, 'abc', false],
  ])('truncates %j to %d octets', (text, maxBodyValueBytes, value, isTruncated) => {
    const result = bodyValue(textPart('utf-8'), Buffer.from(text), { maxBodyValueBytes });
    expect(result).toEqual({ value, isTruncated, isEncodingProblem: false });
  });

  test.each<[string, Buffer, string]>([
    ['utf-8', Buffer.from('a€').subarray(0, 3), 'a'],
    ['us-ascii', Buffer.from('a€').subarray(0, 3), 'a'],
    ['gb18030', octets('a\xc4'), 'a'],
    ['cp949', octets('a\xb0'), 'a'],
    ['iso-2022-jp', octets('a\x1b$BF'), 'a'],
    ['utf-16', octets('\xfe\xff\x00a\x00b\xd8\x00'), 'ab'],
    ['utf-8', octets('a\r'), 'a'],
  ])('leaves out what the end of a %s prefix cuts apart', (charset, encoded, value) => {
    const result = bodyValue(textPart(charset), encoded, { maxBodyValueBytes: 0, isPrefix: true });
    expect(result).toEqual({ value, isTruncated: true, isEncodingProblem: false });
  });

  test('truncates HTML before the tag it would cut apart', () => {
    const html = Buffer.from('<p>one</p><a href="https://example.com">two</a>');
    expect(bodyValue(htmlPart, html, { maxBodyValueBytes: 20 })).toEqual({
      value: '<p>one</p>',
      isTruncated: true,
      isEncodingProblem: false,
    });
    expect(bodyValue({ ...htmlPart, type: 'text/plain' }, html, { maxBodyValueBytes: 20 }).value).toHaveLength(20);
    expect(bodyValue(htmlPart, html, whole).isTruncated).toBe(false);
  });

  test('never exceeds the octets asked for, never splits a character, and is a beginning of the whole', () => {
    const part = fc.constantFrom(htmlPart, textPart('utf-8'), textPart('iso-8859-1'), textPart('utf-16'));
    fc.assert(
      fc.property(
        part,
        fc.uint8Array({ maxLength: 80 }),
        fc.integer({ min: 1, max: 60 }),
        (it, encoded, maxBodyValueBytes) => {
          const { value } = bodyValue(it, encoded, { maxBodyValueBytes });
          expect(Buffer.byteLength(value)).toBeLessThanOrEqual(maxBodyValueBytes);
          expect(Buffer.from(value).toString()).toBe(value);
          expect(bodyValue(it, encoded, whole).value.startsWith(value)).toBe(true);
        },
      ),
    );
  });

  test('makes from a prefix a beginning of the whole', () => {
    const text = fc.string({ unit: 'grapheme', maxLength: 40 });
    const encoding = fc.constantFrom('8bit', 'base64', 'quoted-printable');
    fc.assert(
      fc.property(text, encoding, fc.nat(100), (original, transfer, length) => {
        const q = [...Buffer.from(original)].map((octet) => `=${octet.toString(16).padStart(2, '0')}`).join('');
        const b = Buffer.from(original).toString('base64');
        const encoded = Buffer.from(transfer === '8bit' ? original : transfer === 'base64' ? b : q);
        const part = textPart('utf-8', transfer);
        const prefix = bodyValue(part, encoded.subarray(0, length), { maxBodyValueBytes: 0, isPrefix: true });
        expect(prefix.isEncodingProblem).toBe(false);
        expect(bodyValue(part, encoded, whole).value.startsWith(prefix.value)).toBe(true);
      }),
    );
  });
});

describe('decodeCharset', () => {
  test('never throws and never shows a lone surrogate, whatever the octets and the charset', () => {
    const charset = fc.oneof(
      fc.constantFrom(
        'utf-8',
        'utf-16',
        'utf-16le',
        'utf-32',
        'gb18030',
        'iso-2022-jp',
        'big5',
        'cp949',
        'windows-1252',
        'x-user-defined',
      ),
      fc.string({ maxLength: 12 }),
    );
    fc.assert(
      fc.property(charset, fc.uint8Array({ maxLength: 60 }), fc.boolean(), (label, bytes, isPrefix) => {
        const { text } = decodeCharset(bytes, label, isPrefix);
        expect(Buffer.from(text).toString()).toBe(text);
      }),
    );
  });
});

describe('utf8Prefix', () => {
  test.each([
    ['abc', 2, 'ab'],
    ['abc', 3, 'abc'],
    ['€€', 5, '€'],
    ['', 1, ''],
  ])('of %j in %d octets is %j', (text, bytesMax, expected) => {
    expect(utf8Prefix(text, bytesMax)).toBe(expected);
  });
});

describe('safeHtmlLength', () => {
  test.each([
    ['', ''],
    ['text', 'text'],
    ['a < b', 'a < b'],
    ['a <', 'a '],
    ['a <3', 'a <3'],
    ['<p>', '<p>'],
    ['<p>x<a href', '<p>x'],
    ['x</a', 'x'],
    ['x<a title="a > b" href', 'x'],
    ["x<a title='a > b'>y", "x<a title='a > b'>y"],
    ['x<a title = "a > b" h', 'x'],
    ['x<!-- <b> --', 'x'],
    ['x<!-- <b> -->y', 'x<!-- <b> -->y'],
    ['x<!doctype html', 'x'],
    ['x<style>p > a { color', 'x'],
    ['x<script>if (a<b) "</p>', 'x'],
    ['x<script>1</script>y<b', 'x<script>1</script>y'],
    ['<title>a<b</title>y', '<title>a<b</title>y'],
    ["it's <b>x</b> isn't", "it's <b>x</b> isn't"],
  ])('of %j keeps %j', (html, kept) => {
    expect(html.slice(0, safeHtmlLength(html))).toBe(kept);
  });

  test('takes hostile values in linear time', () => {
    for (const piece of ['<', '<a', '<!--', '<a "', '<a href="', '<script>', '</', '<style><', "<a b='>"]) {
      expect(safeHtmlLength(piece.repeat(100_000))).toBeGreaterThanOrEqual(0);
    }
  });
});
