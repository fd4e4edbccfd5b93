import { readFile } from 'node:fs/promises';
import { afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import type { ImapAuthMethod, ImapCredential, ImapServer } from '../../shared/imap/endpoint.ts';
import { Throttled } from '../../shared/imap/failure.ts';
import { type ImapLimits, imapLimits } from '../../shared/imap/limits.ts';
import { ImapSession } from '../../shared/imap/session.ts';
import { AuthenticationFailed, Unavailable } from '../../shared/jmap/errors.ts';
import { courier, cyrus, dovecot, type TestServer } from '../servers/servers.ts';
import { imapServer, passwordOf } from './rig.ts';
import {
  type Answer,
  type Certificate,
  certificateFor,
  endlessly,
  type Script,
  type ScriptedServer,
  scriptedServer,
} from './scripted-server.ts';

const anna: ImapCredential = { kind: 'password', user: 'anna', password: 'secret' };
const token: ImapCredential = { kind: 'token', user: 'anna', accessToken: 'ya29.token' };
const hasty = { ...imapLimits, connectTimeoutMs: 300 };

let certificate: Certificate;
let otherCertificate: Certificate;
beforeAll(async () => {
  [certificate, otherCertificate] = await Promise.all([
    certificateFor('IP:127.0.0.1'),
    certificateFor('DNS:elsewhere.example'),
  ]);
});

const running: ScriptedServer[] = [];
afterEach(async () => {
  for (const server of running.splice(0)) await server.close();
});

async function start(script: Script): Promise<ScriptedServer> {
  const server = await scriptedServer(script);
  running.push(server);
  return server;
}

async function failureOf(
  server: ImapServer,
  credential: ImapCredential = anna,
  limits: ImapLimits = hasty,
): Promise<Error> {
  try {
    const session = await ImapSession.open(server, credential, { limits });
    session.close();
  } catch (error) {
    return error as Error;
  }
  throw new Error('The login succeeded');
}

describe('a login', () => {
  test.each<[string, () => Promise<TestServer>]>([
    ['Dovecot', dovecot],
    ['Cyrus', cyrus],
    ['Courier', courier],
  ])('at %s succeeds with the right password and with no other', async (_, start) => {
    const server = await start();
    const user = await server.freshUser();
    const session = await ImapSession.open(imapServer(server), passwordOf(user));
    await session.leave();
    for (const password of ['wrong', '']) {
      const credential: ImapCredential = { kind: 'password', user: user.user, password };
      expect(await failureOf(imapServer(server), credential, imapLimits)).toBeInstanceOf(AuthenticationFailed);
    }
  });

  test.each(['implicit', 'starttls'] as const)('at Dovecot is protected by TLS: %s', async (tls) => {
    const { host, imapPort, imapsPort, caFile, freshUser } = await dovecot();
    const credential = passwordOf(await freshUser());
    const imap = { host, port: tls === 'implicit' ? imapsPort : imapPort, tls, ca: await readFile(caFile, 'utf8') };
    const server = { ...imapServer({ name: 'x', host: '127.0.0.1', imapPort: 0 }), imap };
    const session = await ImapSession.open(server, credential);
    expect((await session.examine('INBOX')).exists).toBe(0);
    await session.leave();
    // A host that is this machine only because somebody says so: another could say otherwise.
    expect(await failureOf({ ...server, imap: { ...imap, host: '127.1', ca: null } }, credential)).toMatchObject({
      name: 'Unavailable',
      message: expect.stringContaining('SELF_SIGNED'),
    });
  });

  test.each(['implicit', 'starttls'] as const)('on this machine needs nobody to vouch for Dovecot: %s', async (tls) => {
    const { host, imapPort, imapsPort, freshUser } = await dovecot();
    const imap = { host, port: tls === 'implicit' ? imapsPort : imapPort, tls, ca: null };
    const server = { ...imapServer({ name: 'x', host: '127.0.0.1', imapPort: 0 }), imap };
    const session = await ImapSession.open(server, passwordOf(await freshUser()));
    expect((await session.examine('INBOX')).exists).toBe(0);
    await session.leave();
  });

  const plain = Buffer.from('\0anna\0secret').toString('base64');
  const bearer = (text: string) => Buffer.from(text).toString('base64');
  test.each<[string, string, readonly ImapAuthMethod[], ImapCredential, string[]]>([
    ['PLAIN in one message', 'AUTH=PLAIN SASL-IR', ['plain', 'login'], anna, [`AUTHENTICATE PLAIN ${plain}`]],
    ['PLAIN in two', 'AUTH=PLAIN', ['plain', 'login'], anna, ['AUTHENTICATE PLAIN', '']],
    ['LOGIN where the operator wants it', 'AUTH=PLAIN SASL-IR', ['login'], anna, ['LOGIN "anna" "secret"']],
    ['LOGIN where nothing else is offered', '', ['plain', 'login'], anna, ['LOGIN "anna" "secret"']],
    [
      'LOGIN with what cannot be quoted',
      'LITERAL+',
      ['login'],
      { ...anna, password: 'pä"ss\r\n' } as ImapCredential,
      ['LOGIN "anna" {8+}', expect.stringContaining('"ss') as unknown as string, ''],
    ],
    [
      'OAUTHBEARER',
      'AUTH=OAUTHBEARER AUTH=XOAUTH2 SASL-IR',
      ['oauthbearer', 'xoauth2', 'plain'],
      token,
      [expect.stringMatching(/^AUTHENTICATE OAUTHBEARER /) as unknown as string],
    ],
    [
      'XOAUTH2',
      'AUTH=XOAUTH2 SASL-IR',
      ['oauthbearer', 'xoauth2', 'plain'],
      token,
      [`AUTHENTICATE XOAUTH2 ${bearer('user=anna\x01auth=Bearer ya29.token\x01\x01')}`],
    ],
  ])('takes the best method: %s', async (_, offered, auth, credential, sent) => {
    const continued: Answer = ({ line, socket, tag }) => {
      if (line.split(' ').length > 3) return '% OK [CAPABILITY IMAP4rev1] welcome\r\n';
      socket.once('data', () => socket.write(`${tag} OK [CAPABILITY IMAP4rev1] welcome\r\n`));
      return '+ \r\n';
    };
    const { server, commands } = await start({
      greeting: `* OK [CAPABILITY IMAP4rev1 ${offered}] ready\r\n`,
      answers: { AUTHENTICATE: continued, '': '', LOGIN: '% OK [CAPABILITY IMAP4rev1] welcome\r\n' },
    });
    const session = await ImapSession.open({ ...server, auth }, credential, { limits: hasty });
    session.close();
    const [first] = commands;
    expect(first).toEqual(sent[0]);
  });

  test.each<[string, string, ImapCredential]>([
    ['a token where only passwords are taken', 'AUTH=PLAIN', token],
    ['a token that could end its field', 'AUTH=XOAUTH2', { ...token, accessToken: 'a\x01auth=b' } as ImapCredential],
    ['a password with NUL', 'AUTH=PLAIN', { ...anna, password: 'a\0b' } as ImapCredential],
  ])('is refused without asking: %s', async (_, offered, credential) => {
    const { server, commands } = await start({ greeting: `* OK [CAPABILITY IMAP4rev1 ${offered}] ready\r\n` });
    expect(await failureOf(server, credential)).toBeInstanceOf(AuthenticationFailed);
    expect(commands).toEqual([]);
  });

  test('tells why an access token is refused: that is a wrong credential', async () => {
    const { server } = await start({
      greeting: '* OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=OAUTHBEARER] ready\r\n',
      answers: {
        AUTHENTICATE: ({ socket, tag }) => {
          socket.once('data', () => socket.write(`${tag} NO [AUTHENTICATIONFAILED] no\r\n`));
          return `+ ${Buffer.from('{"status":"invalid_token"}').toString('base64')}\r\n`;
        },
      },
    });
    expect(await failureOf(server, token)).toBeInstanceOf(AuthenticationFailed);
  });
});

describe('what fails is called what it is', () => {
  test.each<[string, Script, (error: Error) => unknown]>([
    [
      'a wrong password',
      { answers: { AUTHENTICATE: '% NO [AUTHENTICATIONFAILED] no\r\n' } },
      (error) => error instanceof AuthenticationFailed,
    ],
    [
      'throttling, in the words of Microsoft, without waiting for it',
      { answers: { AUTHENTICATE: '% BAD Request is throttled. Suggested Backoff Time: 92415 milliseconds\r\n' } },
      (error) => error instanceof Throttled && error.retryAfterSeconds === 93 && error.concerns === 'account',
    ],
    [
      'too many connections',
      { answers: { AUTHENTICATE: '% NO [LIMIT] no\r\n' } },
      (error) => error instanceof Throttled,
    ],
    [
      'a BYE that throttles everybody',
      { greeting: '* BYE Too many connections, try again in 90 seconds\r\n' },
      (error) => error instanceof Throttled && error.retryAfterSeconds === 90 && error.concerns === 'host',
    ],
    ['a BYE', { greeting: '* BYE going down\r\n' }, (error) => isPlain(error)],
    ['a BYE instead of an answer', { answers: { AUTHENTICATE: '* BYE sorry\r\n' } }, (error) => isPlain(error)],
    [
      'a server in trouble',
      { answers: { AUTHENTICATE: '% NO [UNAVAILABLE] ldap is down\r\n' } },
      (error) => isPlain(error),
    ],
    ['nonsense for a greeting', { greeting: 'HTTP/1.1 400 Bad Request\r\n\r\n' }, (error) => isPlain(error)],
    ['no greeting', { greeting: null }, (error) => isPlain(error)],
    ['a greeting without end', { greeting: `* OK ${'x'.repeat(1 << 20)}` }, (error) => isPlain(error)],
    ['no answer to the login', { answers: { AUTHENTICATE: null } }, (error) => isPlain(error)],
    ['challenges without end', { answers: { AUTHENTICATE: endlessly('+ AAAA\r\n') } }, (error) => isPlain(error)],
    [
      'capabilities without end',
      { greeting: '* OK hi\r\n', answers: { CAPABILITY: endlessly('* CAPABILITY A\r\n') } },
      (error) => isPlain(error),
    ],
    ['an answer to another command', { answers: { AUTHENTICATE: 'zzz OK welcome\r\n' } }, (error) => isPlain(error)],
    [
      'a server that asks for no login',
      { greeting: '* PREAUTH [CAPABILITY IMAP4rev1] welcome, root\r\n' },
      (error) => isPlain(error),
    ],
    [
      'a server that takes no password here',
      { greeting: '* OK [CAPABILITY IMAP4rev1 LOGINDISABLED] hi\r\n' },
      (error) => isPlain(error),
    ],
  ])('%s', async (_, script, isRight) => {
    const { server } = await start(script);
    const error = await failureOf(server);
    expect({ error, isRight: isRight(error) }).toEqual({ error, isRight: true });
  });

  test('and says nothing the server said, and no secret', async () => {
    const { server } = await start({ answers: { AUTHENTICATE: '% NO [UNAVAILABLE] bert@example.com is unknown\r\n' } });
    const error = await failureOf(server);
    expect(
      JSON.stringify([error.message, error.stack, String((error as Error & { cause?: unknown }).cause)]),
    ).not.toMatch(/bert|secret/);
  });

  test('nobody listens', async () => {
    const { server, close } = await start({});
    await close();
    expect(await failureOf(server)).toMatchObject({
      name: 'Unavailable',
      message: expect.stringContaining('ECONNREFUSED'),
    });
  });
});

describe('TLS', () => {
  test.each(['implicit', 'starttls'] as const)('works where the certificate is right: %s', async (tls) => {
    const { server } = await start({ tls, certificate });
    const session = await ImapSession.open(server, anna, { limits: hasty });
    expect((await session.examine('INBOX')).uidValidity).toBe(7);
    session.close();
  });

  test.each(['implicit', 'starttls'] as const)(
    'is refused where the certificate is another name’s: %s',
    async (tls) => {
      const { server, commands } = await start({ tls, certificate: otherCertificate });
      expect(await failureOf(server)).toMatchObject({
        name: 'Unavailable',
        message: expect.stringContaining('ALTNAME'),
      });
      expect(commands.filter((command) => /AUTH|LOGIN/.test(command))).toEqual([]);
    },
  );

  test.each(['implicit', 'starttls'] as const)(
    'is refused where nobody vouches for the certificate: %s',
    async (tls) => {
      const { server, commands } = await start({ tls, certificate });
      expect(await failureOf({ ...server, imap: { ...server.imap, ca: otherCertificate.cert } })).toMatchObject({
        name: 'Unavailable',
      });
      expect(commands.filter((command) => /AUTH|LOGIN/.test(command))).toEqual([]);
    },
  );

  test.each<[string, Script]>([
    ['STARTTLS is not offered', { greeting: '* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN] hi\r\n' }],
    ['STARTTLS is refused', { answers: { STARTTLS: '% NO not today\r\n' } }],
    [
      'the server claims that everything is done already',
      { greeting: '* PREAUTH [CAPABILITY IMAP4rev1 STARTTLS] hi\r\n' },
    ],
    [
      'somebody adds an answer in clear',
      { answers: { STARTTLS: '% OK go on\r\n* CAPABILITY IMAP4rev1 AUTH=PLAIN\r\n' } },
    ],
  ])('mandatory STARTTLS sends no password when %s', async (_, script) => {
    const { server, commands } = await start({ ...script, tls: 'starttls', certificate });
    expect(await failureOf(server)).toMatchObject({ name: 'Unavailable' });
    expect(commands.filter((command) => /AUTH|LOGIN/.test(command))).toEqual([]);
  });

  test('may be left out on this machine only', async () => {
    const imap = { host: 'imap.example.com', port: 143, tls: 'plaintext', ca: null } as const;
    expect(await failureOf({ ...imapServer({ name: 'x', host: '127.0.0.1', imapPort: 0 }), imap })).toMatchObject({
      name: 'Unavailable',
      message: expect.stringContaining('plaintext'),
    });
  });
});

test('a new connection costs the login, and what is asked first goes with ENABLE and NAMESPACE in one flight', async () => {
  let released = false;
  const held: (() => void)[] = [];
  const hold: Answer = ({ line, socket, tag }) => {
    const name = line.split(' ')[1] ?? '';
    const answer = name === 'STATUS' ? `* STATUS INBOX (UIDNEXT 2)\r\n${tag} OK done\r\n` : `${tag} OK done\r\n`;
    if (released) return answer;
    held.push(() => socket.write(answer));
    return null;
  };
  const { server, commands, received } = await start({ answers: { ENABLE: hold, NAMESPACE: hold, STATUS: hold } });
  const counted: string[] = [];
  const session = await ImapSession.open(server, anna, { limits: hasty, onCommand: (name) => counted.push(name) });
  const asked = received('STATUS');
  const status = session.status('INBOX', ['UIDNEXT']);
  await asked;
  released = true;
  for (const answer of held) answer();
  expect(await status).toEqual(['UIDNEXT', '2']);
  expect(commands).toEqual([
    expect.stringMatching(/^AUTHENTICATE PLAIN \S+$/),
    'ENABLE QRESYNC',
    'NAMESPACE',
    'STATUS "INBOX" (UIDNEXT)',
  ]);
  expect(counted).toEqual(['STATUS']);
  session.close();
});

function isPlain(error: Error): boolean {
  return error instanceof Unavailable && !(error instanceof Throttled);
}
