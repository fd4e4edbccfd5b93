import type { Socket } from 'node:net';
import { afterEach, describe, expect, test } from '@jest/globals';
import { compileAppend } from '../../shared/imap/append-command.ts';
import { imapAppending } from '../../shared/imap/append-messages.ts';
import { imapLimits } from '../../shared/imap/limits.ts';
import { ImapSession } from '../../shared/imap/session.ts';
import type { ChangeWithSession } from '../../shared/imap/use.ts';
import { Unavailable } from '../../shared/jmap/errors.ts';
import type { AppendPiece, CanAppendMessages, Likeness, NewMessage } from '../../shared/methods/Email/mail.ts';
import { courier, cyrus, dovecot, type TestServer } from '../servers/servers.ts';
import { imapServer, otherClient, passwordOf } from './rig.ts';
import { type Answer, type ScriptedServer, scriptedServer } from './scripted-server.ts';

const octets = (text: string): AppendPiece => ({ kind: 'octets', octets: Buffer.from(text, 'latin1') });
const stream = (chunks: Iterable<string>, size: number): AppendPiece => ({
  kind: 'stream',
  size,
  open: async function* () {
    for (const chunk of chunks) yield Buffer.from(chunk, 'latin1');
  },
});
const stored = (mailbox: string, section = ''): AppendPiece => ({
  ...{ kind: 'stored', section },
  place: { mailbox, uidValidity: 7, uid: 42 },
});

describe('compileAppend', () => {
  const compiled = (pieces: AppendPiece[], literals: 'plus' | 'synchronizing', flags: string[] = []) =>
    compileAppend('a1', 'Box', { flags, receivedAt: 1_700_000_000, pieces }, literals).map((part) =>
      part.map((each) => (each instanceof Uint8Array ? each.toString('latin1') : `<${each.size}>`)).join(''),
    );
  const start = 'a1 APPEND "Box" "14-Nov-2023 22:13:20 +0000"';

  test.each<[string, AppendPiece[], 'plus' | 'synchronizing', string[]]>([
    ['announces its literal', [octets('ab')], 'synchronizing', [`${start} {2}\r\n`, 'ab\r\n']],
    ['does not wait for a short one', [octets('ab')], 'plus', [`${start} {2+}\r\nab\r\n`]],
    ['waits for a long one', [stream([], 4_097)], 'plus', [`${start} {4097}\r\n`, '<4097>\r\n']],
    [
      'makes one literal of all pieces',
      [octets('a'), stream([], 2), octets('b')],
      'plus',
      [`${start} {4+}\r\na<2>b\r\n`],
    ],
    [
      'names what is stored',
      [octets('a'), octets('b'), stored('In/Käse & Brot'), stored('INBOX', '1.2'), octets('c')],
      'plus',
      [
        `${start} CATENATE (TEXT {2+}\r\nab URL "/In/K%C3%A4se%20%26%20Brot;UIDVALIDITY=7/;UID=42" URL "/INBOX;UIDVALIDITY=7/;UID=42/;SECTION=1.2" TEXT {1+}\r\nc)\r\n`,
      ],
    ],
    [
      'waits for each literal among what is stored',
      [octets('a'), stored('B'), octets('c')],
      'synchronizing',
      [`${start} CATENATE (TEXT {1}\r\n`, 'a URL "/B;UIDVALIDITY=7/;UID=42" TEXT {1}\r\n', 'c)\r\n'],
    ],
    [
      'escapes whatever a mailbox name holds',
      [stored('a";)\\\r\n(\'*%2F')],
      'plus',
      [`${start} CATENATE (URL "/a%22%3B%29%5C%0D%0A%28%27%2A%252F;UIDVALIDITY=7/;UID=42")\r\n`],
    ],
  ])('%s', (_, pieces, literals, parts) => {
    expect(compiled(pieces, literals)).toEqual(parts);
  });

  test('has its flags in a list', () => {
    expect(compiled([octets('')], 'plus', ['\\Seen', '$label'])).toEqual([
      'a1 APPEND "Box" (\\Seen $label) "14-Nov-2023 22:13:20 +0000" {0+}\r\n\r\n',
    ]);
  });

  test.each(['a b', 'a)', 'a\r\n', '"', '{3}', ''])('sends no flag that is none: %j', (flag) => {
    expect(() => compiled([octets('')], 'plus', [flag])).toThrow('Not an atom');
  });

  test.each([
    ['a quote and a line break', '"\r\nx'],
    ['braces', '{5}'],
  ])('keeps a mailbox name one argument: %s', (_, name) => {
    const [first = ''] = compileAppend('a1', name, { flags: [], receivedAt: 0, pieces: [octets('')] }, 'plus').map(
      (part) => part.map(String).join(''),
    );
    const literal = `{${name.length}+}\r\n${name}`;
    expect(first).toContain(`a1 APPEND ${name.includes('\n') ? literal : `"${name}"`} "01-Jan-1970`);
  });
});

