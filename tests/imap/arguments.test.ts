import { describe, expect, test } from '@jest/globals';
import {
  atom,
  bodyPeek,
  compileCommand,
  type ImapArgument,
  list,
  mailbox,
  string,
  uidSet,
} from '../../shared/imap/arguments.ts';

const compiled = (parameters: ImapArgument[], literals: 'plus' | 'minus' | 'synchronizing' = 'plus') =>
  compileCommand('a1', 'X', parameters, literals).map((part) => part.toString('latin1'));

describe('what a user writes', () => {
  test.each([
    ['plain', 'hello', '"hello"'],
    ['quotes', 'say "hi"', '"say \\"hi\\""'],
    ['a backslash', 'a\\b', '"a\\\\b"'],
    ['braces', '{3+}', '"{3+}"'],
    ['CR LF and a command', 'x\r\na2 DELETE INBOX', '{18+}\r\nx\r\na2 DELETE INBOX'],
    ['a bare LF', 'x\ny', '{3+}\r\nx\ny'],
    ['another alphabet', 'ü', '{2+}\r\nÃ¼'],
    ['nothing', '', '""'],
    ['NIL', 'NIL', '"NIL"'],
  ])('stays one argument: %s', (_, text, wire) => {
    expect(compiled([string(text)])).toEqual([`a1 X ${wire}\r\n`]);
  });

  test('is refused when it holds NUL, which no argument can', () => {
    expect(() => string('a\0b')).toThrow('NUL');
  });

  test('goes out in parts where the server must agree to each literal', () => {
    expect(compiled([string('ü'), mailbox('b\xfc')], 'synchronizing')).toEqual([
      'a1 X {2}\r\n',
      'Ã¼ {2}\r\n',
      'bü\r\n',
    ]);
  });

  test.each(['', 'a b', 'a\r\nb', '(', 'a"', '{1}', 'a]', '*', '%', 'ü', '\\'])('is no atom: "%s"', (text) => {
    expect(() => atom(text)).toThrow('Not an atom');
  });

  test('is a header field name that cannot leave its list', () => {
    const item = bodyPeek([atom('HEADER.FIELDS'), list({ type: 'ATOM', value: 'X-A)]' }, atom('SUBJECT'))], {
      from: 0,
      count: 512,
    });
    expect(compiled([list(item)])).toEqual(['a1 X (BODY.PEEK[HEADER.FIELDS ("X-A)]" SUBJECT)]<0.512>)\r\n']);
  });
});

test('UIDs are numbers or nothing is sent', () => {
  expect(
    compiled([
      uidSet([
        [1, 1],
        [3, 9],
      ]),
    ]),
  ).toEqual(['a1 X 1,3:9\r\n']);
  expect(() => uidSet([[1.5, 2]])).toThrow('Not a number');
  expect(() => compiled([uidSet([])])).toThrow();
});
