import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { JsonValue } from '../../../shared/jmap/scalars.ts';
import { headerValue } from '../../../shared/message/compose/header-value.ts';
import { type HeaderForm, headerPropertyValue, parseHeaderProperty } from '../../../shared/message/header-form.ts';
import { parseHeaders } from '../../../shared/message/parse-headers.ts';
import { hostile } from './hostile.ts';

describe('headerValue writes', () => {
  test.each<[string, string, HeaderForm, JsonValue, string]>([
    ['plain text as it is', 'Subject', 'Text', 'Hello, world', ' Hello, world'],
    ['an empty text', 'Subject', 'Text', '', ' '],
    ['text beyond US-ASCII as encoded-words', 'Subject', 'Text', 'Grüße', ' =?utf-8?q?Gr=C3=BC=C3=9Fe?='],
    [
      'only the words that need it encoded',
      'Subject',
      'Text',
      'Re: (Käse) is here',
      ' Re: =?utf-8?q?=28K=C3=A4se=29?= is here',
    ],
    ['what looks like an encoded-word encoded', 'Subject', 'Text', 'a =?x?q?y?= b', ' a =?utf-8?b?PT94P3E/eT89?= b'],
    ['white space at the ends encoded', 'Subject', 'Text', ' a ', ' =?utf-8?q?_a_?='],
    ['text that is mostly beyond US-ASCII in base64', 'Subject', 'Text', '日本', ' =?utf-8?b?5pel5pys?='],
    ['a name of atoms as it is', 'To', 'Addresses', [{ name: 'John Doe', email: 'j@x.y' }], ' John Doe <j@x.y>'],
    [
      'a name with specials in quotes',
      'To',
      'Addresses',
      [{ name: 'D"oe, \\J', email: 'j@x' }],
      ' "D\\"oe, \\\\J" <j@x>',
    ],
    ['a name with a dot in quotes', 'To', 'Addresses', [{ name: 'J. Doe', email: 'j@x' }], ' "J. Doe" <j@x>'],
    [
      'a name beyond US-ASCII encoded',
      'To',
      'Addresses',
      [{ name: 'Jö, x', email: 'j@x' }],
      ' =?utf-8?q?J=C3=B6=2C_x?= <j@x>',
    ],
    [
      'a name like an encoded-word encoded',
      'To',
      'Addresses',
      [{ name: '=?a?', email: 'j@x' }],
      ' =?utf-8?q?=3D=3Fa=3F?= <j@x>',
    ],
    ['no name where it is blank', 'To', 'Addresses', [{ name: '  ', email: 'j@x' }], ' j@x'],
    [
      'an address beyond US-ASCII as it is',
      'To',
      'Addresses',
      [{ name: null, email: 'jö@exämple.de' }],
      ' jö@exämple.de',
    ],
    ['an address that is not finished', 'To', 'Addresses', [{ name: null, email: 'joe@' }], ' <joe@>'],
    ['words that are no address yet', 'To', 'Addresses', [{ name: null, email: 'joe smith' }], ' joe smith'],
    ['a quoted local part', 'To', 'Addresses', [{ name: 'N', email: '"a b"@c' }], ' N <"a b"@c>'],
    [
      'groups',
      'To',
      'GroupedAddresses',
      [
        {
          name: 'Team, A',
          addresses: [
            { name: 'A', email: 'a@b' },
            { name: null, email: 'c@d' },
          ],
        },
        { name: null, addresses: [{ name: null, email: 'e@f' }] },
        { name: 'undisclosed-recipients', addresses: [] },
      ],
      ' "Team, A": A <a@b>, c@d;, e@f, undisclosed-recipients:;',
    ],
    ['ids', 'References', 'MessageIds', ['a@b', 'c@d'], ' <a@b> <c@d>'],
    ['a date in its zone', 'Date', 'Date', '2014-10-30T14:12:00+08:00', ' Thu, 30 Oct 2014 14:12:00 +0800'],
    ['a date in UTC', 'Date', 'Date', '2014-10-03T04:02:01Z', ' Fri, 3 Oct 2014 04:02:01 +0000'],
    [
      'URLs',
      'List-Post',
      'URLs',
      ['mailto:a@b?subject=x', 'https://x/y,z'],
      ' <mailto:a@b?subject=x>, <https://x/y,z>',
    ],
    ['a raw value as it is', 'X-A', 'Raw', 'no blank\r\n\tand a fold', 'no blank\r\n\tand a fold'],
    ['a raw value beyond US-ASCII', 'X-A', 'Raw', ' ü', ' ü'],
  ])('%s', (_, name, form, value, written) => {
    expect(headerValue(name, form, value)).toEqual({ ok: true, value: written });
  });

  test.each<[string, HeaderForm, JsonValue]>([
    ['no addresses', 'Addresses', []],
    ['no groups', 'GroupedAddresses', []],
    ['no ids', 'MessageIds', []],
    ['no URLs', 'URLs', []],
  ])('no field for %s', (_, form, value) => {
    expect(headerValue('X-A', form, value)).toEqual({ ok: true, value: null });
  });

  test.each<[string, string, HeaderForm, JsonValue]>([
    ['long text', 'Subject', 'Text', `${'word '.repeat(400)}end`],
    ['long words', 'Subject', 'Text', 'x'.repeat(5_000)],
    ['long text beyond US-ASCII', 'Subject', 'Text', 'Überfluß '.repeat(300)],
    ['long text of wide characters', 'Subject', 'Text', '日本語🎉'.repeat(300)],
    [
      'many addresses',
      'To',
      'Addresses',
      Array.from({ length: 500 }, (_, n) => ({ name: `Nr. ${n} ü`, email: `a${n}@b` })),
    ],
    [
      'long names',
      'To',
      'Addresses',
      [
        { name: 'ß'.repeat(3_000), email: 'a@b' },
        { name: 'a '.repeat(3_000), email: 'c@d' },
      ],
    ],
    ['many ids', 'References', 'MessageIds', Array.from({ length: 500 }, (_, n) => `${'x'.repeat(50)}${n}@b`)],
    [
      'many URLs',
      'List-Post',
      'URLs',
      Array.from({ length: 100 }, (_, n) => `https://example.com/${'x'.repeat(40)}${n}`),
    ],
  ])('%s in lines that can be read', (_, name, form, value) => {
    const written = headerValue(name, form, value);
    const lines = written.ok ? `${name}:${written.value}`.split('\r\n') : [];
    expect(lines.length).toBeGreaterThan(1);
    for (const line of lines) expect(Buffer.byteLength(line)).toBeLessThanOrEqual(76);
  });

  test('a raw value with a line that is too long, folded at its blanks', () => {
    const raw = ` ${'word '.repeat(400)}end`;
    const written = headerValue('X-A', 'Raw', raw);
    expect(written.ok && written.value?.replaceAll('\r\n', '')).toBe(raw);
    expect(written.ok && written.value?.split('\r\n').every((line) => line.length <= 76)).toBe(true);
  });
});

