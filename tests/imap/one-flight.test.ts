import { afterEach, describe, expect, test } from '@jest/globals';
import type { MailboxVector } from '../../shared/catalog/mailbox.ts';
import { MailboxGone } from '../../shared/catalog/source.ts';
import type { IdentityFacts } from '../../shared/imap/appearance.ts';
import { ImapSession } from '../../shared/imap/session.ts';
import { imapSource } from '../../shared/imap/source.ts';
import { Unavailable } from '../../shared/jmap/errors.ts';
import { type Answer, type ScriptedServer, scriptedServer } from './scripted-server.ts';

const facts = { scheme: 'xguid', threads: 'derived' } as const;
const told = { uidValidity: 7, uidNext: 3, highestModseq: '3', messages: 2 };

const examined = (uidNext: number) =>
  `* 2 EXISTS\r\n* OK [UIDVALIDITY 7] ok\r\n* OK [UIDNEXT ${uidNext}] ok\r\n* OK [HIGHESTMODSEQ 3] ok\r\n% OK done\r\n`;
const row = (uid: number, id = `g${uid}`) =>
  `* ${uid} FETCH (UID ${uid} FLAGS () INTERNALDATE "01-Mar-2024 10:00:00 +0000" RFC822.SIZE 5 X-GUID ${id})\r\n`;

const uidsTo = (last: number) => Array.from({ length: last }, (_, index) => index + 1);

const started: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const stop of started.splice(0).reverse()) await stop();
});

/** Answers nothing before there are two commands, and then both at once, as servers do that are far away. */
function together(examine: string, fetch: string): Record<string, Answer> {
  let waiting: string | null = null;
  return {
    EXAMINE: ({ tag }) => {
      waiting = examine.replaceAll('%', tag);
      return null;
    },
    'UID FETCH': ({ tag }) => {
      const answer = `${waiting ?? ''}${fetch.replaceAll('%', tag)}`;
      waiting = null;
      return answer;
    },
  };
}

async function reading(answers: Record<string, Answer>) {
  const server: ScriptedServer = await scriptedServer({ answers });
  started.push(server.close);
  const session = await ImapSession.open(server.server, { kind: 'password', user: 'u', password: 'p' });
  started.push(async () => session.close());
  const source = imapSource((operation) => operation(session), { forbiddenIdentitySchemes: [] });
  const read = async (as: MailboxVector = told) => {
    const { vector, present, appeared } = await source.read('INBOX', null, facts, as);
    const found = [];
    for await (const batch of appeared) for (const { uid, serverEmailId } of batch) found.push([uid, serverEmailId]);
    return { uidNext: vector.uidNext, present, found };
  };
  const asked = () => server.commands.flatMap((line) => /^(?:EXAMINE|UID FETCH [\d:*]+)/.exec(line) ?? []);
  const { commands } = server;
  return { read, asked, session, source, commands, scheme: source.scheme, survey: () => source.survey() };
}

test('few messages are asked for without waiting for the EXAMINE', async () => {
  const { read, asked } = await reading(together(examined(3), `${row(2)}${row(1)}% OK done\r\n`));
  expect(await read()).toEqual({
    uidNext: 3,
    present: [[1, 2]],
    found: [
      [1, 'g1'],
      [2, 'g2'],
    ],
  });
  expect(asked()).toEqual(['EXAMINE', 'UID FETCH 1:2']);
});

test('one that is taken away before its UIDNEXT is told is gone', async () => {
  const { read, session } = await reading({
    EXAMINE: examined(3).replace('* OK [UIDNEXT 3] ok\r\n', ''),
    'UID FETCH': `${row(1)}${row(2)}% OK done\r\n`,
    STATUS: '% NO no such mailbox\r\n',
  });
  await expect(read()).rejects.toThrow(MailboxGone);
  expect(session.isOpen).toBe(true);
});

test('what comes before the mailbox is open is not of it', async () => {
  const { read } = await reading(
    together(`${row(1, 'other')}${row(2, 'other')}${examined(3)}`, `${row(1)}% OK done\r\n`),
  );
  expect((await read()).found).toEqual([[1, 'g1']]);
});

