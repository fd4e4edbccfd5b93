import type { Socket } from 'node:net';
import { afterEach, describe, expect, test } from '@jest/globals';
import { Unavailable } from '../../shared/jmap/errors.ts';
import type { RelayOutcome, StoredMessage } from '../../shared/methods/EmailSubmission/relay.ts';
import { defaultSmtpLimits, type SmtpLimits } from '../../shared/smtp/limits.ts';
import { smtpRelay } from '../../shared/smtp/relay.ts';
import {
  type ScriptedSmtpServer,
  type SmtpAnswer,
  type SmtpScript,
  scriptedSmtpServer,
  usualOffers,
} from './scripted-server.ts';

const url = `imap://anna@imap.example.com/INBOX;UIDVALIDITY=7/;UID=1/;SECTION=TEXT;URLAUTH=submit+anna:internal:${'ab'.repeat(16)}`;
const header = 'From: anna@example.com\r\nSubject: x\r\n\r\n';
const body = '.\r\n..Hello\r\n';
const offers = [...usualOffers, 'CHUNKING', 'BURL imap'];

const servers: ScriptedSmtpServer[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) await server.close();
});

type Wanted = Partial<StoredMessage> & {
  script?: SmtpScript;
  limits?: Partial<SmtpLimits>;
  timeoutMs?: number;
  rcptTo?: readonly string[];
  beforeEnd?: (server: ScriptedSmtpServer) => Promise<void>;
};

/** Gives a stored message to a server, and tells what came of it. */
async function relay({
  script = {},
  limits = {},
  timeoutMs = 10_000,
  rcptTo = ['bob@example.com'],
  beforeEnd = async () => {},
  ...more
}: Wanted = {}) {
  const server = await scriptedSmtpServer({ offers, ...script });
  servers.push(server);
  const asked = { read: 0, url: 0, beforeEnd: 0 };
  const message: StoredMessage = {
    header: Buffer.from(header),
    bodySize: body.length,
    ...more,
    bodyUrl: async () => {
      asked.url += 1;
      return more.bodyUrl === undefined ? url : more.bodyUrl();
    },
    read: async () => {
      asked.read += 1;
      return more.read === undefined ? Buffer.from(header + body) : more.read();
    },
  };
  const outcome: RelayOutcome | Error = await smtpRelay(
    server.server,
    { kind: 'password', user: 'anna', password: 'secret' },
    { ...defaultSmtpLimits, ...limits },
  )({
    envelope: {
      mailFrom: { email: 'anna@example.com', parameters: null },
      rcptTo: rcptTo.map((email) => ({ email, parameters: null })),
    },
    holdForSeconds: null,
    ...{ message, timeoutMs },
    beforeEnd: async () => {
      asked.beforeEnd += 1;
      await beforeEnd(server);
    },
  }).catch((error: Error) => error);
  return { server, asked, outcome };
}
const bare = ({ commands }: ScriptedSmtpServer) => commands.filter((line) => !/^(?:EHLO|AUTH|QUIT)/.test(line));
const inTheOrdinaryWay = `${header}..\r\n...Hello`;
const hangUp = (_line: string, socket: Socket) => {
  socket.destroy();
  return null;
};

