import { describe, expect, test } from '@jest/globals';
import { concurrencyLimit } from '../../shared/jmap/concurrency.ts';
import { AuthenticationFailed, Unavailable } from '../../shared/jmap/errors.ts';
import type { Invocation } from '../../shared/jmap/request.ts';
import { coreUri } from '../../shared/jmap/session.ts';
import { bakery, bakeryUri } from './bakery.ts';

describe('dispatch', () => {
  test('answers every call once, in order, under its own id', async () => {
    const { send, server } = bakery();
    const response = await send([
      ['Core/echo', { n: 1 }, 'same'],
      ['Nothing/get', {}, 'b'],
      ['Core/echo', { n: 2 }, 'same'],
    ]);
    expect(response).toEqual({
      methodResponses: [
        ['Core/echo', { n: 1 }, 'same'],
        ['error', { type: 'unknownMethod' }, 'b'],
        ['Core/echo', { n: 2 }, 'same'],
      ],
      sessionState: server.session.state,
    });
  });

  const refused: [string, string, unknown, string][] = [
    ['a method that is not there', 'Cookie/eat', { accountId: 'A' }, 'unknownMethod'],
    ['a method called like a member of Object', 'constructor', {}, 'unknownMethod'],
    ['no account id', 'Cookie/get', {}, 'invalidArguments'],
    ['an account id that is no Id', 'Cookie/get', { accountId: 'a b' }, 'invalidArguments'],
    ['an account id that is null', 'Cookie/get', { accountId: null }, 'invalidArguments'],
    ['an unknown account', 'Cookie/get', { accountId: 'C' }, 'accountNotFound'],
    ['an account called like a member of Object', 'Cookie/get', { accountId: 'constructor' }, 'accountNotFound'],
    ['an account without the capability', 'Cake/get', { accountId: 'cakeless' }, 'accountNotSupportedByMethod'],
    ['a write to a read-only account', 'Cookie/set', { accountId: 'readOnly' }, 'accountReadOnly'],
    ['an unknown argument', 'Cookie/get', { accountId: 'A', color: 1 }, 'invalidArguments'],
  ];
  test.each(refused)('refuses %s', async (_what, name, args, type) => {
    const { methodResponses } = await bakery().send([[name, args, '0']]);
    expect(methodResponses).toEqual([['error', expect.objectContaining({ type }), '0']]);
  });

  test('reads an account that it may not write', async () => {
    const { methodResponses } = await bakery().send([['Cookie/get', { accountId: 'readOnly', ids: [] }, '0']]);
    expect(methodResponses[0]?.[0]).toBe('Cookie/get');
  });

  test('knows a method only when the request opted into its capability', async () => {
    const { send } = bakery();
    const calls = [
      ['Cookie/get', { accountId: 'A', ids: [] }, '0'],
      ['Cake/get', { accountId: 'A', ids: [] }, '1'],
    ];
    const names = async (using: string[]) => (await send(calls, { using })).methodResponses.map(([name]) => name);
    expect(await names([coreUri, bakeryUri])).toEqual(['Cookie/get', 'error']);
    expect(await names([])).toEqual(['error', 'error']);
  });

  test('resolves references to earlier responses', async () => {
    const { send } = bakery();
    const { methodResponses } = await send([
      ['Cookie/set', { accountId: 'A', create: { k1: { name: 'a' }, k2: { name: 'b' } } }, '0'],
      ['Cookie/query', { accountId: 'A' }, '1'],
      ['Cookie/get', { accountId: 'A', '#ids': { resultOf: '1', name: 'Cookie/query', path: '/ids' } }, '2'],
      ['Core/echo', { '#names': { resultOf: '2', name: 'Cookie/get', path: '/list/*/name' } }, '3'],
      ['Core/echo', { '#names': { resultOf: '2', name: 'Cookie/set', path: '/list/*/name' } }, '4'],
    ]);
    expect(methodResponses[3]).toEqual(['Core/echo', { names: ['a', 'b'] }, '3']);
    expect(methodResponses[4]).toEqual(['error', expect.objectContaining({ type: 'invalidResultReference' }), '4']);
  });

  test('resolves references to the first response of a call id, and to no other', async () => {
    const { send } = bakery();
    const reference = (resultOf: string, name: string, path: string) => ({ '#a': { resultOf, name, path } });
    const { methodResponses } = await send([
      ['Core/echo', { n: 1 }, 'twice'],
      ['Core/echo', { n: 2 }, 'twice'],
      ['Core/echo', reference('twice', 'Core/echo', '/n'), '2'],
      ['Cookie/set', { accountId: 'A', create: { k1: { name: 'a' } } }, '3'],
      ['Cake/set', { accountId: 'A', create: { k2: { layers: ['#k1'] } }, onSuccessEat: ['#k2'] }, 'two answers'],
      ['Core/echo', reference('two answers', 'Cake/set', '/newState'), '5'],
      ['Core/echo', reference('two answers', 'Cookie/set', '/newState'), '6'],
    ]);
    const answers = methodResponses.filter(([, , callId]) => ['2', '5', '6'].includes(callId));
    expect(answers).toMatchObject([
      ['Core/echo', { a: 1 }, '2'],
      ['Core/echo', { a: 'k1' }, '5'],
      ['error', { type: 'invalidResultReference' }, '6'],
    ]);
  });

  test('begins no call that there is no time for, and answers each', async () => {
    const { send, server, A } = bakery();
    let left = 1;
    Object.assign(server, { hasTime: () => left-- > 0 });
    const { methodResponses } = await send([
      ['Core/echo', {}, '0'],
      ['Cookie/get', { accountId: 'A' }, '1'],
      ['Nothing/get', {}, '2'],
    ]);
    expect(methodResponses).toEqual([
      ['Core/echo', {}, '0'],
      ['error', { type: 'serverUnavailable' }, '1'],
      ['error', { type: 'unknownMethod' }, '2'],
    ]);
    expect(A.cookies.calls).toEqual([]);
  });

  test('answers with what is kept of each response, and refers to no more', async () => {
    const { send, server } = bakery();
    const keep = ([name, args, callId]: Invocation): Invocation =>
      callId === '0' ? ['error', { type: 'requestTooLarge' }, callId] : [name, args, callId];
    Object.assign(server, { keep });
    const { methodResponses } = await send([
      ['Core/echo', { a: 1 }, '0'],
      ['Core/echo', { '#a': { resultOf: '0', name: 'Core/echo', path: '/a' } }, '1'],
      ['Core/echo', {}, '2'],
    ]);
    expect(methodResponses).toMatchObject([
      ['error', { type: 'requestTooLarge' }, '0'],
      ['error', { type: 'invalidResultReference' }, '1'],
      ['Core/echo', {}, '2'],
    ]);
  });

  test('does not run a call whose reference fails', async () => {
    const { send, A } = bakery();
    const destroy = { resultOf: 'x', name: 'Cookie/query', path: '/ids' };
    await send([['Cookie/set', { accountId: 'A', create: { k: { name: 'a' } }, '#destroy': destroy }, '0']]);
    expect(A.cookies.calls).toEqual([]);
  });

  test('gives createdIds back, with those it was given, only when it was given any', async () => {
    const { send } = bakery();
    const create = [['Cookie/set', { accountId: 'A', create: { k1: { name: 'a' } } }, '0']];
    expect(await send(create, { createdIds: { k0: 'x' } })).toHaveProperty('createdIds', { k0: 'x', k1: 'c1' });
    expect(await send(create, { createdIds: {} })).toHaveProperty('createdIds', { k1: 'c2' });
    expect(await send(create)).not.toHaveProperty('createdIds');
  });

  test('knows creation ids across calls and types, and of an earlier request', async () => {
    const { send, A } = bakery();
    await send(
      [
        ['Cookie/set', { accountId: 'A', create: { k1: { name: 'a' } } }, '0'],
        ['Cake/set', { accountId: 'A', create: { k2: { layers: ['#k1', '#k0'], decoration: { '#k1': true } } } }, '1'],
      ],
      { createdIds: { k0: 'c9' } },
    );
    expect([...A.cakes.latest().values()]).toEqual([{ id: 'k1', layers: ['c1', 'c9'], decoration: { c1: true } }]);
  });

  test('puts the response of an implicit call right behind, under the same id', async () => {
    const { send } = bakery();
    const { methodResponses } = await send([
      ['Cookie/set', { accountId: 'A', create: { k1: { name: 'a' } } }, '0'],
      ['Cake/set', { accountId: 'A', create: { k2: { layers: ['#k1'] } }, onSuccessEat: ['#k2'] }, '1'],
      ['Core/echo', {}, '2'],
    ]);
    expect(methodResponses.map(([name, , callId]) => [name, callId])).toEqual([
      ['Cookie/set', '0'],
      ['Cake/set', '1'],
      ['Cookie/set', '1'],
      ['Core/echo', '2'],
    ]);
    expect(methodResponses[2]?.[1]).toMatchObject({ updated: { c1: null } });
  });

  test('makes no implicit call when the time is over: what was done is answered for', async () => {
    const { send, server } = bakery();
    let left = 2;
    Object.assign(server, { hasTime: () => left-- > 0 });
    const { methodResponses } = await send([
      ['Cookie/set', { accountId: 'A', create: { k1: { name: 'a' } } }, '0'],
      ['Cake/set', { accountId: 'A', create: { k2: { layers: ['#k1'] } }, onSuccessEat: ['#k2'] }, '1'],
    ]);
    expect(methodResponses).toMatchObject([
      ['Cookie/set', {}, '0'],
      ['Cake/set', { created: { k2: {} } }, '1'],
      ['error', { type: 'serverUnavailable' }, '1'],
    ]);
  });

  test('answers a failure of the world with serverUnavailable, and goes on', async () => {
    const { send, A, reports } = bakery();
    A.cookies.failures.set('get', new Unavailable('imap.example:993 is down'));
    const { methodResponses } = await send([
      ['Cookie/get', { accountId: 'A', ids: null }, '0'],
      ['Core/echo', {}, '1'],
    ]);
    expect(methodResponses).toEqual([
      ['error', { type: 'serverUnavailable' }, '0'],
      ['Core/echo', {}, '1'],
    ]);
    expect(reports).toEqual([]);
  });

  test('answers a defect with serverFail and the id of a report, never with the text', async () => {
    const { send, A, reports } = bakery();
    const defect = new TypeError('secret of line 7');
    A.cookies.failures.set('get', defect);
    const { methodResponses } = await send([
      ['Cookie/get', { accountId: 'A', ids: null }, '0'],
      ['Core/echo', {}, '1'],
    ]);
    expect(methodResponses).toEqual([
      ['error', { type: 'serverFail', description: 'report report-1' }, '0'],
      ['Core/echo', {}, '1'],
    ]);
    expect(reports).toEqual([{ error: defect, methodName: 'Cookie/get' }]);
  });

  test('fails as a whole when the credential is refused before anything was written', async () => {
    const { send, A } = bakery();
    A.cookies.failures.set('get', new AuthenticationFailed());
    await expect(send([['Cookie/get', { accountId: 'A', ids: null }, '0']])).rejects.toThrow(AuthenticationFailed);
  });

  test('keeps its answers when the credential is refused after something was written', async () => {
    const { send, A } = bakery();
    A.cookies.failures.set('get', new AuthenticationFailed());
    const { methodResponses } = await send([
      ['Cookie/set', { accountId: 'A', create: { k1: { name: 'a' } } }, '0'],
      ['Cookie/get', { accountId: 'A', ids: null }, '1'],
    ]);
    expect(methodResponses[0]?.[0]).toBe('Cookie/set');
    expect(methodResponses[1]).toEqual(['error', { type: 'serverUnavailable' }, '1']);
  });

  test('makes the ports of an account once per request', async () => {
    const { send, server } = bakery();
    const made: string[] = [];
    const portsOf = server.portsOf;
    Object.assign(server, {
      portsOf: (accountId: Parameters<typeof portsOf>[0]) => {
        made.push(accountId);
        return portsOf(accountId);
      },
    });
    const get = (accountId: string) => ['Cookie/get', { accountId, ids: [] }, '0'];
    await send([get('A'), get('B'), get('A')]);
    expect(made).toEqual(['A', 'B']);
  });
});

describe('concurrencyLimit', () => {
  test('lets in as many requests of a user as the limit says, and others when they have left', () => {
    const { enter } = concurrencyLimit('maxConcurrentRequests', 2);
    const leave = enter('u');
    enter('u');
    const refusal = expect.objectContaining({ type: 'limit', limit: 'maxConcurrentRequests', status: 429 });
    expect(() => enter('u')).toThrow(refusal);
    enter('another');
    leave();
    enter('u');
    expect(() => enter('u')).toThrow(refusal);
  });

  test('counts a request out only once', () => {
    const { enter } = concurrencyLimit('maxConcurrentUpload', 1);
    const leave = enter('u');
    leave();
    leave();
    enter('u');
    expect(() => enter('u')).toThrow();
  });
});
