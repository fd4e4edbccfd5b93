import { describe, expect, test } from '@jest/globals';
import { AuthenticationFailed, Unavailable } from '../../shared/jmap/errors.ts';
import { alice, basic, toyServer } from './toy-server.ts';

const path = '/jmap/session';
const bearer = (login: string, token: string) => ({
  Authorization: `Bearer ${Buffer.from(login).toString('base64url')}~${token}`,
});

describe('who does not prove who he is', () => {
  test('gets 401 with both challenges, Basic first', async () => {
    const response = await toyServer().ask(path);
    expect(response.status).toBe(401);
    expect(response.headers.get('WWW-Authenticate')).toBe(
      'Basic realm="Postern", charset="UTF-8", Bearer realm="Postern"',
    );
    expect(response.headers.get('Content-Type')).toBe('application/problem+json');
    expect(response.headers.get('Cache-Control')).toBe('no-store');
  });

  const encoded = (text: string) => `Basic ${Buffer.from(text).toString('base64')}`;
  test.each<[string, string]>([
    ['a wrong password', encoded('alice@example.com:wrong')],
    ['an unknown user', encoded('nobody@example.com:secret')],
    ['a domain without provider', encoded('alice@example.org:secret')],
    ['no password', encoded('alice@example.com:')],
    ['no colon', encoded('alice@example.com')],
    ['no login', encoded(':secret')],
    ['a line break in the login', encoded('alice@example.com\r\nA1 LOGOUT:secret')],
    ['a NUL in the password', encoded('alice@example.com:sec\0ret')],
    ['octets that are no UTF-8', `Basic ${Buffer.from('alice@example.com:\xff', 'latin1').toString('base64')}`],
    ['no base64', 'Basic !!!'],
    ['another scheme', `Digest ${encoded('alice@example.com:secret')}`],
    ['an empty scheme', 'Basic '],
    ['a token of no user', 'Bearer token-2'],
    ['a token where only passwords are taken', bearer('alice@example.com', 'secret').Authorization],
    ['a header without end', `Basic ${'A'.repeat(9_000)}`],
  ])('is told the same with %s', async (_, header) => {
    const { ask } = toyServer();
    const response = await ask(path, { headers: { Authorization: header } });
    const none = await ask(path);
    expect([response.status, await response.text()]).toEqual([401, await none.text()]);
  });

  test('does not reach a mail server without a usable header', async () => {
    const { ask, logins } = toyServer();
    await ask(path);
    await ask(path, { headers: { Authorization: 'Bearer token-2' } });
    await ask(path, { headers: basic('alice@example.org', 'secret') });
    expect(logins).toEqual([]);
  });
});

describe('a credential', () => {
  test.each([
    [
      'Basic',
      basic('alice@example.com', 'secret'),
      { kind: 'password', user: 'alice@example.com', password: 'secret' },
    ],
    ['basic', { Authorization: alice.Authorization.replace('Basic', 'basic') }, { kind: 'password' }],
    [
      'Basic where only tokens are taken',
      basic('carol@tokens.example', 'token-1'),
      { kind: 'token', accessToken: 'token-1' },
    ],
    ['Basic where both are taken', basic('dave@modern.example', 'token-2'), { kind: 'password', password: 'token-2' }],
    [
      'Bearer',
      bearer('dave@modern.example', 'token-2'),
      { kind: 'token', user: 'dave@modern.example', accessToken: 'token-2' },
    ],
  ])('in %s is shown to the mail server', async (_, headers, credential) => {
    const { ask, logins } = toyServer();
    expect((await ask(path, { headers })).status).toBe(200);
    expect(logins).toEqual([expect.objectContaining(credential)]);
  });

  test('may hold colons, spaces and letters of any language', async () => {
    const { ask, passwords } = toyServer();
    passwords.set('alice@example.com', 'pass: wörd ~ 密码');
    expect((await ask(path, { headers: basic('alice@example.com', 'pass: wörd ~ 密码') })).status).toBe(200);
  });

  test('is told to the mail server in one form, and to the user in his own', async () => {
    const { ask, logins } = toyServer();
    const response = await ask(path, { headers: basic('alice@EXAMPLE.com', 'secret') });
    expect(await response.json()).toMatchObject({ username: 'alice@EXAMPLE.com' });
    expect(logins).toMatchObject([{ user: 'alice@example.com' }]);
  });
});

