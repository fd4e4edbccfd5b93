import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import parseByImapFlow from 'imapflow/lib/handler/imap-parser.js';
import { imapLimits } from '../../shared/imap/limits.ts';
import { parseResponse } from '../../shared/imap/parse-response.ts';
import type { ImapResponse, ImapValue } from '../../shared/imap/response.ts';
import { ResponseReader } from '../../shared/imap/response-reader.ts';

const parse = (text: string): ImapResponse => {
  const bytes = Buffer.from(text, 'latin1');
  return parseResponse(bytes, 0, bytes.length);
};

describe('a response', () => {
  test.each<[string, string, ImapResponse]>([
    [
      'data',
      '* CAPABILITY IMAP4rev1 ID',
      { kind: 'data', number: null, name: 'CAPABILITY', values: ['IMAP4rev1', 'ID'] },
    ],
    ['a count', '* 23 exists', { kind: 'data', number: 23, name: 'EXISTS', values: [] }],
    [
      'lists, strings and NIL',
      '* LIST (\\HasNoChildren) NIL "a\\"b\\\\c"',
      { kind: 'data', number: null, name: 'LIST', values: [['\\HasNoChildren'], null, 'a"b\\c'] },
    ],
    ['a string that says NIL', '* X "NIL" nil', { kind: 'data', number: null, name: 'X', values: ['NIL', null] }],
    [
      'a section with fields and an origin',
      '* 1 FETCH (BODY[HEADER.FIELDS (DATE "X]Y")]<0> {3}\r\na)b UID 7)',
      {
        kind: 'data',
        number: 1,
        name: 'FETCH',
        values: [['BODY[HEADER.FIELDS (DATE "X]Y")]<0>', Buffer.from('a)b'), 'UID', '7']],
      },
    ],
    [
      'a section with odd field names',
      '* 1 FETCH (BODY[HEADER.FIELDS (X-A]B {3}\r\n"])X "C]")] NIL UID 7)',
      {
        kind: 'data',
        number: 1,
        name: 'FETCH',
        values: [['BODY[HEADER.FIELDS (X-A]B {3}\r\n"])X "C]")]', null, 'UID', '7']],
      },
    ],
    [
      'keywords with brackets',
      '* 1 FETCH (FLAGS ([x] a]b \\Seen))',
      { kind: 'data', number: 1, name: 'FETCH', values: [['FLAGS', ['[x]', 'a]b', '\\Seen']]] },
    ],
    [
      'no space before a list',
      '* 1 FETCH (FLAGS(\\Seen)UID 3)',
      { kind: 'data', number: 1, name: 'FETCH', values: [['FLAGS', ['\\Seen'], 'UID', '3']] },
    ],
    ['UTF-8 in a string', '* X "\xc3\xbc"', { kind: 'data', number: null, name: 'X', values: ['ü'] }],
    ['latin1 in a string', '* X "\xfc"', { kind: 'data', number: null, name: 'X', values: ['ü'] }],
    ['an empty literal', '* X {0}\r\n y', { kind: 'data', number: null, name: 'X', values: [Buffer.alloc(0), 'y'] }],
    ['a literal8', '* X ~{2}\r\n\0\xff', { kind: 'data', number: null, name: 'X', values: [Buffer.from([0, 255])] }],
    [
      'a status with a code',
      '* OK [PERMANENTFLAGS (\\Deleted [x] \\*)] Limited',
      {
        kind: 'status',
        tag: null,
        status: 'OK',
        code: { name: 'PERMANENTFLAGS', values: [['\\Deleted', '[x]', '\\*']] },
        text: 'Limited',
      },
    ],
    ['a tagged status', 'p1 NO sorry {3}', { kind: 'status', tag: 'p1', status: 'NO', code: null, text: 'sorry {3}' }],
    ['a status without text', 'p1 OK', { kind: 'status', tag: 'p1', status: 'OK', code: null, text: '' }],
    [
      'a code that does not end',
      '* NO [ALERT sorry',
      { kind: 'status', tag: null, status: 'NO', code: null, text: '[ALERT sorry' },
    ],
    ['a continuation', '+ go on', { kind: 'continuation', text: 'go on' }],
    ['NUL padding', '\0\0* 1 EXISTS', { kind: 'data', number: 1, name: 'EXISTS', values: [] }],
    ['an unclosed list', '* X (a', { kind: 'malformed', tag: null }],
    ['an unclosed string', '* X "a', { kind: 'malformed', tag: null }],
    ['a stray end', '* X a)', { kind: 'malformed', tag: null }],
    ['a literal that is not there', '* X {5}\r\nabc', { kind: 'malformed', tag: null }],
    ['a tag without a status', 'p1 PERHAPS', { kind: 'malformed', tag: 'p1' }],
    ['an asterisk', '*', { kind: 'malformed', tag: null }],
  ])('%s', (_, text, response) => {
    expect(parse(text)).toEqual(response);
  });

  test('with lists nested too deep reads them as NIL, and what follows them', () => {
    const deep = `${'('.repeat(10_000)}"x)"${')'.repeat(10_000)}`;
    const response = parse(`* 1 FETCH (BODYSTRUCTURE ${deep} UID 7)`);
    const items = response.kind === 'data' ? (response.values[0] as ImapValue[]) : [];
    expect(items.slice(2)).toEqual(['UID', '7']);
  });

  test('means what imapflow takes it for', async () => {
    const word = fc.stringMatching(/^[A-Za-z$\\][A-Za-z0-9.-]{0,8}$/);
    const quoted = fc.string({ maxLength: 10 }).filter((text) => !/[\r\n\0\x7f-\uffff]/.test(text));
    const value = fc.letrec<{ value: unknown; list: unknown[] }>((tie) => ({
      value: fc.oneof(
        { maxDepth: 4 },
        word.filter((text) => text.toUpperCase() !== 'NIL').map((text) => ({ wire: text, means: text })),
        fc.constant({ wire: 'NIL', means: null }),
        quoted.map((text) => ({ wire: `"${text.replace(/["\\]/g, '\\$&')}"`, means: text })),
        tie('list'),
      ),
      list: fc.array(tie('value'), { maxLength: 4 }),
    }));
    const written = (node: unknown): string =>
      Array.isArray(node) ? `(${node.map(written).join(' ')})` : (node as { wire: string }).wire;
    const simplify = (node: unknown): unknown =>
      Array.isArray(node) ? node.map(simplify) : node === null ? null : (node as { value: unknown }).value;
    await fc.assert(
      fc.asyncProperty(fc.array(value.value, { maxLength: 5 }), async (values) => {
        const line = `* XTEST ${values.map(written).join(' ')}`.trim();
        const theirs = await parseByImapFlow(Buffer.from(line));
        const ours = parse(line);
        expect(ours.kind === 'data' && ours.values).toEqual((theirs.attributes ?? []).map(simplify));
      }),
      { numRuns: 500 },
    );
  });
});

