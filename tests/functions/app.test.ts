import { describe, expect, test } from '@jest/globals';
import { RequestError, Unavailable } from '../../shared/jmap/errors.ts';
import { alice, basic, streamOf, toyServer } from './toy-server.ts';

const json = { ...alice, 'Content-Type': 'application/json' };
const echo = { method: 'POST', headers: json, body: '{"using":[]}' };

describe('the Session', () => {
  test.each([['/.well-known/jmap'], ['/jmap/session'], ['/jmap/session/']])(
    'is answered at %s itself',
    async (path) => {
      const response = await toyServer().ask(path, { headers: alice });
      expect(response.status).toBe(200);
      expect(response.headers.get('Content-Type')).toBe('application/json');
      expect(response.headers.get('Cache-Control')).toBe('no-cache, private');
      expect(await response.json()).toMatchObject({ username: 'alice@example.com', state: 's1' });
    },
  );

  test('names URLs of one origin, with exactly the variables of the RFC', async () => {
    const session = await (await toyServer().ask('/.well-known/jmap', { headers: alice })).json();
    expect(session).toMatchObject({
      apiUrl: 'http://mail.test/jmap/api',
      downloadUrl: 'http://mail.test/jmap/download/{accountId}/{blobId}/{name}?type={type}',
      uploadUrl: 'http://mail.test/jmap/upload/{accountId}/',
      eventSourceUrl: 'http://mail.test/jmap/eventsource?types={types}&closeafter={closeafter}&ping={ping}',
    });
  });

  test('names the public origin where the operator set one', async () => {
    const { ask } = toyServer({ parts: { publicUrl: 'https://jmap.example.com' } });
    const session = await (await ask('/jmap/session', { headers: alice })).json();
    expect(session).toMatchObject({ apiUrl: 'https://jmap.example.com/jmap/api' });
  });

  test('is not sent again to a client that has it', async () => {
    const { ask } = toyServer();
    const etag = (await ask('/jmap/session', { headers: alice })).headers.get('ETag') ?? '';
    expect(etag).toBe('"s1"');
    expect((await ask('/jmap/session', { headers: { ...alice, 'If-None-Match': etag } })).status).toBe(304);
    expect((await ask('/jmap/session', { headers: { ...alice, 'If-None-Match': '"s0"' } })).status).toBe(200);
  });

  test('is not shown to somebody unknown, even to one who knows its ETag', async () => {
    const { ask } = toyServer();
    await ask('/jmap/session', { headers: alice });
    expect((await ask('/jmap/session', { headers: { 'If-None-Match': '"s1"' } })).status).toBe(401);
  });
});

describe('an API request', () => {
  test('is handed over and answered', async () => {
    const response = await toyServer().ask('/jmap/api', echo);
    expect(response.status).toBe(200);
    expect(response.headers.get('Content-Type')).toBe('application/json');
    expect(await response.text()).toBe('{"using":[]}');
  });

  test.each([['application/json; charset=utf-8'], ['Application/JSON']])('may be of type %s', async (type) => {
    const headers = { ...alice, 'Content-Type': type };
    expect((await toyServer().ask('/jmap/api', { ...echo, headers })).status).toBe(200);
  });

  test.each([['text/plain'], ['application/jsonx'], ['multipart/form-data']])('of type %s is notJSON', async (type) => {
    const headers = { ...alice, 'Content-Type': type };
    const response = await toyServer().ask('/jmap/api', { ...echo, headers });
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ type: 'urn:ietf:params:jmap:error:notJSON', status: 400 });
  });

  test('without a type is notJSON', async () => {
    const response = await toyServer().ask('/jmap/api', {
      method: 'POST',
      headers: alice,
      body: streamOf('{}'),
      duplex: 'half',
    });
    expect(await response.json()).toMatchObject({ type: 'urn:ietf:params:jmap:error:notJSON' });
  });

  test('of just the largest size is read', async () => {
    expect((await toyServer().ask('/jmap/api', { ...echo, body: ' '.repeat(1_000) })).status).toBe(200);
  });

  test.each([
    ['announced', { ...echo, body: ' '.repeat(1_001) }],
    ['streamed', { ...echo, body: streamOf(' '.repeat(600), ' '.repeat(600)), duplex: 'half' as const }],
  ])('that is too large, %s, meets the limit', async (_, init) => {
    const response = await toyServer().ask('/jmap/api', init);
    expect(response.status).toBe(413);
    expect(await response.json()).toMatchObject({ type: 'urn:ietf:params:jmap:error:limit', limit: 'maxSizeRequest' });
  });

  test('that never ends is not read to its end', async () => {
    let pulled = 0;
    let cancelled = false;
    const body = new ReadableStream<Uint8Array>({
      pull: (controller) => {
        pulled += 1;
        controller.enqueue(new Uint8Array(400));
      },
      cancel: () => {
        cancelled = true;
      },
    });
    expect((await toyServer().ask('/jmap/api', { ...echo, body, duplex: 'half' })).status).toBe(413);
    expect(pulled).toBeLessThan(6);
    expect(cancelled).toBe(true);
  });

  test('beyond the allowed number at once meets the limit, and is served again afterwards', async () => {
    let finish = () => {};
    const blocked = new Promise<void>((resolve) => {
      finish = resolve;
    });
    const runApiRequest = async () => {
      await blocked;
      return { json: '{}', responses: [] };
    };
    const { ask } = toyServer({ parts: { runApiRequest } });
    await ask('/jmap/session', { headers: alice });
    const running = [ask('/jmap/api', echo), ask('/jmap/api', echo)];
    const refused = await ask('/jmap/api', echo);
    expect(refused.status).toBe(429);
    expect(refused.headers.get('Retry-After')).toBe('1');
    expect(await refused.json()).toMatchObject({ limit: 'maxConcurrentRequests' });
    const other = ask('/jmap/api', { ...echo, headers: { ...json, ...basic('bob@example.com', 'hunter2') } });
    finish();
    expect((await Promise.all([...running, other])).map(({ status }) => status)).toEqual([200, 200, 200]);
    expect((await ask('/jmap/api', echo)).status).toBe(200);
  });
});

