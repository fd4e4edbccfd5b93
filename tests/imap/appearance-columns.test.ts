import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';

import type { MailboxKey } from '../../shared/catalog/email.ts';
import { Gathering } from '../../shared/catalog/gathered.ts';
import { keywordsOfFlags } from '../../shared/catalog/keywords.ts';
import { type Appearances, rowTexts } from '../../shared/catalog/source.ts';
import type { IdentityScheme } from '../../shared/catalog/view.ts';
import { AppearanceRows, textSpans } from '../../shared/imap/appearance-columns.ts';

type Row = { readonly uid: number; readonly flags: readonly string[]; readonly texts: readonly string[] };

/** Rows as they are read from octets that are others afterwards. */
function inColumns(scheme: IdentityScheme, rows: readonly Row[]): AppearanceRows {
  const columns = new AppearanceRows({ scheme });
  for (const { uid, flags, texts } of rows) {
    const octets = Buffer.from(`before${texts.join('')}after`, 'latin1');
    const spans = textSpans();
    let at = 6;
    for (const [text, { length }] of texts.entries()) {
      spans.set([at, at + length], 2 * text);
      at += length;
    }
    columns.add({ uid, flags, internalDate: uid * 60, size: uid + 5 }, octets, spans);
    octets.fill(0);
  }
  return columns;
}

/** All that was gathered, by row. */
function gathered(scheme: IdentityScheme, threads: 'server' | 'derived', appearances: Appearances) {
  const gathering = new Gathering({ scheme, threads }, 1);
  gathering.add(1 as MailboxKey, 7, appearances);
  const { byEmail, names, marks, kinds, ids, serverThreads, own, namedFrom, references, inReplyTo, named, ...numbers } =
    gathering.columns();
  const textAt = (name: number | undefined) => (name === undefined || name < 0 ? null : names.texts.at(name));
  return Array.from(ids, (id, row) => {
    const from = namedFrom[row] as number;
    const between = from + (references[row] as number);
    return {
      ...{ uid: numbers.uids[row], date: numbers.dates[row], size: numbers.sizes[row] },
      ...{ marks: kinds[marks[row] as number], id: textAt(id), thread: textAt(serverThreads[row]) },
      own: textAt(own[row]),
      references: Array.from(named.slice(from, between), textAt),
      inReplyTo: Array.from(named.slice(between, between + (inReplyTo[row] as number)), textAt),
      place: byEmail.indexOf(row),
    };
  });
}

const piece = fc.constantFrom(
  ...['<a@x>', '<b@x>', '<c@y> ', '<', '>', '<>', ' ', '\r\n ', '\t', '\v', 'a@x', 'b@x c', '"', '\\', '\x01'],
  ...['<a"b@x>', '<a\\b@x>', '<\x7f@x>', `<${'l'.repeat(100)}@x>`],
);
const field = fc.array(piece, { maxLength: 5 }).map((pieces) => pieces.join(''));
const manyReferences = fc.integer({ min: 8, max: 70 }).map((count) => {
  return Array.from({ length: count }, (_, n) => `<r${n % 67}@x>`).join('\r\n ');
});
const serverId = fc.oneof(
  fc.constantFrom('', 'abc', '9f', '_', 'a.b', 'A'.repeat(64), 'A'.repeat(65), '9'.repeat(63), '9'.repeat(64), '-x'),
  fc.stringMatching(/^[0-9a-f]{0,32}$/),
);
const row = fc.record({
  flags: fc.subarray(['\\Seen', '\\Deleted', '$a']),
  texts: fc.tuple(
    serverId,
    serverId,
    field,
    fc.oneof({ weight: 3, arbitrary: field }, manyReferences),
    field,
    field,
    field,
    field,
  ),
});
const rows = fc
  .array(row, { minLength: 1, maxLength: 12 })
  .map((all) => all.map((each, place): Row => ({ ...each, uid: place + 1 })));

describe('messages in columns', () => {
  test.each([
    ['xguid', 'derived'],
    ['objectid', 'server'],
    ['objectid', 'derived'],
    ['gmail', 'server'],
    ['digest', 'derived'],
  ] as const)('are gathered as the same messages are as objects (%s, threads: %s)', (scheme, threads) => {
    fc.assert(
      fc.property(rows, (all) => {
        const columns = inColumns(scheme, all);
        expect(gathered(scheme, threads, columns)).toEqual(gathered(scheme, threads, [...columns]));
      }),
      { numRuns: 400 },
    );
  });

  test('have the keywords of their own flags, whether they share a list with others or not', () => {
    const texts = ['id', ...Array.from(rowTexts.slice(1), () => '')];
    const lists = Array.from({ length: 20 }, (_, list) => [`k${list}`, ...(list % 2 === 0 ? [] : ['\\Deleted'])]);
    fc.assert(
      fc.property(
        fc.array(fc.nat({ max: 19 }), { minLength: 30, maxLength: 60 }),
        fc.nat({ max: 4 }),
        (chosen, own) => {
          const all = chosen.map((list, place): Row => {
            const flags = lists[list] as readonly string[];
            return { uid: place + 1, flags: place % 5 === own ? [...flags] : flags, texts };
          });
          const marks = all.map(({ flags }) => keywordsOfFlags(flags));
          for (const appearances of [inColumns('xguid', all), [...inColumns('xguid', all)]]) {
            expect(gathered('xguid', 'derived', appearances).map((each) => each.marks)).toEqual(marks);
          }
        },
      ),
    );
  });

  test('have unfolded fields without space around them', () => {
    const texts = ['g', '', ' <a@x> \r\n', '<b@x>\r\n\t<c@x>', '', '', '', 'Received: \r\n x'];
    const [appearance] = inColumns('digest', [{ uid: 1, flags: [], texts }]);
    expect(appearance).toMatchObject({
      ...{ serverEmailId: 'g', serverThreadId: null, messageId: '<a@x>', references: '<b@x>\t<c@x>' },
      digestFields: { date: '', from: '', received: 'Received: \r\n x' },
    });
  });

  test('are in UID order, of each UID what came last, and can be used again', () => {
    const texts = Array.from(rowTexts, () => '');
    const columns = inColumns(
      'xguid',
      [5, 3, 5, 4].map((uid, place) => ({ uid, flags: [`f${place}`], texts })),
    );
    columns.sort();
    expect([...columns].map(({ uid, flags }) => [uid, ...flags])).toEqual([
      [3, 'f1'],
      [4, 'f3'],
      [5, 'f2'],
    ]);
    expect(columns.uids()).toEqual([3, 4, 5]);
    expect(columns.at(-1)?.uid).toBe(5);
    expect(columns.at(3)).toBeUndefined();
    const middle = columns.at(1);
    if (middle) columns.replace(1, { ...middle, messageId: '<new@x>' });
    expect([...columns].map(({ messageId }) => messageId)).toEqual(['', '<new@x>', '']);
    columns.clear();
    expect([columns.length, columns.at(-1)]).toEqual([0, undefined]);
    columns.add({ uid: 1, flags: [], internalDate: 0, size: 1 }, Buffer.alloc(0), textSpans());
    expect([...columns].map(({ uid, messageId }) => [uid, messageId])).toEqual([[1, '']]);
  });
});
