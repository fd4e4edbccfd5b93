import { describe, expect, test } from '@jest/globals';
import { partOfBodyStructure } from '../../shared/imap/body-structure.ts';
import { parseResponse } from '../../shared/imap/parse-response.ts';
import type { ImapValue } from '../../shared/imap/response.ts';
import type { Part } from '../../shared/message/part.ts';

function parse(bodyStructure: string): Part | null {
  const bytes = Buffer.from(`* X ${bodyStructure}`);
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
    ['nesting beyond reason', `${'('.repeat(500)}"x" "y"${')'.repeat(500)}`],
  ])('that makes no sense gives nothing: %s', (_, text) => {
    expect(parse(text)).toBeNull();
  });
});
