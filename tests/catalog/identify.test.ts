import { describe, expect, test } from '@jest/globals';
import type { Email } from '../../shared/catalog/email.ts';
import { identify, type Known, type Newcomer } from '../../shared/catalog/identify.ts';
import { emailIdOf, nthEmailId } from '../../shared/catalog/ids.ts';
import type { Appearance } from '../../shared/catalog/source.ts';
import type { Id } from '../../shared/jmap/scalars.ts';

const appearance = (uid: number, messageId = 'a'): Appearance => ({
  uid,
  flags: [],
  internalDate: 1,
  size: 1,
  serverEmailId: messageId,
  serverThreadId: null,
  messageId,
  references: '',
  inReplyTo: '',
  digestFields: { date: '', from: '', received: '' },
});
const newcomer = (mailbox: number, uid: number, messageId?: string): Newcomer => ({
  mailbox,
  uidValidity: 1,
  appearance: appearance(uid, messageId),
});
const deletedNewcomer = (mailbox: number, uid: number): Newcomer => {
  const one = newcomer(mailbox, uid);
  return { ...one, appearance: { ...one.appearance, flags: ['\\Deleted'] } };
};
const nth = (n: number, messageId?: string) => nthEmailId(emailIdOf('digest', appearance(1, messageId), 1), n);

/** Rows as `[mailbox, uid, id]`; the fourth element tells of those that are gone or flagged `\Deleted` now. */
function knownRows(...rows: readonly (readonly [number, number, Id, ('gone' | 'deleted')?])[]): Known {
  const emails = new Map<Id, Email>();
  const goneRows = new Map<Id, number>();
  for (const [mailbox, uid, id, now] of rows) {
    const before = emails.get(id)?.rows ?? [];
    const row = { mailbox, uid, keywords: [], deleted: false };
    emails.set(id, { id, threadId: 't' as Id, receivedAt: 1, size: 1, hasAttachment: null, rows: [...before, row] });
    if (now === 'gone') goneRows.set(id, (goneRows.get(id) ?? 0) + 1);
  }
  return {
    load: async () => {},
    email: (id) => emails.get(id) ?? null,
    rowNow: (_, { mailbox, uid }) => rows.find((row) => row[0] === mailbox && row[1] === uid)?.[3] ?? 'present',
    goneRows,
  };
}

async function idsOf(newcomers: readonly Newcomer[], known: Known): Promise<(Id | undefined)[]> {
  const named = await identify('digest', newcomers, known);
  return newcomers.map((one) => named.get(one));
}

describe('a message that appears', () => {
  test.each<[string, Newcomer[], Known, Id[]]>([
    ['gets the id of its content', [newcomer(1, 1)], knownRows(), [nth(1)]],
    ['shares it with a copy in another mailbox', [newcomer(2, 1)], knownRows([1, 1, nth(1)]), [nth(1)]],
    ['is another Email than an equal one in its mailbox', [newcomer(1, 2)], knownRows([1, 1, nth(1)]), [nth(2)]],
    ['is another Email than an equal one beside it', [newcomer(1, 1), newcomer(1, 2)], knownRows(), [nth(1), nth(2)]],
    ['takes the id of one that is flagged \\Deleted', [newcomer(1, 2)], knownRows([1, 1, nth(1), 'deleted']), [nth(1)]],
    [
      'comes before one that is flagged \\Deleted',
      [deletedNewcomer(1, 1), newcomer(1, 2)],
      knownRows(),
      [nth(2), nth(1)],
    ],
    [
      'is another Email, flagged \\Deleted, than an equal one so flagged',
      [deletedNewcomer(1, 2)],
      knownRows([1, 1, nth(1), 'deleted']),
      [nth(2)],
    ],
    ['counts on', [newcomer(1, 3)], knownRows([1, 1, nth(1)], [1, 2, nth(2)]), [nth(3)]],
    ['fills a gap', [newcomer(1, 3)], knownRows([1, 2, nth(2)]), [nth(1)]],
    [
      'takes the id of a row that vanished elsewhere',
      [newcomer(2, 1)],
      knownRows([1, 1, nth(1)], [1, 2, nth(2), 'gone']),
      [nth(2)],
    ],
    ['takes it in its own mailbox', [newcomer(1, 9)], knownRows([1, 1, nth(1), 'gone']), [nth(1)]],
    [
      'leaves to each vanished row one heir',
      [newcomer(2, 1), newcomer(3, 1)],
      knownRows([1, 1, nth(1)], [1, 2, nth(2), 'gone']),
      [nth(2), nth(1)],
    ],
    [
      'takes no id that its mailbox has already',
      [newcomer(2, 2)],
      knownRows([1, 1, nth(1), 'gone'], [2, 1, nth(1)]),
      [nth(2)],
    ],
    ['goes by its own content only', [newcomer(2, 1, 'b')], knownRows([1, 1, nth(1), 'gone']), [nth(1, 'b')]],
    [
      'keeps its id when a whole mailbox gets new UIDs',
      [newcomer(1, 1), newcomer(1, 2)],
      knownRows([1, 8, nth(1), 'gone'], [1, 9, nth(2), 'gone']),
      [nth(1), nth(2)],
    ],
  ])('%s', async (_what, newcomers, known, ids) => {
    expect(await idsOf(newcomers, known)).toEqual(ids);
  });

  test('twice in one mailbox is one Email where the server says so', async () => {
    const twice = [newcomer(1, 1), newcomer(1, 2)];
    expect([...(await identify('objectid', twice, knownRows())).values()]).toEqual(['a', 'a']);
    expect(new Set((await identify('xguid', twice, knownRows())).values()).size).toBe(2);
  });
});
