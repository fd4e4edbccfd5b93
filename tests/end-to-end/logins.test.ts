import { afterEach, describe, expect, test } from '@jest/globals';
import { type Script, type ScriptedServer, scriptedServer } from '../imap/scripted-server.ts';
import { cyrus, dovecot } from '../servers/servers.ts';
import { type Process, type Product, startProduct } from './harness.ts';
import { basic, coreAndMail, type Login } from './jmap-client.ts';

const running: (Product | ScriptedServer)[] = [];
afterEach(async () => {
  for (const each of running.splice(0).reverse()) await ('stop' in each ? each.stop() : each.close());
});

function start(...args: Parameters<typeof startProduct>): Product {
  const product = startProduct(...args);
  running.push(product);
  return product;
}

/** What a client of that login gets for a request of the Session, and for one of the API. */
async function answersFor({ url }: Process, login: Login): Promise<readonly Response[]> {
  const headers = { Authorization: basic(login), 'Content-Type': 'application/json' };
  const body = JSON.stringify({ using: coreAndMail, methodCalls: [['Core/echo', {}, '0']] });
  return [
    await fetch(`${url}/.well-known/jmap`, { headers }),
    await fetch(`${url}/jmap/api`, { method: 'POST', headers, body }),
  ];
}

const statusesFor = async (process: Process, login: Login) =>
  (await answersFor(process, login)).map(({ status }) => status);

async function expectChallenged(process: Process, login: Login): Promise<void> {
  for (const response of await answersFor(process, login)) {
    expect(response.status).toBe(401);
    expect(response.headers.get('WWW-Authenticate')).toBe(
      'Basic realm="Postern", charset="UTF-8", Bearer realm="Postern"',
    );
    expect(response.headers.get('Content-Type')).toBe('application/problem+json');
    expect(response.headers.get('Access-Control-Allow-Origin')).toBe('*');
    expect(await response.json()).toMatchObject({ status: 401 });
  }
}

describe.each([
  ['Dovecot', dovecot],
  ['Cyrus', cyrus],
] as const)('on %s', (_, startServer) => {
  test('a wrong password right after a right one is refused, in the same process and in another', async () => {
    const server = await startServer();
    const user = await server.freshUser();
    const wrong = { ...user, password: `${user.password}-` };
    const product = start(server);
    const [one, another] = [await product.startProcess(), await product.startProcess()];
    const { accountId, get } = await one.client(user);
    expect((await get('Mailbox', {})).list.length).toBeGreaterThan(0);
    await expectChallenged(one, wrong);
    await expectChallenged(another, wrong);
    // Nor is somebody let in who shows the right password of another user.
    const other = await server.freshUser();
    await expectChallenged(one, { user: other.user, password: user.password });
    expect((await one.client(user)).accountId).toBe(accountId);
    expect((await another.client(user)).accountId).toBe(accountId);
  });

  test('a user with a new password is out with the old one after ten minutes at the latest', async () => {
    const server = await startServer();
    const user = await server.freshUser();
    const product = start(server);
    const process = await product.startProcess();
    const { get } = await process.client(user);
    await get('Mailbox', {});
    const renewed = { user: user.user, password: 'another' };
    await server.addUser(renewed);
    await expectChallenged(await product.startProcess(), user);
    product.advanceClock(10 * 60_000 + 1);
    await expectChallenged(process, user);
    expect(await statusesFor(process, renewed)).toEqual([200, 200]);
  });

  test('a user who was removed is out after ten minutes at the latest, although he kept asking', async () => {
    const server = await startServer();
    const user = await server.freshUser();
    const product = start(server);
    const process = await product.startProcess();
    expect(await statusesFor(process, user)).toEqual([200, 200]);
    await server.removeUser(user.user);
    for (let minutes = 0; minutes < 10; minutes += 3) {
      await statusesFor(process, user);
      product.advanceClock(3 * 60_000);
    }
    await expectChallenged(process, user);
  });
});

test('no password at all, and one that cannot be, are refused without asking the mail server', async () => {
  const scripted = await scripting({});
  const process = await start(scripted).startProcess();
  for (const Authorization of [
    '',
    'Basic',
    'Basic !',
    basic({ user: 'anna', password: '' }),
    'Bearer abc',
    'Digest a',
  ]) {
    expect((await fetch(`${process.url}/jmap/session`, { headers: { Authorization } })).status).toBe(401);
  }
  expect(scripted.commands).toEqual([]);
});

