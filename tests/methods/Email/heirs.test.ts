import { expect, test } from '@jest/globals';
import type { Email, MailboxKey } from '../../../shared/catalog/email.ts';
import type { MailboxEntry } from '../../../shared/catalog/mailbox.ts';
import type { CatalogView } from '../../../shared/catalog/view.ts';
import type { Id } from '../../../shared/jmap/scalars.ts';
import { heirsOf, inherited } from '../../../shared/methods/Email/heirs.ts';

type Known = readonly [key: MailboxKey, id: string, name: string, selectable?: boolean];

/** A view of these mailboxes. */
function view(...known: readonly Known[]): Pick<CatalogView, 'mailboxes'> {
  const entries = known.map(([key, id, name, selectable = true]) => ({ key, id, name, selectable }));
  return { mailboxes: async () => new Map(entries.map((entry) => [entry.key, entry as MailboxEntry])) };
}

test.each<[string, Known[], [gone: MailboxKey[], keys: [MailboxKey, MailboxKey][]]]>([
  [
    'as they were',
    [
      [1, 'a', 'A'],
      [2, 'b', 'B'],
    ],
    [[], []],
  ],
  [
    'one of them renamed',
    [
      [1, 'a', 'C'],
      [2, 'b', 'B'],
    ],
    [[], []],
  ],
  [
    'one of them replaced',
    [
      [3, 'c', 'A'],
      [2, 'b', 'B'],
    ],
    [[1], [[1, 3]]],
  ],
  [
    'one of them renamed, and another one in its place',
    [
      [1, 'a', 'C'],
      [3, 'c', 'A'],
      [2, 'b', 'B'],
    ],
    [[], []],
  ],
  ['one of them gone', [[2, 'b', 'B']], [[1], []]],
  ['one of them gone, and the other one renamed to its name', [[2, 'b', 'A']], [[1], []]],
  [
    'one of them a mere node',
    [
      [1, 'a', 'A', false],
      [2, 'b', 'B'],
    ],
    [[1], []],
  ],
  [
    'numbered anew',
    [
      [2, 'a', 'A'],
      [1, 'b', 'B'],
    ],
    [
      [],
      [
        [1, 2],
        [2, 1],
      ],
    ],
  ],
])('mailboxes, %s', async (_, now, [gone, keys]) => {
  const heirs = await heirsOf(view([1, 'a', 'A'], [2, 'b', 'B']), view(...now));
  expect([[...heirs.gone], [...heirs.keys]]).toEqual([gone, keys]);
});

test('what a wish and an Email say of mailboxes, they say of the heirs', () => {
  const row = (mailbox: MailboxKey) => ({ mailbox, uid: 7, keywords: [], deleted: false });
  const email = { id: 'e' as Id, rows: [row(1), row(2)] } as unknown as Email;
  const heirs = {
    gone: new Set([1, 3]),
    keys: new Map([
      [1, 4],
      [3, 5],
    ]),
  };
  const wish = { enter: [3], leave: [1], isWhole: true, set: ['$seen'], unset: [] };
  const { wish: now, original } = inherited(wish, email, heirs);
  expect(now).toEqual({ ...wish, enter: [5], leave: [4] });
  expect(original).toEqual({ ...email, rows: [row(4), row(2)] });
  expect(inherited({ ...wish, leave: 'all' }, email, heirs).wish.leave).toBe('all');
});
