import { afterEach, describe, expect, test } from '@jest/globals';
import { MailboxGone, MailboxUnseen } from '../../shared/catalog/source.ts';
import type { ImapCredential } from '../../shared/imap/endpoint.ts';
import { CommandRefused, ConnectionLost, Dismissed, Throttled } from '../../shared/imap/failure.ts';
import { type ImapLimits, imapLimits } from '../../shared/imap/limits.ts';
import { imapMessages } from '../../shared/imap/read-messages.ts';
import { ImapSession } from '../../shared/imap/session.ts';
import { imapSource } from '../../shared/imap/source.ts';
import type { ChangeWithSession } from '../../shared/imap/use.ts';
import { imapWriting } from '../../shared/imap/write-messages.ts';
import { Unavailable } from '../../shared/jmap/errors.ts';
import { type Answer, endlessly, type Script, type ScriptedServer, scriptedServer } from './scripted-server.ts';

const anna: ImapCredential = { kind: 'password', user: 'anna', password: 'secret' };
const small: ImapLimits = {
  ...imapLimits,
  commandTimeoutMs: 400,
  silenceTimeoutMs: 200,
  responseOctetsMax: 1 << 20,
  commandOctetsMax: 8 << 20,
  surplusResponsesMax: 500,
  mailboxMessagesMax: 10_000,
};
const facts = { scheme: 'xguid', threads: 'derived' } as const;

const running: { close(): unknown }[] = [];
afterEach(async () => {
  for (const each of running.splice(0)) await each.close();
});

async function open(
  script: Script,
  limits: ImapLimits = small,
): Promise<{ session: ImapSession; scripted: ScriptedServer }> {
  const scripted = await scriptedServer(script);
  const session = await ImapSession.open(scripted.server, anna, { limits });
  running.push(session, scripted);
  return { session, scripted };
}

async function failureOf(promise: Promise<unknown>): Promise<Error> {
  return promise.then(
    () => {
      throw new Error('That succeeded');
    },
    (error: Error) => error,
  );
}

const one = { mailbox: 'INBOX', uidValidity: 7 };
const two = { mailbox: 'Two', uidValidity: 7, uids: [1] };
const changing =
  (session: ImapSession): ChangeWithSession =>
  async (prepare, change) =>
    change(session, await prepare(session));

const opened = '* 1 EXISTS\r\n* OK [UIDVALIDITY 7] ok\r\n* OK [UIDNEXT 2] ok\r\n';