const message = (pieces: readonly AppendPiece[]): NewMessage => ({
  ...{ mailbox: 'Box', uidValidity: 7, flags: [], receivedAt: 1_700_000_000, pieces },
});

const running: { close(): unknown }[] = [];
afterEach(async () => {
  for (const each of running.splice(0)) await each.close();
});

function appendingOn(session: ImapSession): CanAppendMessages {
  const change: ChangeWithSession = async (prepare, act) => act(session, await prepare(session));
  return imapAppending((operation) => operation(session), change);
}

/** A server that says this to an APPEND; `seen`: what came on the connection after that. */
async function scripted(answer: (socket: Socket, tag: string) => string | null, capabilities = 'IMAP4rev1 UIDPLUS') {
  const seen: Buffer[] = [];
  const append: Answer = ({ tag, socket }) => {
    socket.removeAllListeners('data');
    socket.on('data', (chunk) => seen.push(chunk));
    return answer(socket, tag);
  };
  const server: ScriptedServer = await scriptedServer({
    greeting: `* OK [CAPABILITY ${capabilities} AUTH=PLAIN] ready\r\n`,
    answers: { AUTHENTICATE: `+ \r\n`, LOGIN: `% OK [CAPABILITY ${capabilities}] welcome\r\n`, APPEND: append },
  });
  const session = await ImapSession.open(
    { ...server.server, auth: ['login'] },
    { kind: 'password', user: 'anna', password: 'secret' },
    { limits: { ...imapLimits, commandTimeoutMs: 2_000, silenceTimeoutMs: 1_000 } },
  );
  running.push(session, server);
  return {
    session,
    appending: appendingOn(session),
    seen: () => Buffer.concat(seen).toString('latin1'),
    commands: server.commands,
  };
}

