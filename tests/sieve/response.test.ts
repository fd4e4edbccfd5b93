import { describe, expect, test } from '@jest/globals';
import { sieveLimits } from '../../shared/sieve/limits.ts';
import { MalformedResponse } from '../../shared/sieve/parse-response.ts';
import type { SieveResponse, SieveValue } from '../../shared/sieve/response.ts';
import { ResponseReader, ResponseTooLarge } from '../../shared/sieve/response-reader.ts';

/** A value in short: a string as its text, an atom as `{ atom }`, a list as an array. */
function plain(value: SieveValue): unknown {
  if (value.kind === 'string') return value.octets.toString('utf8');
  return value.kind === 'atom' ? { atom: value.text } : value.values.map(plain);
}

function shown(response: SieveResponse): unknown {
  if (response.kind === 'data') return response.values.map(plain);
  const { status, code, text } = response;
  return { status, code: code && [code.name, ...code.values.map(plain)], text };
}

/** Reads the text in pieces of so many octets. */
function read(text: string, pieceOctets: number, octetsMax: number = sieveLimits.greetingOctetsMax): unknown[] {
  const octets = Buffer.from(text, 'utf8');
  const reader = new ResponseReader(octetsMax, sieveLimits);
  const responses: unknown[] = [];
  for (let at = 0; at < octets.length; at += pieceOctets) {
    reader.push(octets.subarray(at, at + pieceOctets), (response) => responses.push(shown(response)) > 0);
  }
  return responses;
}

const responses: readonly (readonly [string, string, readonly unknown[]])[] = [
  ['a bare answer', 'OK\r\n', [{ status: 'OK', code: null, text: '' }]],
  [
    'any case',
    'oK\r\nNo\r\n',
    [
      { status: 'OK', code: null, text: '' },
      { status: 'NO', code: null, text: '' },
    ],
  ],
  [
    'a text',
    'BYE "Too many \\"logins\\" \\\\ today"\r\n',
    [{ status: 'BYE', code: null, text: 'Too many "logins" \\ today' }],
  ],
  ['a code', 'NO (quota/maxsize) "Full"\r\n', [{ status: 'NO', code: ['QUOTA/MAXSIZE'], text: 'Full' }]],
  ['a code with a string', 'OK (TAG "a) b") "Done"\r\n', [{ status: 'OK', code: ['TAG', 'a) b'], text: 'Done' }]],
  [
    'a code with a literal',
    'OK (TAG {6}\r\na"\r\n) ) "Done"\r\n',
    [{ status: 'OK', code: ['TAG', 'a"\r\n) '], text: 'Done' }],
  ],
  [
    'a code nobody knows',
    'NO (X-NEW/SUB 1 (2 "3")) "?"\r\n',
    [{ status: 'NO', code: ['X-NEW/SUB', { atom: '1' }, [{ atom: '2' }, '3']], text: '?' }],
  ],
  [
    'a text in a literal',
    'NO {21}\r\nline 1: no\r\nline 2: x\r\n',
    [{ status: 'NO', code: null, text: 'line 1: no\r\nline 2: x' }],
  ],
  [
    'names',
    '"a \\"b\\" {5}"\r\n"main" ACTIVE\r\n{3}\r\n\r\n"\r\n',
    [['a "b" {5}'], ['main', { atom: 'ACTIVE' }], ['\r\n"']],
  ],
  ['an empty literal', '{0}\r\n\r\nOK\r\n', [[''], { status: 'OK', code: null, text: '' }]],
  ['a literal as clients send it', '{2+}\r\nab\r\n', [['ab']]],
  [
    'a script that looks like answers',
    '{19}\r\nOK\r\nBYE "x"\r\n{99}\r\n\r\nOK\r\n',
    [['OK\r\nBYE "x"\r\n{99}\r\n'], { status: 'OK', code: null, text: '' }],
  ],
  [
    'quotes that nobody escaped, as Cyrus has them',
    '"my "own" script" ACTIVE\r\n"a" b"\r\nNO (ALREADYEXISTS) "Script "x" exists"\r\n',
    [
      ['my "own" script', { atom: 'ACTIVE' }],
      ['a" b'],
      { status: 'NO', code: ['ALREADYEXISTS'], text: 'Script "x" exists' },
    ],
  ],
  ['UTF-8', '"Größe 多"\r\n', [['Größe 多']]],
  ['lines without CR', '"a"\nOK\n', [['a'], { status: 'OK', code: null, text: '' }]],
];

describe('a response', () => {
  test.each(responses)('with %s is read, in whatever pieces it arrives', (_, text, expected) => {
    for (const pieceOctets of [1, 2, 3, 7, 1000]) expect(read(text, pieceOctets)).toEqual(expected);
  });

  test.each([
    ['an unknown word', 'HELLO\r\n'],
    ['an empty line', '\r\n'],
    ['a quote that is never closed', '"abc\r\n'],
    ['an escape at the end', '"abc\\\r\n'],
    ['a parenthesis that is never closed', 'OK (TAG "x"\r\n'],
    ['a parenthesis too many', 'OK ) "x"\r\n'],
    ['no name of a code', 'OK ("x") "y"\r\n'],
    ['two texts', 'OK {1}\r\nx "y"\r\n'],
    ['strings without a space between them', '{1}\r\nx"y"\r\n'],
    ['lists in lists', 'OK (A (((B)))) "x"\r\n'],
    ['control characters', 'OK \x01\r\n'],
    ['a list as data', '("a")\r\n'],
    ['too many values', `${'"" '.repeat(sieveLimits.responseValuesMax + 1)}\r\n`],
  ])('with %s is malformed', (_, text) => {
    expect(() => read(text, 1000)).toThrow(MalformedResponse);
  });

  test.each([
    ['a line', 'x'.repeat(70_000)],
    ['a literal that is announced', '{4000000000}\r\n'],
    ['literals together', '{40000}\r\n'.repeat(2).replace('\r\n', `\r\n${'x'.repeat(40_000)}`)],
  ])('is given up when %s is too long, before it is there', (_, text) => {
    expect(() => read(text, 10_000)).toThrow(ResponseTooLarge);
  });
});