describe('a download', () => {
  const accountOf = async (ask: ReturnType<typeof toyServer>['ask']) => {
    const { accounts } = (await (await ask('/jmap/session', { headers: alice })).json()) as { accounts: object };
    return Object.keys(accounts)[0] ?? '';
  };
  const download = async (rest: string, headers = alice) => {
    const { ask } = toyServer();
    return ask(`/jmap/download/${await accountOf(ask)}/${rest}`, { headers });
  };

  test('has the type and the name that were asked for, and is never run', async () => {
    const response = await download('b1/photo.png?type=image/png');
    expect(response.status).toBe(200);
    expect(await response.text()).toBe('hello');
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'content-type': 'image/png',
      'content-length': '5',
      'content-disposition': 'attachment; filename="photo.png"',
      'cache-control': 'private, immutable, max-age=31536000',
      'x-content-type-options': 'nosniff',
      'content-security-policy': expect.stringContaining('sandbox'),
    });
  });

  test.each([
    ['text%2Fplain%3B%20charset%3Dutf-8', 'text/plain; charset=utf-8'],
    ['text/html', 'text/html'],
    ['', 'application/octet-stream'],
    ['nonsense', 'application/octet-stream'],
    ['text/html%0d%0aSet-Cookie:%20a=b', 'application/octet-stream'],
    ['text/plain;%20x=%22%0d%0a%22', 'application/octet-stream'],
  ])('asked for as "%s" is of type %s', async (asked, type) => {
    const response = await download(`b1/x?type=${asked}`);
    expect(response.headers.get('Content-Type')).toBe(type);
    expect(response.headers.get('Set-Cookie')).toBeNull();
  });

  test.each([
    ['a%20b.txt', 'attachment; filename="a b.txt"'],
    ['%E2%82%AC.txt', `attachment; filename="_.txt"; filename*=UTF-8''%E2%82%AC.txt`],
    ['a%22b.txt', `attachment; filename="a_b.txt"; filename*=UTF-8''a%22b.txt`],
    ['a%2Fb.txt', 'attachment; filename="a/b.txt"'],
    ['a/b.txt', 'attachment; filename="a/b.txt"'],
    ['100%25.txt', `attachment; filename="100_.txt"; filename*=UTF-8''100%25.txt`],
    ['100%.txt', `attachment; filename="100_.txt"; filename*=UTF-8''100%25.txt`],
    ['a%0d%0aSet-Cookie:b', 'attachment; filename="a  Set-Cookie:b"'],
    ['', 'attachment'],
  ])('called "%s" is disposed as %s', async (name, disposition) => {
    expect((await download(`b1/${name}`)).headers.get('Content-Disposition')).toBe(disposition);
  });

  test.each([['b2/x'], ['b%2e1/x'], ['/x']])('of what does not exist (%s) is 404', async (rest) => {
    const response = await download(rest);
    expect(response.status).toBe(404);
    expect(response.headers.get('Content-Type')).toBe('application/problem+json');
  });

  test('from the account of somebody else is 404', async () => {
    const { ask } = toyServer();
    const account = await accountOf(ask);
    const headers = basic('bob@example.com', 'hunter2');
    expect((await ask(`/jmap/download/${account}/b1/x`, { headers })).status).toBe(404);
  });

  test('is not opened for somebody unknown', async () => {
    let opened = false;
    const openBlob = async () => {
      opened = true;
      return null;
    };
    const { ask } = toyServer({ parts: { openBlob } });
    expect((await ask('/jmap/download/a/b1/x')).status).toBe(401);
    expect(opened).toBe(false);
  });

  test('is closed at once when only its headers are wanted', async () => {
    let cancelled = false;
    const octets = new ReadableStream<Uint8Array>({
      cancel: () => {
        cancelled = true;
      },
    });
    const { ask } = toyServer({ parts: { openBlob: async () => ({ octets, size: 7 }) } });
    const response = await ask(`/jmap/download/${await accountOf(ask)}/b1/x`, { method: 'HEAD', headers: alice });
    expect(response.headers.get('Content-Length')).toBe('7');
    expect(response.body).toBeNull();
    expect(cancelled).toBe(true);
  });
});