describe('an APPEND', () => {
  /** Goes on when so many octets have come, and then says something. */
  const when = (size: number, say: string) => (socket: Socket, tag: string) => {
    let received = 0;
    socket.on('data', (chunk: Buffer) => {
      received += chunk.length;
      if (received >= size) socket.write(say.replaceAll('%', tag));
    });
    return '+ go on\r\n';
  };

  test('sends exactly what comes, and tells the UID', async () => {
    const { appending, seen } = await scripted(when(8, '% OK [APPENDUID 7 12] done\r\n'));
    const appended = await appending.append(message([octets('ab'), stream(['cd', '', 'e'], 3), octets('f')]));
    expect(appended).toEqual({ done: { uidValidity: 7, uid: 12 }, failure: null });
    expect(seen()).toBe('abcdef\r\n');
  });

  test('is answered without a UID where the server does not tell it', async () => {
    const { appending } = await scripted(when(4, '% OK done\r\n'));
    expect(await appending.append(message([octets('ab')]))).toEqual({ done: null, failure: null });
  });

  test.each([
    ['NO [OVERQUOTA] full', 'overQuota'],
    ['NO [TRYCREATE] no such mailbox', 'noTarget'],
    ['NO [NOPERM] no', 'forbidden'],
    ['NO [TOOBIG] too much', 'tooLarge'],
    ['NO [LIMIT] keywords', 'tooManyKeywords'],
    ['NO [BADURL "/x"] gone', 'unread'],
    ['NO whatever', 'refused'],
    ['BAD what?', 'refused'],
  ])('that is refused before it is sent is not sent: %s', async (words, failure) => {
    const { session, appending, seen } = await scripted((socket, tag) => {
      socket.on(
        'data',
        (chunk) => /NOOP/.test(chunk.toString()) && socket.write(`${chunk.toString().split(' ')[0]} OK\r\n`),
      );
      return `${tag} ${words}\r\n`;
    });
    expect(await appending.append(message([octets('secret')]))).toEqual({ done: null, failure });
    await session.exec('NOOP', []);
    expect(seen()).toMatch(/^\S+ NOOP\r\n$/);
  });

  test('that comes at a bad time was not done', async () => {
    const { appending, session } = await scripted((_, tag) => `${tag} NO [UNAVAILABLE] later\r\n`);
    await expect(appending.append(message([octets('a')]))).rejects.toThrow(Unavailable);
    expect(session.isOpen).toBe(true);
  });

  test('that is refused while it is sent is refused, and the connection is of no more use', async () => {
    const { session, appending } = await scripted(when(1, '% NO [OVERQUOTA] full\r\n'));
    const endless = stream(
      (function* () {
        for (;;) yield 'x'.repeat(10_000);
      })(),
      1e12,
    );
    expect(await appending.append(message([endless]))).toEqual({ done: null, failure: 'overQuota' });
    expect(session.isOpen).toBe(false);
  });

  test.each<[string, AppendPiece]>([
    ['fewer octets than it said', stream(['abc'], 5)],
    ['more octets than it said', stream(['abc', 'def'], 5)],
    ['nothing at all', { kind: 'stream', size: 5, open: () => Promise.reject(new Unavailable('gone')) }],
  ])('whose source has %s is given up in the midst of it', async (_, piece) => {
    const { session, appending, seen } = await scripted(when(100, '% OK done\r\n'));
    expect(await appending.append(message([octets('start '), piece, octets('end')]))).toEqual({
      done: null,
      failure: 'unread',
    });
    expect(session.isOpen).toBe(false);
    expect(seen()).not.toContain('end');
  });

  test('takes no more from its source than the server takes', async () => {
    let taken = 0;
    const { appending } = await scripted((socket) => {
      socket.pause();
      return '+ go on\r\n';
    });
    const source: AppendPiece = {
      ...{ kind: 'stream', size: 1e9 },
      open: async function* () {
        for (;;) {
          taken += 1_000_000;
          yield Buffer.alloc(1_000_000);
        }
      },
    };
    // Nobody reads: it ends when the server has been silent for too long.
    await expect(appending.append(message([source]))).rejects.toThrow(Unavailable);
    expect(taken).toBeLessThan(50_000_000);
  });

  test('of which not everything was sent when the connection ended was not done', async () => {
    const { appending } = await scripted((socket) => {
      socket.once('data', () => socket.destroy());
      return '+ go on\r\n';
    });
    let pieces = 0;
    const source: AppendPiece = {
      ...{ kind: 'stream', size: 1e9 },
      open: async function* () {
        for (; pieces < 1_000; pieces++) yield Buffer.alloc(1_000_000);
      },
    };
    await expect(appending.append(message([source]))).rejects.toThrow(Unavailable);
    expect(pieces).toBeLessThan(1_000);
  });

  test('that was sent and not answered is lost', async () => {
    const { appending } = await scripted((socket) => {
      socket.once('data', () => socket.destroy());
      return '+ go on\r\n';
    });
    expect(await appending.append(message([stream(['abc'], 3)]))).toEqual({ done: null, failure: 'lost' });
  });

  test('of a message that the server says is too large is not sent', async () => {
    const { appending, commands } = await scripted(() => null, 'IMAP4rev1 APPENDLIMIT=10');
    expect(await appending.append(message([octets('12345678'), stream([], 3)]))).toEqual({
      done: null,
      failure: 'tooLarge',
    });
    expect(commands.some((command) => command.startsWith('APPEND'))).toBe(false);
  });

  test('into a mailbox that no server can have is not sent', async () => {
    const { appending, commands } = await scripted(() => null);
    const nowhere = { ...message([octets('a')]), mailbox: 'a\r\nb' };
    expect(await appending.append(nowhere)).toEqual({ done: null, failure: 'noTarget' });
    expect(commands.some((command) => command.startsWith('APPEND'))).toBe(false);
  });
});

