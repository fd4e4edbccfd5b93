import { afterAll, describe, expect, test } from '@jest/globals';
import { imapSearch } from '../../shared/imap/search.ts';
import type { SortCriterion, TextCondition } from '../../shared/methods/Email/mail.ts';
import { courier, cyrus, dovecot, type TestServer } from '../servers/servers.ts';
import { imapServer, message, oneSession, otherClient, passwordOf } from './rig.ts';

const open: { close(): void }[] = [];
afterAll(() => {
  for (const each of open) each.close();
});

/** A mailbox with five messages, of which UID 5 is newer than what the catalog knows. */
async function mailbox(start: () => Promise<TestServer>, options: Parameters<typeof imapServer>[1] = {}) {
  const running = await start();
  const user = await running.freshUser();
  const { use, session, commands } = await oneSession(imapServer(running, options), passwordOf(user));
  const other = await otherClient(running, user);
  open.push(session, other);
  const html = {
    'MIME-Version': '1.0',
    'Content-Type': 'text/plain; charset=utf-8',
    'Content-Transfer-Encoding': '8bit',
  };
  const texts = [
    message('apple', {
      From: '"Zoe" <b@example.com>',
      To: 'x@example.com',
      'X-Tag': 'red',
      Date: 'Fri, 1 Mar 2024 10:00:00 +0000',
    }),
    message(
      'Re: banana',
      {
        From: 'c@example.com',
        Cc: 'carl@example.com',
        Bcc: 'dora@example.com',
        Date: 'Fri, 1 Mar 2024 08:00:00 +0000',
      },
      'a "quoted" {3} back\\slash\r\n',
    ),
    message(
      'cherry',
      { ...html, From: 'Adam <z@example.com>', Date: 'Fri, 1 Mar 2024 09:00:00 +0000' },
      'Grüße aus 台北\r\n',
    ),
    message('apple', { From: 'Bert <a@example.com>', 'X-Tag': 'green', Date: 'Fri, 1 Mar 2024 11:00:00 +0000' }),
    message('apple too late', {}),
  ];
  for (const text of texts) await other.append('INBOX', Buffer.from(text));
  const status = await other.status('INBOX', { uidValidity: true });
  const at = { name: 'INBOX', uidValidity: status ? Number(status.uidValidity) : 0, uidNext: 5 };
  return { search: imapSearch(use), at, commands, other, session };
}

const backends: [string, () => Promise<TestServer>, Parameters<typeof imapServer>[1]][] = [
  ['Dovecot', dovecot, {}],
  ['Dovecot without ESEARCH and LITERAL+', dovecot, { ignoring: ['ESEARCH', 'LITERAL+'] }],
  ['Cyrus', cyrus, {}],
  ['Courier', courier, {}],
];

describe.each(backends)('%s', (name, start, options) => {
  test('finds what the conditions say, below the UIDNEXT that is asked for', async () => {
    const { search, at } = await mailbox(start, options);
    const expected: [TextCondition, number[]][] = [
      [{ kind: 'subject', value: 'APPLE' }, [1, 4]],
      [{ kind: 'subject', value: 'nothing' }, []],
      [{ kind: 'from', value: 'Adam' }, [3]],
      [{ kind: 'to', value: 'x@example.com' }, [1]],
      [{ kind: 'cc', value: 'carl' }, [2]],
      [{ kind: 'bcc', value: 'dora' }, [2]],
      [{ kind: 'header', name: 'X-Tag', value: null }, [1, 4]],
      [{ kind: 'header', name: 'X-Tag', value: 'green' }, [4]],
      [{ kind: 'body', value: 'Grüße' }, [3]],
      [{ kind: 'body', value: '台北' }, [3]],
      [{ kind: 'text', value: 'slash' }, [2]],
    ];
    const found = await search.search(
      at,
      expected.map(([condition]) => condition),
    );
    expect(found).toEqual(expected.map(([, uids]) => uids));
  });

  test.each([
    ['a command', 'x"\r\na1 LOGOUT\r\n'],
    ['a literal', '{5}\r\nhello'],
    ['a bare LF', 'x\ny'],
    ['NUL', 'a\0b'],
    ['parentheses and wildcards', ') OR ALL (*%'],
  ])('text cannot become anything else: %s', async (_, value) => {
    const { search, at } = await mailbox(start, options);
    const conditions: TextCondition[] = [
      { kind: 'text', value },
      { kind: 'header', name: 'X-Tag', value },
      { kind: 'subject', value: 'cherry' },
    ];
    expect(await search.search(at, conditions)).toEqual([[], [], [3]]);
  });

  test('a mailbox that was replaced, or is not there, has no answer', async () => {
    const { search, at } = await mailbox(start, options);
    const condition: TextCondition = { kind: 'subject', value: 'apple' };
    expect(await search.search({ ...at, uidValidity: at.uidValidity + 1 }, [condition])).toBeNull();
    expect(await search.search({ ...at, name: 'Nowhere' }, [condition])).toBeNull();
    expect(await search.search({ ...at, uidNext: 1 }, [condition])).toEqual([[]]);
  });

  test('what another client does is seen, in a mailbox that has long been open', async () => {
    const { search, at, other } = await mailbox(start, options);
    const condition: TextCondition = { kind: 'subject', value: 'apple' };
    expect(await search.search(at, [condition])).toEqual([[1, 4]]);
    await other.mailboxOpen('INBOX');
    await other.messageDelete('1', { uid: true });
    expect(await search.search(at, [condition])).toEqual([[4]]);
    expect(await search.search({ ...at, uidNext: 6 }, [condition])).toEqual([[4, 5]]);
  });

  test('sorts, where SORT is offered', async () => {
    const { search, at, session } = await mailbox(start, options);
    const byUid: SortCriterion[] = [{ key: 'size', isAscending: false }];
    expect(await search.sort(at, 'sentAt', byUid)).toEqual([2, 3, 1, 4]);
    expect((await search.sort(at, 'subject', [{ key: 'sentAt', isAscending: false }]))?.slice(0, 2)).toEqual([4, 1]);
    const byFrom = session.has('SORT=DISPLAY') ? [3, 4, 2, 1] : [4, 1, 2, 3];
    expect(await search.sort(at, 'from', [])).toEqual(byFrom);
    expect(await search.sort({ ...at, uidNext: 1 }, 'from', [])).toEqual([]);
    expect(name).not.toBe('');
  });
});

test('several conditions cost one EXAMINE and a command each', async () => {
  const { search, at, commands } = await mailbox(dovecot);
  await search.search(at, [
    { kind: 'subject', value: 'apple' },
    { kind: 'from', value: 'Adam' },
  ]);
  expect(commands).toEqual(['EXAMINE', 'UID SEARCH', 'UID SEARCH']);
  commands.length = 0;
  await search.sort(at, 'from', []);
  expect(commands).toEqual(['NOOP', 'UID SORT']);
});

test('without SORT the order is left to others', async () => {
  const { search, at } = await mailbox(dovecot, { ignoring: ['SORT'] });
  expect(await search.sort(at, 'subject', [])).toBeNull();
});