test('a mailbox that has other messages by now is read again', async () => {
  let uidNext = 4;
  const { read, asked } = await reading({
    EXAMINE: () => examined(uidNext),
    'UID FETCH': ({ line }) => `${row(1)}${line.includes('1:3') ? row(3) : row(2)}% OK done\r\n`,
  });
  expect(await read()).toEqual({
    uidNext: 4,
    present: [
      [1, 1],
      [3, 3],
    ],
    found: [
      [1, 'g1'],
      [3, 'g3'],
    ],
  });
  expect(asked()).toEqual(['EXAMINE', 'UID FETCH 1:2', 'UID FETCH 1:3']);
  uidNext = 2;
  expect(await read()).toEqual({ uidNext: 2, present: [[1, 1]], found: [[1, 'g1']] });
});

test('messages that the server refuses are asked for again', async () => {
  let refusals = 1;
  const { read, asked } = await reading({
    EXAMINE: examined(3),
    'UID FETCH': () => (refusals-- > 0 ? '% BAD not now\r\n' : `${row(1)}${row(2)}% OK done\r\n`),
  });
  expect((await read()).found).toHaveLength(2);
  expect(asked()).toEqual(['EXAMINE', 'UID FETCH 1:2', 'UID FETCH 1:2']);
});

test('a mailbox that cannot be opened is gone, and the session stays', async () => {
  let isGone = true;
  const { read } = await reading({
    EXAMINE: () => (isGone ? '% NO no such mailbox\r\n' : examined(3)),
    'UID FETCH': () => (isGone ? '% BAD no mailbox is selected\r\n' : `${row(1)}${row(2)}% OK done\r\n`),
  });
  await expect(read()).rejects.toThrow(MailboxGone);
  isGone = false;
  expect((await read()).found).toHaveLength(2);
});

test('messages that go right after the mailbox was opened are not overlooked', async () => {
  const { read, session } = await reading(together(examined(3), `${row(1)}* VANISHED 2\r\n% OK done\r\n`));
  await read();
  expect(session.hasLostMessages({ uidNext: 3, messages: 2 })).toBe(true);
});

test('messages that went before the mailbox was opened are none of it', async () => {
  const { read, session } = await reading(
    together(`* VANISHED 9\r\n${examined(3)}`, `${row(1)}${row(2)}% OK done\r\n`),
  );
  await read();
  expect(session.hasLostMessages({ uidNext: 3, messages: 2 })).toBe(false);
});

test('rows without end are not taken', async () => {
  const { read } = await reading(together(examined(3), row(1).repeat(20_000)));
  await expect(read()).rejects.toThrow(Unavailable);
});

test('of many messages a part is asked for while the one before it comes, and each row gets into its own', async () => {
  let held: string | null = null;
  const { read, asked } = await reading({
    EXAMINE: examined(4_501).replace('* 2 EXISTS', '* 4500 EXISTS'),
    'UID SEARCH': '* ESEARCH (TAG "%") UID ALL 1:4500\r\n% OK done\r\n',
    'UID FETCH': ({ tag, line }) => {
      const [, from, to] = /UID FETCH (\d+):(\d+)/.exec(line) ?? [];
      const uids = uidsTo(4_500).slice(Number(from) - 1, Number(to));
      const answer = `${uids.map((uid) => row(uid)).join('')}${tag} OK done\r\n`;
      if (from === '1' || (held === null && to === '4500')) return answer;
      // The second is answered when the third was asked for, and a row of the third comes before the second has ended.
      const together: string | null = held === null ? null : `${row(Number(to))}${held}${answer}`;
      held = held === null ? answer : '';
      return together;
    },
  });
  const large = { ...told, uidNext: 4_501, messages: 4_500 };
  expect((await read(large)).found).toEqual(uidsTo(4_500).map((uid) => [uid, `g${uid}`]));
  const sets = asked().flatMap((command) => /^UID FETCH (\d+):(\d+)$/.exec(command)?.slice(1).map(Number) ?? []);
  expect(sets.slice(0, 3)).toEqual([1, 100, 101]);
  expect(sets.filter((_, at) => at % 2 === 0).slice(1)).toEqual(
    sets
      .filter((_, at) => at % 2 === 1)
      .slice(0, -1)
      .map((last) => last + 1),
  );
});

