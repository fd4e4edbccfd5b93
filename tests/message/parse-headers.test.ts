import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { headerLimits, parseHeaders } from '../../shared/message/parse-headers.ts';

const bytes = (text: string) => Buffer.from(text, 'latin1');

describe('parseHeaders', () => {
  test.each<[string, string, [string, string][]]>([
    [
      'keeps order, capitals and the leading space',
      'To: a\r\nSUBJECT: b\r\nto:c\r\n',
      [
        ['To', ' a'],
        ['SUBJECT', ' b'],
        ['to', 'c'],
      ],
    ],
    ['stops at the empty line', 'A: 1\r\n\r\nB: 2\r\n', [['A', ' 1']]],
    [
      'keeps folding in the raw value',
      'A: 1\r\n\t2\r\n  3\r\nB: x\r\n',
      [
        ['A', ' 1\r\n\t2\r\n  3'],
        ['B', ' x'],
      ],
    ],
    [
      'takes bare line feeds as line ends',
      'A: 1\n 2\nB: 3\n\nbody',
      [
        ['A', ' 1\n 2'],
        ['B', ' 3'],
      ],
    ],
    ['needs no line break at the end', 'A: 1', [['A', ' 1']]],
    [
      'keeps a value that is empty',
      'A:\r\nB: \r\n',
      [
        ['A', ''],
        ['B', ' '],
      ],
    ],
    [
      'takes a line of blanks as a continuation, not as the end',
      'A: 1\r\n \r\nB: 2\r\n',
      [
        ['A', ' 1\r\n '],
        ['B', ' 2'],
      ],
    ],
    ['drops NUL octets', 'A: x\0y\0\r\n', [['A', ' xy']]],
    ['keeps UTF-8', 'A: gr\xc3\xbc\xc3\x9fe\r\n', [['A', ' grüße']]],
    ['replaces octets that are not UTF-8', 'A: gr\xfc\xdfe\r\n', [['A', ' gr\ufffd\ufffde']]],
    ['keeps a lone carriage return', 'A: x\ry\r\n', [['A', ' x\ry']]],
    ['drops blanks between name and colon', 'A \t: 1\r\n', [['A', ' 1']]],
    ['takes colons in the value', 'A: b:c\r\n', [['A', ' b:c']]],
    ['leaves out an mbox line', 'From a@b Mon Jan  1 00:00:00 2024\r\nA: 1\r\n', [['A', ' 1']]],
    [
      'leaves out a line without a colon, and what continues it',
      'A: 1\r\nlost\r\n more: x\r\nB: 2\r\n',
      [
        ['A', ' 1'],
        ['B', ' 2'],
      ],
    ],
    ['leaves out a continuation without a field', ' x: 1\r\nA: 2\r\n', [['A', ' 2']]],
    ['leaves out a field without a name', ': 1\r\nA: 2\r\n', [['A', ' 2']]],
    ['leaves out a name with 8-bit octets', '\xc3\xa4: 1\r\nA: 2\r\n', [['A', ' 2']]],
    ['is empty for no octets', '', []],
    ['is empty for a body alone', '\r\nA: 1\r\n', []],
  ])('%s', (_name, block, expected) => {
    expect(parseHeaders(bytes(block))).toEqual(expected.map(([name, value]) => ({ name, value })));
  });

  test('reads at most the named number of fields and octets', () => {
    expect(parseHeaders(bytes('A: 1\r\n'.repeat(headerLimits.fieldsMax + 5)))).toHaveLength(headerLimits.fieldsMax);
    const long = `A: ${'x'.repeat(headerLimits.bytesMax)}\r\nB: 1\r\n`;
    expect(parseHeaders(bytes(long)).map((field) => field.name)).toEqual(['A']);
  });

  test('reads a view into a larger buffer', () => {
    expect(parseHeaders(new Uint8Array(bytes('xxA: 1\r\nyy')).subarray(2, 8))).toEqual([{ name: 'A', value: ' 1' }]);
  });

  test('never throws, and never shows a NUL', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (block) => {
        for (const field of parseHeaders(block)) expect(field.value).not.toContain('\0');
      }),
    );
  });

  test('finds again what was written', () => {
    const name = fc.stringMatching(/^[!-9;-~]{1,20}$/);
    const value = fc.stringMatching(/^[ -~äöü€]{0,40}(\r\n [!-~]{1,20}){0,3}$/);
    fc.assert(
      fc.property(fc.array(fc.record({ name, value }), { maxLength: 12 }), (fields) => {
        const block = fields.map((field) => `${field.name}:${field.value}\r\n`).join('');
        expect(parseHeaders(Buffer.from(`${block}\r\nrest`))).toEqual(fields);
      }),
    );
  });
});