describe('a server that does what no server should', () => {
  test.each<[string, Answer]>([
    ['never answers', null],
    ['answers one octet at a time, for ever', slowly()],
    ['hangs up', ({ socket }) => void socket.end() as undefined],
    [
      'hangs up in the middle of a literal',
      ({ socket }) => void socket.end('* 1 FETCH (BODY[] {100}\r\nabc') as undefined,
    ],
    ['says BYE', '* BYE I am leaving\r\n'],
    ['sends rows without end', endlessly('* 1 FETCH (FLAGS (\\Seen))\r\n')],
    ['sends status without end', endlessly('* OK still here\r\n')],
    ['sends nonsense without end', endlessly('garbage\r\n')],
    ['sends empty lines without end', endlessly('\r\n'.repeat(1000))],
    ['sends a line without end', endlessly('x'.repeat(65_536))],
    ['announces an absurd literal', '* 1 FETCH (BODY[] {99999999999999999999}\r\n'],
    ['announces a large literal', '* 1 FETCH (BODY[] {2000000}\r\n'],
    ['answers another command', 'p999 OK done\r\n'],
    ['answers with no status', '% MAYBE done\r\n'],
    ['answers with a greeting', '% PREAUTH done\r\n'],
    ['tells no UIDVALIDITY', '* 1 EXISTS\r\n* OK [UIDNEXT 2] ok\r\n% OK done\r\n'],
    [
      'tells a UIDVALIDITY that is none',
      '* 1 EXISTS\r\n* OK [UIDVALIDITY 99999999999] ok\r\n* OK [UIDNEXT 2] ok\r\n% OK done\r\n',
    ],
    [
      'lies about the number of messages',
      '* 4294967295 EXISTS\r\n* OK [UIDVALIDITY 7] ok\r\n* OK [UIDNEXT 2] ok\r\n% OK done\r\n',
    ],
    ['is broken', '% NO [SERVERBUG] oops\r\n'],
    ['does not understand', '% BAD what?\r\n'],
  ])('is unavailable when it %s', async (_, answer) => {
    const { session } = await open({ answers: { EXAMINE: answer } });
    expect(await failureOf(session.examine('INBOX'))).toBeInstanceOf(Unavailable);
  });

  test('is not asked again on that connection', async () => {
    const { session, scripted } = await open({ answers: { EXAMINE: 'p999 OK done\r\n', NOOP: null } });
    const both = [failureOf(session.exec('EXAMINE', [])), failureOf(session.exec('NOOP', []))];
    for (const error of await Promise.all(both)) expect(error).toBeInstanceOf(Unavailable);
    expect(session.isOpen).toBe(false);
    const sent = scripted.commands.length;
    expect(await failureOf(session.exec('NOOP', []))).toBeInstanceOf(Unavailable);
    expect(scripted.commands.length).toBe(sent);
  });

  test.each<[string, string, new (...parameters: never[]) => Error]>([
    ['a mailbox is not there', '% NO [NONEXISTENT] no\r\n', MailboxGone],
    ['it throttles', '% NO [THROTTLED] slow down\r\n', Throttled],
    [
      'it throttles as Microsoft does',
      '% BAD Request is throttled. Suggested Backoff Time: 5000 milliseconds\r\n',
      Throttled,
    ],
    ['it throttles with its last words', '* BYE [THROTTLED] go away\r\n', Throttled],
    ['it goes', '* BYE shutting down\r\n', ConnectionLost],
    ['it does not see a mailbox', '% NO Mailbox was deleted under us (0.001 secs).\r\n', MailboxUnseen],
    ['it has lost sight of one among others', '* NO Mailbox was deleted under us\r\n% OK done\r\n', Dismissed],
    ['it does not understand', '% BAD what?\r\n', CommandRefused],
  ])('is told apart: %s', async (_, answer, kind) => {
    const { session } = await open({ answers: { EXAMINE: answer } });
    expect(await failureOf(session.examine('INBOX'))).toBeInstanceOf(kind);
  });

  test.each<[string, (session: ImapSession) => Promise<unknown>]>([
    ['opened', (session) => session.examine('INBOX')],
    ['asked for its status', (session) => session.status('inbox', ['UIDNEXT'])],
    [
      'put something into',
      (session) => imapWriting((use) => use(session), changing(session)).transfer('copy', two, one),
    ],
  ])('has lost sight of a mailbox that it %s on the same connection, which is of no more use', async (_, show) => {
    let isLost = false;
    const { session } = await open({
      answers: {
        EXAMINE: () => (isLost ? '% NO Mailbox was deleted under us.\r\n' : `${opened}% OK done\r\n`),
        SELECT: `${opened}% OK done\r\n`,
        STATUS: '* STATUS INBOX (UIDNEXT 2)\r\n% OK done\r\n',
        'UID COPY': '% OK [COPYUID 7 1 2] done\r\n',
      },
    });
    await show(session);
    isLost = true;
    expect(await failureOf(session.examine('INBOX'))).toBeInstanceOf(Dismissed);
    expect(session.isOpen).toBe(false);
  });

  test('may send much that was asked for', async () => {
    const rows = Array.from({ length: 5000 }, (_, index) => `* ${index} FETCH (UID ${index + 1} FLAGS ())\r\n`).join(
      '',
    );
    const { session } = await open({
      answers: {
        EXAMINE: `* 5000 EXISTS\r\n* OK [UIDVALIDITY 7] ok\r\n* OK [UIDNEXT 5001] ok\r\n* OK [HIGHESTMODSEQ 9] ok\r\n${rows}% OK done\r\n`,
      },
    });
    expect((await session.examine('INBOX', { uidValidity: 7, modseq: '1' })).changed).toHaveLength(5000);
  });

  test('may find very many messages that are far apart, and tell of as many that are gone', async () => {
    const scattered = Array.from({ length: 200_000 }, (_, index) => 2 * index + 1);
    const { session } = await open(
      {
        answers: {
          EXAMINE: `* 0 EXISTS\r\n* OK [UIDVALIDITY 7] ok\r\n* OK [UIDNEXT 500000] ok\r\n* VANISHED (EARLIER) ${scattered.join(',')}\r\n% OK done\r\n`,
          'UID SEARCH': `* SEARCH ${scattered.join(' ')}\r\n% OK done\r\n`,
        },
      },
      imapLimits,
    );
    expect((await session.examine('INBOX', { uidValidity: 7, modseq: '1' })).vanished).toHaveLength(200_000);
    expect(await session.search([])).toHaveLength(200_000);
  });

  test('does not speak for messages that were not asked about', async () => {
    const row = (uid: number, size: string) =>
      `* 9 FETCH (UID ${uid} FLAGS () INTERNALDATE "x" RFC822.SIZE ${size} X-GUID a BODY[HEADER.FIELDS (X)] NIL)\r\n`;
    const { session } = await open({
      answers: {
        EXAMINE: '* 2 EXISTS\r\n* OK [UIDVALIDITY 7] ok\r\n* OK [UIDNEXT 3] ok\r\n% OK done\r\n',
        'UID FETCH': [
          row(4_294_967_296, '5'),
          row(0, '5'),
          row(7, '5'),
          row(2, 'many'),
          row(1, '5'),
          '* 1 FETCH (UID 1 FLAGS (\\Seen))\r\n',
          '* 1 FETCH (UID 1\r\n',
          '\0\0* 1 FETCH (UID -1 RFC822.SIZE 5)\r\n',
          '* 4 EXPUNGE\r\n* 17 EXISTS\r\n* OK [UIDVALIDITY 8] changed\r\n',
          '% OK done\r\n',
        ].join(''),
      },
    });
    const source = imapSource((operation) => operation(session), { forbiddenIdentitySchemes: [] });
    const reading = await source.read('INBOX', null, facts);
    const uids: number[] = [];
    for await (const batch of reading.appeared) uids.push(...[...batch].map(({ uid }) => uid));
    expect({ uids, vector: reading.vector }).toMatchObject({ uids: [1], vector: { uidValidity: 7, uidNext: 3 } });
  });

  test('does not make a set of all UIDs there could be', async () => {
    const { session } = await open({
      answers: {
        EXAMINE: `* 3 EXISTS\r\n* OK [UIDVALIDITY 7] ok\r\n* OK [UIDNEXT 4294967295] ok\r\n* OK [HIGHESTMODSEQ 9] ok\r\n* VANISHED (EARLIER) 1:4294967294\r\n% OK done\r\n`,
        'UID SEARCH': '* ESEARCH (TAG "%") UID ALL 1:4294967295\r\n% OK done\r\n',
        'UID FETCH': '% OK done\r\n',
      },
    });
    const source = imapSource((operation) => operation(session), { forbiddenIdentitySchemes: [] });
    const known = { vector: { uidValidity: 7, uidNext: 2, highestModseq: '3', messages: 1 }, uids: async () => [1] };
    expect(await failureOf(source.read('INBOX', known, facts))).toBeInstanceOf(Unavailable);
  });
});