describe('a login', () => {
  test('is not repeated within its minutes, and is afterwards', async () => {
    const { ask, logins, world } = toyServer();
    await ask(path, { headers: alice });
    world.ms = 599_999;
    await ask(path, { headers: alice });
    expect(logins).toHaveLength(1);
    world.ms = 600_000;
    await ask(path, { headers: alice });
    expect(logins).toHaveLength(2);
  });

  test('is made once for requests that come together', async () => {
    const { ask, logins } = toyServer();
    const responses = await Promise.all([1, 2, 3, 4, 5].map(() => ask(path, { headers: alice })));
    expect(responses.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200]);
    expect(logins).toHaveLength(1);
  });

  test('counts in the process that made it, and in no other', async () => {
    const { ask, start, logins, passwords } = toyServer();
    await ask(path, { headers: alice });
    const other = start();
    passwords.set('alice@example.com', 'changed');
    expect((await other(path, { headers: alice })).status).toBe(401);
    expect(logins).toHaveLength(2);
  });

  test('with a wrong password right after a right one is refused, in the same process and in another', async () => {
    const { ask, start } = toyServer();
    expect((await ask(path, { headers: alice })).status).toBe(200);
    const wrong = { headers: basic('alice@example.com', 'wrong') };
    expect((await ask(path, wrong)).status).toBe(401);
    expect((await start()(path, wrong)).status).toBe(401);
  });

  test('that was refused ends the trust in the user’s other logins', async () => {
    const { ask, logins } = toyServer();
    await ask(path, { headers: alice });
    await ask(path, { headers: basic('alice@example.com', 'wrong') });
    expect((await ask(path, { headers: alice })).status).toBe(200);
    expect(logins).toHaveLength(3);
  });

  test('of a user whose password was changed ends with its minutes at the latest', async () => {
    const { ask, passwords, world } = toyServer();
    await ask(path, { headers: alice });
    passwords.set('alice@example.com', 'changed');
    world.ms = 600_000;
    expect((await ask(path, { headers: alice })).status).toBe(401);
  });

  test('of a user whom the mail server refuses in the midst of a request ends with it', async () => {
    const runApiRequest = async () => {
      throw new AuthenticationFailed('revoked');
    };
    const { ask, logins } = toyServer({ parts: { runApiRequest } });
    const headers = { ...alice, 'Content-Type': 'application/json' };
    expect((await ask('/jmap/api', { method: 'POST', headers, body: '{}' })).status).toBe(401);
    expect((await ask(path, { headers: alice })).status).toBe(401);
    expect(logins).toHaveLength(1);
  });

  test('with a second password does not end the first', async () => {
    const { ask, logins, passwords } = toyServer();
    await ask(path, { headers: alice });
    passwords.set('alice@example.com', 'for the phone');
    expect((await ask(path, { headers: basic('alice@example.com', 'for the phone') })).status).toBe(200);
    expect((await ask(path, { headers: alice })).status).toBe(200);
    expect(logins).toHaveLength(2);
  });
});

