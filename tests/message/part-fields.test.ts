import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { decodeParameters, type RawParameter, splitParameters } from '../../shared/message/parameters.ts';
import { parseHeaders } from '../../shared/message/parse-headers.ts';
import {
  type PartFields,
  partFields,
  partFieldsFromHeaders,
  type RawPartFields,
} from '../../shared/message/part-fields.ts';
import { octetsForSize, partSize, sizeOfBase64, sizeOfBody } from '../../shared/message/part-size.ts';

describe('splitParameters', () => {
  test.each<[string, string, RawParameter[]]>([
    [' text/plain', 'text/plain', []],
    [' text/plain; charset=utf-8', 'text/plain', [['charset', 'utf-8']]],
    [
      ' text/plain;CHARSET = "utf-8" ; a=b',
      'text/plain',
      [
        ['charset', 'utf-8'],
        ['a', 'b'],
      ],
    ],
    [' text/plain (a; b=c); charset=x (d)', 'text/plain', [['charset', 'x']]],
    [' text/plain;\r\n\tcharset=x', 'text/plain', [['charset', 'x']]],
    [
      ' a/b; x="c; d=\\"e\\""; y=z',
      'a/b',
      [
        ['x', 'c; d="e"'],
        ['y', 'z'],
      ],
    ],
    [
      ' a/b; x="c"junk; y=z',
      'a/b',
      [
        ['x', 'c'],
        ['y', 'z'],
      ],
    ],
    [
      ' a/b; x="c; y=z',
      'a/b',
      [
        ['x', 'c'],
        ['y', 'z'],
      ],
    ],
    [
      ' a/b; x=my file.pdf; y=z',
      'a/b',
      [
        ['x', 'my file.pdf'],
        ['y', 'z'],
      ],
    ],
    [' a/b; x=Invoice(1).pdf', 'a/b', [['x', 'Invoice(1).pdf']]],
    [' a/b; x=(c)d', 'a/b', [['x', 'd']]],
    [' a/b;; ;x=1;', 'a/b', [['x', '1']]],
    [' a/b; flag; x=1', 'a/b', [['x', '1']]],
    [' a/b; =1; x=', 'a/b', [['x', '']]],
    [' ; x=1', '', [['x', '1']]],
    ['', '', []],
  ])('cuts %j', (raw, value, parameters) => {
    expect(splitParameters(raw)).toEqual({ value, parameters });
  });

  test('never throws, and takes hostile values in linear time', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom(';', '=', '"', '(', ')', '\\', ' ', 'a', '*'), { maxLength: 40 }),
        (it) => void splitParameters(it.join('')),
      ),
    );
    for (const piece of [';(', '="', '(', 'a"', '\\"', ';a=(', ';a="\\"', '; x=1'])
      splitParameters(piece.repeat(60_000));
  });
});

describe('decodeParameters', () => {
  test.each<[string, RawParameter[], Record<string, string>]>([
    [
      'plain parameters',
      [
        ['A', 'x'],
        ['b', 'y'],
      ],
      { a: 'x', b: 'y' },
    ],
    [
      'the first of two alike',
      [
        ['a', 'x'],
        ['a', 'y'],
      ],
      { a: 'x' },
    ],
    ['a charset', [['f*', "utf-8'en'%e2%82%ac%20x"]], { f: '€ x' }],
    ['a charset without a language', [['f*', "iso-8859-1''%A3"]], { f: '£' }],
    [
      'continuations',
      [
        ['f*0', 'a'],
        ['f*1', 'b'],
      ],
      { f: 'ab' },
    ],
    [
      'continuations in any order',
      [
        ['f*1', 'b'],
        ['f*0', 'a'],
      ],
      { f: 'ab' },
    ],
    [
      'continuations up to a gap',
      [
        ['f*0', 'a'],
        ['f*2', 'c'],
      ],
      { f: 'a' },
    ],
    ['continuations without a beginning', [['f*1', 'b']], {}],
    [
      'continuations with a charset',
      [
        ['f*0*', "utf-8''%e2"],
        ['f*1*', '%82%ac'],
        ['f*2', '%20x'],
      ],
      { f: '€%20x' },
    ],
    [
      'the extended form before the plain one',
      [
        ['f', 'plain'],
        ['f*', "utf-8''ext"],
      ],
      { f: 'ext' },
    ],
    ['an unknown charset', [['f*', "x-no''a%C3%A9"]], { f: 'aé' }],
    ['no charset at all', [['f*', 'a%20b']], { f: 'a b' }],
    ['a broken percent sign', [['f*', "utf-8''100%"]], { f: '100%' }],
    ['raw characters', [['f*', "utf-8''é%C3%A9"]], { f: 'éé' }],
    [
      'names that look inherited',
      [
        ['__proto__', 'x'],
        ['constructor*0', 'y'],
      ],
      { ['__proto__']: 'x', constructor: 'y' },
    ],
    [
      'more than ten pieces',
      Array.from({ length: 12 }, (_, n) => [`f*${n}`, String(n % 10)] as const),
      { f: '012345678901' },
    ],
  ])('decodes %s', (_name, raw, expected) => {
    expect([...decodeParameters(raw)].map(([name, { value }]) => [name, value])).toEqual(Object.entries(expected));
  });
});

