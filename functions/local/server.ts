import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse, STATUS_CODES } from 'node:http';
import { type AddressInfo, isIP, type Socket } from 'node:net';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { App } from '../http/app.ts';
import { failureResponse } from '../http/failure-response.ts';
import { HttpError } from '../http/problem.ts';

export interface LocalServer {
  /** `http://127.0.0.1:8080`, without a slash at the end. */
  readonly url: string;
  /** Takes no more requests, lets those under way end for a while, then closes their connections. */
  stop(): Promise<void>;
}

export interface ServerOptions {
  readonly host: string;
  readonly port: number;
  /** Lower-case name of the header in which a proxy says who asks; absent or null: there is no proxy. */
  readonly clientAddressHeader?: string | null;
}

/** How long requests under way may take to end when the server stops. */
const drainTimeoutMs = 5_000;
/** How long a connection without a request is kept: longer than a client is likely to wait before it uses it again. */
const keepAliveTimeoutMs = 75_000;

/** Bodies up to this size are sent in one piece. */
const wholeOctetsMax = 512 * 1024;

/**
 * Serves the app on a port of this machine. `port` 0 picks a free one. Rejects with code `EADDRINUSE` when it is taken.
 * Bodies are streamed both ways; when a client goes away, the response's body is cancelled.
 */
export async function startServer(app: App, options: ServerOptions): Promise<LocalServer> {
  /** Connections, with the answers that are under way on each. */
  const connections = new Map<Socket, Set<ServerResponse>>();
  const answer = (incoming: IncomingMessage, outgoing: ServerResponse) => {
    const { socket } = incoming;
    const underWay = connections.get(socket);
    underWay?.add(outgoing);
    outgoing.on('close', () => {
      underWay?.delete(outgoing);
      if (underWay?.size === 0 && !server.listening) socket.end();
    });
    void serve(app, incoming, outgoing, clientAddressOf(incoming, options.clientAddressHeader ?? null));
  };
  // Left to themselves, these would be answered by Node: without a body, and without headers that let a web page read it.
  const server = createServer({ requireHostHeader: false }, answer)
    .on('checkExpectation', answer)
    .on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => {
      const hasBegun = [...(connections.get(socket) ?? [])].some(({ headersSent }) => headersSent);
      if (hasBegun || !socket.writable) socket.destroy();
      else void refuse(socket, statusOfCode.get(error.code ?? '') ?? 400);
    });
  server.keepAliveTimeout = keepAliveTimeoutMs;
  server.on('connection', (socket) => {
    connections.set(socket, new Set());
    socket.on('close', () => connections.delete(socket));
  });
  server.listen(options.port, options.host);
  await once(server, 'listening');
  const { address, port, family } = server.address() as AddressInfo;
  let stopping: Promise<void> | undefined;
  return {
    url: `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`,
    stop: () => {
      stopping ??= drain(server, connections);
      return stopping;
    },
  };
}

async function serve(
  app: App,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  clientAddress: string,
): Promise<void> {
  const request = requestOf(incoming);
  const response =
    request === null ? failureResponse(notHttp) : await app(request, { clientAddress, requestId: randomUUID() });
  outgoing.statusCode = response.status;
  outgoing.setHeaders(response.headers);
  if (response.body === null) outgoing.end();
  else if (isSmall(response)) {
    await wholeOf(response.body, outgoing).then(
      (body) => outgoing.end(body),
      () => outgoing.destroy(),
    );
  }
  // A client that leaves in the midst of a download is no failure of ours; the pipeline has cancelled the body.
  else await pipeline(Readable.fromWeb(response.body), outgoing).catch(() => outgoing.destroy());
}

/** Whether the body is known to be so small that it is sent in one piece: streams are slow to begin. */
function isSmall({ headers }: Response): boolean {
  const length = headers.get('Content-Length');
  return length !== null && Number(length) <= wholeOctetsMax;
}

/** All of a body. The rest of it may still have to be read from elsewhere: it is cancelled when the client goes away. */
async function wholeOf(body: ReadableStream<Uint8Array>, outgoing: ServerResponse): Promise<Buffer> {
  const reader = body.getReader();
  const cancel = () => void reader.cancel().catch(() => {});
  if (outgoing.destroyed) cancel();
  outgoing.once('close', cancel);
  const chunks: Uint8Array[] = [];
  for (let next = await reader.read(); !next.done; next = await reader.read()) chunks.push(next.value);
  outgoing.off('close', cancel);
  return Buffer.concat(chunks);
}

