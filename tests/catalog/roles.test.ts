import { describe, expect, test } from '@jest/globals';
import type { KeptFacts, MailboxEntry } from '../../shared/catalog/mailbox.ts';
import { mailboxNames } from '../../shared/catalog/mailbox-names.ts';
import { isVirtual, mailboxPlaces, mailboxWithRole, pathOf, personalPrefix } from '../../shared/catalog/roles.ts';
import { nameSetAside } from '../../shared/catalog/set-aside.ts';
import type { Id } from '../../shared/jmap/scalars.ts';

type Given = {
  name: string;
  delimiter?: string | null;
  selectable?: boolean;
  attributes?: string[];
  role?: KeptFacts['role'];
};

function mailbox(given: Given, index: number): MailboxEntry {
  const { name, delimiter = '/', selectable = true, attributes = [], role = null } = given;
  return {
    key: index + 1,
    id: `m${index + 1}` as Id,
    name,
    delimiter,
    selectable,
    attributes,
    subscribed: true,
    serverId: null,
    vector: null,
    progress: null,
    counts: { totalEmails: 0, unreadEmails: 0, totalThreads: 0, unreadThreads: 0 },
    rights: null,
    flagsReadAt: 0,
    kept: { sortOrder: null, role },
  };
}

/** `name: role`, of those that have one. */
function rolesOf(...given: Given[]): string[] {
  const mailboxes = given.map(mailbox);
  const places = mailboxPlaces(mailboxes);
  return mailboxes.flatMap(({ key, name }) => {
    const role = places.get(key)?.role;
    return role == null ? [] : [`${name}: ${role}`];
  });
}

/** `name < parent`. */
function treeOf(...given: Given[]): string[] {
  const mailboxes = given.map(mailbox);
  const places = mailboxPlaces(mailboxes);
  const nameOf = (id: Id | null | undefined) => mailboxes.find((other) => other.id === id)?.name ?? 'top';
  return mailboxes.map(({ key }) => `${places.get(key)?.name} < ${nameOf(places.get(key)?.parentId)}`);
}