describe('headerValue refuses', () => {
  test.each<[string, string, HeaderForm, JsonValue]>([
    ['text of another type', 'Subject', 'Text', 5],
    ['addresses that are text', 'To', 'Addresses', 'a@b'],
    ['an address without an email', 'To', 'Addresses', [{ name: 'A' }]],
    ['an address with more than a name and an email', 'To', 'Addresses', [{ email: 'a@b', x: 1 }]],
    ['a group without addresses', 'To', 'GroupedAddresses', [{ name: 'A' }]],
    ['a null among ids', 'References', 'MessageIds', [null]],
    ['two addresses in one', 'To', 'Addresses', [{ name: null, email: 'a@b, c@d' }]],
    ['an address that closes its bracket', 'To', 'Addresses', [{ name: 'N', email: 'a@b>, <c@d' }]],
    ['an address with a separator', 'To', 'Addresses', [{ name: 'N', email: 'a;b@c' }]],
    ['a group in an address', 'To', 'Addresses', [{ name: null, email: 'x:a@b;' }]],
    ['an address with an open quote', 'To', 'Addresses', [{ name: null, email: '"joe' }]],
    ['an address with a comment', 'To', 'Addresses', [{ name: null, email: 'a(b)@c' }]],
    ['no address at all', 'To', 'Addresses', [{ name: null, email: '' }]],
    ['a group with no name and nobody', 'To', 'GroupedAddresses', [{ name: null, addresses: [] }]],
    ['an id with a blank', 'References', 'MessageIds', ['a b@c']],
    ['an id that closes its bracket', 'References', 'MessageIds', ['a@b> <c@d']],
    ['an id that is too long for a line', 'References', 'MessageIds', ['a'.repeat(1_000)]],
    ['a URL with a blank', 'List-Post', 'URLs', ['mailto:a b']],
    ['a URL beyond US-ASCII', 'List-Post', 'URLs', ['https://ü']],
    ['a day that does not exist', 'Date', 'Date', '2014-02-30T14:12:00Z'],
    ['a year that mail does not know', 'Date', 'Date', '1492-02-20T14:12:00Z'],
    ['what is no date', 'Date', 'Date', 'yesterday'],
    ['a raw value of another type', 'X-A', 'Raw', ['a']],
    ['a raw line that is too long', 'X-A', 'Raw', 'x'.repeat(1_000)],
  ])('%s', (_, name, form, value) => {
    expect(headerValue(name, form, value).ok).toBe(false);
  });

  const places: [string, string, HeaderForm, (text: string) => JsonValue][] = [
    ['text', 'Subject', 'Text', (text) => `a${text}b`],
    ['raw values', 'X-A', 'Raw', (text) => ` a${text.replace('\r\n Bcc', '\n Bcc')}`],
    ['names', 'To', 'Addresses', (text) => [{ name: `a${text}b`, email: 'a@b' }]],
    ['addresses', 'To', 'Addresses', (text) => [{ name: 'a', email: `a${text}@b` }]],
    ['addresses without a name', 'To', 'Addresses', (text) => [{ name: null, email: `a@b${text}` }]],
    ['groups', 'To', 'GroupedAddresses', (text) => [{ name: `a${text}b`, addresses: [] }]],
    [
      'members of groups',
      'To',
      'GroupedAddresses',
      (text) => [{ name: 'a', addresses: [{ name: null, email: `a@b${text}` }] }],
    ],
    ['ids', 'References', 'MessageIds', (text) => [`a${text}@b`]],
    ['dates', 'Date', 'Date', (text) => `2014-10-30T14:12:00Z${text}`],
    ['URLs', 'List-Post', 'URLs', (text) => [`mailto:a@b${text}`]],
  ];
  test.each(places)('in %s whatever would end the line', (_, name, form, make) => {
    for (const text of hostile)
      expect({ text, ok: headerValue(name, form, make(text)).ok }).toEqual({ text, ok: false });
  });
});

