import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  accountIdOf,
  emailIdOf,
  idOfServer,
  mailboxIdOfName,
  mailboxIdOfValidity,
  mailboxIdOfValidityAndName,
  messageIdHash,
  nthEmailId,
  putThreadIdOfOctets,
  rootOf,
  threadIdOf,
} from '../../shared/catalog/ids.ts';
import type { Appearance } from '../../shared/catalog/source.ts';
import { isId } from '../../shared/jmap/scalars.ts';

const message: Appearance = {
  uid: 7,
  flags: [],
  internalDate: 1_767_261_600,
  size: 4711,
  serverEmailId: null,
  serverThreadId: null,
  messageId: '<a@example.org>',
  references: '',
  inReplyTo: '',
  digestFields: { date: 'Thu, 1 Jan 2026 10:00:00 +0000', from: 'alice@example.org', received: 'from a by b id 1' },
};

describe('an id that a server gave', () => {
  test.each([
    ['M6d99ac3275bb4e', 'M6d99ac3275bb4e'],
    ['T-under_score', 'T-under_score'],
    ['a'.repeat(64), 'a'.repeat(64)],
    ['1x23', 'x1x23'],
    ['-dash', 'x-dash'],
    ['9'.repeat(63), `x${'9'.repeat(63)}`],
  ])('%s is used as %s', (serverId, id) => {
    expect(idOfServer(serverId)).toBe(id);
  });

  test.each([
    ['too long', 'a'.repeat(65)],
    ['digits, too long with its x', '9'.repeat(64)],
    ['a dot', '1700.M1P2.host'],
    ['empty', ''],
  ])('is hashed when it is not fit to be an id: %s', (_why, serverId) => {
    expect(idOfServer(serverId)).toMatch(/^x[a-z2-7]{20}$/);
    expect(idOfServer(serverId)).not.toBe(idOfServer(`${serverId}b`));
  });
});

describe('the digest of a message', () => {
  const digest = (change: Partial<Appearance> = {}) => emailIdOf('digest', { ...message, ...change }, 1);
  const fields = message.digestFields ?? { date: '', from: '', received: '' };

  test('is an id of a letter and at least 80 bits in lower-case base32', () => {
    expect(digest()).toMatch(/^e[a-z2-7]{16,}$/);
    expect(isId(digest())).toBe(true);
  });

  test.each<[string, Partial<Appearance>]>([
    ['its UID', { uid: 8 }],
    ['its flags', { flags: ['\\Seen'] }],
    ['its References', { references: '<b@example.org>' }],
    ['what a server with ids would say', { serverEmailId: 'E1' }],
  ])('is the same whatever %s', (_what, change) => {
    expect(digest(change)).toBe(digest());
  });

  test('is the same in a mailbox of another UIDVALIDITY', () => {
    expect(emailIdOf('digest', message, 2)).toBe(emailIdOf('digest', message, 1));
  });

  test.each<[string, Partial<Appearance>]>([
    ['INTERNALDATE', { internalDate: message.internalDate + 1 }],
    ['size', { size: 4712 }],
    ['Message-ID', { messageId: '<b@example.org>' }],
    ['Date', { digestFields: { ...fields, date: '' } }],
    ['From', { digestFields: { ...fields, from: 'mallory@example.org' } }],
    ['newest Received, which a forger cannot choose', { digestFields: { ...fields, received: 'from a by b id 2' } }],
    ['border between fields', { digestFields: { ...fields, date: `${fields.date}a`, from: fields.from.slice(1) } }],
  ])('differs with another %s', (_what, change) => {
    expect(digest(change)).not.toBe(digest());
  });

  test('of the n-th copy in one mailbox differs from all others, and the first is the plain one', () => {
    const ids = [1, 2, 3].map((n) => nthEmailId(digest(), n));
    expect(new Set(ids).size).toBe(3);
    expect(ids[0]).toBe(digest());
  });
});

test('where a server owes the id it promised, the message is known by its place alone', () => {
  const owed = { ...message, digestFields: null };
  expect(emailIdOf('objectid', owed, 1)).not.toBe(emailIdOf('objectid', { ...owed, uid: 8 }, 1));
  expect(emailIdOf('objectid', owed, 1)).not.toBe(emailIdOf('objectid', owed, 2));
  expect(emailIdOf('objectid', { ...owed, serverEmailId: 'E1' }, 1)).toBe('E1');
});

test('a derived thread id names the Message-ID hash it was made from, a server id does not', () => {
  const hash = messageIdHash('a@example.org');
  expect(hash).toMatch(/^[a-z2-7]{16}$/);
  expect(rootOf(threadIdOf(hash))).toBe(hash);
  expect(rootOf(idOfServer('T123'))).toBeNull();
});

test('a thread id is the same whether its Message-ID is a text or octets', () => {
  const messageId = fc.oneof(
    fc.stringMatching(/^[!-~]{1,40}@[a-z.]{1,20}$/),
    fc.string({ unit: fc.integer({ min: 0, max: 255 }).map((octet) => String.fromCharCode(octet)) }),
    fc.integer({ min: 480, max: 520 }).map((length) => 'm'.repeat(length)),
  );
  fc.assert(
    fc.property(messageId, (text) => {
      const into = Buffer.alloc(32);
      const length = putThreadIdOfOctets(Buffer.from(`<${text}>`, 'latin1'), 1, 1 + text.length, into);
      expect(into.toString('latin1', 0, length)).toBe(threadIdOf(messageIdHash(text)));
    }),
  );
});

test('accounts differ by provider and by login', () => {
  const ids = [accountIdOf('a', 'b'), accountIdOf('a', 'c'), accountIdOf('b', 'b'), accountIdOf('ab', '')];
  expect(new Set(ids).size).toBe(4);
  expect(accountIdOf('a', 'b')).toBe(ids[0]);
});

test('a mailbox is named by UIDVALIDITY, by both or by its name, and never the same way', () => {
  const ids = [
    mailboxIdOfValidity(1),
    mailboxIdOfValidity(2),
    mailboxIdOfValidityAndName(1, 'a'),
    mailboxIdOfValidityAndName(1, 'b'),
    mailboxIdOfName('a'),
  ];
  expect(new Set(ids).size).toBe(5);
});
