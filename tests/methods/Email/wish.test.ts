import { describe, expect, test } from '@jest/globals';
import type { Email } from '../../../shared/catalog/email.ts';
import type { Id } from '../../../shared/jmap/scalars.ts';
import {
  isDivided,
  isFulfilled,
  needsCopy,
  restoringOf,
  type Stage,
  stages,
  tasksOf,
  undoingOf,
  type Wish,
  wouldBeNowhere,
} from '../../../shared/methods/Email/wish.ts';

type Row = readonly [mailbox: number, uid: number, keywords?: string, deleted?: 'deleted'];

const email = (id: string, ...rows: readonly Row[]): Email => ({
  ...{ id: id as Id, threadId: 't' as Id, receivedAt: 1, size: 1, hasAttachment: null },
  rows: rows.map(([mailbox, uid, keywords = '', deleted]) => ({
    ...{ mailbox, uid, deleted: deleted !== undefined },
    keywords: keywords.split(' ').filter((word) => word !== ''),
  })),
});
const wish = (given: Partial<Wish>): Wish => ({ enter: [], leave: [], set: [], unset: [], ...given });

/** The tasks of a stage as words: `move 1>2 [7,8]`. */
function words(stage: Stage, wishes: readonly (readonly [Email, Partial<Wish>])[], canMove = true): string[] {
  const wished = wishes.map(([each, given]) => ({ email: each, wish: wish(given) }));
  return tasksOf(stage, wished, canMove).map((task) => {
    const uids = task.rows.map(({ row }) => row.uid).join();
    if (task.kind === 'copy' || task.kind === 'move') return `${task.kind} ${task.mailbox}>${task.target} [${uids}]`;
    if (task.kind === 'expunge') return `expunge ${task.mailbox} [${uids}]`;
    return `${task.kind} ${'keywords' in task ? task.keywords : ''} in ${task.mailbox} [${uids}]`;
  });
}
const all = (wishes: readonly (readonly [Email, Partial<Wish>])[], canMove = true) =>
  stages.flatMap((stage) => words(stage, wishes, canMove));

describe('what is to be done', () => {
  test.each<[string, Email, Partial<Wish>, string[], string[]]>([
    ['nothing', email('e', [1, 7]), {}, [], []],
    ['to set a keyword', email('e', [1, 7]), { set: ['$seen'] }, ['add $seen in 1 [7]'], ['add $seen in 1 [7]']],
    ['to set one that is there', email('e', [1, 7, '$seen']), { set: ['$seen'] }, [], []],
    [
      'to set $seen where one copy has it',
      email('e', [1, 7, '$seen'], [2, 9]),
      { set: ['$seen'] },
      ['add $seen in 2 [9]'],
      ['add $seen in 2 [9]'],
    ],
    [
      'to unset one in all copies',
      email('e', [1, 7, 'a b'], [2, 9, 'b']),
      { unset: ['b'] },
      ['remove b in 1 [7]', 'remove b in 2 [9]'],
      ['remove b in 1 [7]', 'remove b in 2 [9]'],
    ],
    ['to move it', email('e', [1, 7]), { enter: [2], leave: [1] }, ['move 1>2 [7]'], ['copy 1>2 [7]']],
    ['to add a mailbox', email('e', [1, 7]), { enter: [2] }, ['copy 1>2 [7]'], ['copy 1>2 [7]']],
    ['to take it out of one', email('e', [1, 7], [2, 9]), { leave: [2] }, ['expunge 2 [9]'], ['expunge 2 [9]']],
    [
      'to move it from two to one',
      email('e', [1, 7], [2, 9]),
      { enter: [3], leave: [1, 2] },
      ['move 1>3 [7]'],
      ['copy 1>3 [7]'],
    ],
    [
      'to move it from one to two',
      email('e', [1, 7]),
      { enter: [2, 3], leave: [1] },
      ['copy 1>3 [7]', 'move 1>2 [7]'],
      ['copy 1>2 [7]', 'copy 1>3 [7]'],
    ],
    [
      'to move two copies to two places',
      email('e', [1, 7], [2, 9]),
      { enter: [3, 4], leave: [1, 2] },
      ['move 1>3 [7]', 'move 2>4 [9]'],
      ['copy 1>3 [7]', 'copy 1>4 [7]'],
    ],
    [
      'to move what the server has twice',
      email('e', [1, 7], [1, 8]),
      { enter: [2], leave: [1] },
      ['move 1>2 [7,8]'],
      ['copy 1>2 [7]'],
    ],
    [
      'to have it in one mailbox, where somebody has moved it meanwhile',
      email('e', [3, 4]),
      { enter: [2], leave: [1], isWhole: true },
      ['move 3>2 [4]'],
      ['copy 3>2 [4]'],
    ],
    [
      'to destroy it',
      email('e', [1, 7], [2, 9]),
      { leave: 'all' },
      ['expunge 1 [7]', 'expunge 2 [9]'],
      ['expunge 1 [7]', 'expunge 2 [9]'],
    ],
    [
      'to destroy what somebody flagged as deleted',
      email('e', [1, 7, '', 'deleted'], [2, 9]),
      { leave: 'all' },
      ['expunge 2 [9]'],
      ['expunge 2 [9]'],
    ],
  ])('%s', (_, each, given, withMove, withoutMove) => {
    expect(all([[each, given]])).toEqual(withMove);
    expect(all([[each, given]], false)).toEqual(withoutMove);
  });

  test('for many Emails is one task for each thing to do in each mailbox', () => {
    const thousand = Array.from({ length: 1000 }, (_, index) => email(`e${index}`, [1, index + 1]));
    expect(
      words(
        'move',
        thousand.map((each) => [each, { enter: [2], leave: [1] }]),
      ),
    ).toHaveLength(1);
    expect(
      words(
        'flag',
        thousand.map((each) => [each, { set: ['$seen'] }]),
      ),
    ).toHaveLength(1);
    expect(
      words(
        'expunge',
        thousand.map((each) => [each, { leave: 'all' }]),
      ),
    ).toHaveLength(1);
  });
});

