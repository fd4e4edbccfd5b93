import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { addresses, type EmailAddressGroup, groupedAddresses } from '../../shared/message/addresses.ts';

describe('addresses', () => {
  test.each<[string, string, [string | null, string][]]>([
    ['a bare addr-spec', ' a@b.c', [[null, 'a@b.c']]],
    ['an angle-addr', ' <a@b.c>', [[null, 'a@b.c']]],
    ['a name of atoms', ' John Q. Public <j@x>', [['John Q. Public', 'j@x']]],
    [
      'a quoted name, with its white space trimmed',
      '"  James Smythe" <james@example.com>',
      [['James Smythe', 'james@example.com']],
    ],
    ['quoted-pairs', ' "a \\"b\\" \\\\c" <x@y>', [['a "b" \\c', 'x@y']]],
    ['separators within quotes', ' "Doe, John; x: <q@q>" <x@y>', [['Doe, John; x: <q@q>', 'x@y']]],
    [
      'a folded list',
      ' a@b,\r\n\tC <d@e>',
      [
        [null, 'a@b'],
        ['C', 'd@e'],
      ],
    ],
    ['a folded quoted name', ' "a\r\n b" <x@y>', [['a b', 'x@y']]],
    ['a comment behind the addr-spec as the name', ' a@b (John Doe)', [['John Doe', 'a@b']]],
    ['no comment where there is a display-name', ' Jo (work) <a@b> (home)', [['Jo', 'a@b']]],
    ['nested comments', ' a@b (x (y) z)', [['x (y) z', 'a@b']]],
    ['an encoded-word in a comment', ' a@b (=?utf-8?q?J=C3=B6?=)', [['Jö', 'a@b']]],
    ['encoded-words in a name', ' =?UTF-8?Q?John?= =?UTF-8?Q?_Sm=C3=AEth?= <j@e>', [['John Smîth', 'j@e']]],
    ['an encoded-word next to an atom', ' =?utf-8?q?J=C3=B6?= Doe <j@e>', [['Jö Doe', 'j@e']]],
    ['an encoded-word up against the bracket', ' =?utf-8?q?J=C3=B6?=<j@e>', [['Jö', 'j@e']]],
    ['an encoded-word with a comma inside', ' =?utf-8?Q?Doe,_John?= <j@e>', [['Doe, John', 'j@e']]],
    [
      'a comma that was encoded',
      ' =?utf-8?Q?Doe=2C_John?= <j@e>, x@y',
      [
        ['Doe, John', 'j@e'],
        [null, 'x@y'],
      ],
    ],
    ['no encoded-word within quotes', ' "=?utf-8?q?x?=" <j@e>', [['=?utf-8?q?x?=', 'j@e']]],
    ['no encoded-word up against quotes', ' "a"=?utf-8?q?x?= <j@e>', [['a=?utf-8?q?x?=', 'j@e']]],
    ['an address in an encoded-word as text only', ' =?utf-8?q?=3Cevil=40x=3E?= <j@e>', [['<evil@x>', 'j@e']]],
    ['an encoded-word in an unknown charset as written', ' =?x-no?q?a?= <j@e>', [['=?x-no?q?a?=', 'j@e']]],
    ['an address as the name', ' a@b <c@d>', [['a@b', 'c@d']]],
    ['an address as the quoted name', ' "a@b" <c@d>', [['a@b', 'c@d']]],
    ['raw UTF-8', ' Jürgen <jürgen@exämple.de>', [['Jürgen', 'jürgen@exämple.de']]],
    ['names in NFC', ' e\u0301 <a@b>', [['é', 'a@b']]],
    ['a quoted local part', ' "a b"@c', [[null, '"a b"@c']]],
    ['a quoted local part in brackets', ' X <"a>b, c"@d>', [['X', '"a>b, c"@d']]],
    [
      'a domain literal',
      ' a@[IPv6:2001:db8::1], b@c',
      [
        [null, 'a@[IPv6:2001:db8::1]'],
        [null, 'b@c'],
      ],
    ],
    ['a source route', ' <@a.b,@c.d:e@f>', [[null, 'e@f']]],
    ['white space around @ and dots', ' a @ b . c', [[null, 'a@b.c']]],
    ['no dot that nothing follows', ' a@b .', [['.', 'a@b']]],
    ['comments and white space in brackets', ' X < a (c) @ b >', [['X', 'a@b']]],
    ['empty elements', ' ,, a@b ,,', [[null, 'a@b']]],
    ['an empty angle-addr with a name', ' MAILER-DAEMON <>', [['MAILER-DAEMON', '']]],
    ['no name and no address at all', ' <>', []],
    ['a name without an address', ' John Doe', [[null, 'John Doe']]],
    ['a name and an address without brackets', ' John Doe j@x', [['John Doe', 'j@x']]],
    ['a quoted name and an address without brackets', ' "J. D." j@x', [['J. D.', 'j@x']]],
    [
      'semicolons as separators',
      ' a@b; c@d',
      [
        [null, 'a@b'],
        [null, 'c@d'],
      ],
    ],
    [
      'a missing comma',
      ' A <a@b> C <c@d>',
      [
        ['A', 'a@b'],
        ['C', 'c@d'],
      ],
    ],
    ['a missing bracket at the end', ' A <a@b', [['A', 'a@b']]],
    [
      'a missing bracket before a comma',
      ' A <a@b, c@d',
      [
        ['A', 'a@b'],
        [null, 'c@d'],
      ],
    ],
    [
      'a missing bracket before the next',
      ' A <a@b, C <c@d>',
      [
        ['A', 'a@b'],
        ['C', 'c@d'],
      ],
    ],
    ['a stray bracket', ' a@b>', [[null, 'a@b']]],
    ['a quote that never closes', ' "John <a@b>', [['John', 'a@b']]],
    ['a parenthesis that never closes', ' John (x <a@b>', [['John x', 'a@b']]],
    [
      'members of a group',
      ' Friends: a@b, C <c@d>;',
      [
        [null, 'a@b'],
        ['C', 'c@d'],
      ],
    ],
    ['an empty group', ' undisclosed-recipients:;', []],
    ['nothing', '', []],
    ['white space', ' \r\n ', []],
  ])('reads %s', (_name, raw, expected) => {
    expect(addresses(raw)).toEqual(expected.map(([name, email]) => ({ name, email })));
  });

  test('reads at most the named number', () => {
    expect(addresses('a@b,'.repeat(20_000)).length).toBeLessThanOrEqual(10_000);
  });

  test('takes hostile values in linear time', () => {
    const pieces = [
      '<',
      '"',
      '(',
      '(a',
      '"\\',
      '<"',
      '<a@b, ',
      ':',
      ';',
      'a:',
      '=?a?q?',
      '=?a?q?,',
      '\\"',
      '@',
      '@[',
      ' @',
      ' .',
      'a ',
    ];
    for (const piece of pieces) addresses(piece.repeat(50_000));
  });

  test('never throws and never shows a member that is not text', () => {
    const piece = fc.constantFrom(
      '<',
      '>',
      '"',
      '(',
      ')',
      ',',
      ';',
      ':',
      '@',
      '.',
      '[',
      ']',
      '\\',
      ' ',
      '\r\n ',
      'a',
      '=?utf-8?q?x?=',
      'ü',
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 40 }), (pieces) => {
        for (const { name, email } of addresses(pieces.join(''))) {
          expect(typeof email).toBe('string');
          expect(name).not.toBe('');
        }
      }),
    );
  });

  test('finds again any list that was written well', () => {
    const email = fc.stringMatching(/^[a-z0-9]{1,8}(\.[a-z0-9]{1,8})?@[a-z0-9]{1,8}(\.[a-z]{2,4}){1,2}$/);
    const name = fc.stringMatching(/^[ -~äß€]{1,30}$/).map((text) => text.trim() || null);
    fc.assert(
      fc.property(fc.array(fc.record({ name, email }), { maxLength: 8 }), (list) => {
        const raw = list.map((it) =>
          it.name === null ? it.email : `"${it.name.replace(/["\\]/g, '\\$&')}" <${it.email}>`,
        );
        expect(addresses(` ${raw.join(',\r\n ')}`)).toEqual(list);
      }),
    );
  });
});

