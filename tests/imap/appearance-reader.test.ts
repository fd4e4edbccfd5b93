import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Appearance } from '../../shared/catalog/source.ts';
import { appearanceOf, type IdentityFacts } from '../../shared/imap/appearance.ts';
import { AppearanceRows } from '../../shared/imap/appearance-columns.ts';
import { AppearanceReader } from '../../shared/imap/appearance-reader.ts';
import { fetchRow } from '../../shared/imap/fetch-row.ts';
import { parseResponse } from '../../shared/imap/parse-response.ts';

const schemes = ['objectid', 'gmail', 'xguid', 'digest'] as const;

const factsOf = (scheme: IdentityFacts['scheme']): IdentityFacts => ({ scheme, threads: 'derived' });

/** By the parser that understands everything. */
function parsed(bytes: Buffer, facts: IdentityFacts): Appearance | null {
  const response = parseResponse(bytes, 0, bytes.length);
  const row = response.kind === 'data' ? fetchRow(response) : null;
  return row && appearanceOf(row, facts);
}

/** From the middle of other octets, as responses arrive. */
function read(bytes: Buffer, facts: IdentityFacts): Appearance | null {
  const [before, chunk] = [Buffer.from(`* 1 FETCH (${usual[0]?.[2]})`), bytes].map((row) =>
    Buffer.concat([Buffer.from('x)\r\n'), row, Buffer.from('\r\n* ')]),
  ) as [Buffer, Buffer];
  const reader = new AppearanceReader(facts);
  const columns = new AppearanceRows(facts);
  // What the row before told is forgotten.
  for (const row of [before, chunk]) {
    columns.clear();
    if (!reader.read(row, 4, row.length - 4)) continue;
    reader.addTo(columns);
    if (row === chunk) return columns.at(0) ?? null;
  }
  return null;
}

const sectionOf = (text: string) =>
  `BODY[HEADER.FIELDS (MESSAGE-ID REFERENCES IN-REPLY-TO)] {${text.length}}\r\n${text}`;
const header =
  'Message-ID: <a@example.com>\r\nReferences: <x@example.com>\r\n\t<y@example.com>\r\nIn-Reply-To: <y@example.com>\r\n\r\n';

const usual: readonly [server: string, IdentityFacts['scheme'], row: string][] = [
  [
    'dovecot',
    'xguid',
    `UID 5 FLAGS (\\Seen \\Recent) INTERNALDATE "30-Nov-2021 11:38:46 +0100" RFC822.SIZE 2338 X-GUID 88a8440723f6 ${sectionOf(header)}`,
  ],
  [
    'dovecot',
    'digest',
    `UID 5 FLAGS () INTERNALDATE " 1-Mar-2021 11:38:46 -0830" RFC822.SIZE 2338 ${sectionOf(header)}`,
  ],
  [
    'cyrus',
    'objectid',
    `FLAGS ($Forwarded) UID 7 INTERNALDATE "30-Nov-2021 11:38:46 +0000" RFC822.SIZE 1 EMAILID (Mabc) THREADID (T12-_) ${sectionOf('\r\n')}`,
  ],
  [
    'fastmail',
    'objectid',
    `UID 7 FLAGS () INTERNALDATE "30-Nov-2021 11:38:46 +0000" RFC822.SIZE 1 EMAILID (Mabc) THREADID NIL ${sectionOf(header)}`,
  ],
  [
    'gmail',
    'gmail',
    'X-GM-THRID 1278455344230334865 X-GM-MSGID 1278455344230334866 UID 4 RFC822.SIZE 12 INTERNALDATE "17-Jul-1996 02:44:25 -0700" FLAGS (\\Seen)',
  ],
  [
    'a server with a part of the Received fields',
    'digest',
    `UID 5 FLAGS (a) INTERNALDATE "30-Nov-2021 11:38:46 +0000" RFC822.SIZE 9 ${sectionOf('Date: today\r\nFROM : me\r\ndate: no\r\n')} BODY[HEADER.FIELDS (RECEIVED)]<0> {12}\r\nReceived: \xff\0`,
  ],
];

