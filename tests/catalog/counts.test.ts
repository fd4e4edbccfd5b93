import { describe, expect, test } from '@jest/globals';
import { type Counted, countsOfThreads, noCounts } from '../../shared/catalog/counts.ts';

const inbox = 1;
const work = 2;
const trash = 9;
const read = (...mailboxes: number[]): Counted => ({ mailboxes, unread: false });
const unread = (...mailboxes: number[]): Counted => ({ mailboxes, unread: true });

/** totalEmails, unreadEmails, totalThreads, unreadThreads per mailbox. */
function countsIn(emails: readonly Counted[], trashKey: number | null = trash): Record<number, number[]> {
  const counts = countsOfThreads([emails], trashKey ?? undefined);
  return Object.fromEntries(
    emails
      .flatMap(({ mailboxes }) => mailboxes)
      .map((key) => {
        const { totalEmails, unreadEmails, totalThreads, unreadThreads } = counts.get(key) ?? noCounts;
        return [key, [totalEmails, unreadEmails, totalThreads, unreadThreads]];
      }),
  );
}

describe('a Thread counts (RFC 8621 §2)', () => {
  test.each<[string, readonly Counted[], Record<number, number[]>]>([
    ['one read Email', [read(inbox)], { [inbox]: [1, 0, 1, 0] }],
    ['one unread Email', [unread(inbox)], { [inbox]: [1, 1, 1, 1] }],
    ['an Email in two mailboxes in both', [unread(inbox, work)], { [inbox]: [1, 1, 1, 1], [work]: [1, 1, 1, 1] }],
    [
      'as unread where the unread Email does not lie',
      [read(inbox), unread(work)],
      { [inbox]: [1, 0, 1, 1], [work]: [1, 1, 1, 1] },
    ],
    ['the example of the RFC', [unread(trash), read(inbox)], { [trash]: [1, 1, 1, 1], [inbox]: [1, 0, 1, 0] }],
    [
      'as read in the trash when the unread Email is elsewhere',
      [read(trash), unread(inbox)],
      { [trash]: [1, 0, 1, 0], [inbox]: [1, 1, 1, 1] },
    ],
    [
      'an Email in the trash and elsewhere in both',
      [unread(inbox, trash), read(work)],
      { [inbox]: [1, 1, 1, 1], [trash]: [1, 1, 1, 1], [work]: [1, 0, 1, 1] },
    ],
    ['one Thread for several Emails', [read(inbox), unread(inbox), unread(inbox)], { [inbox]: [3, 2, 1, 1] }],
    ['nothing without Emails', [], {}],
  ])('%s', (_what, emails, counts) => {
    expect(countsIn(emails)).toEqual(counts);
  });

  test('the trash like any mailbox where none has that role', () => {
    expect(countsIn([unread(trash), read(inbox)], null)).toEqual({ [trash]: [1, 1, 1, 1], [inbox]: [1, 0, 1, 1] });
  });
});

test('the counts of an account are the sum over its Threads', () => {
  const counts = countsOfThreads([[unread(inbox)], [read(inbox), read(work)], [unread(trash), read(inbox)]], trash);
  expect(counts.get(inbox)).toEqual({ totalEmails: 3, unreadEmails: 1, totalThreads: 3, unreadThreads: 1 });
  expect(counts.get(trash)).toEqual({ totalEmails: 1, unreadEmails: 1, totalThreads: 1, unreadThreads: 1 });
  expect(counts.get(77)).toBeUndefined();
});
