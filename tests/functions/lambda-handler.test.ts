import { describe, expect, test } from '@jest/globals';
import type { APIGatewayProxyEventV2, Context } from 'aws-lambda';
import type { App } from '../../functions/http/app.ts';
import { createLambdaHandler } from '../../functions/http/lambda-handler.ts';
import { createLog } from '../../functions/http/log.ts';
import { alice, streamOf, toyServer } from './toy-server.ts';

type Wanted = {
  method?: string;
  path?: string;
  query?: string;
  headers?: { [name: string]: string };
  body?: string;
  base64?: boolean;
};

function eventOf({
  method = 'GET',
  path = '/',
  query = '',
  headers = {},
  body,
  base64 = false,
}: Wanted): APIGatewayProxyEventV2 {
  return {
    version: '2.0',
    routeKey: '$default',
    rawPath: path,
    rawQueryString: query,
    headers: { host: 'ignored.test', ...headers },
    requestContext: {
      accountId: '1',
      apiId: 'api',
      domainName: 'jmap.example.com',
      domainPrefix: 'jmap',
      requestId: 'gw-1',
      routeKey: '$default',
      stage: '$default',
      time: '',
      timeEpoch: 0,
      http: { method, path, protocol: 'HTTP/1.1', sourceIp: '192.0.2.9', userAgent: 'x' },
    },
    ...(body === undefined ? {} : { body }),
    isBase64Encoded: base64,
  };
}

async function invoke(app: App, wanted: Wanted, context: Partial<Context> = {}) {
  const logged: string[] = [];
  const log = createLog(
    'info',
    (line) => logged.push(line),
    () => 0,
  );
  let rests = 0;
  const handler = createLambdaHandler(app, log, async () => {
    rests += 1;
  });
  const { body, ...result } = await handler(eventOf(wanted), context as Context);
  return { ...result, body: body ?? '', json: () => JSON.parse(body ?? ''), logged, rests };
}

describe('an event', () => {
  const describeRequest: App = async (request, facts) =>
    Response.json({
      method: request.method,
      url: request.url,
      accept: request.headers.get('Accept'),
      body: await request.text(),
      ...facts,
    });

  test('becomes a request with its method, URL, headers, address and id', async () => {
    const result = await invoke(describeRequest, { path: '/a b', query: 'c=%20', headers: { accept: 'x/y' } });
    expect(result.json()).toEqual({
      method: 'GET',
      url: 'https://jmap.example.com/a%20b?c=%20',
      accept: 'x/y',
      body: '',
      clientAddress: '192.0.2.9',
      requestId: 'gw-1',
    });
  });

  test.each([
    ['text', { body: 'ä' }],
    ['base64', { body: Buffer.from('ä').toString('base64'), base64: true }],
  ])('with a body of %s becomes a request with its octets', async (_, body) => {
    expect((await invoke(describeRequest, { method: 'POST', ...body })).json()).toMatchObject({ body: 'ä' });
  });

  test.each([
    ['/a?b#c', 'https://jmap.example.com/a%3Fb%23c'],
    ['//evil.test/x', 'https://jmap.example.com//evil.test/x'],
    ['/a%2Fb', 'https://jmap.example.com/a%2Fb'],
  ])('for the path %s stays on this host and in the path', async (path, url) => {
    expect((await invoke(describeRequest, { path })).json()).toMatchObject({ url });
  });

  test('that holds no request is refused with a problem', async () => {
    const result = await invoke(describeRequest, { method: 'TRACE' });
    expect(result).toMatchObject({ statusCode: 400, headers: { 'access-control-allow-origin': '*' } });
    expect(result.json()).toMatchObject({ status: 400 });
  });
});

describe('a response', () => {
  test('of JSON goes out as text', async () => {
    const result = await invoke(async () => Response.json({ a: 'ä' }), {});
    expect(result).toMatchObject({ statusCode: 200, body: '{"a":"ä"}', isBase64Encoded: false });
  });

  test('of octets goes out as base64, unharmed', async () => {
    const octets = Uint8Array.from({ length: 256 }, (_, index) => index);
    const result = await invoke(async () => new Response(octets, { headers: { 'Content-Type': 'image/png' } }), {});
    expect(result.isBase64Encoded).toBe(true);
    expect(Buffer.from(result.body, 'base64')).toEqual(Buffer.from(octets));
  });

  test('keeps both challenges', async () => {
    const app: App = (request) => toyServer().ask(new URL(request.url).pathname);
    expect((await invoke(app, { path: '/jmap/session' })).headers?.['www-authenticate']).toMatch(/^Basic .*, Bearer /);
  });

  test.each([
    ['text', () => Response.json('x'.repeat(6_300_000))],
    ['text that quotes swell', () => Response.json('"'.repeat(2_000_000))],
    ['octets', () => new Response(new Uint8Array(4_800_000))],
  ])('of %s beyond what the gateway takes says so', async (_, make) => {
    const result = await invoke(async () => make(), {});
    expect(result.statusCode).toBe(413);
    expect(result.headers).toMatchObject({
      'content-type': 'application/problem+json',
      'access-control-allow-origin': '*',
    });
  });

  test('just within it goes out', async () => {
    expect((await invoke(async () => new Response(new Uint8Array(4_700_000)), {})).statusCode).toBe(200);
  });

  test('without end is cancelled', async () => {
    let cancelled = false;
    const body = new ReadableStream<Uint8Array>({
      pull: (controller) => controller.enqueue(new Uint8Array(1_000_000)),
      cancel: () => {
        cancelled = true;
      },
    });
    expect((await invoke(async () => new Response(body), {})).statusCode).toBe(413);
    expect(cancelled).toBe(true);
  });
});

test('a request whose time runs out is told to come back', async () => {
  const result = await invoke(() => new Promise<Response>(() => {}), {}, { getRemainingTimeInMillis: () => 1_001 });
  expect(result).toMatchObject({ statusCode: 503, headers: { 'retry-after': '10' } });
});

test('whatever becomes of a request, nothing is kept open after it', async () => {
  expect((await invoke(async () => Response.json({}), {})).rests).toBe(1);
  expect((await invoke(async () => Response.json({}), { method: 'TRACE' })).rests).toBe(1);
});

test('a defect is logged and reported, and its text kept back', async () => {
  const app: App = async () =>
    new Response(
      streamOf('x').pipeThrough(
        new TransformStream({
          transform: () => {
            throw new Error('Dear John');
          },
        }),
      ),
    );
  const result = await invoke(app, {});
  expect(result.json()).toMatchObject({ status: 500, detail: 'Something went wrong here. Report gw-1.' });
  expect(result.logged).toEqual([expect.stringContaining('"event":"defect","report":"gw-1"')]);
  expect(result.logged.join() + result.body).not.toContain('John');
});

test('the whole app answers through the gateway', async () => {
  const { ask } = toyServer();
  const app: App = async (request) =>
    ask(new URL(request.url).pathname, { headers: Object.fromEntries(request.headers) });
  const result = await invoke(app, { path: '/.well-known/jmap', headers: { authorization: alice.Authorization } });
  expect(result).toMatchObject({ statusCode: 200, isBase64Encoded: false });
  expect(result.json()).toMatchObject({ username: 'alice@example.com' });
});