/** What Node found wrong with what a client sent, where it is not merely no HTTP. */
const statusOfCode: ReadonlyMap<string, number> = new Map([
  ['HPE_HEADER_OVERFLOW', 431],
  ['HPE_CHUNK_EXTENSIONS_OVERFLOW', 413],
  ['ERR_HTTP_REQUEST_TIMEOUT', 408],
]);

/** Answers what could not be read as a request, and ends the connection: where the next one begins, nobody knows. */
async function refuse(socket: Socket, status: number): Promise<void> {
  const response = failureResponse(new HttpError(status, 'The request cannot be read.'));
  const body = Buffer.from(await response.arrayBuffer());
  const headers = [...response.headers, ['content-length', body.byteLength], ['connection', 'close']];
  const lines = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    ...headers.map(([name, value]) => `${name}: ${value}`),
    '',
    '',
  ];
  socket.end(Buffer.concat([Buffer.from(lines.join('\r\n'), 'latin1'), body]));
  // What the client still sends is read for a while: a connection that ends before takes the answer with it.
  socket.setTimeout(drainTimeoutMs, () => socket.destroy());
  socket.on('error', () => socket.destroy()).resume();
}

/** Who asks. Of a list, only the last address was written by the proxy; the others are what the client made up. */
function clientAddressOf({ headers, socket }: IncomingMessage, header: string | null): string {
  const told =
    header === null
      ? undefined
      : String(headers[header] ?? '')
          .split(',')
          .at(-1)
          ?.trim();
  return told !== undefined && isIP(told) !== 0 ? told : (socket.remoteAddress ?? '');
}

const notHttp = new HttpError(400, 'The request line or the Host header cannot be used.');

/** The request as the app knows it, or null where its target, Host (RFC 9112 §3.2) or method cannot be part of one. */
function requestOf(incoming: IncomingMessage): Request | null {
  const { method = 'GET', url = '/', headers, httpVersion } = incoming;
  if (headers.host === undefined && httpVersion !== '1.0') return null;
  const target = url.startsWith('/') ? `http://${headers.host ?? 'localhost'}${url}` : url;
  const body = method === 'GET' || method === 'HEAD' ? null : bodyOf(incoming);
  try {
    return new Request(target, { method, headers: headersOf(incoming), body, duplex: 'half' });
  } catch {
    return null;
  }
}

/**
 * The body, read only as fast as it is wanted. Cancelling it discards the rest; `Readable.toWeb` would close the
 * connection instead, and the client would never see why its request was refused.
 */
function bodyOf(incoming: IncomingMessage): ReadableStream<Uint8Array> {
  const listeners = {
    data: (_chunk: Uint8Array) => {},
    end: () => {},
    // Also said of a request whose client went away, which neither ends nor fails.
    close: () => {},
  };
  const forget = () => {
    for (const [event, listener] of Object.entries(listeners)) incoming.removeListener(event, listener);
  };
  incoming.on('error', () => {}); // told by `close`
  return new ReadableStream<Uint8Array>(
    {
      start: (controller) => {
        listeners.data = (chunk) => {
          controller.enqueue(chunk);
          incoming.pause();
        };
        listeners.end = () => {
          forget();
          controller.close();
        };
        listeners.close = () => {
          forget();
          controller.error(new Error('the client went away before its request was complete'));
        };
        incoming.on('end', listeners.end).on('close', listeners.close);
      },
      pull: () => {
        if (incoming.listenerCount('data') === 0) incoming.on('data', listeners.data);
        incoming.resume();
      },
      cancel: () => {
        forget();
        incoming.resume();
      },
    },
    { highWaterMark: 0 },
  );
}

function headersOf({ rawHeaders }: IncomingMessage): Headers {
  const headers = new Headers();
  for (let index = 0; index < rawHeaders.length; index += 2) {
    headers.append(rawHeaders[index] ?? '', rawHeaders[index + 1] ?? '');
  }
  return headers;
}

/** Browsers keep connections open on which they never asked for anything: `closeIdleConnections` would wait for those. */
async function drain(server: Server, connections: ReadonlyMap<Socket, ReadonlySet<ServerResponse>>): Promise<void> {
  const closed = once(server, 'close');
  server.close();
  for (const [socket, underWay] of connections) if (underWay.size === 0) socket.destroy();
  const lastResort = setTimeout(() => server.closeAllConnections(), drainTimeoutMs);
  await closed;
  clearTimeout(lastResort);
}
