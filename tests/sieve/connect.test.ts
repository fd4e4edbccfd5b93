import { readFile } from 'node:fs/promises';
import { afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import type { TlsMode } from '../../shared/endpoint.ts';
import { AuthenticationFailed, Unavailable } from '../../shared/jmap/errors.ts';
import { connect } from '../../shared/sieve/connect.ts';
import { ConnectionLost, Throttled } from '../../shared/sieve/failure.ts';
import { type SieveLimits, sieveLimits } from '../../shared/sieve/limits.ts';
import type { SieveCredential, SieveServer } from '../../shared/sieve/server.ts';
import { otherClient } from '../imap/rig.ts';
import { type Certificate, certificateFor, endlessly } from '../imap/scripted-server.ts';
import { cyrus, dovecot } from '../servers/servers.ts';
import { type SieveScriptedServer, scriptedSieveServer } from './scripted-server.ts';

const anna: SieveCredential = { kind: 'password', user: 'anna', password: 'secret' };
const token: SieveCredential = { kind: 'token', user: 'anna', accessToken: 'ya29.token' };
/** For servers that never answer. Whatever has to answer has all the time that it takes on a busy machine. */
const hasty: SieveLimits = { ...sieveLimits, connectTimeoutMs: 300 };

let certificate: Certificate;
let otherCertificate: Certificate;
beforeAll(async () => {
  [certificate, otherCertificate] = await Promise.all([
    certificateFor('IP:127.0.0.1'),
    certificateFor('DNS:elsewhere.example'),
  ]);
});

const running: SieveScriptedServer[] = [];
afterEach(async () => {
  for (const server of running.splice(0)) await server.close();
});

async function start(script: Parameters<typeof scriptedSieveServer>[0] = {}): Promise<SieveScriptedServer> {
  const server = await scriptedSieveServer(script);
  running.push(server);
  return server;
}

async function failureOf(server: SieveServer, credential = anna, limits: SieveLimits = sieveLimits): Promise<Error> {
  try {
    const { wire } = await connect(server, credential, limits);
    wire.close();
  } catch (error) {
    return error as Error;
  }
  throw new Error('The login succeeded');
}

/** The same server, but for where it is. */
function at({ server }: SieveScriptedServer, changed: Partial<SieveServer['sieve']>): SieveServer {
  return { ...server, sieve: { ...server.sieve, ...changed } };
}

describe('a login', () => {
  test.each<{ name: string; start: typeof dovecot | typeof cyrus; tls: TlsMode }>([
    { name: 'Dovecot', start: dovecot, tls: 'plaintext' },
    { name: 'Dovecot', start: dovecot, tls: 'starttls' },
    { name: 'Cyrus', start: cyrus, tls: 'plaintext' },
    { name: 'Cyrus', start: cyrus, tls: 'starttls' },
  ])('at $name succeeds with the right password only: $tls', async ({ start, tls }) => {
    const mail = await start();
    const { host, sievePort, caFile } = mail;
    const user = await mail.freshUser();
    // Cyrus has no account before the first login.
    await (await otherClient(mail, user)).logout();
    const ca = tls === 'plaintext' ? null : await readFile(caFile, 'utf8');
    const server: SieveServer = { name: 'd', sieve: { host, port: sievePort, tls, ca }, auth: ['plain', 'login'] };
    const { wire, capabilities } = await connect(server, { kind: 'password', ...user }, sieveLimits);
    expect(capabilities.get('SIEVE')?.split(' ')).toContain('vacation');
    await wire.leave();
    for (const password of ['wrong', '']) {
      const wrong: SieveCredential = { kind: 'password', user: user.user, password };
      expect(await failureOf(server, wrong, sieveLimits)).toBeInstanceOf(AuthenticationFailed);
    }
    if (tls === 'plaintext') return;
    // On this machine nobody has to vouch for it; a host that is this machine only because somebody says so is another matter.
    const local = { ...server, sieve: { ...server.sieve, ca: null } };
    (await connect(local, { kind: 'password', ...user }, sieveLimits)).wire.close();
    const distrusted = { ...server, sieve: { ...server.sieve, host: '127.1', ca: null } };
    expect(await failureOf(distrusted)).toMatchObject({
      name: 'Unavailable',
      message: expect.stringContaining('SELF_SIGNED'),
    });
  });

  const base64 = (text: string) => Buffer.from(text).toString('base64');
  test.each<[string, SieveServer['auth'], SieveCredential, string]>([
    ['PLAIN', ['plain'], anna, `"PLAIN" "${base64('\0anna\0secret')}"`],
    ['PLAIN where the operator speaks of the LOGIN of IMAP', ['login'], anna, `"PLAIN" "${base64('\0anna\0secret')}"`],
    [
      'OAUTHBEARER',
      ['xoauth2', 'oauthbearer'],
      { ...token, user: 'a=b,c' } as SieveCredential,
      `"OAUTHBEARER" "${base64('n,a=a=3Db=2Cc,\x01host=127.0.0.1\x01port=PORT\x01auth=Bearer ya29.token\x01\x01')}"`,
    ],
    ['XOAUTH2', ['xoauth2'], token, `"XOAUTH2" "${base64('user=anna\x01auth=Bearer ya29.token\x01\x01')}"`],
  ])('takes the best mechanism that is allowed: %s', async (_, auth, credential, expected) => {
    const { server, commands } = await start();
    const { wire } = await connect({ ...server, auth }, credential, sieveLimits);
    wire.close();
    const decoded = (command: string) =>
      command.replace(/"([^"]*)"$/, (_all, text) => Buffer.from(text, 'base64').toString());
    const port = String(server.sieve.port);
    expect(decoded(commands[0] ?? '')).toBe(decoded(`AUTHENTICATE ${expected}`).replace('PORT', port));
  });

  test('sends a long token as a literal', async () => {
    const { server, commands } = await start();
    const { wire } = await connect(
      server,
      { ...token, accessToken: 'x'.repeat(2_000) } as SieveCredential,
      sieveLimits,
    );
    wire.close();
    expect(commands[0]).toMatch(/^AUTHENTICATE "OAUTHBEARER" \{\d+\+\}\r\n[A-Za-z0-9+/=]+$/);
  });

  test.each<[string, SieveCredential]>([
    ['a password with NUL', { kind: 'password', user: 'anna', password: 'a\0b' }],
    ['a user with NUL', { kind: 'password', user: 'an\0na', password: 'ab' }],
    ['a token that could end its field', { kind: 'token', user: 'anna', accessToken: 'a\x01auth=b' }],
    ['a token with a line break', { kind: 'token', user: 'anna', accessToken: 'a\r\nLOGOUT' }],
    ['a user that could end its field', { kind: 'token', user: 'anna\x01', accessToken: 'a' }],
    ['an empty token', { kind: 'token', user: 'anna', accessToken: '' }],
  ])('is refused without asking: %s', async (_, credential) => {
    const { server, commands } = await start();
    expect(await failureOf(server, credential)).toBeInstanceOf(AuthenticationFailed);
    expect(commands).toEqual([]);
  });

  test('with a password is not possible where only tokens are taken, and the other way round', async () => {
    const passwords = await start({ greeting: '"SASL" "PLAIN"\r\nOK\r\n' });
    expect(await failureOf(passwords.server, token)).toBeInstanceOf(AuthenticationFailed);
    const tokens = await start({ greeting: '"SASL" "XOAUTH2"\r\nOK\r\n' });
    expect(await failureOf(tokens.server, anna)).toMatchObject({ name: 'Unavailable' });
  });

  test.each(['oauthbearer', 'xoauth2'] as const)(
    'answers the challenge by which %s says why it refuses',
    async (method) => {
      const said: string[] = [];
      const { server } = await start({
        answers: {
          AUTHENTICATE: ({ socket }) => {
            socket.removeAllListeners('data');
            socket.once('data', (chunk: Buffer) => {
              said.push(chunk.toString());
              socket.write('NO "Authentication failed."\r\n');
            });
            return '"eyJzdGF0dXMiOiI0MDEifQ=="\r\n';
          },
        },
      });
      expect(await failureOf({ ...server, auth: [method] }, token)).toBeInstanceOf(AuthenticationFailed);
      expect(said).toEqual([method === 'xoauth2' ? '""\r\n' : '"AQ=="\r\n']);
    },
  );

  test.each<[string, string, typeof AuthenticationFailed | typeof Throttled | typeof Unavailable]>([
    ['a bare NO', 'NO\r\n', AuthenticationFailed],
    ['a wrong password', 'NO "Authentication failed."\r\n', AuthenticationFailed],
    ['a weak mechanism', 'NO (AUTH-TOO-WEAK) "No."\r\n', Unavailable],
    ['no encryption', 'NO (ENCRYPT-NEEDED) "No."\r\n', Unavailable],
    ['a temporary failure by code', 'NO (TRYLATER) "Authentication failed."\r\n', Unavailable],
    ['a temporary failure in words', 'NO "Temporary authentication failure."\r\n', Unavailable],
    ['throttling', 'NO "Too many logins."\r\n', Throttled],
    ['throttling with a BYE', 'BYE "Too many failed authentication attempts"\r\n', Throttled],
    ['another server', 'BYE (REFERRAL "sieve://sieve2.example.com") "Go there."\r\n', Unavailable],
    ['a BYE', 'BYE "I am leaving."\r\n', Unavailable],
    ['nonsense', 'WHAT\r\n', Unavailable],
  ])('tells %s from the rest', async (_, answer, kind) => {
    const { server, connections } = await start({ answers: { AUTHENTICATE: answer } });
    const failure = await failureOf(server);
    expect(failure).toBeInstanceOf(kind);
    expect(failure instanceof AuthenticationFailed).toBe(kind === AuthenticationFailed);
    expect(failure instanceof Throttled).toBe(kind === Throttled);
    expect(failure.message).not.toMatch(/secret|sieve2|leaving/);
    expect(connections()).toBe(1);
  });

  test('throttled at the greeting concerns everybody, at the login one account', async () => {
    const early = await start({ greeting: 'BYE "Too many connections, try again in 5 minutes"\r\n' });
    expect(await failureOf(early.server)).toMatchObject({ concerns: 'host', pause: 300 });
    const late = await start({ answers: { AUTHENTICATE: 'BYE "Too many connections"\r\n' } });
    expect(await failureOf(late.server)).toMatchObject({ concerns: 'account', pause: 60 });
  });
});