describe('a message that the server cannot show', () => {
  const place = (uid: number) => ({ mailbox: 'INBOX', uidValidity: 7, uid });
  const needs = { headers: 'none', structure: true, preview: false } as const;
  const good = (uid: number) => `* ${uid} FETCH (UID ${uid} BODYSTRUCTURE ("text" "plain" NIL NIL NIL "7bit" 3 1))\r\n`;
  const raw =
    'Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\none\r\n--b\r\nContent-Type: text/html\r\n\r\ntwo\r\n--b--\r\n';
  const examine = opened.replace('UIDNEXT 2', 'UIDNEXT 9').concat('% OK done\r\n');

  test('does not spoil the others: the server refuses it', async () => {
    const { session } = await open({
      answers: {
        EXAMINE: examine,
        'UID FETCH': ({ line }) => {
          const [first = 0, last = first] = (line.split(' ')[3] ?? '').split(':').map(Number);
          if (first <= 3 && last >= 3) return '% NO The requested message could not be converted\r\n';
          return `${Array.from({ length: last - first + 1 }, (_, index) => good(first + index)).join('')}% OK done\r\n`;
        },
      },
    });
    const messages = imapMessages(
      (operation) => operation(session),
      () => () => {},
    );
    const found = await messages.read([1, 2, 3, 4, 5].map(place), needs);
    expect([...found.keys()].map(({ uid }) => uid)).toEqual([1, 2, 4, 5]);
  });

  test.each([
    ['NIL', 'NIL'],
    ['an empty list', '()'],
    ['nesting beyond reason', `${'('.repeat(300)}${')'.repeat(300)}`],
  ])('is read whole and parsed here: its BODYSTRUCTURE is %s', async (_, structure) => {
    const { session, scripted } = await open({
      answers: {
        EXAMINE: examine,
        'UID FETCH': ({ line }) =>
          line.includes('BODY.PEEK[]')
            ? `* 2 FETCH (UID 2 BODY[]<0> {${raw.length}}\r\n${raw})\r\n% OK done\r\n`
            : `${good(1)}* 2 FETCH (UID 2 BODYSTRUCTURE ${structure})\r\n% OK done\r\n`,
      },
    });
    const messages = imapMessages(
      (operation) => operation(session),
      () => () => {},
    );
    const found = await messages.read([place(1), place(2)], needs);
    expect([...found.values()].map((facts) => facts.structure?.type)).toEqual(['text/plain', 'multipart/mixed']);
    // The server's sections are not those of a tree it does not know.
    const sent = scripted.commands.length;
    const requests = ['2', '2.MIME', 'HEADER', ''].map((section) => ({ place: place(2), section }));
    const sections = await messages.readSections(requests);
    expect(requests.map((request) => Buffer.from(sections.get(request) ?? []).toString())).toEqual([
      'two',
      'Content-Type: text/html\r\n\r\n',
      'Content-Type: multipart/mixed; boundary=b\r\n\r\n',
      raw,
    ]);
    expect(scripted.commands.length).toBe(sent);
  });

  test('is not there when even that is refused', async () => {
    const { session } = await open({
      answers: {
        EXAMINE: examine,
        'UID FETCH': ({ line }) =>
          line.includes('BODY.PEEK[]')
            ? '% NO no\r\n'
            : `${good(1)}* 2 FETCH (UID 2 BODYSTRUCTURE NIL)\r\n% OK done\r\n`,
      },
    });
    const messages = imapMessages(
      (operation) => operation(session),
      () => () => {},
    );
    const found = await messages.read([place(1), place(2)], needs);
    expect([...found].map(([{ uid }, facts]) => [uid, facts.structure?.type])).toEqual([
      [1, 'text/plain'],
      [2, undefined],
    ]);
  });
});

/** Always busy, never done. */
function slowly(): Answer {
  return ({ socket }) => {
    const timer = setInterval(() => (socket.destroyed ? clearInterval(timer) : socket.write(' ')), 20);
    socket.on('close', () => clearInterval(timer));
    return null;
  };
}
