import { describe, expect, test } from '@jest/globals';
import { partOfBodyStructure } from '../../shared/imap/body-structure.ts';
import { parseResponse } from '../../shared/imap/parse-response.ts';
import type { ImapValue } from '../../shared/imap/response.ts';
import type { Part } from '../../shared/message/part.ts';

function parse(bodyStructure: string): Part | null {
  const bytes = Buffer.from(`* X ${bodyStructure}`, 'latin1');
  const response = parseResponse(bytes, 0, bytes.length);
  return partOfBodyStructure(response.kind === 'data' ? (response.values[0] as ImapValue) : null);
}

describe('a BODYSTRUCTURE', () => {
  test('of one part gives a root that is part 1 and section nothing', () => {
    expect(parse('("TEXT" "PLAIN" ("CHARSET" "utf-8") NIL NIL "7BIT" 12 1 NIL NIL NIL NIL)')).toEqual({
      partId: '1',
      section: '',
      type: 'text/plain',
      charset: 'utf-8',
      disposition: null,
      name: null,
      cid: null,
      language: null,
      location: null,
      encoding: '7bit',
      encodedSize: 12,
      size: 12,
      subParts: [],
    });
  });

  test('of many parts numbers them, and does not enter an attached message', () => {
    const root = parse(
      '((("text" "plain" NIL NIL NIL "7bit" 3 1)("text" "html" NIL NIL NIL "base64" 4 1) "alternative" ("boundary" "b"))' +
        '("message" "rfc822" NIL NIL NIL "7bit" 50 (NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL) ("text" "plain" NIL NIL NIL "7bit" 3 1) 5' +
        ' NIL ("attachment" ("filename" "a.eml")) "en" "here") "mixed")',
    );
    const flat = (part: Part): unknown[] => [
      [part.section, part.partId, part.type, part.size],
      ...part.subParts.flatMap(flat),
    ];
    expect(root && flat(root)).toEqual([
      ['', null, 'multipart/mixed', null],
      ['1', null, 'multipart/alternative', null],
      ['1.1', '1.1', 'text/plain', 3],
      ['1.2', '1.2', 'text/html', null],
      ['2', '2', 'message/rfc822', 50],
    ]);
    expect(root?.subParts[1]).toMatchObject({
      disposition: 'attachment',
      name: 'a.eml',
      language: ['en'],
      location: 'here',
    });
  });

  test.each([
    ['a text without its lines', '("text" "plain" NIL NIL NIL "7bit" 3 NIL ("inline" NIL))', { disposition: 'inline' }],
    [
      'a message shown like any type',
      '("message" "rfc822" NIL NIL NIL "base64" 9 NIL ("attachment" NIL))',
      { disposition: 'attachment' },
    ],
    ['a list of languages', '("a" "b" NIL NIL NIL "7bit" 3 NIL NIL ("de" "en") NIL)', { language: ['de', 'en'] }],
    ['no extension', '("a" "b" NIL "<id>" NIL "7bit" 3)', { cid: 'id', disposition: null }],
    ['a literal for a name', '("a" "b" ("name" {3}\r\n\xfc\xfc\xfc) NIL NIL "7bit" 3)', {}],
    ['octets that are not UTF-8', '("a" "b" ("name" {1}\r\n\xfc) NIL NIL "7bit" 3)', { name: '\ufffd' }],
    [
      'a noncharacter',
      '("a" "b" ("name" "\xef\xbf\xbf") "<\xef\xb7\x90>" NIL "7bit" 3)',
      { name: '\ufffd', cid: '\ufffd' },
    ],
    [
      'languages in capitals',
      '("a" "b" NIL NIL NIL "7bit" 3 NIL NIL ("EN-GB" "ZH-HANT-TW" "X-DE") NIL)',
      { language: ['en-GB', 'zh-Hant-TW', 'x-de'] },
    ],
    ['a single text with octets', '(("text" "plain" NIL NIL NIL "7bit" 1 0) "mixed" NIL)', { type: 'multipart/mixed' }],
    ['a single HTML without', '(("text" "html" NIL NIL NIL "7bit" 0 0) "mixed" NIL)', { type: 'multipart/mixed' }],
    [
      'a boundary of 70',
      `(("text" "html" NIL NIL NIL "7bit" 3 1) "mixed" ("boundary" "${'q'.repeat(70)}"))`,
      { type: 'multipart/mixed' },
    ],
    ['odd parameters', '("a" "b" ("name" "x" "y") NIL NIL "7bit" 3)', { name: 'x' }],
  ])('that is unusual is read: %s', (_, text, part) => {
    expect(parse(text)).toMatchObject(part);
  });

  test.each([
    ['NIL', 'NIL'],
    ['an empty list', '()'],
    ['no subtype', '("text")'],
    ['no size', '("text" "plain" NIL NIL NIL "7bit" NIL 1)'],
    ['a multipart without parts', '(NIL "mixed")'],
    ['a multipart without a subtype', '(("text" "plain" NIL NIL NIL "7bit" 3 1))'],
    ['a broken part among good ones', '(("text" "plain" NIL NIL NIL "7bit" 3 1)("text") "mixed")'],
    ['a multipart in which the server found nothing', '(("text" "plain" NIL NIL NIL "7bit" 0 0) "mixed" NIL)'],
    ['a multipart that is shown as a leaf', '("multipart" "mixed" ("boundary" "b") NIL NIL "8bit" 7 NIL NIL NIL)'],
    ['such a multipart in another', '((("text" "plain" NIL NIL NIL "7bit" 0 0) "mixed" NIL) "mixed" NIL)'],
    [
      'a boundary longer than servers compare',
      `(("text" "html" NIL NIL NIL "7bit" 3 1) "mixed" ("boundary" "${'q'.repeat(71)}"))`,
    ],
    ['an empty boundary', '(("text" "html" NIL NIL NIL "7bit" 3 1) "mixed" ("boundary" ""))'],
    ['a boundary that ends in a blank', '(("text" "html" NIL NIL NIL "7bit" 3 1) "mixed" ("boundary" "b "))'],
    ['nesting beyond reason', `${'('.repeat(500)}"x" "y"${')'.repeat(500)}`],
  ])('that makes no sense gives nothing: %s', (_, text) => {
    expect(parse(text)).toBeNull();
  });
});