describe('a refused password', () => {
  test('is refused again for some seconds without asking, then asked again', async () => {
    const { ask, logins, passwords, world } = toyServer();
    const wrong = { headers: basic('alice@example.com', 'next') };
    expect((await ask(path, wrong)).status).toBe(401);
    passwords.set('alice@example.com', 'next');
    world.ms = 29_999;
    expect((await ask(path, wrong)).status).toBe(401);
    expect(logins).toHaveLength(1);
    world.ms = 30_000;
    expect((await ask(path, wrong)).status).toBe(200);
  });

  const guess =
    (ask: ReturnType<typeof toyServer>['ask'], login: string, address?: string) => async (attempt: number) =>
      (await ask(path, { headers: basic(login, `guess ${attempt}`) }, address)).status;

  test.each([
    ['of one user, from wherever', (n: number) => ['alice@example.com', `192.0.2.${n}`], 3],
    ['from one address, of whomever', (n: number) => [`user${n}@example.com`, '192.0.2.1'], 6],
    ['from one IPv6 network', (n: number) => [`user${n}@example.com`, `2001:db8:1:2::${n}`], 6],
    [
      'from one address in two notations',
      (n: number) => [`user${n}@example.com`, n % 2 ? '::ffff:192.0.2.1' : '192.0.2.1'],
      6,
    ],
    ['at one provider, of whomever, from wherever', (n: number) => [`user${n}@example.com`, `2001:db8:${n}::1`], 8],
  ] as const)('%s, is not tried for ever', async (_, who, allowed) => {
    const { ask, logins } = toyServer();
    const statuses: number[] = [];
    for (let n = 1; n <= allowed + 2; n++) {
      const [login = '', address] = who(n);
      statuses.push(await guess(ask, login, address)(n));
    }
    expect(statuses).toEqual([...Array<number>(allowed).fill(401), 429, 429]);
    expect(logins).toHaveLength(allowed);
  });

  test('tried too often gets the time to wait, and is tried again after it', async () => {
    const { ask, world } = toyServer();
    for (let n = 1; n <= 3; n++) await guess(ask, 'alice@example.com')(n);
    world.ms = 100_000;
    const response = await ask(path, { headers: alice });
    expect([response.status, response.headers.get('Retry-After')]).toEqual([429, '200']);
    expect(response.headers.get('Content-Type')).toBe('application/problem+json');
    world.ms = 300_000;
    expect((await ask(path, { headers: alice })).status).toBe(200);
  });

  test('is tried no more often when all guesses come at once', async () => {
    const { ask, logins } = toyServer();
    const statuses = await Promise.all([1, 2, 3, 4, 5, 6].map(guess(ask, 'alice@example.com')));
    expect(statuses.filter((status) => status === 401)).toHaveLength(3);
    expect(statuses.filter((status) => status === 429)).toHaveLength(3);
    expect(logins).toHaveLength(3);
  });

  test('that a client keeps sending does not lock its user out', async () => {
    const { ask } = toyServer();
    const wrong = { headers: basic('alice@example.com', 'wrong') };
    for (let n = 1; n <= 20; n++) expect((await ask(path, wrong)).status).toBe(401);
    expect((await ask(path, { headers: alice })).status).toBe(200);
  });

  test('of strangers does not lock a user out who has logged in before', async () => {
    const { ask, world, passwords, logins } = toyServer();
    await ask(path, { headers: alice }, '192.0.2.100');
    world.ms = 20 * 3_600_000;
    for (let n = 1; n <= 5; n++) await guess(ask, 'alice@example.com', `192.0.2.${n}`)(n);
    expect((await ask(path, { headers: alice }, '192.0.2.100')).status).toBe(200);
    expect(await guess(ask, 'alice@example.com', '192.0.2.9')(9)).toBe(429);

    // It is no way around: what was right once is tried once when it is wrong.
    passwords.set('alice@example.com', 'changed');
    world.ms += 600_000;
    for (let n = 1; n <= 5; n++) await guess(ask, 'alice@example.com', `192.0.2.${n}`)(n);
    const before = logins.length;
    expect((await ask(path, { headers: alice }, '192.0.2.100')).status).toBe(401);
    world.ms += 30_000;
    expect((await ask(path, { headers: alice }, '192.0.2.100')).status).toBe(429);
    expect(logins).toHaveLength(before + 1);
  });

  test('from one address holds up a user who has logged in before, too, if it is his', async () => {
    const { ask, world } = toyServer();
    await ask(path, { headers: alice }, '192.0.2.1');
    world.ms = 600_000;
    for (let n = 1; n <= 6; n++) await guess(ask, `user${n}@example.com`, '192.0.2.1')(n);
    expect((await ask(path, { headers: alice }, '192.0.2.1')).status).toBe(429);
    expect((await ask(path, { headers: alice }, '192.0.2.2')).status).toBe(200);
  });

  test('does not count against users who log in properly', async () => {
    const { ask, passwords } = toyServer();
    for (let n = 1; n <= 20; n++) {
      passwords.set(`user${n}@example.com`, 'right');
      expect((await ask(path, { headers: basic(`user${n}@example.com`, 'right') })).status).toBe(200);
    }
  });
});

describe('a mail server that does not answer', () => {
  test.each([
    [new Unavailable('connection refused'), '10'],
    [new Unavailable('Suggested Backoff Time', { retryAfterSeconds: 90 }), '90'],
  ])('is 503 with the time to wait, never 401', async (failure, seconds) => {
    const { ask, world } = toyServer();
    world.failure = failure;
    const response = await ask(path, { headers: alice });
    expect([response.status, response.headers.get('Retry-After')]).toEqual([503, seconds]);
    world.failure = null;
    expect((await ask(path, { headers: alice })).status).toBe(200);
  });

  test('does not count against its users', async () => {
    const { ask, world } = toyServer();
    world.failure = new Unavailable('down');
    for (let n = 1; n <= 20; n++) expect((await ask(path, { headers: alice })).status).toBe(503);
  });

  test('leaves a trusted login as it is', async () => {
    const { ask, world } = toyServer();
    await ask(path, { headers: alice });
    world.failure = new Unavailable('down');
    expect((await ask(path, { headers: alice })).status).toBe(200);
  });
});