describe('TLS', () => {
  test.each(['implicit', 'starttls'] as const)('is what the login goes through: %s', async (tls) => {
    const server = await start({ tls, certificate });
    const { wire } = await connect(server.server, anna, sieveLimits);
    wire.close();
    expect(server.commands.map((command) => command.split(' ')[0])).toEqual([
      ...(tls === 'starttls' ? ['STARTTLS'] : []),
      'AUTHENTICATE',
      'CAPABILITY',
    ]);
  });

  test.each(['implicit', 'starttls'] as const)(
    'with a certificate for another name, or of nobody that is trusted, ends before the login: %s',
    async (tls) => {
      for (const [presented, trusted, host] of [
        [otherCertificate, otherCertificate.cert, '127.0.0.1'],
        [certificate, otherCertificate.cert, '127.0.0.1'],
        [certificate, null, '127.1'],
      ] as const) {
        const server = await start({ tls, certificate: presented });
        const failure = await failureOf(at(server, { ca: trusted, host }));
        expect(failure).toMatchObject({
          name: 'Unavailable',
          message: expect.stringMatching(/CERT|SELF_SIGNED|ALTNAME/),
        });
        expect(server.commands.filter((command) => command.startsWith('AUTHENTICATE'))).toEqual([]);
      }
    },
  );

  test('is necessary: a server that does not offer or refuses STARTTLS gets no credential', async () => {
    const without = await start();
    expect(await failureOf(at(without, { tls: 'starttls' }))).toMatchObject({ name: 'Unavailable' });
    const refusing = await start({ tls: 'starttls', certificate, answers: { STARTTLS: 'NO "Not today."\r\n' } });
    const failure = await failureOf(refusing.server);
    expect(failure).toBeInstanceOf(Unavailable);
    expect(failure).not.toBeInstanceOf(AuthenticationFailed);
    expect([...without.commands, ...refusing.commands]).toEqual(['STARTTLS']);
  });

  test('plaintext is for this machine only', async () => {
    const server = await start();
    expect(await failureOf(at(server, { host: 'mail.example.com' }))).toMatchObject({
      message: expect.stringContaining('plaintext'),
    });
    expect(server.connections()).toBe(0);
  });

  test.each([
    ['a whole response', 'OK "Begin."\r\nOK "I am your server."\r\n'],
    ['capabilities', 'OK\r\n"SASL" "PLAIN"\r\n'],
    ['half a line', 'OK\r\n"SASL'],
    ['one octet', 'OK\r\n\r'],
  ])('begins on a clean connection: %s said before it ends it', async (_, injected) => {
    const { server, commands } = await start({ tls: 'starttls', certificate, answers: { STARTTLS: injected } });
    expect(await failureOf(server)).toMatchObject({
      name: 'Unavailable',
      message: expect.stringMatching(/understood/),
    });
    expect(commands).toEqual(['STARTTLS']);
  });

  test('makes what was said before it worth nothing', async () => {
    // Whoever was in between promised tokens; the server itself takes passwords only.
    const { server, commands } = await start({
      tls: 'starttls',
      certificate,
      greeting: '"SASL" "XOAUTH2"\r\n"STARTTLS"\r\nOK\r\n',
      greetingAfterTls: '"SASL" "PLAIN"\r\nOK\r\n',
    });
    expect(await failureOf(server, token)).toBeInstanceOf(AuthenticationFailed);
    expect(commands).toEqual(['STARTTLS']);
    const { wire } = await connect(server, anna, sieveLimits);
    wire.close();
    expect(commands[2]).toMatch(/^AUTHENTICATE "PLAIN"/);
  });

  test('must bring new capabilities: without them there is no login', async () => {
    const { server, commands } = await start({ tls: 'starttls', certificate, greetingAfterTls: '' });
    const patient = { ...sieveLimits, connectTimeoutMs: 2_000 };
    expect(await failureOf(server, anna, patient)).toMatchObject({
      name: 'Unavailable',
      message: expect.stringMatching(/in time/),
    });
    expect(commands).toEqual(['STARTTLS']);
  });
});