describe('few messages that are new in a known mailbox', () => {
  const vector = { uidValidity: 7, uidNext: 3, highestModseq: '3', messages: 2 };
  const grown = { ...vector, uidNext: 5, highestModseq: '6', messages: 3 };
  /** As QRESYNC has it: 1 is gone, 2 has other flags, and what is new is told, too. */
  const changed = (uidNext = 5, uidValidity = 7) =>
    `* 3 EXISTS\r\n* OK [UIDVALIDITY ${uidValidity}] ok\r\n* OK [UIDNEXT ${uidNext}] ok\r\n* OK [HIGHESTMODSEQ 6] ok\r\n` +
    '* VANISHED (EARLIER) 1\r\n* 1 FETCH (UID 2 FLAGS (\\Seen) MODSEQ (4))\r\n' +
    '* 2 FETCH (UID 3 FLAGS () MODSEQ (5))\r\n* 3 FETCH (UID 4 FLAGS () MODSEQ (6))\r\n% OK done\r\n';

  async function readingChanges(answers: Record<string, Answer>, capabilities?: string) {
    const offers = capabilities === undefined ? {} : { AUTHENTICATE: `% OK [CAPABILITY ${capabilities}] welcome\r\n` };
    const { source, session, commands } = await reading({ ...offers, ...answers });
    const read = async (as: MailboxVector | null = grown, known = vector) => {
      const uids = async () => uidsTo(known.uidNext - 1);
      const { appeared, kind, vanished, present, flags } = await source.read(
        'INBOX',
        { vector: known, uids },
        facts,
        as,
      );
      const found = [];
      for await (const batch of appeared) for (const { uid, serverEmailId } of batch) found.push([uid, serverEmailId]);
      return { kind, vanished, present, flags, found };
    };
    const asked = () => commands.flatMap((line) => /^(?:LIST|EXAMINE .*|UID FETCH [\d:*]+)/.exec(line) ?? []);
    return { read, asked, session, source };
  }
  const delta = {
    kind: 'delta',
    vanished: [[1, 1]],
    present: [],
    flags: [{ uid: 2, flags: ['\\Seen'] }],
    found: [
      [3, 'g3'],
      [4, 'g4'],
    ],
  };
  const examine = 'EXAMINE "INBOX" (QRESYNC (7 3))';

  test('are asked for without waiting for the EXAMINE that tells what else has changed', async () => {
    const { read, asked } = await readingChanges(together(changed(), `${row(3)}${row(4)}% OK done\r\n`));
    expect(await read()).toEqual(delta);
    expect(asked()).toEqual([examine, 'UID FETCH 3:4']);
  });

  test('also where flags are asked for', async () => {
    const { read, asked } = await readingChanges(
      {
        EXAMINE: examined(5).replace('* 2', '* 4').replace('SEQ 3', 'SEQ 6'),
        'UID FETCH': ({ line }) =>
          line.includes('CHANGEDSINCE')
            ? '* 2 FETCH (UID 2 FLAGS (\\Seen) MODSEQ (4))\r\n% OK done\r\n'
            : `${row(3)}${row(4)}% OK done\r\n`,
      },
      'IMAP4rev1 CONDSTORE UNSELECT',
    );
    expect(await read()).toEqual({ ...delta, vanished: [] });
    expect(asked().slice(1)).toEqual(['UID FETCH 3:4', 'UID FETCH 1:2']);
  });

  test('and where all are compared', async () => {
    const { read, asked } = await readingChanges(
      {
        EXAMINE: examined(5).replace('* 2', '* 3'),
        'UID FETCH': ({ line }) =>
          line.includes('3:4') ? `${row(3)}${row(4)}% OK done\r\n` : '* 1 FETCH (UID 2 FLAGS ())\r\n% OK done\r\n',
      },
      'IMAP4rev1 UNSELECT',
    );
    expect(await read()).toMatchObject({ kind: 'full', present: [[2, 4]], found: delta.found });
    expect(asked().slice(1)).toEqual(['UID FETCH 3:4', 'UID FETCH 1:2']);
  });

  test('and what their threads are derived from, where the server names none', async () => {
    const threaded = (uid: number, thread: string) => row(uid).replace(' X-GUID', ` THREADID ${thread} X-GUID`);
    const header = 'Message-ID: <four@example.org>';
    const { source, asked } = await readingChanges({
      EXAMINE: changed(),
      'UID FETCH': ({ line }) =>
        line.includes('3:4')
          ? `${threaded(3, '(t3)')}${threaded(4, 'NIL')}% OK done\r\n`
          : `* 3 FETCH (UID 4 BODY[HEADER.FIELDS (MESSAGE-ID REFERENCES IN-REPLY-TO)] "${header}")\r\n% OK done\r\n`,
    });
    const known = { vector, uids: async () => [1, 2] };
    const { appeared } = await source.read('INBOX', known, { scheme: 'xguid', threads: 'server' }, grown);
    const found = [];
    for await (const batch of appeared) {
      for (const { uid, serverThreadId, messageId } of batch) found.push([uid, serverThreadId, messageId]);
    }
    expect(found).toEqual([
      [3, 't3', ''],
      [4, null, '<four@example.org>'],
    ]);
    expect(asked()).toEqual([examine, 'UID FETCH 3:4', 'UID FETCH 4']);
  });

  test('are read again where there are others by now', async () => {
    const { read, asked } = await readingChanges({
      EXAMINE: changed(6),
      'UID FETCH': ({ line }) => `${row(3)}${row(4)}${line.includes('3:5') ? row(5) : ''}% OK done\r\n`,
    });
    expect((await read()).found).toEqual([...delta.found, [5, 'g5']]);
    expect(asked()).toEqual([examine, 'UID FETCH 3:4', 'UID FETCH 3:5']);
  });

  test('are none of a mailbox that has taken its place', async () => {
    const { read, asked } = await readingChanges({
      EXAMINE: changed(5, 8),
      'UID FETCH': ({ line }) =>
        `${row(3, 'x3')}${row(4, 'x4')}${line.includes('1:4') ? row(2, 'x2') : ''}% OK done\r\n`,
    });
    const found = [2, 3, 4].map((uid) => [uid, `x${uid}`]);
    expect(await read()).toMatchObject({ kind: 'renewed', vanished: [], flags: [], found });
    expect(asked()).toEqual([examine, 'UID FETCH 3:4', 'UID FETCH 1:4']);
  });

  test('are asked for again where the server refuses', async () => {
    let refusals = 1;
    const { read, asked } = await readingChanges({
      EXAMINE: changed(),
      'UID FETCH': () => (refusals-- > 0 ? '% NO not now\r\n' : `${row(3)}${row(4)}% OK done\r\n`),
    });
    expect(await read()).toEqual(delta);
    expect(asked().filter((command) => command.startsWith('UID'))).toEqual(['UID FETCH 3:4', 'UID FETCH 3:4']);
  });

  test.each<[string, MailboxVector | null]>([
    ['nothing was told', null],
    ['what was told is what is known', vector],
    ['what was told is of another mailbox', { ...grown, uidValidity: 8 }],
    ['many were told of', { ...grown, uidNext: 104 }],
    ['all were said to be gone', { ...grown, messages: 0 }],
  ])('are asked for after the EXAMINE where %s', async (_, as) => {
    let isOpen = false;
    const { read, asked } = await readingChanges({
      EXAMINE: ({ tag, socket }) => {
        setTimeout(() => {
          isOpen = true;
          socket.write(changed().replaceAll('%', tag));
        }, 30);
        return null;
      },
      'UID FETCH': () => (isOpen ? `${row(3)}${row(4)}% OK done\r\n` : '% BAD too early\r\n'),
    });
    expect(await read(as)).toEqual(delta);
    expect(asked()).toEqual([examine, 'UID FETCH 3:4']);
  });
});