describe('a message whose body the server can fetch', () => {
  test('is given by its header and a URL, and its end comes last', async () => {
    let commandsBefore: string[] = [];
    const beforeEnd = async (server: ScriptedSmtpServer) => {
      commandsBefore = bare(server);
      expect(server.messages).toEqual([]);
    };
    const { server, asked, outcome } = await relay({ beforeEnd });
    expect(outcome).toMatchObject({ kind: 'accepted', reply: { code: 250 }, recipients: [{ code: 250 }] });
    const size = header.length + body.length;
    const given = [
      `MAIL FROM:<anna@example.com> SIZE=${size} BODY=8BITMIME`,
      'RCPT TO:<bob@example.com>',
      `BDAT ${header.length}`,
      `BURL ${url}`,
    ];
    expect(commandsBefore).toEqual(given);
    expect(bare(server)).toEqual([...given, 'BDAT 0 LAST']);
    expect(server.messages).toEqual([`${header}{${url}}`]);
    expect(asked).toEqual({ read: 0, url: 1, beforeEnd: 1 });
  });

  test('is given so to a server that says only after the login that it can', async () => {
    let greetings = 0;
    const EHLO = () => {
      greetings += 1;
      return greetings === 1
        ? '250-hello\r\n250-AUTH PLAIN\r\n250 BURL'
        : '250-hello\r\n250-8BITMIME\r\n250-CHUNKING\r\n250 BURL x imap imap://imap.example.com';
    };
    const { server, outcome } = await relay({ script: { answers: { EHLO } } });
    expect(outcome).toMatchObject({ kind: 'accepted' });
    expect(server.commands.map((line) => line.split(' ')[0])).toEqual(
      expect.arrayContaining(['EHLO', 'AUTH', 'EHLO', 'MAIL', 'RCPT', 'BDAT', 'BURL', 'BDAT']),
    );
    expect(server.messages).toEqual([`${header}{${url}}`]);
  });

  test('is given so where replies have many lines, and not all of its recipients are accepted', async () => {
    const answers = {
      RCPT: (line: string) =>
        line.includes('nobody') ? '550-5.1.1 nobody\r\n550 5.1.1 is here' : '250-2.1.5\r\n250 ok',
      BDAT: '250-2.0.0 some\r\n250-2.0.0 of\r\n250 2.0.0 it',
      BURL: '250-2.5.0 fetched\r\n250 2.5.0 all of it',
    };
    const rcptTo = ['bob@example.com', 'nobody@example.com', 'eve@example.com'];
    const { server, asked, outcome } = await relay({ script: { answers }, rcptTo });
    expect(outcome).toMatchObject({ kind: 'accepted', recipients: [{ code: 250 }, { code: 550 }, { code: 250 }] });
    expect(server.messages).toEqual([`${header}{${url}}`]);
    expect(asked).toEqual({ read: 0, url: 1, beforeEnd: 1 });
  });

  /** What the second EHLO of a connection is answered. */
  const askedAgain = (answer: SmtpAnswer) => {
    const greeted = new WeakSet<Socket>();
    return (line: string, socket: Socket) => {
      if (greeted.has(socket)) return typeof answer === 'function' ? answer(line, socket, '') : answer;
      greeted.add(socket);
      return `250-hello\r\n250-${offers.join('\r\n250-')}\r\n250 X`;
    };
  };

  test('is given so where the server does not say again what it offers', async () => {
    const { server } = await relay({ script: { answers: { EHLO: askedAgain('503 5.5.1 once is enough') } } });
    expect(server.messages).toEqual([`${header}{${url}}`]);
    expect(bare(server)[0]).toContain(' SIZE=');
  });

  test('is given as the server wants it that offers less after the login', async () => {
    const EHLO = askedAgain('250-hello\r\n250-8BITMIME\r\n250-CHUNKING\r\n250 BURL imap');
    const { server } = await relay({ script: { answers: { EHLO } } });
    expect(server.messages).toEqual([`${header}{${url}}`]);
    expect(bare(server)[0]).toBe('MAIL FROM:<anna@example.com> BODY=8BITMIME');
    const utf8 = await relay({ script: { answers: { EHLO } }, header: Buffer.from(`Subject: \u00fc\r\n${header}`) });
    expect(utf8.outcome).toMatchObject({ kind: 'notOffered' });
    expect(bare(utf8.server)).toEqual([]);
  });

  test.each<[string, SmtpAnswer]>([
    ['hangs up', hangUp],
    ['says nothing', null],
    ['says goodbye', '421 4.3.2 shutting down'],
  ])('goes out in the ordinary way, once, where the server %s when it is asked again', async (_, answer) => {
    const script = { answers: { EHLO: askedAgain(answer) } };
    const { server, asked, outcome } = await relay({ script, limits: { urlTimeoutMs: 200 } });
    expect(outcome).toMatchObject({ kind: 'accepted' });
    expect(server.messages).toEqual([inTheOrdinaryWay]);
    expect(asked).toEqual({ read: 1, url: 0, beforeEnd: 1 });
  });

  test.each<[string, Wanted]>([
    ['has no BURL', { script: { offers: [...usualOffers, 'CHUNKING'] } }],
    ['has no CHUNKING, so that the end would not be ours', { script: { offers: [...usualOffers, 'BURL imap'] } }],
    ['does not take URLs of IMAP', { script: { offers: [...usualOffers, 'CHUNKING', 'BURL'] } }],
    [
      'takes only those of what it can read without',
      { script: { offers: [...usualOffers, 'CHUNKING', 'BURL imap://imap.example.com'] } },
    ],
    ['has no 8BITMIME', { script: { offers: ['AUTH PLAIN', 'CHUNKING', 'BURL imap'] } }],
    ['gets no URL from the mail server', { bodyUrl: async () => null }],
    ['gets no answer from the mail server', { bodyUrl: () => Promise.reject(new Unavailable('not now')) }],
    ['gets one that is longer than a command line', { bodyUrl: async () => `imap://${'a'.repeat(499)}` }],
  ])('is read where the server %s, and no second login is made', async (_, wanted) => {
    const { server, asked, outcome } = await relay(wanted);
    expect(outcome).toMatchObject({ kind: 'accepted' });
    expect(server.messages).toEqual([inTheOrdinaryWay]);
    expect(asked).toMatchObject({ read: 1, beforeEnd: 1 });
    expect(server.commands.filter((line) => /^(?:AUTH|MAIL|BDAT|BURL)/.test(line))).toHaveLength(2);
  });

  test('is given by the longest URL that a command line has room for', async () => {
    const longest = `imap://${'a'.repeat(498)}`;
    const { server } = await relay({ bodyUrl: async () => longest });
    expect(server.messages).toEqual([`${header}{${longest}}`]);
  });

  test.each(['imap://a b', 'imap://a\r\nQUIT', 'imap://a\nQUIT', 'imap://\u00fc', 'imap://a LAST', ''])(
    'is not given at all by what is no URL (%j)',
    async (wrong) => {
      const { server, outcome } = await relay({ bodyUrl: async () => wrong });
      expect(outcome).toBeInstanceOf(Error);
      expect(bare(server)).toEqual([]);
    },
  );

  test.each<[string, SmtpScript['answers'] & object]>([
    ['refuses the chunk', { BDAT: '503 5.5.1 what?' }],
    ['cannot fetch it at the moment', { BURL: '451 4.4.1 IMAP server unavailable' }],
    ['cannot fetch it', { BURL: '554 5.6.6 IMAP URL resolution failed' }],
    ['refuses it', { BURL: '501 5.5.4 Invalid URLAUTH token' }],
    ['answers something else', { BURL: '354 go on' }],
    ['says goodbye', { BURL: '421 4.3.2 shutting down' }],
    ['hangs up', { BURL: hangUp }],
    ['hangs up at the chunk', { BDAT: hangUp }],
    ['says nothing', { BURL: null }],
  ])('goes out in the ordinary way, once, where the server %s', async (_, answers) => {
    const { server, asked, outcome } = await relay({ script: { answers }, limits: { urlTimeoutMs: 200 } });
    expect(outcome).toMatchObject({ kind: 'accepted', recipients: [{ code: 250 }] });
    expect(server.messages).toEqual([inTheOrdinaryWay]);
    expect(asked).toEqual({ read: 1, url: 1, beforeEnd: 1 });
    expect(bare(server)).not.toContain('BDAT 0 LAST');
  });

  test('leaves half of the time for the ordinary way, where the server is slow, and then says nothing', async () => {
    const late = (ms: number, answer: string) => () =>
      new Promise<string>((resolve) => setTimeout(() => resolve(answer), ms));
    const answers = { AUTH: late(800, '235 welcome'), BDAT: late(500, '250 taken'), BURL: null };
    const { server, outcome } = await relay({ script: { answers }, timeoutMs: 3_000 });
    expect(outcome).toMatchObject({ kind: 'accepted' });
    expect(server.messages).toEqual([inTheOrdinaryWay]);
  });

  test('is asked for nothing more than others are where it is given in the ordinary way', async () => {
    const { server } = await relay({ script: { answers: { BURL: '554 no' } } });
    const names = server.commands.map((line) => line.split(' ')[0]);
    const inTheEnd = names.slice(names.lastIndexOf('EHLO')).filter((name) => name !== 'QUIT');
    expect(inTheEnd).toEqual(['EHLO', 'AUTH', 'MAIL', 'RCPT', 'DATA', '.']);
  });

  test('that cannot be read either is not sent, and it is told why', async () => {
    const gone = new Error('gone');
    const read = () => Promise.reject(gone);
    const { server, asked, outcome } = await relay({ script: { answers: { BURL: '554 no' } }, read });
    expect(outcome).toBe(gone);
    expect(server.messages).toEqual([]);
    expect(asked.beforeEnd).toBe(0);
  });

  test.each([
    [{ MAIL: '550 5.7.1 not you' }, { at: 'sender', reply: { code: 550 } }],
    [{ RCPT: '550 5.1.1 nobody' }, { at: 'recipients', reply: { code: 550 } }],
  ])('is refused as every other one is (%j)', async (answers, refusal) => {
    const { server, asked, outcome } = await relay({ script: { answers } });
    expect(outcome).toMatchObject({ kind: 'refused', ...refusal });
    expect(bare(server).filter((line) => /^(?:BDAT|BURL|DATA)/.test(line))).toEqual([]);
    expect(asked).toMatchObject({ read: 0, beforeEnd: 0 });
  });

  test('is too large as every other one is', async () => {
    const { asked, outcome } = await relay({ bodySize: 1_000_000 });
    expect(outcome).toEqual({ kind: 'tooLarge', maxSize: 1_000_000 });
    expect(asked.read).toBe(0);
  });
});