const none: RawPartFields = {
  type: null,
  parameters: [],
  disposition: null,
  dispositionParameters: [],
  id: null,
  encoding: null,
  language: null,
  location: null,
};

describe('partFields', () => {
  test.each<[string, Partial<RawPartFields>, Partial<PartFields>]>([
    [
      'a part that says nothing',
      {},
      { type: 'text/plain', charset: 'us-ascii', disposition: null, name: null, cid: null, encoding: '7bit' },
    ],
    ['a type in capitals', { type: 'TEXT/HTML' }, { type: 'text/html', charset: 'us-ascii' }],
    ['a type that is no text', { type: 'image/png' }, { type: 'image/png', charset: null }],
    [
      'a charset of a type that is no text',
      { type: 'application/xml', parameters: [['charset', 'UTF-8']] },
      { charset: 'UTF-8' },
    ],
    ['a malformed type', { type: 'pdf/' }, { type: 'text/plain' }],
    ['a disposition in capitals', { disposition: ' INLINE (x)' }, { disposition: 'inline' }],
    ['an empty disposition', { disposition: ' ' }, { disposition: null }],
    ['a file name', { dispositionParameters: [['filename', 'a.txt']] }, { name: 'a.txt' }],
    [
      'the file name before the name',
      { parameters: [['name', 'n']], dispositionParameters: [['filename', 'f']] },
      { name: 'f' },
    ],
    ['the name for want of a file name', { parameters: [['name', 'n']] }, { name: 'n' }],
    [
      'the name where the file name is empty',
      { parameters: [['name', 'n']], dispositionParameters: [['filename', '']] },
      { name: 'n' },
    ],
    ['an extended file name', { dispositionParameters: [['filename*', "utf-8''%c3%a9.txt"]] }, { name: 'é.txt' }],
    ['an encoded-word as the name', { parameters: [['name', '=?utf-8?q?=C3=A9.txt?=']] }, { name: 'é.txt' }],
    [
      'encoded-words as the file name',
      { dispositionParameters: [['filename', '=?utf-8?b?w6k=?= =?utf-8?b?LnR4dA==?=']] },
      { name: 'é.txt' },
    ],
    [
      'encoded-words without white space',
      { parameters: [['name', '=?utf-8?b?w6k=?==?utf-8?b?LnR4dA==?=']] },
      { name: 'é.txt' },
    ],
    [
      'encoded-words in continuations',
      {
        parameters: [
          ['name*0', '=?utf-8?q?a'],
          ['name*1', '=C3=A9?='],
        ],
      },
      { name: 'aé' },
    ],
    [
      'an extended name that holds an encoded-word, once only',
      { parameters: [['name*', "utf-8''%3D%3Futf-8%3Fq%3Fx%3F%3D"]] },
      { name: '=?utf-8?q?x?=' },
    ],
    ['a name without control characters', { parameters: [['name', 'a\r\n\0b']] }, { name: 'ab' }],
    ['a name in NFC', { parameters: [['name', 'e\u0301']] }, { name: 'é' }],
    ['a Content-Id', { id: ' <a@b> (c)' }, { cid: 'a@b' }],
    ['a Content-Id without brackets', { id: 'a@b' }, { cid: 'a@b' }],
    ['an empty Content-Id', { id: '<>' }, { cid: null }],
    ['a transfer encoding in capitals', { encoding: ' BASE64 (x)' }, { encoding: 'base64' }],
    ['languages', { language: ['en', 'de'] }, { language: ['en', 'de'] }],
    ['no languages', { language: [] }, { language: null }],
    ['a folded location', { location: ' http://x/\r\n y' }, { location: 'http://x/y' }],
  ])('reads %s', (_name, raw, expected) => {
    expect(partFields({ ...none, ...raw })).toMatchObject(expected);
  });

  test('a part of a digest is a message', () => {
    expect(partFields(none, 'message/rfc822')).toMatchObject({ type: 'message/rfc822', charset: null });
    expect(partFields({ ...none, type: 'text/plain' }, 'message/rfc822').type).toBe('text/plain');
  });

  test('header fields and a BODYSTRUCTURE tell the same', () => {
    const block = [
      'Content-Type: Text/HTML; charset="ISO-8859-1"; name*0*=utf-8\'\'%c3; name*1*=%a9',
      'content-disposition: Attachment; filename="x y.html"',
      'Content-ID: <i@d>',
      'Content-Transfer-Encoding: Quoted-Printable',
      'Content-Language: en, de-CH (x)',
      'Content-Location: http://x',
    ];
    const { boundary, ...fields } = partFieldsFromHeaders(parseHeaders(Buffer.from(block.join('\r\n'))));
    expect(boundary).toBeNull();
    expect(fields).toEqual(
      partFields({
        type: 'TEXT/HTML',
        parameters: [
          ['charset', 'ISO-8859-1'],
          ['name*0*', "utf-8''%c3"],
          ['name*1*', '%a9'],
        ],
        disposition: 'ATTACHMENT',
        dispositionParameters: [['filename', 'x y.html']],
        id: '<i@d>',
        encoding: 'QUOTED-PRINTABLE',
        language: ['en', 'de-CH'],
        location: 'http://x',
      }),
    );
    expect(fields.name).toBe('x y.html');
  });
});