/** A Dovecot, by what it calls itself, that may have object ids. */
const named = (extension: string): Record<string, Answer> => ({
  AUTHENTICATE: `% OK [CAPABILITY IMAP4rev1 ID ${extension}] welcome\r\n`,
  ID: '* ID ("name" "Dovecot")\r\n% OK done\r\n',
});

test.each([
  ['the newest message has one', `${row(2)}% OK done\r\n`, 'xguid'],
  ['it has none', '* 2 FETCH (UID 2 X-GUID NIL)\r\n% OK done\r\n', 'digest'],
  ['nobody understands the question', '% BAD what is it\r\n', 'digest'],
  ['there is no message', '% OK done\r\n', 'xguid'],
  ['it has just gone', '% NO [EXPUNGEISSUED] gone\r\n', 'xguid'],
])('how Emails are named is asked without waiting for the EXAMINE: %s', async (_, fetch, found) => {
  const { scheme, asked } = await reading({ ...together(examined(3), fetch), ...named('NAMESPACE') });
  expect(await scheme()).toEqual({ scheme: found, threads: 'derived' });
  expect(asked()).toEqual(['EXAMINE', 'UID FETCH *']);
});

test.each([
  ['it has none', '* 2 FETCH (UID 2 THREADID NIL)\r\n% OK done\r\n', 'derived'],
  ['it has one', '* 2 FETCH (UID 2 THREADID (T1))\r\n% OK done\r\n', 'server'],
  ['there is no message', '% OK done\r\n', 'server'],
])('and so is whether it has a thread: %s', async (_, fetch, threads) => {
  const { scheme } = await reading({ ...together(examined(3), fetch), ...named('OBJECTID') });
  expect(await scheme()).toEqual({ scheme: 'objectid', threads });
});