describe('the end of a message whose body was fetched', () => {
  const atTheEnd = (answer: string | null) => ({
    BDAT: (line: string, socket: Socket) => {
      if (!line.endsWith(' LAST')) return '250 taken';
      return answer === 'hang up' ? hangUp(line, socket) : answer;
    },
  });

  test('is not sent when we do not want it, nor is the message in another way', async () => {
    const beforeEnd = () => Promise.reject(new Unavailable('not any more'));
    const { server, asked, outcome } = await relay({ beforeEnd });
    expect(outcome).toMatchObject({ message: 'not any more' });
    while (!server.cutOff()) await new Promise((resolve) => setImmediate(resolve));
    expect(server.messages).toEqual([]);
    expect(asked).toEqual({ read: 0, url: 1, beforeEnd: 1 });
  });

  test.each(['hang up', '354 go on', '199 wait', null])(
    'may not be answered (%j), and then nobody knows',
    async (answer) => {
      const script = { answers: atTheEnd(answer) };
      const { server, asked, outcome } = await relay({
        script,
        limits: { messageTimeoutMs: 200, finalReplyTimeoutMs: 200 },
      });
      expect(outcome).toEqual({ kind: 'unknown' });
      expect(server.messages).toHaveLength(1);
      expect(asked).toMatchObject({ read: 0, beforeEnd: 1 });
    },
  );

  test('may be refused, and then the message is refused', async () => {
    const { asked, outcome } = await relay({ script: { answers: atTheEnd('554 5.7.1 spam') } });
    expect(outcome).toMatchObject({ kind: 'refused', at: 'message', reply: { code: 554 } });
    expect(asked).toMatchObject({ read: 0, beforeEnd: 1 });
  });

  test.each([
    [`554 5.6.6 cannot read <${url}>`, 'refused', '554 5.6.6 cannot read URL'],
    [`250 2.0.0 queued (${url.toUpperCase()})`, 'accepted', '250 2.0.0 queued URL'],
  ])('may be answered with the URL (%#), which nobody else gets to see', async (answer, kind, text) => {
    const { outcome } = await relay({ script: { answers: atTheEnd(answer) } });
    expect(outcome).toMatchObject({ kind, reply: { text } });
    expect(JSON.stringify(outcome)).not.toMatch(/imap:|internal/i);
  });

  test('is not sent where the fetching was answered twice, nor is the message in another way', async () => {
    const { server, asked, outcome } = await relay({
      script: { answers: { BURL: '250 fetched\r\n250 fetched' } },
      beforeEnd: () => new Promise((resolve) => setTimeout(resolve, 50)),
    });
    expect(outcome).toBeInstanceOf(Unavailable);
    expect(bare(server)).not.toContain('BDAT 0 LAST');
    expect(asked).toEqual({ read: 0, url: 1, beforeEnd: 1 });
  });

  test('is not sent after the server has said goodbye', async () => {
    const sockets: Socket[] = [];
    const BURL = (_line: string, socket: Socket) => {
      sockets.push(socket);
      return '250 fetched';
    };
    const beforeEnd = async () => {
      sockets[0]?.write('421 4.3.2 shutting down\r\n');
      await new Promise((resolve) => setTimeout(resolve, 50));
    };
    const { server, outcome } = await relay({ script: { answers: { BURL } }, beforeEnd });
    expect(outcome instanceof Unavailable || (outcome as RelayOutcome).kind !== 'accepted').toBe(true);
    expect(bare(server)).not.toContain('BDAT 0 LAST');
    expect(server.messages).toEqual([]);
  });
});
