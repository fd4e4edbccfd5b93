import { describe, expect, test } from '@jest/globals';
import { compileCommand, compileLine, number, string } from '../../shared/sieve/arguments.ts';

const sent = (...texts: (string | Uint8Array)[]) => compileCommand('PUTSCRIPT', texts.map(string)).toString('latin1');

describe('a command (RFC 5804 §4)', () => {
  test.each([
    ['plain text', 'main', '"main"'],
    ['nothing', '', '""'],
    ['quotes and backslashes', 'a "b" \\c', '"a \\"b\\" \\\\c"'],
    ['braces', '{5+}', '"{5+}"'],
    ['a line break', 'a\r\nLOGOUT', '{9+}\r\na\r\nLOGOUT'],
    ['a bare line feed', 'a\nb', '{3+}\r\na\nb'],
    ['NUL', 'a\0b', '{3+}\r\na\0b'],
    ['a literal and what follows it', '{3+}\r\nabc "x"', '{13+}\r\n{3+}\r\nabc "x"'],
    ['octets beyond ASCII', 'é', '{2+}\r\n\xc3\xa9'],
    ['octets that are no UTF-8', Uint8Array.of(0xff, 0x22), '{2+}\r\n\xff"'],
    ['more than fits between quotes', 'x'.repeat(1_001), `{1001+}\r\n${'x'.repeat(1_001)}`],
  ])('has %s in one string, whatever is in it', (_, text, expected) => {
    expect(sent(text)).toBe(`PUTSCRIPT ${expected}\r\n`);
    expect(sent(text, 'next')).toBe(`PUTSCRIPT ${expected} "next"\r\n`);
    expect(compileLine(string(text)).toString('latin1')).toBe(`${expected}\r\n`);
  });

  test('has numbers of 32 bits', () => {
    expect(compileCommand('HAVESPACE', [string('a'), number(0xffff_ffff)]).toString()).toBe(
      'HAVESPACE "a" 4294967295\r\n',
    );
    for (const value of [-1, 0.5, 2 ** 32, Number.NaN]) expect(() => number(value)).toThrow('Not a number');
  });

  test.each(['', 'put', 'NOOP\r\nLOGOUT', 'NOOP X'])('is a word: %j is none', (name) => {
    expect(() => compileCommand(name, [])).toThrow('Not a command');
  });
});