describe('a server that does what no server should', () => {
  test.each<[string, Parameters<typeof scriptedSieveServer>[0]]>([
    ['says nothing', { greeting: null }],
    ['never ends its greeting', { greeting: '"SASL" "PLAIN"\r\n' }],
    ['greets in another protocol', { greeting: '* OK IMAP4rev1 ready\r\n' }],
    ['greets with a NO', { greeting: 'NO "Go away."\r\n' }],
    ['does not answer the login', { answers: { AUTHENTICATE: null } }],
    ['hangs up during the login', { answers: { AUTHENTICATE: ({ socket }) => (socket.destroy() ? null : null) } }],
    ['challenges without end', { answers: { AUTHENTICATE: endless('"x"\r\n'.repeat(1_000)) } }],
    ['sends a line without end', { answers: { AUTHENTICATE: endless('x'.repeat(1_000)) } }],
    ['announces a huge literal', { answers: { AUTHENTICATE: '{4000000000}\r\n' } }],
    ['answers twice', { answers: { AUTHENTICATE: 'OK\r\nOK\r\n', CAPABILITY: null } }],
    ['does not answer after the login', { answers: { CAPABILITY: null } }],
  ])('%s: the connection ends, and it is not the credential that is blamed', async (_, script) => {
    const { server } = await start(script);
    const failure = await failureOf(server, anna, { ...hasty, greetingOctetsMax: 10_000, responsesMax: 50 });
    expect(failure).toBeInstanceOf(Unavailable);
    expect(failure).not.toBeInstanceOf(AuthenticationFailed);
  });

  test('answers without end are cut off after so many octets', async () => {
    const { server } = await start({ answers: { NOOP: endless('"x"\r\n'.repeat(1_000)) } });
    const { wire } = await connect(server, anna, {
      ...sieveLimits,
      commandOctetsMax: 100_000,
      responsesMax: 1_000_000,
    });
    await expect(wire.run('NOOP')).rejects.toThrow(/without end/);
    expect(wire.isOpen).toBe(false);
  });

  test('a command without an answer ends by its deadline, and those behind it with it', async () => {
    const { server } = await start({ answers: { NOOP: null } });
    const { wire } = await connect(server, anna, { ...sieveLimits, commandTimeoutMs: 1_000 });
    const outcomes = await Promise.allSettled([wire.run('NOOP'), wire.run('NOOP')]);
    expect(outcomes.map((outcome) => outcome.status === 'rejected' && outcome.reason)).toEqual([
      expect.any(ConnectionLost),
      expect.any(ConnectionLost),
    ]);
  });
});

function endless(text: string) {
  const write = endlessly(text) as (command: { socket: unknown; tag: string; line: string }) => null;
  return ({ socket, line }: { socket: unknown; line: string }) => write({ socket, line, tag: '' });
}
