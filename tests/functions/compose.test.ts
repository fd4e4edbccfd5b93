import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { compose, type Postern } from '../../functions/compose.ts';
import { accountIdOf } from '../../functions/http/authenticate.ts';
import { appendMessages } from '../../functions/local/append-messages.ts';
import { createMemoryStore } from '../../shared/catalog/storage/memory-store.ts';
import type { CatalogStore } from '../../shared/catalog/store.ts';
import { type Config, readConfig } from '../../shared/config.ts';
import { Unavailable } from '../../shared/jmap/errors.ts';
import { singleProvider } from '../../shared/providers.ts';
import { createMemoryRecordStore } from '../../shared/records/memory-store.ts';
import { dovecot, type TestDovecot, type TestUser } from '../servers/servers.ts';
import { memoryBlobStore } from './memory-blob-store.ts';
import { basic } from './toy-server.ts';

const using = ['urn:ietf:params:jmap:core', 'urn:ietf:params:jmap:mail'];
const picture = Buffer.from(Array.from({ length: 200_000 }, (_, index) => (index * 7) % 256));
const message = [
  'From: Alice <alice@example.com>',
  'Subject: Dear John',
  'Message-ID: <1@example.com>',
  'MIME-Version: 1.0',
  'Content-Type: multipart/mixed; boundary=b',
  '',
  '--b',
  'Content-Type: text/plain; charset=utf-8',
  'Content-Transfer-Encoding: quoted-printable',
  '',
  'caf=C3=A9',
  '--b',
  'Content-Type: image/png',
  'Content-Disposition: attachment; filename=photo.png',
  'Content-Transfer-Encoding: base64',
  '',
  ...(picture.toString('base64').match(/.{1,76}/g) ?? []),
  '--b--',
  '',
].join('\r\n');

type Answer = { status: number; headers: Headers; json: () => unknown; text: string; octets: Buffer };
type Part = { blobId: string; type: string };

let server: TestDovecot;
let user: TestUser;
const store = createMemoryStore({ now: Date.now });
const blobs = memoryBlobStore();
const records = createMemoryRecordStore({ now: Date.now });
const processes: Postern[] = [];
const logged: string[] = [];

beforeAll(async () => {
  server = await dovecot();
  user = await server.freshUser();
  const { host, imapPort } = server;
  const raw = Buffer.from(message);
  await appendMessages({ host, imapPort, ...user }, [{ mailbox: ['INBOX'], flags: [], receivedAt: new Date(0), raw }]);
});
afterAll(() => Promise.all(processes.map((postern) => postern.close())));

type Different = { imapPort?: number; config?: Partial<Config>; ownStore?: CatalogStore };

/** A process of its own on the same store. */
function startProcess({ imapPort = server.imapPort, config = {}, ownStore = store }: Different = {}) {
  const imap = { host: server.host, port: imapPort, tls: 'plaintext', ca: null } as const;
  const providers = [singleProvider('test', { imap, smtp: null, sieve: null })];
  const postern = compose(
    { ...readConfig([], {}), ...config },
    { providers, store: ownStore, records, blobs, writeLog: (line) => logged.push(line) },
  );
  processes.push(postern);
  return async (path: string, init: RequestInit = {}): Promise<Answer> => {
    const request = new Request(`http://mail.test${path}`, init);
    const response = await postern.app(request, { clientAddress: '127.0.0.1', requestId: 'r' });
    const octets = Buffer.from(await response.arrayBuffer());
    const text = octets.toString();
    return { status: response.status, headers: response.headers, json: () => JSON.parse(text), text, octets };
  };
}

async function accountOf(ask: ReturnType<typeof startProcess>): Promise<string> {
  const session = (await ask('/jmap/session', { headers: basic(user.user, user.password) })).json();
  return Object.keys((session as { accounts: object }).accounts)[0] ?? '';
}

async function call(ask: ReturnType<typeof startProcess>, ...methodCalls: unknown[]) {
  const headers = { ...basic(user.user, user.password), 'Content-Type': 'application/json' };
  const answer = await ask('/jmap/api', { method: 'POST', headers, body: JSON.stringify({ using, methodCalls }) });
  expect(answer.status).toBe(200);
  return (answer.json() as { methodResponses: [string, { list: never[] }, string][] }).methodResponses;
}

