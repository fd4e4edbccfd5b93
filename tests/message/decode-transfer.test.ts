import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  decodeTransfer,
  isKnownEncoding,
  transferDecoder,
  transferDecoderStream,
} from '../../shared/message/decode-transfer.ts';

const decoded = (encoding: string, text: string) =>
  decodeTransfer(Buffer.from(text, 'latin1'), encoding).toString('latin1');

/** Writes the octets in pieces of the given sizes, over and over. */
function inPieces(encoding: string, octets: Uint8Array, sizes: readonly number[]): Buffer {
  const decoder = transferDecoder(encoding);
  const output: Buffer[] = [];
  for (let at = 0, turn = 0; at < octets.length; turn++) {
    const size = sizes[turn % sizes.length] ?? 1;
    output.push(decoder.write(octets.subarray(at, at + size)));
    at += size;
  }
  return Buffer.concat([...output, decoder.end()]);
}

const encodings = fc.constantFrom('base64', 'quoted-printable', '7bit');
const sizes = fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1, maxLength: 5 });
/** Octets in which what the decoders look for is frequent. */
const dense = fc
  .array(fc.constantFrom('=', ' ', '\t', '\r', '\n', '\r\n', 'A', 'f', '4', '==', '=\r\n', '=3D', 'z', '\xff', '-'), {
    maxLength: 60,
  })
  .map((pieces) => Buffer.from(pieces.join(''), 'latin1'));

describe('decodeTransfer', () => {
  test.each([
    ['base64', 'aGVsbG8=', 'hello'],
    ['BASE64', 'aGVs\r\nbG8=\r\n', 'hello'],
    [' base64 ', 'aGVsbG8', 'hello'],
    ['base64', 'aGVs*bG8!=', 'hello'],
    ['base64', 'aGk=aGk=', 'hihi'],
    ['base64', 'aGk=\r\naA==\r\nYQ', 'hiha'],
    ['base64', 'a', ''],
    ['base64', '====', ''],
    ['base64', '', ''],
    ['quoted-printable', 'a=3Db', 'a=b'],
    ['quoted-printable', 'a=e9=E9', 'a\xe9\xe9'],
    ['quoted-printable', 'a=\r\nb=\nc', 'abc'],
    ['quoted-printable', 'a= \t\r\nb', 'ab'],
    ['quoted-printable', 'a  \t\r\nb \n', 'a\r\nb\n'],
    ['quoted-printable', 'a b', 'a b'],
    ['quoted-printable', 'a=20\r\n', 'a \r\n'],
    ['quoted-printable', 'a=ZZ=4', 'a=ZZ=4'],
    ['quoted-printable', 'a=', 'a'],
    ['quoted-printable', 'a==3D', 'a=='],
    ['quoted-printable', 'a= b', 'a= b'],
    ['quoted-printable', 'a=\rb', 'a=\rb'],
    ['quoted-printable', 'a\r', 'a\r'],
    ['quoted-printable', 'a \r', 'a \r'],
    ['quoted-printable', 'a  ', 'a'],
    ['7bit', 'a=3D \r\n', 'a=3D \r\n'],
    ['8bit', '\xe9', '\xe9'],
    ['binary', '\0', '\0'],
    ['', 'x', 'x'],
    ['x-uuencode', 'begin 644 x', 'begin 644 x'],
  ])('%s: %j is %j', (encoding, encoded, expected) => {
    expect(decoded(encoding, encoded)).toBe(expected);
  });

  test.each([
    ['base64', 'aGVsbG', 'hel'],
    ['quoted-printable', 'ab=4', 'ab'],
    ['quoted-printable', 'ab=', 'ab'],
    ['quoted-printable', 'ab ', 'ab'],
    ['7bit', 'ab ', 'ab '],
  ])('of a %s prefix %j only %j is certain', (encoding, encoded, expected) => {
    expect(decodeTransfer(Buffer.from(encoded), encoding, true).toString()).toBe(expected);
  });

  test('tells the encodings of RFC 2045 from others', () => {
    expect(['7bit', '8BIT', 'binary', 'base64', 'Quoted-Printable', ''].map(isKnownEncoding)).not.toContain(false);
    expect(['x-uuencode', 'utf-8', 'base', 'constructor'].map(isKnownEncoding)).not.toContain(true);
  });

  test('gives back any octets that base64 encoded, at any line length', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.integer({ min: 1, max: 80 }), (octets, width) => {
        const lines =
          Buffer.from(octets)
            .toString('base64')
            .match(new RegExp(`.{1,${width}}`, 'g')) ?? [];
        expect([...decodeTransfer(Buffer.from(lines.join('\r\n')), 'base64')]).toEqual([...octets]);
      }),
    );
  });

  test('gives back any octets that quoted-printable encoded, at any line length', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.integer({ min: 1, max: 30 }), (octets, width) => {
        const codes = [...octets].map((octet) => `=${octet.toString(16).toUpperCase().padStart(2, '0')}`);
        const text = codes.map((code, index) => (index % width === width - 1 ? `${code}=\r\n` : code)).join('');
        expect([...decodeTransfer(Buffer.from(text), 'quoted-printable')]).toEqual([...octets]);
      }),
    );
  });

  test('gives the same for the same octets, however they are cut', () => {
    fc.assert(
      fc.property(encodings, dense, sizes, (encoding, octets, cut) => {
        expect(inPieces(encoding, octets, cut).toString('latin1')).toBe(
          decodeTransfer(octets, encoding).toString('latin1'),
        );
      }),
    );
  });

  test('gives for a prefix what the whole begins with', () => {
    fc.assert(
      fc.property(encodings, dense, fc.nat(60), (encoding, octets, length) => {
        const prefix = decodeTransfer(octets.subarray(0, length), encoding, true);
        expect(decodeTransfer(octets, encoding).subarray(0, prefix.length).equals(prefix)).toBe(true);
      }),
    );
  });

  test('waits for no run of blanks without end', () => {
    const octets = Buffer.from(`a${' '.repeat(20_000)}`);
    expect(transferDecoder('quoted-printable').write(octets)).toHaveLength(octets.length);
  });
});

describe('transferDecoderStream', () => {
  test.each([
    ['base64', 'aGVs', 'bG8', 'hello'],
    ['quoted-printable', 'a=', '3Db', 'a=b'],
    ['8bit', 'a', 'b', 'ab'],
  ])('decodes %s in a pipeline', async (encoding, first, second, expected) => {
    const output = Readable.from([Buffer.from(first), Buffer.from(second)]).pipe(transferDecoderStream(encoding));
    expect((await buffer(output)).toString()).toBe(expected);
  });
});
