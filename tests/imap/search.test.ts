import { afterAll, describe, expect, test } from '@jest/globals';
import { CannotSearch } from '../../shared/catalog/source.ts';
import { ConnectionLost, Throttled } from '../../shared/imap/failure.ts';
import { imapSearch } from '../../shared/imap/search.ts';
import { Unavailable } from '../../shared/jmap/errors.ts';
import type { SortCriterion, TextCondition, TextQuestion } from '../../shared/methods/Email/mail.ts';
import { courier, cyrus, dovecot, type TestServer } from '../servers/servers.ts';
import { imapServer, message, oneSession, otherClient, passwordOf } from './rig.ts';
import { type Answer, scriptedServer } from './scripted-server.ts';

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
  const at = { name: 'INBOX', uidValidity: status ? Number(status.uidValidity) : 0, uidNext: 5, messages: null };
  return { search: imapSearch(use), at, commands, other, session };
}

const each = (...conditions: TextCondition[]): TextQuestion[] =>
  conditions.map((condition) => ({ condition: [condition] }));

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
    const found = await search.search(at, each(...expected.map(([condition]) => condition)));
    expect(found).toEqual(expected.map(([, uids]) => uids));
  });

  test('conditions go together as their operators say', async () => {
    const { search, at } = await mailbox(start, options);
    const subject = (value: string): TextQuestion => ({ condition: [{ kind: 'subject', value }] });
    const green: TextCondition = { kind: 'header', name: 'X-Tag', value: 'green' };
    const unsayable = subject('a\0b');
    const expected: [TextQuestion, number[]][] = [
      [{ condition: [{ kind: 'subject', value: 'apple' }, green] }, [4]],
      [{ operator: 'AND', conditions: [subject('apple'), { condition: [green] }] }, [4]],
      [{ operator: 'OR', conditions: [subject('banana')] }, [2]],
      [{ operator: 'OR', conditions: [subject('banana'), { condition: [green] }, subject('cherry')] }, [2, 3, 4]],
      [{ operator: 'NOT', conditions: [subject('banana'), { condition: [green] }] }, [1, 3]],
      [{ operator: 'NOT', conditions: [{ operator: 'AND', conditions: [subject('apple'), subject('APP')] }] }, [2, 3]],
      [{ operator: 'OR', conditions: [{ operator: 'NOT', conditions: [subject('a')] }, subject('apple')] }, [1, 3, 4]],
      [{ operator: 'OR', conditions: [{ condition: [{ kind: 'body', value: '台北' }] }, subject('banana')] }, [2, 3]],
      [{ operator: 'OR', conditions: [unsayable, subject('banana')] }, [2]],
      [{ operator: 'NOT', conditions: [unsayable] }, [1, 2, 3, 4]],
    ];
    expect(
      await search.search(
        at,
        expected.map(([question]) => question),
      ),
    ).toEqual(expected.map(([, uids]) => uids));
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
    expect(await search.search(at, each(...conditions))).toEqual([[], [], [3]]);
  });

  test('a mailbox that was replaced, or is not there, has no answer', async () => {
    const { search, at } = await mailbox(start, options);
    const condition: TextCondition = { kind: 'subject', value: 'apple' };
    expect(await search.search({ ...at, uidValidity: at.uidValidity + 1 }, each(condition))).toBeNull();
    expect(await search.search({ ...at, name: 'Nowhere' }, each(condition))).toBeNull();
    expect(await search.search({ ...at, uidNext: 1 }, each(condition))).toEqual([[]]);
  });

  test('what another client does is seen, in a mailbox that has long been open', async () => {
    const { search, at, other } = await mailbox(start, options);
    const condition: TextCondition = { kind: 'subject', value: 'apple' };
    expect(await search.search(at, each(condition))).toEqual([[1, 4]]);
    await other.mailboxOpen('INBOX');
    await other.messageDelete('1', { uid: true });
    expect(await search.search(at, each(condition))).toEqual([[4]]);
    expect(await search.search({ ...at, uidNext: 6 }, each(condition))).toEqual([[4, 5]]);
  });

  test('there is no answer where messages have left that were there when it was asked about', async () => {
    const { search, at, other } = await mailbox(start, options);
    const questions = each({ kind: 'subject', value: 'apple' });
    const asked = () => search.search({ ...at, messages: 4 }, questions);
    expect(await asked()).toEqual([[1, 4]]);
    expect(await search.search({ ...at, uidNext: 6, messages: 5 }, questions)).toEqual([[1, 4, 5]]);
    await other.append('INBOX', Buffer.from(message('apple again', {})));
    expect(await asked()).toEqual([[1, 4]]);
    await other.mailboxOpen('INBOX');
    await other.messageDelete('2', { uid: true });
    // Whether the mailbox is open already, or opened for it.
    expect(await asked()).toBeNull();
    expect(await search.search({ ...at, uidNext: 7, messages: 6 }, questions)).toBeNull();
    expect(await search.search({ ...at, uidNext: 7, messages: 5 }, questions)).toEqual([[1, 4, 5, 6]]);
  });

  test('mailboxes that are asked about in one turn answer as each does alone', async () => {
    const { search, at, other } = await mailbox(start, options);
    const boxes = [at, { ...at, uidValidity: at.uidValidity + 1 }, { ...at, name: 'Nowhere' }, { ...at, messages: 5 }];
    for (const subject of ['one apple', 'no fruit', 'another apple']) {
      const { path: box } = await other.mailboxCreate(`Box with ${subject}`);
      await other.append(box, Buffer.from(message(subject, {})));
      await other.append(box, Buffer.from(message('cherry', { 'X-Tag': 'red' }, `${subject}\r\n`)));
      const status = await other.status(box, { uidValidity: true });
      boxes.push({ name: box, uidValidity: status ? Number(status.uidValidity) : 0, uidNext: 3, messages: null });
    }
    const questions = each({ kind: 'subject', value: 'apple' }, { kind: 'header', name: 'X-Tag', value: 'red' });
    const alone = [];
    for (const box of boxes) alone.push(await search.search(box, questions));
    expect(alone).toEqual([[[1, 4], [1]], null, null, null, [[1], [2]], [[], [2]], [[1], [2]]]);
    expect(await Promise.all(boxes.map((box) => search.search(box, questions)))).toEqual(alone);
    const reversed = boxes.toReversed().map((box) => search.search(box, questions));
    expect(await Promise.all(reversed)).toEqual(alone.toReversed());
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

test('several questions cost one EXAMINE and a command each, several conditions of one no more', async () => {
  const { search, at, commands } = await mailbox(dovecot);
  const conditions: TextCondition[] = [
    { kind: 'subject', value: 'apple' },
    { kind: 'from', value: 'Adam' },
  ];
  await search.search(at, [{ condition: conditions }]);
  expect(commands).toEqual(['EXAMINE', 'UID SEARCH']);
  commands.length = 0;
  await search.search({ ...at, uidNext: 7 }, each(...conditions));
  expect(commands).toEqual(['EXAMINE', 'UID SEARCH', 'UID SEARCH']);
  commands.length = 0;
  await search.sort(at, 'from', []);
  expect(commands).toEqual(['NOOP', 'UID SORT']);
});

test('without SORT the order is left to others', async () => {
  const { search, at } = await mailbox(dovecot, { ignoring: ['SORT'] });
  expect(await search.sort(at, 'subject', [])).toBeNull();
});

test.each([
  ['Grüße', 'NO [BADCHARSET (US-ASCII)] I know no other', CannotSearch, undefined],
  ['Grüße', 'BAD Unknown charset', CannotSearch, undefined],
  ['Grüße', 'NO [SERVERBUG] oops', CannotSearch, Unavailable],
  ['wide', 'NO [SERVERBUG] oops', CannotSearch, Unavailable],
  ['wide', 'NO [UNAVAILABLE] too wide', CannotSearch, Unavailable],
  ['wide', 'NO Search failed', CannotSearch, Unavailable],
  ['wide', 'BAD Search is not known here', CannotSearch, Unavailable],
  ['wide', 'NO [LIMIT] slow down', Throttled, undefined],
] as const)(
  'where a server that is asked for "%s" answers %s, it is told whether it can be done without its SEARCH',
  async (value, answer, kind, cause) => {
    // The literal comes as a line of its own.
    const scripted = await scriptedServer({ answers: { 'UID SEARCH': `% ${answer}\r\n`, '': null } });
    const { use, session } = await oneSession(scripted.server, { kind: 'password', user: 'anna', password: 'secret' });
    open.push(session, { close: () => void scripted.close() });
    const at = { name: 'INBOX', uidValidity: 7, uidNext: 2, messages: null };
    const asked = imapSearch(use).search(at, each({ kind: 'subject', value }));
    const error: unknown = await asked.catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(kind);
    if (cause === undefined) expect((error as Error).cause).toBeUndefined();
    else expect((error as Error).cause).toBeInstanceOf(cause);
  },
);

test.each([
  ['NO [SERVERBUG] oops', null],
  ['BAD Sort is not known here', null],
  ['NO [LIMIT] slow down', Throttled],
] as const)('where a server that offers SORT answers %s, it is told whether it sorts', async (answer, failure) => {
  const greeting = '% OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN ENABLE CONDSTORE QRESYNC SORT] welcome\r\n';
  const answers = { AUTHENTICATE: greeting, 'UID SORT': `% ${answer}\r\n` };
  const scripted = await scriptedServer({ answers });
  const { use, session } = await oneSession(scripted.server, { kind: 'password', user: 'anna', password: 'secret' });
  open.push(session, { close: () => void scripted.close() });
  const sorted = imapSearch(use).sort({ name: 'INBOX', uidValidity: 7, uidNext: 2 }, 'subject', []);
  if (failure === null) expect(await sorted).toBeNull();
  else await expect(sorted).rejects.toBeInstanceOf(failure);
});

test('a connection that is lost in a SEARCH says nothing of what the server can do', async () => {
  const hangUp: Answer = ({ socket }) => {
    socket.destroy();
    return null;
  };
  const scripted = await scriptedServer({ answers: { 'UID SEARCH': hangUp } });
  const { use, session } = await oneSession(scripted.server, { kind: 'password', user: 'anna', password: 'secret' });
  open.push(session, { close: () => void scripted.close() });
  const at = { name: 'INBOX', uidValidity: 7, uidNext: 2, messages: null };
  const asked = imapSearch(use).search(at, each({ kind: 'subject', value: 'wide' }));
  await expect(asked).rejects.toBeInstanceOf(ConnectionLost);
});

/** Searches `names` in one turn, of a server that answers nothing before it was asked for all of them: as these do, and as most would. */
async function searchingTogether(
  names: readonly string[],
  answersOf: Record<string, readonly [examine: string, search: string]> = {},
) {
  const examined = '* 2 EXISTS\r\n* OK [UIDVALIDITY 7] ok\r\n* OK [UIDNEXT 3] ok\r\n% OK done\r\n';
  const answers: string[] = [];
  let isPatient = true;
  const waiting = (answer: string): string | null => {
    answers.push(answer);
    if (isPatient && answers.length < 2 * names.length) return null;
    isPatient = false;
    return answers.splice(0).join('');
  };
  let opened = '';
  const scripted = await scriptedServer({
    answers: {
      EXAMINE: ({ tag, line }) => {
        opened = line.trim().split(' ').at(-1)?.replaceAll('"', '') ?? '';
        return waiting((answersOf[opened]?.[0] ?? examined).replaceAll('%', tag));
      },
      'UID SEARCH': ({ tag }) => {
        const found = `* ESEARCH (TAG "%") UID ALL ${opened === 'a' ? 1 : 2}\r\n% OK done\r\n`;
        return waiting((answersOf[opened]?.[1] ?? found).replaceAll('%', tag));
      },
    },
  });
  const { use, session } = await oneSession(scripted.server, { kind: 'password', user: 'anna', password: 'secret' });
  open.push(session, { close: () => void scripted.close() });
  const { search } = imapSearch(use);
  const ask = (name: string) =>
    search({ name, uidValidity: 7, uidNext: 3, messages: 2 }, each({ kind: 'subject', value: 'apple' }));
  const found = await Promise.allSettled(names.map(ask));
  return { found: found.map((one) => (one.status === 'fulfilled' ? one.value : one.reason)), ask, session };
}

test('mailboxes that are asked about in one turn are not waited for one after the other', async () => {
  expect((await searchingTogether(['a', 'b', 'c'])).found).toEqual([[[1]], [[2]], [[2]]]);
  expect((await searchingTogether(['a'])).found).toEqual([[[1]]]);
});

test('what messages leave one of them is not told of another', async () => {
  const examined = '* 2 EXISTS\r\n* OK [UIDVALIDITY 7] ok\r\n* OK [UIDNEXT 3] ok\r\n% OK done\r\n';
  const found = '* ESEARCH (TAG "%") UID ALL 2\r\n';
  const { found: answers } = await searchingTogether(['a', 'b', 'c', 'd'], {
    b: [examined, `${found}* VANISHED 1\r\n* 1 EXISTS\r\n% OK done\r\n`],
    c: [`* VANISHED 9\r\n${examined}`, `${found}% OK done\r\n`],
    d: [examined.replace('* 2 EXISTS', '* 1 EXISTS'), `${found}% OK done\r\n`],
  });
  expect(answers).toEqual([[[1]], null, [[2]], null]);
});

test('one that is gone, or is another by now, says nothing of the others', async () => {
  const none = '% BAD no mailbox is selected\r\n';
  const other = '* 2 EXISTS\r\n* OK [UIDVALIDITY 8] ok\r\n* OK [UIDNEXT 3] ok\r\n% OK done\r\n';
  const { found, session, ask } = await searchingTogether(['gone', 'a', 'other', 'b'], {
    gone: ['% NO no such mailbox\r\n', none],
    other: [other, '% NO not here\r\n'],
  });
  expect(found).toEqual([null, [[1]], null, [[2]]]);
  expect(session.isOpen).toBe(true);
  expect(await ask('a')).toEqual([[1]]);
});

test('one that is taken away behind its EXAMINE is looked for again, and is gone', async () => {
  let isThere = true;
  const scripted = await scriptedServer({
    answers: {
      EXAMINE: ({ line }) => {
        const opened = '* 2 EXISTS\r\n* OK [UIDVALIDITY 7] ok\r\n* OK [UIDNEXT 3] ok\r\n% OK done\r\n';
        return isThere || line.includes('other') ? opened : '% NO no such mailbox\r\n';
      },
      'UID SEARCH': () => {
        const answer = isThere ? '% NO no such mailbox\r\n' : '* ESEARCH (TAG "%") UID ALL 1\r\n% OK done\r\n';
        isThere = false;
        return answer;
      },
    },
  });
  const { use, session } = await oneSession(scripted.server, { kind: 'password', user: 'anna', password: 'secret' });
  open.push(session, { close: () => void scripted.close() });
  const { search } = imapSearch(use);
  const at = { uidValidity: 7, uidNext: 3, messages: null };
  const asked = ['gone', 'other'].map((name) => search({ ...at, name }, each({ kind: 'subject', value: 'apple' })));
  expect(await Promise.all(asked)).toEqual([null, [[1]]]);
});

test('a search that is refused is told when all others are done', async () => {
  const examined = '* 2 EXISTS\r\n* OK [UIDVALIDITY 7] ok\r\n* OK [UIDNEXT 3] ok\r\n% OK done\r\n';
  const refusing = [examined, '% NO [SERVERBUG] oops\r\n'] as const;
  const { found, session, ask } = await searchingTogether(['b', 'a'], { b: refusing });
  expect(found).toEqual([expect.any(CannotSearch), expect.any(CannotSearch)]);
  expect(session.isOpen).toBe(true);
  expect(await ask('a')).toEqual([[1]]);
});

test('without ESEARCH an answer does not tell its question, so each search is waited for', async () => {
  const { search, at, commands } = await mailbox(dovecot, { ignoring: ['ESEARCH'] });
  const questions = each({ kind: 'subject', value: 'apple' }, { kind: 'subject', value: 'cherry' });
  const boxes = [at, { ...at, uidNext: 3 }];
  expect(await Promise.all(boxes.map((box) => search.search(box, questions)))).toEqual([
    [[1, 4], [3]],
    [[1], []],
  ]);
  expect(commands).toEqual(['EXAMINE', 'UID SEARCH', 'UID SEARCH', 'NOOP', 'UID SEARCH', 'UID SEARCH']);
});
