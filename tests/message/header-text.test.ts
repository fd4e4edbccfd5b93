import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { headerText } from '../../shared/message/header-text.ts';

const b64 = (octets: string, from: BufferEncoding = 'utf8') => Buffer.from(octets, from).toString('base64');

describe('headerText', () => {
  test.each<[string, string, string]>([
    ['unfolds, keeping the white space', ' a\r\n b\r\n\tc', 'a b\tc'],
    ['unfolds bare line feeds', ' a\n b', 'a b'],
    ['removes leading SP only', '  \ta ', '\ta '],
    ['decodes Q with underscores', ' =?UTF-8?Q?a_=C3=A9?=', 'a é'],
    ['decodes B', ` =?utf-8?B?${b64('héllo')}?=`, 'héllo'],
    ['takes lower case encodings', ' =?utf-8?q?x?= =?utf-8?b?eQ==?=', 'xy'],
    ['drops white space between encoded-words', ' =?utf-8?q?a?= \r\n =?utf-8?q?b?=', 'ab'],
    ['keeps white space towards plain text', ' x =?utf-8?q?a?=  y', 'x a  y'],
    ['drops white space between words of different charsets', ' =?utf-8?q?a?= =?iso-8859-2?q?=B9?=', 'aš'],
    ['joins a character split between B words', ' =?utf-8?B?4oI=?= =?utf-8?B?rA==?=', '€'],
    ['joins a character split between Q words', ' =?utf-8?Q?=E2=82?=\r\n =?UTF-8?Q?=AC?=', '€'],
    ['joins a character split between a Q and a B word', ' =?utf-8?Q?=E2=82?= =?utf-8?B?rA==?=', '€'],
    ['ignores the language', ' =?utf-8*de?q?=C3=BC?=', 'ü'],
    ['decodes iso-2022-jp', ' =?iso-2022-jp?B?GyRCRnxLXBsoQg==?=', '日本'],
    ['decodes gb2312', ' =?gb2312?B?xOO6ww==?=', '你好'],
    ['decodes big5', ' =?big5?B?p0Gmbg==?=', '你好'],
    ['decodes koi8-r', ' =?koi8-r?Q?=F0=D2=C9=D7=C5=D4?=', 'Привет'],
    ['decodes euc-kr under its old name', ' =?ks_c_5601-1987?B?vsiz5w==?=', '안녕'],
    ['decodes windows-1252 punctuation', ' =?windows-1252?Q?=93x=94_=80?=', '“x” €'],
    ['decodes iso-8859-1 as the web does', ' =?iso-8859-1?Q?=E9=80?=', 'é€'],
    ['decodes a charset that only iconv-lite has', ' =?cp850?Q?=81?=', 'ü'],
    ['guesses UTF-8 in us-ascii', ' =?us-ascii?Q?=C3=A9?=', 'é'],
    ['leaves an unknown charset as it is', ' =?x-klingon?Q?a?= b', '=?x-klingon?Q?a?= b'],
    ['refuses UTF-7', ' =?utf-7?Q?+ADw-script+AD4-?=', '=?utf-7?Q?+ADw-script+AD4-?='],
    ['refuses an unknown encoding', ' =?utf-8?X?a?=', '=?utf-8?X?a?='],
    ['leaves a word glued to text before it', ' a=?utf-8?q?b?=', 'a=?utf-8?q?b?='],
    ['leaves a word glued to text behind it', ' =?utf-8?q?b?=a', '=?utf-8?q?b?=a'],
    ['leaves words glued to each other', ' =?utf-8?q?a?==?utf-8?q?b?=', '=?utf-8?q?a?==?utf-8?q?b?='],
    ['leaves a word with a blank inside', ' =?utf-8?q?a b?=', '=?utf-8?q?a b?='],
    ['leaves what does not end', ' =?utf-8?q?abc', '=?utf-8?q?abc'],
    ['does not decode what decoding brings forth', ' =?utf-8?q?=3D=3Futf-8=3Fq=3Fx=3F=3D?=', '=?utf-8?q?x?='],
    ['drops NUL and control characters that were encoded', ' =?utf-8?q?a=00=0D=0A=07b=C2=85?=', 'ab'],
    ['shows malformed octets as U+FFFD', ' =?utf-8?q?a=FFb?=', 'a\ufffdb'],
    ['takes a broken hexadecimal pair literally', ' =?utf-8?q?a=ZZ=4?=', 'a=ZZ=4'],
    ['decodes an empty word to nothing', ' a =?utf-8?q??= b', 'a  b'],
    ['takes raw UTF-8', ' grüße', 'grüße'],
    ['normalizes raw text to NFC', ' e\u0301', 'é'],
    ['normalizes decoded text to NFC', ' =?utf-8?q?e=CC=81?=', 'é'],
    ['normalizes across words', ' =?utf-8?q?e?= =?utf-8?q?=CC=81?=', 'é'],
    ['takes words longer than 75 characters', ` =?utf-8?B?${b64('ä'.repeat(200))}?=`, 'ä'.repeat(200)],
    ['is empty for an empty value', '', ''],
  ])('%s', (_name, raw, expected) => {
    expect(headerText(raw)).toBe(expected);
  });

  test('finds again any text that was encoded, however it was cut', () => {
    const text = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 60 });
    fc.assert(
      fc.property(text, fc.integer({ min: 1, max: 30 }), fc.boolean(), (original, size, isB) => {
        const octets = Buffer.from(original);
        const words: string[] = [];
        for (let at = 0; at < octets.length; at += size) {
          const piece = octets.subarray(at, at + size);
          const q = [...piece].map((octet) => `=${octet.toString(16).padStart(2, '0').toUpperCase()}`).join('');
          words.push(isB ? `=?utf-8?B?${piece.toString('base64')}?=` : `=?utf-8?Q?${q}?=`);
        }
        const expected = original
          .replace(/^\ufeff/, '')
          .replace(/[\u0000-\u001f\u007f-\u009f]/g, '')
          .normalize('NFC');
        expect(headerText(` ${words.join('\r\n ')}`)).toBe(expected);
      }),
    );
  });

  test('never throws', () => {
    const piece = fc.constantFrom('=?', '?=', '?q?', '?B?', 'utf-8', ' ', '\r\n ', 'a', '=', '=C3', '\ud800', '*');
    fc.assert(fc.property(fc.array(piece, { maxLength: 40 }), (pieces) => void headerText(pieces.join(''))));
  });

  test('takes hostile values in linear time', () => {
    for (const piece of ['=?a?q?', '=?utf-8?q?x?= ', '=?', '?=', ' \t', '=?utf-8?q?=C3?= '])
      headerText(piece.repeat(60_000));
  });
});