describe('groupedAddresses', () => {
  const john = { name: 'John Smîth', email: 'john@example.com' };
  test.each<[string, string, EmailAddressGroup[]]>([
    [
      'the example of RFC 8621 §4.1.2.4',
      '"  James Smythe" <james@example.com>, Friends:\r\n  jane@example.com, =?UTF-8?Q?John_Sm=C3=AEth?=\r\n  <john@example.com>;',
      [
        { name: null, addresses: [{ name: 'James Smythe', email: 'james@example.com' }] },
        { name: 'Friends', addresses: [{ name: null, email: 'jane@example.com' }, john] },
      ],
    ],
    ['an empty group', ' undisclosed-recipients:;', [{ name: 'undisclosed-recipients', addresses: [] }]],
    ['a quoted group name', ' "A: B": a@b;', [{ name: 'A: B', addresses: [{ name: null, email: 'a@b' }] }]],
    [
      'an encoded group name',
      ' =?utf-8?q?J=C3=B6?=: a@b;',
      [{ name: 'Jö', addresses: [{ name: null, email: 'a@b' }] }],
    ],
    [
      'addresses around a group as groups without names',
      ' a@b, c@d, G: e@f;, g@h, i@j',
      [
        {
          name: null,
          addresses: [
            { name: null, email: 'a@b' },
            { name: null, email: 'c@d' },
          ],
        },
        { name: 'G', addresses: [{ name: null, email: 'e@f' }] },
        {
          name: null,
          addresses: [
            { name: null, email: 'g@h' },
            { name: null, email: 'i@j' },
          ],
        },
      ],
    ],
    ['a group that never ends', ' G: a@b', [{ name: 'G', addresses: [{ name: null, email: 'a@b' }] }]],
    [
      'a group that starts within a group',
      ' G: a@b, H: c@d;',
      [
        { name: 'G', addresses: [{ name: null, email: 'a@b' }] },
        { name: 'H', addresses: [{ name: null, email: 'c@d' }] },
      ],
    ],
    ['nothing', '', []],
  ])('reads %s', (_name, raw, expected) => {
    expect(groupedAddresses(raw)).toEqual(expected);
  });
});
