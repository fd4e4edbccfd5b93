import { describe, expect, test } from '@jest/globals';
import { createLog, reasonOf, stackOf } from '../../functions/http/log.ts';
import { AuthenticationFailed, Unavailable } from '../../shared/jmap/errors.ts';
import { alice, basic, toyServer } from './toy-server.ts';

const entry = { event: 'detail', text: 'x' } as const;

describe('the log', () => {
  test('has one JSON object a line, with the time and the request', () => {
    const lines: string[] = [];
    createLog(
      'info',
      (line) => lines.push(line),
      () => 0,
    )
      .about('r7')
      .info(entry);
    expect(lines.map((line) => JSON.parse(line))).toEqual([
      { time: '1970-01-01T00:00:00.000Z', level: 'info', requestId: 'r7', event: 'detail', text: 'x' },
    ]);
  });

  test.each([
    ['debug', 4],
    ['info', 3],
    ['warn', 2],
    ['error', 1],
    ['silent', 0],
  ] as const)('at level %s has what is at least as severe', (level, count) => {
    const lines: string[] = [];
    const log = createLog(
      level,
      (line) => lines.push(line),
      () => 0,
    );
    for (const write of [log.debug, log.info, log.warn, log.error]) write(entry);
    expect(lines).toHaveLength(count);
  });

  test('names a failure by its classes and codes only', () => {
    const cause = Object.assign(new Error('connect ECONNREFUSED 10.0.0.1'), { code: 'ECONNREFUSED' });
    expect(reasonOf(new Unavailable('cannot reach alice', { cause }))).toBe('Unavailable: Error ECONNREFUSED');
    expect(reasonOf(Object.assign(new Error('x'), { code: 'Dear John\n' }))).toBe('Error');
    expect(reasonOf('Dear John')).toBe('string');
  });

  test('follows causes only so far', () => {
    const loop = new Error('x');
    loop.cause = loop;
    expect(reasonOf(loop).split(': ')).toHaveLength(5);
  });

  test('shows the places of a defect without its message', () => {
    const stack = stackOf(new Error('Dear John\n    at home'));
    expect(stack.length).toBeGreaterThan(0);
    expect(stack.join()).not.toMatch(/John|at home/);
    expect(stackOf('text')).toEqual([]);
  });
});

describe('what is logged of requests', () => {
  test('is what happened: login, route, status, account, methods, sizes', async () => {
    const { ask, logged } = toyServer();
    const headers = { ...alice, 'Content-Type': 'application/json' };
    await ask('/jmap/api', { method: 'POST', headers, body: '{"using":[]}' });
    expect(logged.map((line) => JSON.parse(line))).toEqual([
      expect.objectContaining({ event: 'login', outcome: 'accepted', provider: 'example', requestId: 'r1' }),
      expect.objectContaining({
        event: 'request',
        requestId: 'r1',
        method: 'POST',
        route: '/jmap/api',
        status: 200,
        account: expect.stringMatching(/^a[0-9a-f]{32}$/),
        responses: ['Core/echo'],
        requestOctets: 12,
        responseOctets: 12,
      }),
    ]);
  });

  test('holds no content, subject, path, login or credential at the default level', async () => {
    const marks = ['Dear John', 'secret', 'alice@example.com', 'wrong-password', 'token-2', 'photo', 'YWxpY2V'];
    const failures = [
      new Error('defect about Dear John', { cause: new Error('Dear John') }),
      new Unavailable('* BAD Dear John', { cause: new Error('alice@example.com') }),
      new AuthenticationFailed('NO alice@example.com may not read Dear John'),
    ];
    const { ask, logged } = toyServer({
      parts: {
        runApiRequest: async (_, body) => {
          const failure = failures.shift();
          if (failure !== undefined) throw failure;
          return { json: `{"subject":"Dear John","echo":"${Buffer.from(body).toString('base64')}"}`, responses: [] };
        },
      },
    });
    const headers = { ...alice, 'Content-Type': 'application/json' };
    const body = '{"using":["Dear John"]}';
    for (let n = 0; n < 4; n++) await ask('/jmap/api', { method: 'POST', headers, body });
    await ask('/jmap/session', { headers: basic('alice@example.com', 'wrong-password') });
    await ask('/jmap/session', { headers: { Authorization: 'Bearer YWxpY2VAZXhhbXBsZS5jb20~token-2' } });
    await ask('/jmap/download/a/b/photo?type=photo', { headers: alice });
    await ask('/Dear%20John/secret', { headers: alice });
    await ask('/jmap/api', { method: 'PHOTO', headers: alice });
    expect(logged.length).toBeGreaterThan(9);
    for (const mark of marks) expect(logged.filter((line) => line.includes(mark))).toEqual([]);
  });

  test('holds what a defect said at level debug, where an operator asked for it', async () => {
    const runApiRequest = async () => {
      throw new Error('Dear John');
    };
    const { ask, logged } = toyServer({ parts: { runApiRequest }, level: 'debug' });
    await ask('/jmap/api', { method: 'POST', headers: { ...alice, 'Content-Type': 'application/json' }, body: '{}' });
    expect(logged.join()).toContain('Dear John');
  });
});