describe('nothing is expunged', () => {
  test.each<[string, Email, Partial<Wish>]>([
    ['before the Email is where it is to be', email('e', [1, 7]), { enter: [2], leave: [1] }],
    ['before it is in every mailbox that it enters', email('e', [1, 7], [2, 9]), { enter: [2, 3], leave: [1] }],
    ['where it would be nowhere then', email('e', [1, 7]), { leave: [1] }],
    ['because of a copy that is flagged as deleted', email('e', [1, 7], [2, 9, '', 'deleted']), { leave: [1] }],
  ])('%s', (_, each, given) => {
    expect(words('expunge', [[each, given]])).toEqual([]);
    expect(words('expunge', [[each, given]], false)).toEqual([]);
  });
});

test.each<[string, Email, Partial<Wish>, string[]]>([
  [
    'unread in the mailbox that it leaves',
    email('e', [1, 7], [2, 9, '$seen']),
    { leave: [1] },
    ['remove $seen in 2 [9]'],
  ],
  [
    'flagged in the mailbox that it leaves',
    email('e', [1, 7, '$flagged'], [2, 9]),
    { leave: [1] },
    ['add $flagged in 2 [9]'],
  ],
  ['read in both', email('e', [1, 7, '$seen'], [2, 9, '$seen']), { leave: [1] }, []],
  ['unread in one, and to be read', email('e', [1, 7], [2, 9, '$seen']), { leave: [1], set: ['$seen'] }, []],
])('what stays has the keywords of the Email: %s', (_, each, given, tasks) => {
  expect(words('flag', [[each, given]])).toEqual(tasks);
});

test.each<[Partial<Wish>, Email | null, boolean]>([
  [{ enter: [2], leave: [1] }, email('e', [2, 1]), true],
  [{ enter: [2], leave: [1] }, email('e', [1, 1], [2, 1]), false],
  [{ enter: [2], leave: [1] }, email('e', [1, 1, '', 'deleted'], [2, 1]), true],
  [{ enter: [2], leave: [1] }, email('e', [2, 1, '', 'deleted']), false],
  [{ set: ['$seen'] }, email('e', [1, 1, '$seen'], [2, 1]), false],
  [{ set: ['$seen'], unset: ['a'] }, email('e', [1, 1, '$seen']), true],
  [{ unset: ['a'] }, email('e', [1, 1], [2, 1, 'a']), false],
  [{ enter: [2], leave: [1], isWhole: true }, email('e', [2, 1]), true],
  [{ enter: [2], leave: [1], isWhole: true }, email('e', [2, 1], [3, 1]), false],
  [{ leave: 'all' }, email('e', [1, 1]), false],
  [{ leave: 'all' }, email('e', [1, 1, '', 'deleted']), true],
  [{ leave: 'all' }, null, true],
  [{ set: ['a'] }, null, false],
])('%j of %j holds: %s', (given, each, holds) => {
  expect(isFulfilled(wish(given), each)).toBe(holds);
});