test('a server that does not tell whether it names threads is not believed to name none', async () => {
  const { scheme, session } = await reading({ ...together(examined(3), '% NO not now\r\n'), ...named('OBJECTID') });
  await expect(scheme()).rejects.toThrow(Unavailable);
  expect(session.isOpen).toBe(true);
});

test('where there is no inbox, nothing but its name tells how Emails are named', async () => {
  const none = together('% NO no such mailbox\r\n', '% BAD no mailbox is selected\r\n');
  const { scheme, session } = await reading({ ...none, ...named('NAMESPACE') });
  expect(await scheme()).toEqual({ scheme: 'xguid', threads: 'derived' });
  expect(session.isOpen).toBe(true);
});

const listed = '* LIST () "/" INBOX\r\n* LSUB () "/" INBOX\r\n% OK done\r\n';

test('mailboxes are listed without waiting until the open one is left', async () => {
  let waiting = '';
  const { read, survey } = await reading({
    ...{ EXAMINE: examined(3), 'UID FETCH': `${row(1)}${row(2)}% OK done\r\n`, LSUB: listed, STATUS: '% NO\r\n' },
    UNSELECT: ({ tag }) => {
      waiting = `${tag} OK done\r\n`;
      return null;
    },
    LIST: () => `${waiting}${listed}`,
  });
  await read();
  expect(await survey()).toHaveLength(1);
});

test('where it cannot be left, it is brought up to date before they are', async () => {
  let isUpToDate = false;
  const { read, survey } = await reading({
    ...{ EXAMINE: examined(3), 'UID FETCH': `${row(1)}${row(2)}% OK done\r\n`, LSUB: listed, STATUS: '% NO\r\n' },
    AUTHENTICATE: '% OK [CAPABILITY IMAP4rev1] welcome\r\n',
    NOOP: ({ tag, socket }) => {
      setTimeout(() => {
        isUpToDate = true;
        socket.write(`${tag} OK done\r\n`);
      }, 50);
      return null;
    },
    LIST: () => (isUpToDate ? listed : '% BAD too early\r\n'),
  });
  await read();
  expect(await survey()).toHaveLength(1);
});

