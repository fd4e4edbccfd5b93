import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { json } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Id, JsonObject } from '../../shared/jmap/scalars.ts';
import { dovecot, type TestUser } from '../servers/servers.ts';
import { type Process, type Product, startProduct } from './harness.ts';
import { imapActor } from './imap-actor.ts';
import { basic, coreAndMail, type JmapClient } from './jmap-client.ts';
import { letter } from './letter.ts';

const urn = 'urn:ietf:params:jmap:error:';

let product: Product;
let process: Process;
let user: TestUser;
let client: JmapClient;
beforeAll(async () => {
  const server = await dovecot();
  product = startProduct(server);
  process = await product.startProcess();
  user = await server.freshUser();
  client = await process.client(user);
});
afterAll(() => product.stop());

const echo = JSON.stringify({ using: coreAndMail, methodCalls: [['Core/echo', {}, '0']] });

function post(body: string | Uint8Array, headers: { readonly [name: string]: string } = {}): Promise<Response> {
  return fetch(`${process.url}/jmap/api`, {
    method: 'POST',
    headers: { Authorization: basic(user), 'Content-Type': 'application/json', ...headers },
    body: typeof body === 'string' ? body : Buffer.from(body),
  });
}

describe('a request', () => {
  test.each<[what: string, body: string | Uint8Array, problem: JsonObject, headers?: { [name: string]: string }]>([
    ['that is not JSON', '{"using": [', { type: `${urn}notJSON` }],
    ['that is empty', '', { type: `${urn}notJSON` }],
    ['that is not UTF-8', Buffer.from(`{"using": ["\xff"]}`, 'latin1'), { type: `${urn}notJSON` }],
    ['with a member twice', '{"using": [], "using": [], "methodCalls": []}', { type: `${urn}notJSON` }],
    ['with a lone surrogate', '{"using": ["\\ud800"], "methodCalls": []}', { type: `${urn}notJSON` }],
    ['that is nested too deep', '['.repeat(100_000), { type: `${urn}notJSON` }],
    ['of another content type', echo, { type: `${urn}notJSON` }, { 'Content-Type': 'text/plain' }],
    ['that is no object', '[]', { type: `${urn}notRequest` }],
    ['without using', '{"methodCalls": []}', { type: `${urn}notRequest` }],
    ['without method calls', '{"using": []}', { type: `${urn}notRequest` }],
    ['with a call that is none', '{"using": [], "methodCalls": [["Core/echo", {}]]}', { type: `${urn}notRequest` }],
    [
      'that uses an unknown capability',
      '{"using": ["https://example.com/nothing"], "methodCalls": []}',
      { type: `${urn}unknownCapability` },
    ],
    [
      'that is too large',
      JSON.stringify({ using: [], methodCalls: [], padding: 'x'.repeat(10_000_001) }),
      { type: `${urn}limit`, limit: 'maxSizeRequest' },
    ],
    [
      'with too many calls',
      JSON.stringify({ using: coreAndMail, methodCalls: Array(65).fill(['Core/echo', {}, '0']) }),
      { type: `${urn}limit`, limit: 'maxCallsInRequest' },
    ],
  ])('%s is answered as the RFC says, in JSON that any web page may read', async (...[, body, problem, headers]) => {
    const response = await post(body, headers);
    expect(response.headers.get('Content-Type')).toBe('application/problem+json');
    expect(response.headers.get('Access-Control-Allow-Origin')).toBe('*');
    expect(response.headers.get('Access-Control-Expose-Headers')).toContain('Retry-After');
    expect(await response.json()).toMatchObject({ ...problem, status: response.status });
    expect([400, 413]).toContain(response.status);
  });

  test('beyond the number that is allowed at once is refused with 429, and the others are answered', async () => {
    const allowed = client.session.capabilities['urn:ietf:params:jmap:core'].maxConcurrentRequests;
    const slow = Array.from({ length: allowed + 3 }, () => slowPost());
    const refused: IncomingMessage[] = [];
    while (refused.length < 3) refused.push(await Promise.race(waitingFor(slow, refused)));
    for (const response of refused) {
      expect(response.statusCode).toBe(429);
      expect(response.headers['retry-after']).toMatch(/^\d+$/);
      expect(response.headers['access-control-allow-origin']).toBe('*');
      expect(await json(response)).toMatchObject({ type: `${urn}limit`, limit: 'maxConcurrentRequests' });
    }
    for (const { finish } of slow) finish();
    const served = await Promise.all(slow.map(({ answer }) => answer));
    expect(served.filter(({ statusCode }) => statusCode === 200).length).toBe(allowed);
  });

  test.each([
    ['GET', '/nothing', 404],
    ['GET', '/jmap/api', 405],
    ['DELETE', '/jmap/session', 405],
    ['GET', '/jmap/download/a/b/c', 404],
  ])('%s %s is answered with a problem that any web page may read', async (method, path, status) => {
    const response = await fetch(`${process.url}${path}`, { method, headers: { Authorization: basic(user) } });
    expect(response.status).toBe(status);
    expect(response.headers.get('Content-Type')).toBe('application/problem+json');
    expect(response.headers.get('Access-Control-Allow-Origin')).toBe('*');
  });

  test('of a browser that asks first is told what it may send, without a password', async () => {
    const response = await fetch(`${process.url}/jmap/api`, {
      method: 'OPTIONS',
      headers: { Origin: 'https://mail.example', 'Access-Control-Request-Method': 'POST' },
    });
    expect(response.status).toBe(204);
    expect(response.headers.get('Access-Control-Allow-Origin')).toBe('*');
    expect(response.headers.get('Access-Control-Allow-Headers')).toContain('Authorization');
    expect(response.headers.get('Access-Control-Allow-Credentials')).toBeNull();
  });
});