describe('the server put together, on a real mail server,', () => {
  test('reads the inbox in one request', async () => {
    const ask = startProcess();
    const accountId = await accountOf(ask);
    const responses = await call(
      ask,
      ['Email/query', { accountId }, 'a'],
      [
        'Email/get',
        { accountId, '#ids': { resultOf: 'a', name: 'Email/query', path: '/ids' }, properties: ['subject'] },
        'b',
      ],
    );
    expect(responses).toMatchObject([
      ['Email/query', { ids: [expect.any(String)] }, 'a'],
      ['Email/get', { list: [{ subject: 'Dear John' }] }, 'b'],
    ]);
  });

  describe('downloads', () => {
    async function blobs() {
      const ask = startProcess();
      const accountId = await accountOf(ask);
      const [, [, { list }] = ['', { list: [] }, '']] = await call(
        ask,
        ['Email/query', { accountId }, 'a'],
        [
          'Email/get',
          {
            accountId,
            '#ids': { resultOf: 'a', name: 'Email/query', path: '/ids' },
            properties: ['blobId', 'textBody', 'attachments'],
            bodyProperties: ['blobId', 'type'],
          },
          'b',
        ],
      );
      const [email] = list as { blobId: string; textBody: Part[]; attachments: Part[] }[];
      const download = (blobId = '') =>
        ask(`/jmap/download/${accountId}/${blobId}/x?type=image/png`, { headers: basic(user.user, user.password) });
      return { email, download, ask, accountId };
    }

    test('a whole message as it was delivered, with its size', async () => {
      const { email, download } = await blobs();
      const { octets, headers } = await download(email?.blobId);
      expect(octets.toString()).toBe(message);
      expect(headers.get('Content-Length')).toBe(String(message.length));
    });

    test('a part decoded, in the type that was asked for', async () => {
      const { email, download } = await blobs();
      const { octets, headers } = await download(email?.attachments[0]?.blobId);
      expect(octets.equals(picture)).toBe(true);
      expect(headers.get('Content-Type')).toBe('image/png');
      expect((await download(email?.textBody[0]?.blobId)).text).toBe('café');
    });

    test('many one after the other, for each gives its connection back', async () => {
      const { email, download } = await blobs();
      for (let n = 0; n < 8; n++) expect((await download(email?.attachments[0]?.blobId)).status).toBe(200);
    });

    test('nothing that is not there', async () => {
      const { email, download } = await blobs();
      for (const blobId of ['none', `${email?.blobId}-9`, `${email?.blobId}-1_1`]) {
        expect((await download(blobId)).status).toBe(404);
      }
    });
  });

  test('refuses a wrong password right after a right one, in the same process and in another', async () => {
    const ask = startProcess();
    await accountOf(ask);
    const wrong = { headers: basic(user.user, 'wrong') };
    expect((await ask('/jmap/session', wrong)).status).toBe(401);
    expect((await startProcess()('/jmap/session', wrong)).status).toBe(401);
    expect((await ask('/jmap/session', { headers: basic(user.user, user.password) })).status).toBe(200);
  });

  test('says that an unreachable mail server is unavailable', async () => {
    const ask = startProcess({ imapPort: 1 });
    const answer = await ask('/jmap/session', { headers: basic(user.user, user.password) });
    expect([answer.status, answer.headers.get('Retry-After')]).toEqual([503, expect.stringMatching(/^\d+$/)]);
  });

  test.each([
    ['{', 400, 'notJSON'],
    ['{"using":[],"using":[],"methodCalls":[]}', 400, 'notJSON'],
    ['{"using":[]}', 400, 'notRequest'],
    ['{"using":["urn:x"],"methodCalls":[]}', 400, 'unknownCapability'],
    [`{"using":[],"methodCalls":[]${' '.repeat(10_000_001)}}`, 413, 'limit'],
  ])('answers a bad request (%#) with the problem that the RFC names', async (body, status, type) => {
    const headers = { ...basic(user.user, user.password), 'Content-Type': 'application/json' };
    const answer = await startProcess()('/jmap/api', { method: 'POST', headers, body });
    expect(answer.status).toBe(status);
    expect(answer.json()).toMatchObject({ type: `urn:ietf:params:jmap:error:${type}`, status });
    expect(answer.headers.get('Access-Control-Allow-Origin')).toBe('*');
  });

  test('answers an unknown method, and calls without their capability, each by itself', async () => {
    const ask = startProcess();
    const headers = { ...basic(user.user, user.password), 'Content-Type': 'application/json' };
    const body = JSON.stringify({
      using: [using[0]],
      methodCalls: [
        ['Foo/get', {}, 'a'],
        ['Email/get', {}, 'b'],
        ['Core/echo', { x: 1 }, 'c'],
      ],
    });
    const answer = (await ask('/jmap/api', { method: 'POST', headers, body })).json();
    expect(answer).toMatchObject({
      methodResponses: [
        ['error', { type: 'unknownMethod' }, 'a'],
        ['error', { type: 'unknownMethod' }, 'b'],
        ['Core/echo', { x: 1 }, 'c'],
      ],
    });
  });

  test('leaves out what would make a response too large, and answers the rest', async () => {
    const ask = startProcess({ config: { maxSizeResponse: 400 } });
    const accountId = await accountOf(ask);
    expect(await call(ask, ['Mailbox/get', { accountId }, 'a'], ['Core/echo', { x: 1 }, 'b'])).toEqual([
      ['error', { type: 'requestTooLarge' }, 'a'],
      ['Core/echo', { x: 1 }, 'b'],
    ]);
  });

  test.each([
    [
      'the world',
      new Unavailable('about Dear John'),
      { type: 'serverUnavailable' },
      '"event":"unavailable","reason":"Unavailable"',
    ],
    [
      'ours',
      new TypeError('about Dear John'),
      { type: 'serverFail', description: 'report r-1' },
      '"event":"defect","report":"r-1","error":"TypeError"',
    ],
  ])('ends a failure of %s with its call, and tells the operator why', async (_, failure, error, entry) => {
    const readHead = () => Promise.reject(failure);
    const ask = startProcess({ ownStore: { ...store, readHead } });
    const accountId = await accountOf(ask);
    expect(await call(ask, ['Mailbox/get', { accountId }, 'a'], ['Core/echo', { x: 1 }, 'b'])).toEqual([
      ['error', error, 'a'],
      ['Core/echo', { x: 1 }, 'b'],
    ]);
    expect(logged.join('\n')).toContain(entry);
  });

  test('logs in with one connection, keeps it for the next request, and lets go of it when it rests', async () => {
    const alone = await server.freshUser();
    let connects = 0;
    const imap = { host: server.host, port: server.imapPort, tls: 'plaintext', ca: null } as const;
    const provider = singleProvider('test', { imap, smtp: null, sieve: null });
    const providers = [provider];
    const accountId = accountIdOf({ provider, user: alone.user });
    const observer = { onConnect: () => ++connects };
    const world = { providers, store, records, blobs, writeLog: () => {}, observer };
    const { app, rest, close } = compose(readConfig([], {}), world);
    const request = () =>
      app(
        new Request('http://mail.test/jmap/api', {
          method: 'POST',
          headers: { ...basic(alone.user, alone.password), 'Content-Type': 'application/json' },
          body: JSON.stringify({ using, methodCalls: [['Mailbox/get', { accountId }, 'a']] }),
        }),
        { clientAddress: '127.0.0.1', requestId: 'r' },
      );
    const connected = async () => (await server.doveadm('who', '-1', alone.user)).trim().split('\n').slice(1).length;

    expect([(await request()).status, (await request()).status]).toEqual([200, 200]);
    expect([connects, await connected()]).toEqual([1, 1]);
    await rest();
    expect(await connected()).toBe(0);
    expect((await request()).status).toBe(200);
    await close();
    expect(await connected()).toBe(0);
  });

  test('has logged no content, subject, login or password by then', () => {
    expect(logged.length).toBeGreaterThan(20);
    const all = logged.join('\n');
    for (const secret of ['Dear John', 'café', user.user, user.password, 'photo']) expect(all).not.toContain(secret);
  });
});