/** Mailboxes of two messages each, of a server that answers nothing before it was asked for all of them. */
async function togetherOf(
  names: readonly string[],
  {
    answersOf = {},
    scheme = facts,
  }: { answersOf?: Record<string, readonly [string, string]>; scheme?: IdentityFacts } = {},
) {
  const answers: string[] = [];
  const waiting = (answer: string): string | null => {
    answers.push(answer);
    return answers.length < 2 * names.length ? null : answers.splice(0).join('');
  };
  let opened = '';
  const server = await scriptedServer({
    answers: {
      EXAMINE: ({ tag, line }) => {
        opened = line.trim().split(' ').at(-1)?.replaceAll('"', '') ?? '';
        const [examine = examined(3)] = answersOf[opened] ?? [];
        return waiting(examine.replaceAll('%', tag));
      },
      'UID FETCH': ({ tag }) => {
        const [, fetch = `${row(1, `${opened}1`)}${row(2, `${opened}2`)}% OK done\r\n`] = answersOf[opened] ?? [];
        return waiting(fetch.replaceAll('%', tag));
      },
    },
  });
  started.push(server.close);
  const session = await ImapSession.open(server.server, { kind: 'password', user: 'u', password: 'p' });
  started.push(async () => session.close());
  const source = imapSource((operation) => operation(session), { forbiddenIdentitySchemes: [] });
  const readings = await source.readTogether(
    names.map((name) => ({ name, told })),
    scheme,
  );
  const found: Record<string, unknown> = {};
  for (const [name, { vector, appeared }] of readings) {
    const ids = [];
    for await (const batch of appeared) for (const { serverEmailId } of batch) ids.push(serverEmailId);
    found[name] = [vector.uidValidity, vector.highestModseq, ...ids];
  }
  return { found, session };
}

test('small mailboxes are asked for without waiting for any of them, and each row gets into its own', async () => {
  const { found } = await togetherOf(['a', 'b', 'c']);
  expect(found).toEqual({ a: [7, '3', 'a1', 'a2'], b: [7, '3', 'b1', 'b2'], c: [7, '3', 'c1', 'c2'] });
});

test('of what is told of one, nothing is taken for another that tells less', async () => {
  const first = examined(3).replace('* 2 EXISTS', '* 9 EXISTS').replace('UIDVALIDITY 7', 'UIDVALIDITY 8');
  const second = '* 2 EXISTS\r\n* OK [UIDVALIDITY 7] ok\r\n* OK [UIDNEXT 3] ok\r\n% OK done\r\n';
  const fetch = `* 9 FETCH (UID 2 FLAGS (\\Seen))\r\n${row(1, 'a1')}${row(2, 'a2')}* 8 EXISTS\r\n% OK done\r\n`;
  const { found } = await togetherOf(['a', 'b'], {
    answersOf: { a: [first, fetch], b: [second, `${row(1, 'b1')}${row(2, 'b2')}% OK done\r\n`] },
  });
  expect(found).toEqual({ a: [8, '3', 'a1', 'a2'], b: [7, null, 'b1', 'b2'] });
});

test('those that cannot be opened, are refused, or are not as they were told are left out, and harm no other', async () => {
  const none = '% BAD no mailbox is selected\r\n';
  const { found, session } = await togetherOf(['gone', 'refused', 'grown', 'good'], {
    answersOf: {
      gone: ['% NO no such mailbox\r\n', none],
      refused: [examined(3), '% NO not now\r\n'],
      grown: [examined(4), `${row(1)}${row(2)}% OK done\r\n`],
    },
  });
  expect(found).toEqual({ good: [7, '3', 'good1', 'good2'] });
  expect(session.isOpen).toBe(true);
});

test('a mailbox with messages whose thread is to be asked for is read alone', async () => {
  const { found } = await togetherOf(['a', 'b'], { scheme: { scheme: 'xguid', threads: 'server' } });
  expect(found).toEqual({});
});

test('a connection that breaks takes nothing from what was read before, and is no mailbox that is left out', async () => {
  const broken = [examined(3), '* BYE shutting down\r\n'] as const;
  expect((await togetherOf(['a', 'b'], { answersOf: { b: broken } })).found).toEqual({ a: [7, '3', 'a1', 'a2'] });
  await expect(togetherOf(['a', 'b'], { answersOf: { a: broken } })).rejects.toThrow(Unavailable);
});