describe('a row, from its octets', () => {
  test.each(usual)('is read as %s writes it, by %s', (_, scheme, row) => {
    const bytes = Buffer.from(`* 12 FETCH (${row})`, 'latin1');
    const appearance = read(bytes, factsOf(scheme));
    expect(appearance).not.toBeNull();
    expect(appearance).toEqual(parsed(bytes, factsOf(scheme)));
  });

  test.each([
    ['news of a flag', 'FLAGS (\\Seen) UID 5'],
    ['an item nobody asked for', `${usual[0]?.[2]} MODSEQ (7)`],
    ['an item that comes twice', `UID 6 ${usual[0]?.[2]}`],
    ['no UID', usual[0]?.[2].replace('UID 5 ', '')],
    ['a quoted keyword', usual[0]?.[2].replace('\\Seen', '"x"')],
    ['no keyword but NIL', usual[0]?.[2].replace('\\Seen', 'NIL')],
    ['no month', usual[0]?.[2].replace('Nov', 'Now')],
    ['octets beyond ASCII', usual[0]?.[2].replace('<x@', '<\xfc@')],
    ['a NUL', usual[0]?.[2].replace('<x@', '<\0@')],
    ['a literal that is too long', usual[0]?.[2].replace(/\{\d+\}/, '{9999}')],
  ])('is left to be parsed: %s', (_, row) => {
    expect(read(Buffer.from(`* 12 FETCH (${row})`, 'latin1'), factsOf('xguid'))).toBeNull();
  });

  const line = fc.oneof(
    fc.constantFrom(
      'Message-ID: <a@b>',
      'message-id:',
      'References:\t<a@b>',
      ' <c@d> ',
      '\t',
      '',
      'From x',
      ': y',
      'DATE : z',
      'In-Reply-To',
      'from: me',
    ),
    fc.string({ maxLength: 6 }),
  );
  const section = fc
    .array(fc.tuple(line, fc.constantFrom('\r\n', '\r\n', '\r\n', '\n', '\r', '')), { maxLength: 8 })
    .map((lines) => lines.flat().join(''));
  const two = fc.integer({ min: 0, max: 61 }).map((value) => String(value).padStart(2, '0'));
  const flag = fc.oneof(
    fc.constantFrom('\\Seen', '\\Deleted', 'NIL', 'nil', '$x', '[x]', '"q"', '*', '%', 'a{1}'),
    fc.string({ maxLength: 3 }),
  );
  const item = fc.oneof(
    fc.nat({ max: 2 ** 32 }).map((uid) => `UID ${uid}`),
    fc.array(flag, { maxLength: 3 }).map((flags) => `FLAGS (${flags.join(' ')})`),
    fc
      .tuple(
        fc.oneof(two, fc.constant(' 7')),
        fc.constantFrom('Jan', 'DEC', 'fEb', 'Foo'),
        fc.constantFrom('0000', '0099', '1969', '2026'),
        two,
        two,
        two,
        fc.constantFrom('+', '-', ' '),
        two,
        two,
      )
      .map(
        ([day, month, year, h, m, s, sign, zh, zm]) =>
          `INTERNALDATE "${day}-${month}-${year} ${h}:${m}:${s} ${sign}${zh}${zm}"`,
      ),
    fc.maxSafeNat().map((size) => `RFC822.SIZE ${size}`),
    fc
      .tuple(
        fc.constantFrom('X-GUID', 'EMAILID', 'THREADID', 'X-GM-MSGID', 'X-GM-THRID'),
        fc.constantFrom('abc', '(abc)', 'NIL', '(nil)', '"abc"', '()', '(a b)', '12', 'a[b', 'a\\b'),
      )
      .map((words) => words.join(' ')),
    fc
      .tuple(
        section,
        fc.constantFrom('MESSAGE-ID', 'RECEIVED', 'Date From', '"DATE"'),
        fc.constantFrom('', '', '<0>', '<5>'),
      )
      .map(
        ([text, fields, origin]) => `BODY[HEADER.FIELDS (${fields})]${origin} {${Buffer.byteLength(text)}}\r\n${text}`,
      ),
    fc.constantFrom('MODSEQ (7)', 'uid 9', 'BODY[] {1}\r\nx', ''),
  );
  const everyRow = fc.tuple(
    ...['UID 5', 'FLAGS ($a)', 'INTERNALDATE "17-Jul-1996 02:44:25 -0700"', 'RFC822.SIZE 7'].map((usually) =>
      fc.oneof({ weight: 20, arbitrary: fc.constant(usually) }, item),
    ),
  );
  const rows = fc
    .tuple(everyRow, fc.array(item, { maxLength: 3 }), fc.constantFrom('', '', '', ' ', ')', ' x'))
    .chain(([first, more, end]) =>
      fc
        .shuffledSubarray([...first, ...more], { minLength: first.length + more.length })
        .map((items) => `(${items.join(' ')})${end}`),
    );

  test.each(schemes)('is what the parser makes of it, or left to it (%s)', (scheme) => {
    let understood = 0;
    fc.assert(
      fc.property(
        rows,
        fc.option(fc.tuple(fc.nat({ max: 200 }), fc.integer({ min: 0, max: 255 })), { freq: 1 }),
        (row, change) => {
          const bytes = Buffer.from(`* 12 FETCH ${row}`);
          if (change !== null && change[0] < bytes.length) bytes[change[0]] = change[1];
          const appearance = read(bytes, factsOf(scheme));
          if (appearance === null) return;
          understood += 1;
          expect(appearance).toEqual(parsed(bytes, factsOf(scheme)));
        },
      ),
      { numRuns: 4000 },
    );
    expect(understood).toBeGreaterThan(300);
  });
});
