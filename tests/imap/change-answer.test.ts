import { describe, expect, test } from '@jest/globals';
import { ChangeAnswer } from '../../shared/imap/change-answer.ts';
import type { ImapValue } from '../../shared/imap/response.ts';

const before = { uidValidity: 1, uidNext: 100, highestModseq: '40', messages: 9 };
const row = (uid: number, modseq: string, ...flags: string[]): ImapValue[] => [
  ['UID', String(uid), 'MODSEQ', [modseq], 'FLAGS', flags],
];

/** An answer about the UIDs 3 to 5. */
function answer(tell: (answer: ChangeAnswer) => void): ChangeAnswer {
  const told = new ChangeAnswer([[3, 5]]);
  tell(told);
  return told;
}

describe('the mailbox after a command', () => {
  test.each<[string, (answer: ChangeAnswer) => void, object | null]>([
    ['has the next mod-sequence', (told) => told.take('FETCH', 1, row(3, '41')), { ...before, highestModseq: '41' }],
    [
      'also when many messages have it',
      (told) => {
        for (const uid of [3, 4, 5]) told.take('FETCH', uid, row(uid, '41'));
      },
      { ...before, highestModseq: '41' },
    ],
    [
      'has fewer messages when some are gone',
      (told) => {
        told.take('VANISHED', null, ['3:4']);
        told.takeCode('HIGHESTMODSEQ', ['41']);
      },
      { ...before, highestModseq: '41', messages: 7 },
    ],
    ['is as it was when nothing was told', () => {}, before],
    ['is not known when a mod-sequence was passed over', (told) => told.take('FETCH', 1, row(3, '42')), null],
    [
      'is not known when two are told',
      (told) => {
        told.take('FETCH', 1, row(3, '41'));
        told.take('FETCH', 1, row(3, '42'));
      },
      null,
    ],
    [
      'is not known when others are told of',
      (told) => {
        told.take('FETCH', 1, row(3, '41'));
        told.take('FETCH', 9, row(9, '41'));
      },
      null,
    ],
    [
      'is not known when others vanish',
      (told) => {
        told.take('VANISHED', null, ['3,9']);
        told.takeCode('HIGHESTMODSEQ', ['41']);
      },
      null,
    ],
    ['is not known without UIDs', (told) => told.take('EXPUNGE', 3, []), null],
    ['is not known without mod-sequences', (told) => told.take('FETCH', 1, [['UID', '3', 'FLAGS', ['\\Seen']]]), null],
  ])('%s', (_, tell, after) => {
    expect(answer(tell).vectorAfter(before)).toEqual(after);
  });

  test('is not known when it was not before', () => {
    expect(answer((told) => told.take('FETCH', 1, row(3, '41'))).vectorAfter({ ...before, highestModseq: null })).toBe(
      null,
    );
  });
});

describe('COPYUID (RFC 4315)', () => {
  test.each<[string, string, [number, number][] | null]>([
    [
      '3:5',
      '7:9',
      [
        [3, 7],
        [4, 8],
        [5, 9],
      ],
    ],
    [
      '5,3',
      '7,8',
      [
        [5, 7],
        [3, 8],
      ],
    ],
    ['4', '9', [[4, 9]]],
    ['3:4', '7', null],
    ['3,9', '7,8', null],
    ['3:5', '1:4294967295', null],
    ['x', 'y', []],
  ])('%s is %s there', (from, to, uids) => {
    const { copied } = answer((told) => told.takeCode('COPYUID', ['17', from, to]));
    expect(copied && [...copied.uids]).toEqual(uids);
  });
});