describe('a mail server that', () => {
  test.each<[string, Script]>([
    ['refuses the password', { answers: { AUTHENTICATE: '% NO [AUTHENTICATIONFAILED] Authentication failed.\r\n' } }],
    ['refuses the password in words only', { answers: { AUTHENTICATE: '% NO Login incorrect\r\n' } }],
    ['says that the password has expired', { answers: { AUTHENTICATE: '% NO [EXPIRED] Choose another.\r\n' } }],
  ])('%s: 401', async (_, script) => {
    const process = await start(await scripting(script)).startProcess();
    await expectChallenged(process, { user: 'anna', password: 'secret' });
  });

  test.each<[string, Script, retryAfter: number]>([
    [
      'throttles',
      { answers: { AUTHENTICATE: '% BAD Request is throttled. Suggested Backoff Time: 92415 milliseconds\r\n' } },
      93,
    ],
    ['limits logins', { answers: { AUTHENTICATE: '% NO [LIMIT] Too many simultaneous connections.\r\n' } }, 60],
    [
      'limits logins in words only',
      { answers: { AUTHENTICATE: '% NO Too many login attempts, try again in 30 seconds\r\n' } },
      30,
    ],
    ['is unavailable', { answers: { AUTHENTICATE: '% NO [UNAVAILABLE] Temporary authentication failure.\r\n' } }, 15],
    [
      'hangs up in the middle of the login',
      { answers: { AUTHENTICATE: ({ socket }) => void socket.end() as undefined } },
      1,
    ],
    ['greets with BYE', { greeting: '* BYE Too many connections from your address\r\n' }, 60],
    ['asks for no login', { greeting: '* PREAUTH welcome\r\n' }, 1],
  ])('%s: 503 with the time to wait, and never 401', async (_, script, retryAfter) => {
    const process = await start(await scripting(script)).startProcess();
    for (const response of await answersFor(process, { user: 'anna', password: 'secret' })) {
      expect(response.status).toBe(503);
      expect(Number(response.headers.get('Retry-After'))).toBeGreaterThanOrEqual(retryAfter);
      expect(response.headers.get('Content-Type')).toBe('application/problem+json');
      expect(response.headers.get('Access-Control-Allow-Origin')).toBe('*');
      expect(response.headers.get('Access-Control-Expose-Headers')).toContain('Retry-After');
      expect(await response.json()).toMatchObject({ status: 503 });
    }
  });

  test('throttles is left alone for the time it named', async () => {
    const scripted = await scripting({
      answers: { AUTHENTICATE: '% NO [LIMIT] Too many logins, try again in 100 seconds.\r\n' },
    });
    const process = await start(scripted).startProcess();
    const login = { user: 'anna', password: 'secret' };
    expect(await statusesFor(process, login)).toEqual([503, 503]);
    expect(await statusesFor(process, login)).toEqual([503, 503]);
    expect(scripted.connections()).toBe(1);
  });

  test('is not there: 503 with the time to wait', async () => {
    const scripted = await scripting({});
    await scripted.close();
    const process = await start(scripted).startProcess();
    for (const response of await answersFor(process, { user: 'anna', password: 'secret' })) {
      expect(response.status).toBe(503);
      expect(Number(response.headers.get('Retry-After'))).toBeGreaterThan(0);
    }
  });

  test.each<[string, Script['answers'], string]>([
    ['throttles', { LIST: '% NO [LIMIT] Rate limit hit\r\n' }, 'serverUnavailable'],
    ['hangs up', { LIST: ({ socket }) => void socket.end() as undefined }, 'serverUnavailable'],
    ['does not understand', { LIST: '% BAD what?\r\n' }, 'serverUnavailable'],
  ])('%s after the login: the calls that need it fail, the others are answered', async (_, answers = {}, type) => {
    const process = await start(await scripting({ answers })).startProcess();
    const client = await process.client({ user: 'anna', password: 'secret' });
    const { accountId } = client;
    const responses = await client.call([
      ['Core/echo', { hello: true }, 'a'],
      ['Mailbox/get', { accountId }, 'b'],
      ['Core/echo', { hello: true }, 'c'],
    ]);
    expect(responses).toEqual([
      ['Core/echo', { hello: true }, 'a'],
      ['error', expect.objectContaining({ type }), 'b'],
      ['Core/echo', { hello: true }, 'c'],
    ]);
  });

  test('refuses the credential in the middle of a request: 401, and the password is not trusted any more', async () => {
    let isOut = false;
    const scripted = await scripting({
      answers: {
        AUTHENTICATE: () =>
          isOut ? '% NO [AUTHENTICATIONFAILED] no\r\n' : '% OK [CAPABILITY IMAP4rev1 UNSELECT] hi\r\n',
      },
    });
    const product = start(scripted, {}, { parkedConnectionSeconds: 0 });
    const process = await product.startProcess();
    const login = { user: 'anna', password: 'secret' };
    const client = await process.client(login);
    isOut = true;
    const { accountId } = client;
    await expect(client.call([['Mailbox/get', { accountId }, '0']])).rejects.toMatchObject({ status: 401 });
    await expectChallenged(process, login);
  });
});

/** The scripted server, under the names that real ones have here. */
async function scripting(script: Script) {
  const scripted = await scriptedServer(script);
  running.push(scripted);
  return { ...scripted, host: '127.0.0.1' as const, imapPort: scripted.server.imap.port };
}