describe('a mailbox has a role', () => {
  test('by what the server says, whatever its name', () => {
    expect(rolesOf({ name: 'Foo', attributes: ['\\sent'] }, { name: 'Bar/Deep/Down', attributes: ['\\junk'] })).toEqual(
      ['Foo: sent', 'Bar/Deep/Down: junk'],
    );
  });

  test.each(['INBOX', 'Inbox', 'inbox'])('as the inbox however it is spelled: %s', (name) => {
    expect(rolesOf({ name })).toEqual([`${name}: inbox`]);
  });

  test.each([
    ['Gesendet', 'sent'],
    ['GESENDETE OBJEKTE', 'sent'],
    ['Sent_Items', 'sent'],
    ['Entwu\u0308rfe', 'drafts'],
    ['Corbeille', 'trash'],
    ['Papelera', 'trash'],
    ['Posta inviata', 'sent'],
    ['Lixeira', 'trash'],
    ['Prullenbak', 'trash'],
    ['Skräppost', 'junk'],
    ['Slettet post', 'trash'],
    ['Roskaposti', 'junk'],
    ['Wysłane', 'sent'],
    ['Koncepty', 'drafts'],
    ['Отправленные', 'sent'],
    ['Чернетки', 'drafts'],
    ['下書き', 'drafts'],
    ['已发送', 'sent'],
    ['휴지통', 'trash'],
    ['Gönderilmiş Öğeler', 'sent'],
    ['Archiv', 'archive'],
    ['INBOX/Trash', 'trash'],
    ['[Gmail]/Spam', 'junk'],
  ])('by a well-known name: %s', (name, role) => {
    expect(rolesOf({ name })).toEqual([`${name}: ${role}`]);
  });

  test.each([
    ['a name deep in the tree', [{ name: 'Projects/Sent' }]],
    ['a node that holds no mail', [{ name: 'Trash', selectable: false }]],
    ['a name that only begins like one', [{ name: 'Sent to Bob' }]],
  ])('but not by %s', (_what, given) => {
    expect(rolesOf(...given)).toEqual([]);
  });

  test.each<[string, Given[], string[]]>([
    ['over a name', [{ name: 'Sent' }, { name: 'Mine', role: 'sent' }], ['Mine: sent']],
    [
      'over the server',
      [
        { name: 'A', attributes: ['\\sent'] },
        { name: 'B', role: 'sent' },
      ],
      ['B: sent'],
    ],
    ['over its own name', [{ name: 'Sent', role: 'trash' }], ['Sent: trash']],
    ['over what the server says of it', [{ name: 'A', attributes: ['\\sent'], role: 'junk' }], ['A: junk']],
    ['deep in the tree', [{ name: 'A/B/C', role: 'archive' }], ['A/B/C: archive']],
    ['that it has none by its name', [{ name: 'Sent', role: 'none' }], []],
    ['that it has none from the server', [{ name: 'A', attributes: ['\\sent'], role: 'none' }], []],
    [
      'that it has none, and so the next one has it',
      [{ name: 'Sent', role: 'none' }, { name: 'Sent Items' }],
      ['Sent Items: sent'],
    ],
    [
      'but not over the inbox',
      [
        { name: 'INBOX', role: 'none' },
        { name: 'A', role: 'inbox' },
      ],
      ['INBOX: inbox'],
    ],
    ['but not to a node that holds no mail', [{ name: 'A', selectable: false, role: 'sent' }], []],
  ])('by what was kept of it: %s', (_what, given, roles) => {
    expect(rolesOf(...given)).toEqual(roles);
  });

  test('by its name only where no mailbox has it from the server', () => {
    expect(rolesOf({ name: 'Sent' }, { name: 'Outgoing', attributes: ['\\sent'] })).toEqual(['Outgoing: sent']);
  });

  test.each<[string, Given[], string[]]>([
    ['the one nearest to the top', [{ name: 'INBOX/Sent' }, { name: 'Sent Items' }], ['Sent Items: sent']],
    ['the name first in the table', [{ name: 'Sent Messages' }, { name: 'Sent' }], ['Sent: sent']],
    [
      'the first by name',
      [
        { name: 'B', attributes: ['\\trash'] },
        { name: 'A', attributes: ['\\trash'] },
      ],
      ['A: trash'],
    ],
    ['one role of several', [{ name: 'X', attributes: ['\\sent', '\\trash'] }], ['X: sent']],
    [
      'the other mailbox for the other role',
      [
        { name: 'X', attributes: ['\\drafts', '\\sent'] },
        { name: 'Y', attributes: ['\\sent'] },
      ],
      ['X: drafts', 'Y: sent'],
    ],
  ])('no role twice and no mailbox with two: %s', (_what, given, roles) => {
    expect(rolesOf(...given)).toEqual(roles);
    expect(rolesOf(...given.toReversed())).toEqual(roles.toReversed());
  });
});

test('no name stands for two roles', () => {
  const names = Object.values(mailboxNames)
    .flat()
    .map((name) => name.normalize('NFKC').toLowerCase());
  expect(names.filter((name, index) => names.indexOf(name) !== index)).toEqual([]);
});

test('the trash is found by its role', () => {
  expect(mailboxWithRole([{ name: 'A' }, { name: 'Trash' }].map(mailbox), 'trash')).toBe(2);
  expect(mailboxWithRole([{ name: 'A' }].map(mailbox), 'trash')).toBeUndefined();
});