test.each<[string, Email, Partial<Wish>, Partial<Wish>]>([
  ['nothing, where nothing was done', email('e', [1, 7]), { enter: [2], leave: [1], set: ['a'] }, {}],
  ['a move', email('e', [2, 1]), { enter: [2], leave: [1] }, { enter: [1], leave: [2] }],
  ['one of two copies', email('e', [1, 7], [2, 1]), { enter: [2, 3] }, { leave: [2] }],
  ['keywords', email('e', [1, 7, 'a']), { set: ['a'] }, { unset: ['a'] }],
  ['half of a removal', email('e', [9, 1]), { leave: 'all' }, { enter: [1] }],
  ['nothing that others did', email('e', [5, 1, 'b']), { enter: [2], set: ['a'] }, {}],
])('what is undone: %s', (_, now, given, back) => {
  expect(undoingOf(wish(given), now, email('e', [1, 7]))).toEqual(wish(back));
});

test.each<[string, Email, Partial<Wish>, readonly (readonly [number, number])[] | undefined]>([
  ['taken out of one mailbox', email('e', [1, 7], [2, 9], [3, 5, '', 'deleted']), { leave: [1] }, [[2, 9]]],
  ['moved there by copies', email('e', [1, 7], [2, 9]), { enter: [2], leave: [1] }, [[2, 9]]],
  ['destroyed', email('e', [1, 7], [2, 9]), { leave: 'all' }, undefined],
])('what has to stay when an Email is %s', (_, each, given, staying) => {
  const [task] = tasksOf('expunge', [{ wish: wish(given), email: each }], false);
  expect(task?.rows[0]?.staying?.map(({ mailbox, uid }) => [mailbox, uid])).toEqual(staying);
});

test.each<[Email, Partial<Wish>, boolean]>([
  [email('e', [1, 7]), { leave: [1] }, true],
  [email('e', [1, 7], [2, 9, '', 'deleted']), { leave: [1] }, true],
  [email('e', [1, 7], [2, 9]), { leave: [1] }, false],
  [email('e', [1, 7]), { enter: [2], leave: [1] }, false],
  [email('e', [1, 7]), { leave: 'all' }, false],
])('%j would be nowhere after %j: %s', (each, given, nowhere) => {
  expect(wouldBeNowhere(wish(given), each)).toBe(nowhere);
});

test.each<[string, Email, number[]]>([
  ['what was hidden in the mailbox that it leaves', email('e', [1, 7, '', 'deleted']), [1]],
  ['nothing while a copy is left', email('e', [1, 7, '', 'deleted'], [2, 9]), []],
  ['nothing that others hide elsewhere', email('e', [2, 9, '', 'deleted']), []],
])('a removal that was lost restores %s', (_, now, restore) => {
  const back = restoringOf(wish({ leave: [1] }), now, email('e', [1, 7], [2, 9]));
  expect(back).toEqual({ ...wish({}), restore });
  const tasks = tasksOf('flag', [{ wish: back, email: now }], true);
  expect(tasks.map(({ kind, mailbox }) => [kind, mailbox])).toEqual(restore.map((mailbox) => ['restore', mailbox]));
});

test.each<[Partial<Wish>, boolean, boolean]>([
  [{ enter: [2] }, true, true],
  [{ enter: [2], leave: [1] }, false, true],
  [{ leave: [1] }, false, false],
  [{ set: ['a'] }, false, false],
])('%j needs a copy: %s with MOVE, %s without', (given, withMove, withoutMove) => {
  const wished = { email: email('e', [1, 7]), wish: wish(given) };
  expect([needsCopy(wished, true), needsCopy(wished, false)]).toEqual([withMove, withoutMove]);
});

test.each<[string, Partial<Wish>, readonly number[], boolean]>([
  ['where it is to be and nowhere else', { enter: [2], isWhole: true }, [2], false],
  ['elsewhere as well', { enter: [2], isWhole: true }, [2, 3], true],
  ['only elsewhere, for others have moved it on', { enter: [2], isWhole: true }, [3], false],
  ['elsewhere as well, which nobody minds', { enter: [2], leave: [1] }, [2, 3], false],
  ['nowhere', { enter: [2], isWhole: true }, [], false],
])('an Email is divided: %s', (_, given, mailboxes, expected) => {
  const now = email('e', ...mailboxes.map((mailbox): Row => [mailbox, 1]));
  expect(isDivided(wish(given), now)).toBe(expected);
});