describe('the size of a part by what is read of it', () => {
  const partOf = (encoding: string, encodedSize: number) => ({ encoding, encodedSize, size: null });
  const inLines = (octets: number, length: number, end: string): Buffer => {
    const encoded = Buffer.alloc(octets, 'x').toString('base64');
    const lines = encoded.match(new RegExp(`.{1,${length}}`, 'g')) ?? [];
    return Buffer.from(`${lines.join('\r\n')}${end}`);
  };
  const sizeOf = (body: Buffer): number | null => {
    const wanted = octetsForSize(partOf('base64', body.length));
    if (wanted === 'none') return 0;
    if (wanted === 'all') return sizeOfBody(body, 'base64');
    return sizeOfBase64(body.length, body.subarray(wanted.from, wanted.from + wanted.maxOctets));
  };

  test('is exact for base64 in lines of one length, of which no more than the end is read', () => {
    const lengths = fc.constantFrom(4, 60, 64, 72, 76, 996);
    const ends = fc.constantFrom('', '\r\n', '\r\n\r\n', ' \r\n');
    fc.assert(
      fc.property(fc.nat(20_000), lengths, ends, (octets, length, end) => {
        const body = inLines(octets, length, end);
        expect(sizeOf(body)).toBe(octets);
      }),
      { numRuns: 500 },
    );
    expect(octetsForSize(partOf('base64', 1_000_000))).toEqual({ from: 997_952, maxOctets: 2_048 });
  });

  test('is not told by the end where lines are not equally long, or hold something else', () => {
    const body = inLines(30_000, 76, '\r\n');
    const changed = (change: (lines: string[]) => string[]) =>
      Buffer.from(change(body.toString().split('\r\n')).join('\r\n'));
    for (const other of [
      changed((lines) => ['eHh4', ...lines]),
      changed((lines) => lines.map((line, index) => (index === 500 ? `${line} ` : line))),
      changed((lines) => lines.map((line, index) => (index === 500 ? line.slice(4) : line))),
      changed((lines) => lines.map((line, index) => (index === 520 ? `=${line.slice(1)}` : line))),
      changed((lines) => lines.map((line, index) => (index === 0 ? line.slice(4) : line))),
      changed(([, ...lines]) => [...lines.slice(0, -2), 'eA=', '']),
      Buffer.from(body.toString().replaceAll('\r\n', '\n')),
      Buffer.from(body.toString().replaceAll('\r\n', '')),
      inLines(30_000, 6, '\r\n'),
    ]) {
      expect(sizeOf(other)).toBeNull();
    }
    expect(sizeOfBase64(body.length, body.subarray(-2_000))).toBeNull();
    expect(sizeOfBase64(body.length + 4, body.subarray(-2_048))).toBeNull();
  });

  test.each([
    ['7bit', 100, 'none'],
    ['x-unknown', 100, 'none'],
    ['base64', 0, 'none'],
    ['base64', 2_048, 'all'],
    ['quoted-printable', 1_000_000, 'all'],
  ])('of %s with %d octets takes %s', (encoding, encodedSize, expected) => {
    expect(octetsForSize(partOf(encoding, encodedSize))).toBe(expected);
    expect(octetsForSize({ encoding, encodedSize, size: 7 })).toBe('none');
  });
});

describe('partSize', () => {
  test.each([
    ['7bit', 100, null, 100],
    ['base64', 4, 3, 3],
    ['quoted-printable', 100, null, 100],
    ['quoted-printable', 100, 80, 80],
    ['base64', 0, null, 0],
  ])('of %s with %d octets, known to be %p, is %d', (encoding, encodedSize, size, expected) => {
    expect(partSize({ encoding, encodedSize, size })).toBe(expected);
  });

  test('of base64 in usual lines is right but for the padding', () => {
    fc.assert(
      fc.property(fc.nat(2_000), (octets) => {
        const lines =
          Buffer.alloc(octets)
            .toString('base64')
            .match(/.{1,76}/g) ?? [];
        for (const end of ['', '\r\n']) {
          const encodedSize = `${lines.join('\r\n')}${octets > 0 ? end : ''}`.length;
          const estimate = partSize({ encoding: 'base64', encodedSize, size: null });
          expect(estimate).toBeGreaterThanOrEqual(octets);
          expect(estimate - octets).toBeLessThanOrEqual(2);
        }
      }),
    );
  });
});
