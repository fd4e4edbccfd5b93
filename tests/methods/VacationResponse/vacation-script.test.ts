import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { UTCDate } from '../../../shared/jmap/scalars.ts';
import { parseMessage } from '../../../shared/message/parse-message.ts';
import { dependenciesOf, sieveTokens } from '../../../shared/methods/SieveScript/tokens.ts';
import {
  digestOf,
  isVacationScript,
  readVacationScript,
  type VacationScript,
  vacationScriptName,
  wholeSeconds,
  writeVacationScript,
} from '../../../shared/methods/VacationResponse/vacation-script.ts';

const nothing: VacationScript = {
  ...{ fromDate: null, toDate: null, subject: null, textBody: null, htmlBody: null },
  ...{ addresses: [], included: [], includedDigest: null },
};
const [from, to] = ['2026-03-01T08:30:00Z', '2026-03-15T00:00:00Z'] as [UTCDate, UTCDate];

const written = (vacation: Partial<VacationScript>) => writeVacationScript({ ...nothing, ...vacation }).toString();

describe('a script', () => {
  test('says what it is, answers, and then runs that of the user', () => {
    const text = written({ subject: 'Away', textBody: 'Until\nMonday', addresses: ['a@b.c'], included: ['main'] });
    expect(text.split('\r\n')).toEqual([
      expect.stringMatching(/^# /),
      '# Body: text',
      'require ["vacation", "include"];',
      'vacation :addresses ["a@b.c"] :subject "Away" "Until',
      'Monday";',
      'include :personal :optional "main";',
      '',
    ]);
    expect(isVacationScript({ name: vacationScriptName, octets: Buffer.from(text) })).toBe(true);
    expect(isVacationScript({ name: 'main', octets: Buffer.from(text) })).toBe(false);
    expect(isVacationScript({ name: vacationScriptName, octets: Buffer.from('keep;') })).toBe(false);
  });

  test('requires no more than it needs', () => {
    const required = (vacation: Partial<VacationScript>) => [...(dependenciesOf(written(vacation))?.required ?? [])];
    expect(required({})).toEqual(['vacation']);
    expect(required({ toDate: to })).toEqual(['vacation', 'date', 'relational']);
    expect(required({ included: ['x'] })).toEqual(['vacation', 'include']);
  });

  test('has a MIME entity for HTML, with the text beside it, in ASCII', () => {
    const tokens = sieveTokens(written({ htmlBody: '<p>Größe &amp; "mehr"</p>\n<p>--=_postern_vacation--</p>' })) ?? [];
    expect(tokens.some(({ kind, text }) => kind === 'tag' && text === ':mime')).toBe(true);
    const entity = tokens.findLast(({ kind }) => kind === 'string')?.text ?? '';
    expect(entity).toMatch(/^[\x20-\x7e\r\n]*$/);
    const message = parseMessage(Buffer.from(entity));
    expect(message.subParts.map(({ type, charset, encoding }) => [type, charset, encoding])).toEqual([
      ['text/plain', 'utf-8', 'base64'],
      ['text/html', 'utf-8', 'base64'],
    ]);
  });

  test('has a MIME entity where lines are too long for mail', () => {
    const long = 'ä'.repeat(600);
    expect(written({ textBody: long })).toContain(':mime');
    expect(readVacationScript(writeVacationScript({ ...nothing, textBody: `${long}\n\nx` }))?.textBody).toBe(
      `${long}\n\nx`,
    );
  });

  const nasty = fc.oneof(
    fc.string({ unit: 'grapheme', maxLength: 60 }),
    fc.constantFrom(
      '"; discard; #',
      '\\"; stop; "\\',
      '"\r\n.\r\nLOGOUT',
      'text:\n.\n',
      '$\x7bhex:41}',
      '/* */ {5+}',
      ':mime "x" ;',
      '"gt" "date" "2000-01-01"',
      'include :personal "x";',
      'a\\',
      '# Body: html',
    ),
  );
  const line = nasty.map((text) => text.replace(/[\p{Cc}\p{Cs}\u2028\u2029]/gu, ' '));
  const body = nasty.map((text) => text.replace(/[\0\p{Cs}]/gu, ' ').replace(/\r\n?/g, '\n'));
  const vacation: fc.Arbitrary<VacationScript> = fc.record({
    fromDate: fc.option(fc.constant(from), { nil: null }),
    toDate: fc.option(fc.constant(to), { nil: null }),
    subject: fc.option(line, { nil: null }),
    textBody: fc.option(body, { nil: null }),
    htmlBody: fc.option(body, { nil: null }),
    addresses: fc.array(line, { maxLength: 2 }),
    included: fc.uniqueArray(line, { maxLength: 2 }),
    includedDigest: fc.option(fc.constant(digestOf(Buffer.from('keep;')))),
  });

  test('says what it was made from, whatever the text', () => {
    fc.assert(
      fc.property(vacation, (says) => {
        const octets = writeVacationScript(says);
        expect(readVacationScript(octets)).toEqual(says);
      }),
      { numRuns: 500 },
    );
  });

  test('has the same commands, whatever the text', () => {
    const shape = (says: VacationScript) =>
      sieveTokens(writeVacationScript(says).toString())?.map(({ kind, text }) => (kind === 'string' ? '""' : text));
    fc.assert(
      fc.property(vacation, (says) => {
        const plain = (text: string | null) => (text === null ? null : 'x');
        const same = {
          ...says,
          subject: plain(says.subject),
          textBody: plain(says.textBody),
          htmlBody: plain(says.htmlBody),
          addresses: says.addresses.map(() => 'x'),
          included: says.included.map(() => 'x'),
        };
        expect(shape(says)).toEqual(shape(same));
      }),
      { numRuns: 300 },
    );
  });
});

describe('a script that somebody changed', () => {
  const script = written({ fromDate: from, toDate: to, subject: 'Away', textBody: 'Until Monday', included: ['main'] });

  test.each<[string, string, string, Partial<VacationScript>]>([
    ['another subject', '"Away"', '"Gone \\"fishing\\""', { subject: 'Gone "fishing"' }],
    ['another text', '"Until Monday"', '"Until\r\nTuesday"', { textBody: 'Until\nTuesday' }],
    ['another script that is run', '"main"', '"other"', { included: ['other'] }],
  ])('into %s is understood', (_, before, after, expected) => {
    expect(readVacationScript(Buffer.from(script.replace(before, after)))).toMatchObject(expected);
  });

  test.each<[string, string, string]>([
    ['a rule more', 'include :personal', 'keep;\r\ninclude :personal'],
    ['another action', 'vacation :subject', 'vacation :days 1 :subject'],
    ['a test more', 'if allof (', 'if allof (true, '],
    ['another time zone', '+0000', '+0100'],
    ['only one of the days', '"gt" "date" "2026-03-01"', '"gt" "date" "2026-03-02"'],
    ['a comment', '# Body: text\r\n', '# Body: text\r\n# mine\r\n'],
    ['no body', '# Body: text\r\n', ''],
    ['another body', '# Body: text\r\n', '# Body: html\r\n'],
    ['nothing Sieve', 'include', '"'],
  ])('into one with %s is not', (_, before, after) => {
    expect(script).toContain(before);
    expect(readVacationScript(Buffer.from(script.replace(before, after)))).toBeNull();
  });
});

test.each([
  ['2026-03-01T08:30:00Z', '2026-03-01T08:30:00Z'],
  ['2026-03-01T08:30:00.5Z', '2026-03-01T08:30:01Z'],
  ['2026-12-31T23:59:59.001Z', '2027-01-01T00:00:00Z'],
  ['2016-12-31T23:59:60Z', '2016-12-31T23:59:60Z'],
  ['2016-12-31T23:59:60.5Z', '2016-12-31T23:59:60Z'],
])('%s begins with the second %s', (date, second) => {
  expect(wholeSeconds(date as UTCDate)).toBe(second);
});

describe('the tokens of Sieve', () => {
  test.each<[string, string, string[] | null]>([
    ['comments', '# "x"\r\n/* require "y"; */ keep; # end', ['keep', ';']],
    ['strings', '"a \\"b\\" \\\\c" "\\d"', ['a "b" \\c', 'd']],
    ['multi-line strings', 'text:\r\nline\r\n..dot\r\n.\r\n;', ['line\r\n.dot\r\n', ';']],
    ['multi-line strings with a comment', 'text: # "x"\r\nline\r\n.\r\n;', ['line\r\n', ';']],
    ['words in any case', 'IF :Is 10K', ['if', ':is', '10K']],
    ['a string that does not end', '"abc', null],
    ['other characters', 'keep; §', null],
  ])('%s', (_, script, expected) => {
    expect(sieveTokens(script)?.map(({ text }) => text) ?? null).toEqual(expected);
  });

  test('tell what a script requires, and what it includes', () => {
    const script =
      'require ["vacation", "include"]; require "fileinto"; # require "x";\r\n' +
      'include :personal "a"; include "b"; include :global "c"; include :once :optional "d"; fileinto "require";';
    const { required, included } = dependenciesOf(script) ?? {};
    expect([...(required ?? [])]).toEqual(['vacation', 'include', 'fileinto']);
    expect([...(included ?? [])]).toEqual(['a', 'b', 'd']);
    expect(dependenciesOf('"')).toBeNull();
  });

  test('are found in a time that grows with the script alone', () => {
    for (const script of ['"\\'.repeat(50_000), '/*'.repeat(50_000), 'text:\n'.repeat(30_000), '#'.repeat(100_000)]) {
      sieveTokens(script);
    }
  });
});