describe.each<[string, () => Promise<TestServer>]>([
  ['Dovecot', dovecot],
  ['Cyrus', cyrus],
  ['Courier', courier],
])('on %s', (name, start) => {
  const prefix = name === 'Courier' ? 'INBOX.' : '';

  async function opened() {
    const server = await start();
    const user = await server.freshUser();
    const client = await otherClient(server, user);
    const mailbox = `${prefix}Käse`;
    await client.mailboxCreate(mailbox);
    const status = await client.status(mailbox, { uidValidity: true });
    const uidValidity = Number(status ? status.uidValidity : 0);
    const session = await ImapSession.open(imapServer(server), passwordOf(user));
    running.push(session, { close: () => client.logout() });
    return { client, session, appending: appendingOn(session), mailbox, uidValidity };
  }

  test('a message comes in as it was sent, and is found by what it is like', async () => {
    const { client, appending, mailbox, uidValidity } = await opened();
    const header = 'Message-ID: <large@x>\r\nSubject: large\r\n\r\n';
    const chunk = `${'x'.repeat(76)}\r\n`.repeat(1_000);
    const pieces = [
      octets(header),
      stream(
        Array.from({ length: 30 }, () => chunk),
        chunk.length * 30,
      ),
      octets('end\r\n'),
    ];
    const place = { mailbox, uidValidity };
    const appended = await appending.append({
      ...place,
      flags: ['\\Seen', '\\Draft'],
      receivedAt: 1_600_000_000,
      pieces,
    });
    expect(appended.failure).toBeNull();
    const likeness = { messageId: '<large@x>', receivedAt: 1_600_000_000, size: header.length + chunk.length * 30 + 5 };
    const find = (uidFrom: number, otherwise: Partial<Likeness & typeof place> = {}) =>
      appending.findLike({ ...place, uidFrom, ...otherwise }, { ...likeness, ...otherwise }, false);
    const uid = Number(await find(1));
    expect(appended.done ?? { uidValidity, uid }).toEqual({ uidValidity, uid });
    const lock = await client.getMailboxLock(mailbox);
    const found = await client.fetchOne(String(uid), { flags: true, internalDate: true, source: true }, { uid: true });
    lock.release();
    if (!found) throw new Error('The message is not there');
    expect(found.source?.toString()).toBe(`${header}${chunk.repeat(30)}end\r\n`);
    expect([...(found.flags ?? [])].filter((flag) => flag !== '\\Recent').sort()).toEqual(['\\Draft', '\\Seen']);
    expect(new Date(found.internalDate ?? 0).getTime()).toBe(1_600_000_000_000);

    expect(await find(uid + 1)).toBe('absent');
    expect(await find(1, { messageId: '<other@x>' })).toBe('absent');
    expect(await find(1, { receivedAt: 5 })).toBe('absent');
    expect(await find(1, { uidValidity: 1 })).toBe('gone');
  });

  test('of several messages that are alike the newest of the same size is found', async () => {
    const { client, appending, mailbox, uidValidity } = await opened();
    const at = new Date('2020-01-01T00:00:00Z');
    const alike = async (messageId: string, body: string) => {
      await client.append(mailbox, `Subject: a\r\n${messageId}\r\n${body}\r\n`, [], at);
    };
    for (const body of ['12', '1', '3', '', '12']) await alike('Message-ID: <a@x>\r\n', body);
    for (const body of ['12', '1', '123']) await alike('', body);
    const size = (messageId: string, body: string) => `Subject: a\r\n${messageId}\r\n${body}\r\n`.length;
    const find = (messageId: string, size: number) => {
      const likeness = { messageId, receivedAt: at.getTime() / 1000, size };
      return appending.findLike({ mailbox, uidValidity, uidFrom: 1 }, likeness, false);
    };
    expect(await find('<a@x>', size('Message-ID: <a@x>\r\n', '1'))).toBe(3);
    expect(await find('<a@x>', 9_999)).toBe(5);
    expect(await find('', size('', '1'))).toBe(7);
    expect(await find('', 9_999)).toBe('absent');
  });

  test('a mailbox that is not there gets nothing', async () => {
    const { appending } = await opened();
    const nowhere = {
      mailbox: `${prefix}Nowhere`,
      uidValidity: 7,
      flags: [],
      receivedAt: 5,
      pieces: [octets('A: b\r\n\r\n')],
    };
    expect(await appending.append(nowhere)).toEqual({ done: null, failure: 'noTarget' });
  });

  test('what is stored is taken from where it is', async () => {
    const { appending, mailbox, uidValidity, session } = await opened();
    expect(await appending.canTakeStored()).toBe(name !== 'Courier');
    if (!session.has('CATENATE')) return;
    const body = `Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\none\r\n--b\r\n\r\ntwo\r\n--b--\r\n`;
    const place = { mailbox, uidValidity };
    const first = await appending.append({ ...place, flags: [], receivedAt: 5, pieces: [octets(body)] });
    const pieces: AppendPiece[] = [
      octets('Message-ID: <c@x>\r\n\r\n['),
      { kind: 'stored', place: { ...place, uid: first.done?.uid ?? 0 }, section: '2' },
      octets('|'),
      { kind: 'stored', place: { ...place, uid: first.done?.uid ?? 0 }, section: '' },
      octets(']\r\n'),
    ];
    expect((await appending.append({ ...place, flags: [], receivedAt: 6, pieces })).failure).toBeNull();
    const size = 'Message-ID: <c@x>\r\n\r\n[two|]\r\n'.length + body.length;
    expect(await appending.findLike({ ...place, uidFrom: 1 }, { messageId: '<c@x>', receivedAt: 6, size }, false)).toBe(
      2,
    );
    const gone: AppendPiece = { kind: 'stored', place: { ...place, uid: 99 }, section: '' };
    expect(await appending.append({ ...place, flags: [], receivedAt: 7, pieces: [gone] })).toEqual({
      done: null,
      failure: 'unread',
    });
    const another: AppendPiece = { kind: 'stored', place: { ...place, uidValidity: 1, uid: 1 }, section: '' };
    expect(await appending.append({ ...place, flags: [], receivedAt: 7, pieces: [another] })).toEqual({
      done: null,
      failure: 'unread',
    });
  });
});