describe('a stream of responses', () => {
  const stream = [
    '* OK [CAPABILITY IMAP4rev1] ready {3}\r\n',
    '* 1 FETCH (UID 1 BODY[] {12}\r\n{5}\r\n)\r\n* OK FLAGS (\\Seen))\r\n',
    '* LIST () "/" {5}\r\nINBOX\r\n',
    '* 2 FETCH (UID 2 X {0}\r\n Y {1}\r\nz)\n',
    'p1 OK done\r\n',
  ].join('');

  const read = (chunks: readonly Buffer[]) => {
    const responses: ImapResponse[] = [];
    const reader = new ResponseReader(imapLimits);
    for (const chunk of chunks) reader.push(chunk, (response) => responses.push(response));
    return responses;
  };

  test('is the same however it is cut into chunks', () => {
    const bytes = Buffer.from(stream, 'latin1');
    const whole = read([bytes]);
    expect(whole.map((response) => response.kind)).toEqual(['status', 'data', 'data', 'data', 'status']);
    expect(whole[1]).toMatchObject({
      values: [['UID', '1', 'BODY[]', Buffer.from('{5}\r\n)\r\n* OK'), 'FLAGS', ['\\Seen']]],
    });
    for (let size = 1; size < bytes.length; size++) {
      const chunks = Array.from({ length: Math.ceil(bytes.length / size) }, (_, index) =>
        bytes.subarray(index * size, (index + 1) * size),
      );
      expect(read(chunks)).toEqual(whole);
    }
  });

  test('gives octets that stay as they are when the chunk is used again', () => {
    const chunk = Buffer.from('* X {3}\r\nabc\r\n');
    const [response] = read([chunk]);
    chunk.fill(0);
    expect(response).toMatchObject({ values: [Buffer.from('abc')] });
  });

  test('is read to its end, whatever it says', () => {
    const piece = fc.oneof(
      fc.constantFrom(
        '* ',
        'p1 ',
        '+ ',
        '1 ',
        'FETCH ',
        'OK ',
        '[',
        ']',
        '(',
        ')',
        '"',
        '\\',
        '{3}',
        '{3}\r\n',
        '{0}\r\n',
        '\r\n',
        '\n',
      ),
      fc.constantFrom('BODY[', 'UID ', 'NIL', '~', '<0>', '\0', 'abc'),
      fc.string({ unit: 'binary', maxLength: 4 }),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 60 }), fc.integer({ min: 1, max: 9 }), (pieces, size) => {
        const bytes = Buffer.from(pieces.join(''));
        const chunks = Array.from({ length: Math.ceil(bytes.length / size) }, (_, index) =>
          bytes.subarray(index * size, (index + 1) * size),
        );
        // What is left incomplete is completed by as many line breaks as it takes.
        const end = Buffer.from('\r\n'.repeat(5).concat('* MARK x\r\n'));
        expect(read([...chunks, end]).at(-1)).toMatchObject({ kind: 'data', name: 'MARK' });
      }),
      { numRuns: 3000 },
    );
  });

  test.each([
    ['a line', 'x'.repeat(3000)],
    ['a literal', '* X {3000}\r\n'],
    ['a literal of absurd size', '* X {99999999999999999999999999}\r\n'],
    ['many literals', '* X'.concat(' {100}\r\n', 'y'.repeat(100)).concat(` {100}\r\n${'y'.repeat(100)}`.repeat(30))],
  ])('is given up when %s exceeds the limit', (_, text) => {
    const reader = new ResponseReader({ responseOctetsMax: 2000 });
    expect(() => reader.push(Buffer.from(text), () => {})).toThrow(
      expect.objectContaining({ name: 'ResponseTooLarge' }),
    );
  });
});