describe('what is not there', () => {
  test.each([
    ['GET', '/', 404, null],
    ['GET', '/jmap', 404, null],
    ['GET', '/jmap/download/a', 404, null],
    ['POST', '/jmap/session', 405, 'GET, HEAD, OPTIONS'],
    ['GET', '/jmap/api', 405, 'POST, OPTIONS'],
    ['DELETE', '/jmap/api', 405, 'POST, OPTIONS'],
  ])('%s %s is %i', async (method, path, status, allow) => {
    const response = await toyServer().ask(path, { method, headers: alice });
    expect(response.status).toBe(status);
    expect(response.headers.get('Allow')).toBe(allow);
    expect(response.headers.get('Content-Type')).toBe('application/problem+json');
    expect(await response.json()).toMatchObject({ type: 'about:blank', status });
  });

  test('the event source is said not to be offered, to users only', async () => {
    const { ask } = toyServer();
    const path = '/jmap/eventsource?types=*&closeafter=no&ping=0';
    expect((await ask(path)).status).toBe(401);
    expect((await ask(path, { headers: alice })).status).toBe(501);
  });
});

test('whether the process answers can be asked by anybody', async () => {
  const { ask, logins } = toyServer();
  const response = await ask('/healthz');
  expect([response.status, await response.json()]).toEqual([200, { status: 'ok' }]);
  expect(logins).toEqual([]);
});

describe('cross-origin requests', () => {
  test.each([
    ['/.well-known/jmap'],
    ['/jmap/api'],
    ['/jmap/download/a/b/c'],
    ['/jmap/upload/a/'],
    ['/jmap/eventsource'],
    ['/healthz'],
  ])('to %s are announced without a password', async (path) => {
    const { ask, logins } = toyServer();
    const response = await ask(path, { method: 'OPTIONS' });
    expect(response.status).toBe(204);
    expect(response.headers.get('Access-Control-Allow-Origin')).toBe('*');
    expect(response.headers.get('Access-Control-Allow-Credentials')).toBeNull();
    expect(response.headers.get('Access-Control-Max-Age')).toBe('86400');
    expect(response.headers.get('Access-Control-Allow-Headers')).toBe(
      'Authorization, Content-Type, Accept, Last-Event-ID, Range, If-Range, If-None-Match',
    );
    expect(logins).toEqual([]);
  });

  test.each<[string, string, RequestInit, Error | null, number]>([
    ['a success', '/jmap/session', { headers: alice }, null, 200],
    ['no password', '/jmap/session', {}, null, 401],
    ['a wrong path', '/nothing', {}, null, 404],
    ['a wrong method', '/jmap/api', {}, null, 405],
    ['an unreachable server', '/jmap/session', { headers: alice }, new Unavailable('no'), 503],
    ['a bad request', '/jmap/api', { ...echo, headers: alice }, null, 400],
  ])('may read the answer to %s', async (_, path, init, failure, status) => {
    const { ask, world } = toyServer();
    world.failure = failure;
    const response = await ask(path, init);
    expect(response.status).toBe(status);
    expect(response.headers.get('Access-Control-Allow-Origin')).toBe('*');
    expect(response.headers.get('Access-Control-Expose-Headers')).toBe(
      'Retry-After, Content-Disposition, Content-Range, ETag',
    );
  });
});

describe('a failure inside', () => {
  const failing = (error: unknown) =>
    toyServer({
      parts: {
        runApiRequest: async () => {
          throw error;
        },
      },
    });

  test('that is ours is a report, not an explanation', async () => {
    const { ask, logged } = failing(new Error('the subject was "Dear John"'));
    const response = await ask('/jmap/api', echo);
    expect(response.status).toBe(500);
    expect(await response.json()).toMatchObject({ detail: 'Something went wrong here. Report r1.' });
    expect(logged.join()).toContain('"event":"defect","report":"r1","error":"Error"');
    expect(logged.join()).not.toContain('John');
  });

  test('that is the mail server’s is 503 with the time to wait', async () => {
    const response = await failing(new Unavailable('throttled', { retryAfterSeconds: 4.2 })).ask('/jmap/api', echo);
    expect([response.status, response.headers.get('Retry-After')]).toEqual([503, '5']);
    expect(response.headers.get('Content-Type')).toBe('application/problem+json');
  });

  test('that concerns the whole request is the problem that the RFC names', async () => {
    const response = await failing(new RequestError('unknownCapability', 'no "x"')).ask('/jmap/api', echo);
    expect(response.status).toBe(400);
    expect(await response.json()).toEqual({
      type: 'urn:ietf:params:jmap:error:unknownCapability',
      status: 400,
      title: 'Bad Request',
      detail: 'no "x"',
    });
  });
});