describe('what headerValue writes is read again as it was, or refused:', () => {
  const anyText = fc.string({ unit: 'grapheme', maxLength: 200 });
  const oddText = fc
    .array(
      fc.constantFrom(
        'a',
        ' ',
        '\t',
        '"',
        '\\',
        '<',
        '>',
        '@',
        ',',
        ';',
        ':',
        '(',
        ')',
        '=?',
        '?=',
        'ü',
        '日',
        '\r\n',
        '.',
      ),
      { maxLength: 30 },
    )
    .map((chars) => chars.join(''));
  const text = fc.oneof(anyText, oddText);
  const emailText = fc.oneof(fc.constantFrom('a@b.c', 'ä.b@ü.de', 'joe', '"q q"@x', 'a@[::1]'), text);
  const address = fc.record({ name: fc.option(text, { nil: null }), email: emailText });
  const forms: [string, HeaderForm, fc.Arbitrary<JsonValue>][] = [
    ['Subject', 'Text', text],
    ['To', 'Addresses', fc.array(address, { minLength: 1, maxLength: 5 })],
    [
      'To',
      'GroupedAddresses',
      fc.array(fc.record({ name: fc.option(text, { nil: null }), addresses: fc.array(address, { maxLength: 3 }) }), {
        minLength: 1,
        maxLength: 4,
      }),
    ],
    [
      'References',
      'MessageIds',
      fc.array(fc.oneof(fc.constantFrom('a@b', 'c@d.e'), text), { minLength: 1, maxLength: 5 }),
    ],
    ['List-Post', 'URLs', fc.array(fc.oneof(fc.webUrl(), text), { minLength: 1, maxLength: 5 })],
    ['X-A', 'Raw', text],
  ];
  test.each(forms)('%s as %s', (name, form, values) => {
    let accepted = 0;
    fc.assert(
      fc.property(values, (value) => {
        const written = headerValue(name, form, value);
        if (!written.ok || written.value === null) return;
        accepted++;
        const block = parseHeaders(Buffer.from(`${name}:${written.value}\r\nX-Next: here\r\n\r\n`));
        expect(block.map((header) => header.name)).toEqual([name, 'X-Next']);
        const property = parseHeaderProperty(`header:${name}:as${form}`);
        if (!property.ok) throw new Error('no such property');
        expect(tidy(headerPropertyValue(block, property.value) as JsonValue)).toEqual(tidy(value));
      }),
      { numRuns: 300 },
    );
    expect(accepted).toBeGreaterThan(20);
  });
});

/** Without what is written in one way only: normalization, white space around names, tabs. */
function tidy(value: JsonValue): JsonValue {
  if (typeof value === 'string') return value.normalize('NFC').replaceAll('\t', ' ');
  if (Array.isArray(value)) return value.map(tidy);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [
      name,
      name === 'name' && typeof member === 'string' ? (tidy(member) as string).trim() || null : tidy(member ?? null),
    ]),
  );
}