describe('the tree', () => {
  test.each<[string, Given[], string[]]>([
    ['hangs on the delimiter', [{ name: 'A' }, { name: 'A/B' }, { name: 'A/B/C' }], ['A < top', 'B < A', 'C < A/B']],
    ['keeps names whole without one', [{ name: 'A/B', delimiter: null }], ['A/B < top']],
    ['leaves out parents that are not listed', [{ name: 'A/B/C' }], ['A/B/C < top']],
    ['finds the nearest parent that is', [{ name: 'A' }, { name: 'A/B/C' }], ['A < top', 'B/C < A']],
    [
      'hangs children on the inbox',
      [{ name: 'INBOX' }, { name: 'Inbox/x' }, { name: 'y' }],
      ['Inbox < top', 'x < INBOX', 'y < top'],
    ],
    [
      'has no room for the prefix of the server',
      [
        { name: 'INBOX', delimiter: '.' },
        { name: 'INBOX.Sent', delimiter: '.' },
        { name: 'INBOX.A.B', delimiter: '.' },
      ],
      ['Inbox < top', 'Sent < top', 'A.B < top'],
    ],
    [
      'does not put a second inbox beside the first',
      [
        { name: 'INBOX', delimiter: '.' },
        { name: 'INBOX.inbox', delimiter: '.' },
      ],
      ['Inbox < top', 'inbox < INBOX'],
    ],
    [
      'has no part without a name',
      [{ name: 'A' }, { name: 'A/' }, { name: '/A' }, { name: 'A//B' }],
      ['A < top', 'A/ < top', '/A < top', 'B < A/'],
    ],
    [
      'shows names composed',
      [{ name: 'Bu\u0308ro' }, { name: 'Bu\u0308ro/Cafe\u0301' }],
      ['Büro < top', 'Café < Bu\u0308ro'],
    ],
    ['has no two of one name', [{ name: 'Bu\u0308ro' }, { name: 'B\u00fcro' }], ['Bu\u0308ro < top', 'Büro < top']],
    [
      'has names that JSON may hold',
      [{ name: 'a\tb\uffff' }, { name: '\ufeffR&D' }],
      ['a\ufffdb\ufffd < top', '\ufffdR&D < top'],
    ],
  ])('%s', (_what, given, tree) => {
    expect(treeOf(...given)).toEqual(tree);
  });

  test.each<[string, Given[], string]>([
    ['every other mailbox is below the inbox', [{ name: 'INBOX' }, { name: 'INBOX.a' }, { name: 'INBOX.b' }], 'INBOX.'],
    ['one is not', [{ name: 'INBOX' }, { name: 'INBOX.a' }, { name: 'b' }], ''],
    ['there is only the inbox', [{ name: 'INBOX' }], ''],
  ])('the prefix when %s', (_when, given, prefix) => {
    expect(personalPrefix(given.map((one) => ({ ...one, delimiter: '.' })))).toBe(prefix);
  });

  test('a mailbox that is set aside goes by its former name and has its role, unless another is called so', () => {
    const aside = (name: string) => nameSetAside(name, 1_800_000_000_000);
    const placesOf = (...names: string[]) => {
      const mailboxes = names.map((name, index) => mailbox({ name }, index));
      const places = mailboxPlaces(mailboxes);
      return mailboxes.map(({ key }) => [places.get(key)?.name, places.get(key)?.role]);
    };
    expect(placesOf('INBOX', aside('Trash'), aside('Work/Part'), 'Work')).toEqual([
      ['Inbox', 'inbox'],
      ['Trash', 'trash'],
      ['Part', null],
      ['Work', null],
    ]);
    expect(placesOf('A', aside('A'))).toEqual([
      ['A', null],
      [aside('A'), null],
    ]);
    const earlier = nameSetAside('A', 1_700_000_000_000);
    expect(placesOf(earlier, aside('A'))).toEqual([
      ['A', null],
      [aside('A'), null],
    ]);
  });

  test('the path of a mailbox has no prefix', () => {
    expect(pathOf({ name: 'INBOX.a.b', delimiter: '.' }, 'INBOX.')).toEqual(['a', 'b']);
    expect(pathOf({ name: 'INBOX.a.b', delimiter: '.' }, '')).toEqual(['INBOX', 'a', 'b']);
  });
});

test.each([
  [['\\all'], true],
  [['\\Flagged'], true],
  [['\\important'], true],
  [['\\sent', '\\hasnochildren'], false],
])('a mailbox marked %j is virtual: %s', (attributes, virtual) => {
  expect(isVirtual(attributes)).toBe(virtual);
});