type SlowRequest = { readonly answer: Promise<IncomingMessage>; readonly finish: () => void };

/** A request of which the end is not sent yet. */
function slowPost(): SlowRequest {
  const sending = request(`${process.url}/jmap/api`, {
    method: 'POST',
    headers: { Authorization: basic(user), 'Content-Type': 'application/json' },
  });
  sending.write(echo.slice(0, 10));
  const answer = once(sending, 'response').then(([response]) => response as IncomingMessage);
  return { answer, finish: () => sending.end(echo.slice(10)) };
}

/** The answers that have not come yet. */
function waitingFor(slow: readonly SlowRequest[], come: readonly IncomingMessage[]): Promise<IncomingMessage>[] {
  return slow.map(({ answer }) =>
    answer.then((response) => (come.includes(response) ? new Promise<never>(() => {}) : response)),
  );
}

describe('a method call', () => {
  test.each<[what: string, name: string, args: JsonObject, type: string]>([
    ['of an unknown method', 'Email/fetch', {}, 'unknownMethod'],
    ['that changes Emails of another state', 'Email/set', { ifInState: 'yesterday' }, 'stateMismatch'],
    ['without an account', 'Mailbox/get', { accountId: null }, 'invalidArguments'],
    ['in an account that is not there', 'Mailbox/get', { accountId: 'a0' }, 'accountNotFound'],
    ['with an unknown argument', 'Mailbox/get', { idz: [] }, 'invalidArguments'],
    ['with an unknown property', 'Email/get', { ids: [], properties: ['colour'] }, 'invalidArguments'],
    ['for too many objects', 'Email/get', { ids: Array.from({ length: 4097 }, (_, n) => `M${n}`) }, 'requestTooLarge'],
    ['from a state that never was', 'Email/changes', { sinceState: 'yesterday' }, 'cannotCalculateChanges'],
    ['with an unknown filter', 'Email/query', { filter: { colour: 'red' } }, 'unsupportedFilter'],
    ['with an unknown sort', 'Email/query', { sort: [{ property: 'colour' }] }, 'unsupportedSort'],
    ['with an anchor that is not there', 'Email/query', { anchor: 'M0' }, 'anchorNotFound'],
    [
      'with a broken reference',
      'Email/get',
      { '#ids': { resultOf: 'x', name: 'Email/query', path: '/ids' } },
      'invalidResultReference',
    ],
  ])('%s is answered with the error of the RFC, and the next one is run', async (_, name, args, type) => {
    const { accountId } = client;
    const responses = await client.call([
      [name, { accountId, ...args }, 'a'],
      ['Core/echo', { still: 'here' }, 'b'],
    ]);
    expect(responses).toEqual([
      ['error', expect.objectContaining({ type }), 'a'],
      ['Core/echo', { still: 'here' }, 'b'],
    ]);
  });
});

describe('a copy between accounts', () => {
  const copying: [name: string, args: JsonObject][] = [
    ['Email/copy', { create: { k: { id: 'M0', mailboxIds: { M0: true } } }, onSuccessDestroyOriginal: true }],
    ['Blob/copy', { blobIds: ['M0'] }],
  ];
  test.each(copying)('%s: of a user who has one account, names another that is not his', async (name, args) => {
    const server = await dovecot();
    const other = (await process.client(await server.freshUser())).accountId;
    const { accountId } = client;
    const accounts: [from: unknown, to: unknown, type: string][] = [
      [accountId, accountId, 'invalidArguments'],
      [null, accountId, 'invalidArguments'],
      [accountId, null, 'invalidArguments'],
      ['a0', accountId, 'fromAccountNotFound'],
      [other, accountId, 'fromAccountNotFound'],
      [accountId, 'a0', 'accountNotFound'],
      [accountId, other, 'accountNotFound'],
      [other, other, 'accountNotFound'],
    ];
    const responses = await client.call(
      accounts.map(([from, to], index) => [
        name,
        { ...args, fromAccountId: from, accountId: to } as JsonObject,
        `${index}`,
      ]),
      [...coreAndMail, 'urn:ietf:params:jmap:blob'],
    );
    expect(responses).toEqual(
      accounts.map(([, , type], index) => ['error', expect.objectContaining({ type }), `${index}`]),
    );
  });
});

test('what belongs to another user is not there', async () => {
  const server = await dovecot();
  const other = await server.freshUser();
  const actor = await imapActor(server, other);
  await actor.deliver('INBOX', letter({ token: 'a' }));
  await actor.close();
  const owner = await process.client(other);
  const { ids } = await owner.query('Email', {});
  const [id = '' as Id] = ids;
  const { accountId } = owner;
  for (const name of ['Mailbox/get', 'Email/get', 'Email/query', 'Thread/get']) {
    const [response] = await client.call([[name, { accountId, ...(name.endsWith('get') ? { ids: [id] } : {}) }, '0']]);
    expect(response).toEqual(['error', { type: 'accountNotFound' }, '0']);
  }
  expect((await client.get('Email', { ids: [id] })).notFound).toEqual([id]);
  await expect(client.download(id)).rejects.toMatchObject({ status: 404 });
  const stolen = client.session.downloadUrl.replace('{accountId}', accountId).replace('{blobId}', id);
  expect((await fetch(stolen, { headers: { Authorization: basic(user) } })).status).toBe(404);
  expect(await (await owner.download(id)).text()).toBe(letter({ token: 'a' }));
});
