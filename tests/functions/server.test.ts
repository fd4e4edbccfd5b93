import { once } from 'node:events';
import { connect } from 'node:net';
import { afterEach, describe, expect, test } from '@jest/globals';
import type { App } from '../../functions/http/app.ts';
import { readBody } from '../../functions/http/read-body.ts';
import { type LocalServer, startServer } from '../../functions/local/server.ts';
import { signal } from '../signal.ts';

let running: LocalServer | undefined;
afterEach(async () => {
  await running?.stop();
  running = undefined;
});

async function start(app: App): Promise<LocalServer> {
  running = await startServer(app, { host: '127.0.0.1', port: 0 });
  return running;
}

/** What the server writes to a client that sends exactly this. */
async function raw(url: string, text: string): Promise<string> {
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  let received = '';
  socket.on('data', (data) => {
    received += data;
  });
  socket.end(text);
  await once(socket, 'close');
  return received;
}

describe('the local server', () => {
  test('hands requests over whole: method, target, headers, body, address', async () => {
    const { url } = await start(async (request, { clientAddress }) =>
      Response.json({
        method: request.method,
        url: request.url,
        accept: request.headers.get('Accept'),
        body: await request.text(),
        clientAddress,
      }),
    );
    const response = await fetch(`${url}/a%2Fb?c=%20`, { method: 'POST', headers: { Accept: 'x/y' }, body: 'ä' });
    expect(await response.json()).toEqual({
      method: 'POST',
      url: `${url}/a%2Fb?c=%20`,
      accept: 'x/y',
      body: 'ä',
      clientAddress: '127.0.0.1',
    });
  });

  test('hands responses over whole: status, headers, no body', async () => {
    const { url } = await start(async () => new Response(null, { status: 204, headers: { 'X-A': 'b' } }));
    const response = await fetch(url);
    expect([response.status, response.headers.get('X-A'), await response.text()]).toEqual([204, 'b', '']);
  });

  test('sends a body piece by piece, before its end is known', async () => {
    let finish = () => {};
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => {
        controller.enqueue(Buffer.from('first'));
        finish = () => controller.close();
      },
    });
    const { url } = await start(async () => new Response(body));
    const reader = (await fetch(url)).body?.getReader();
    expect(Buffer.from((await reader?.read())?.value ?? []).toString()).toBe('first');
    finish();
    expect((await reader?.read())?.done).toBe(true);
  });

  test('cancels a body whose client has left', async () => {
    const cancelled = signal();
    const body = new ReadableStream<Uint8Array>({
      pull: (controller) => controller.enqueue(new Uint8Array(100_000)),
      cancel: cancelled.give,
    });
    const { url } = await start(async () => new Response(body));
    const abort = new AbortController();
    await fetch(url, { signal: abort.signal });
    abort.abort();
    await cancelled.given;
  });

  test('cancels a small body, too, which is not sent before all of it is there', async () => {
    const [asked, cancelled] = [signal(), signal()];
    const body = new ReadableStream<Uint8Array>({ pull: asked.give, cancel: cancelled.give }, { highWaterMark: 0 });
    const { url } = await start(async () => new Response(body, { headers: { 'Content-Length': '10' } }));
    const abort = new AbortController();
    const fetching = fetch(url, { signal: abort.signal }).catch(() => {});
    await asked.given;
    abort.abort();
    await Promise.all([fetching, cancelled.given]);
  });

  test('cancels the body for a client that has left before there was one', async () => {
    const cancelled = signal();
    const body = new ReadableStream<Uint8Array>({ cancel: cancelled.give });
    const { url } = await start(async () => {
      client.destroy();
      await gone;
      return new Response(body, { headers: { 'Content-Length': '10' } });
    });
    const client = connect(Number(new URL(url).port), '127.0.0.1');
    const gone = once(client, 'close').then(() => new Promise((resolve) => setTimeout(resolve, 50)));
    client.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    await cancelled.given;
  });

  test('tells whoever reads a body late that its client has left meanwhile', async () => {
    let outcome = (_: string) => {};
    const read = new Promise<string>((resolve) => {
      outcome = resolve;
    });
    const { url } = await start(async (request) => {
      client.destroy();
      await gone;
      await request.text().then(outcome, (error: Error) => outcome(error.message));
      return new Response();
    });
    const client = connect(Number(new URL(url).port), '127.0.0.1');
    const gone = once(client, 'close');
    client.write('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhalf');
    expect(await read).toMatch(/went away/);
  });

  test('says why it refused a body that it did not read to the end', async () => {
    const { url } = await start(async (request) => {
      const refused = await readBody(request, 1_000).then(
        () => false,
        () => true,
      );
      return new Response(String(refused), { status: 413 });
    });
    for (let n = 0; n < 3; n++) {
      const response = await fetch(url, { method: 'POST', body: new Uint8Array(20_000_000) });
      expect([response.status, await response.text()]).toEqual([413, 'true']);
    }
  });

  test('answers the next request of a connection whose last body nobody read', async () => {
    const { url } = await start(async (request) => new Response(request.method));
    for (const method of ['POST', 'GET']) {
      const response = await fetch(url, { method, ...(method === 'POST' ? { body: 'x'.repeat(200_000) } : {}) });
      expect(await response.text()).toBe(method);
    }
  });

  test.each([
    ['a Host that is none', 'GET / HTTP/1.1\r\nHost: a b\r\n\r\n'],
    ['a method that requests cannot have', 'TRACE / HTTP/1.1\r\nHost: a\r\n\r\n'],
    ['a target that is none', 'OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n'],
  ])('answers %s in the same form as everything else', async (_, text) => {
    const { url } = await start(async () => new Response('never'));
    const answer = await raw(url, text.replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n'));
    expect(answer).toMatch(/^HTTP\/1.1 400 /);
    expect(answer.toLowerCase()).toContain('content-type: application/problem+json');
    expect(answer.toLowerCase()).toContain('access-control-allow-origin: *');
  });

  test.each([
    ['what is no HTTP', 400, 'nonsense\r\n\r\n'],
    ['a request without a Host', 400, 'GET / HTTP/1.1\r\nConnection: close\r\n\r\n'],
    ['header fields that are too large', 431, `GET / HTTP/1.1\r\nHost: a\r\nX: ${'x'.repeat(100_000)}\r\n\r\n`],
    [
      'a body that is cut into no chunks',
      400,
      'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n',
    ],
  ])('answers %s in that form too, and ends the connection', async (_, status, text) => {
    const { url } = await start(async (request) => new Response(await request.text().catch(() => 'broken')));
    const answer = await raw(url, text);
    expect(answer).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    expect(answer.toLowerCase()).toContain('content-type: application/problem+json');
    expect(answer.toLowerCase()).toContain('access-control-allow-origin: *');
    expect(JSON.parse(/\{.*\}/.exec(answer)?.[0] ?? '')).toMatchObject({ status });
  });

  test('adds nothing to an answer that has begun when the rest of the request makes no sense', async () => {
    const { url } = await start(async (request) => {
      void request.text().catch(() => {});
      return new Response(new ReadableStream({ start: (controller) => controller.enqueue(Buffer.from('begun')) }));
    });
    const answer = await raw(url, 'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\nzz\r\n');
    expect(answer.match(/HTTP\/1.1/g) ?? []).toHaveLength(1);
  });

  test('serves a request that expects what nobody knows', async () => {
    const { url } = await start(async (request) => new Response(request.method));
    expect(await raw(url, 'GET / HTTP/1.1\r\nHost: a\r\nExpect: the-unexpected\r\nConnection: close\r\n\r\n')).toMatch(
      /^HTTP\/1.1 200 /,
    );
  });

  test('is not led to another host by its target', async () => {
    const { url } = await start(async (request) => new Response(request.url));
    expect(await raw(url, 'GET //evil.test/x HTTP/1.1\r\nHost: good.test\r\nConnection: close\r\n\r\n')).toContain(
      'http://good.test//evil.test/x',
    );
  });

  test('ends what is under way before it stops', async () => {
    let finish = () => {};
    const underWay = new Promise<void>((resolve) => {
      finish = resolve;
    });
    let arrived = () => {};
    const arriving = new Promise<void>((resolve) => {
      arrived = resolve;
    });
    const server = await start(async () => {
      arrived();
      await underWay;
      return new Response('done');
    });
    const response = fetch(server.url);
    await arriving;
    const stopped = server.stop();
    finish();
    expect(await (await response).text()).toBe('done');
    await stopped;
    await expect(fetch(server.url)).rejects.toThrow();
  });

  test.each([
    [null, '203.0.113.5', '127.0.0.1'],
    ['x-forwarded-for', '203.0.113.5', '203.0.113.5'],
    ['x-forwarded-for', '198.51.100.1, 203.0.113.5', '203.0.113.5'],
    ['x-forwarded-for', '2001:db8::1', '2001:db8::1'],
    ['x-forwarded-for', '203.0.113.5, unknown', '127.0.0.1'],
    ['x-forwarded-for', '', '127.0.0.1'],
    ['x-real-ip', '203.0.113.5', '127.0.0.1'],
  ])(
    'with the proxy header %s and the value "%s" takes the client to be %s',
    async (clientAddressHeader, value, client) => {
      const app: App = async (_, { clientAddress }) => new Response(clientAddress);
      running = await startServer(app, { host: '127.0.0.1', port: 0, clientAddressHeader });
      expect(await (await fetch(running.url, { headers: { 'X-Forwarded-For': value } })).text()).toBe(client);
    },
  );

  test('says so when its port is taken', async () => {
    const { url } = await start(async () => new Response());
    await expect(
      startServer(async () => new Response(), { host: '127.0.0.1', port: Number(new URL(url).port) }),
    ).rejects.toMatchObject({
      code: 'EADDRINUSE',
    });
  });
});
