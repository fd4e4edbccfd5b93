import { describe, expect, test } from '@jest/globals';
import { mailboxRights } from '../../../shared/methods/Mailbox/rights.ts';

const box = { name: 'Work', delimiter: '/', selectable: true, attributes: [] as string[] };
const granted = (rights: object) =>
  Object.entries(rights)
    .filter(([, may]) => may)
    .map(([name]) => name);

describe('myRights (RFC 8621 §2)', () => {
  const letters: [string, string[]][] = [
    ['', []],
    ['l', []],
    ['r', []],
    ['lr', ['mayReadItems']],
    ['i', ['mayAddItems']],
    ['t', []],
    ['te', ['mayRemoveItems']],
    ['d', ['mayRemoveItems']],
    ['s', ['maySetSeen']],
    ['w', ['maySetKeywords']],
    ['k', ['mayCreateChild']],
    ['x', ['mayRename', 'mayDelete']],
    ['c', ['mayCreateChild', 'mayRename', 'mayDelete']],
    ['p', ['maySubmit']],
  ];
  test.each(letters)('MYRIGHTS "%s" grants %j', (myRights, expected) => {
    expect(granted(mailboxRights(box, myRights))).toEqual(expected);
  });

  test('the inbox can be neither renamed nor deleted', () => {
    expect(granted(mailboxRights({ ...box, name: 'Inbox' }, 'xk'))).toEqual(['mayCreateChild']);
  });

  test('a node that cannot be selected holds no items, but may hold children', () => {
    expect(granted(mailboxRights({ ...box, selectable: false }, 'lrswipkxte'))).toEqual([
      'mayCreateChild',
      'mayRename',
      'mayDelete',
    ]);
  });

  test('\\Noinferiors forbids children', () => {
    expect(granted(mailboxRights({ ...box, attributes: ['\\noinferiors'] }, 'k'))).toEqual([]);
  });

  test('without a hierarchy there are no children', () => {
    expect(granted(mailboxRights({ ...box, delimiter: null }, 'k'))).toEqual([]);
  });

  test('the inbox has no children where all mailboxes are below it', () => {
    expect(granted(mailboxRights({ ...box, name: 'INBOX' }, 'k', 'INBOX.'))).toEqual([]);
    expect(granted(mailboxRights({ ...box, name: 'INBOX.a' }, 'k', 'INBOX.'))).toEqual(['mayCreateChild']);
  });
});
