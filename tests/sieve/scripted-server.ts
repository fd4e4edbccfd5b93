import { type AddressInfo, createServer, type Socket } from 'node:net';
import { createSecureContext, createServer as createTlsServer, TLSSocket } from 'node:tls';
import type { SieveServer } from '../../shared/sieve/server.ts';
import type { Certificate } from '../imap/scripted-server.ts';

/** What the server says to a command; a function may do something else with the connection, and then answers null. */
export type SieveAnswer =
  | string
  | null
  | ((command: { readonly line: string; readonly socket: Socket }) => string | null);

export type SieveScriptedServer = {
  readonly server: SieveServer;
  /** What arrived, a command each, literals and all. */
  readonly commands: string[];
  readonly connections: () => number;
  readonly close: () => Promise<void>;
};

const capabilities = (more: string) =>
  `"IMPLEMENTATION" "Scripted"\r\n"SASL" "PLAIN OAUTHBEARER XOAUTH2"\r\n"SIEVE" "fileinto vacation"\r\n"VERSION" "1.0"\r\n${more}`;

const decentAnswers: { readonly [command: string]: SieveAnswer } = {
  AUTHENTICATE: 'OK "Welcome."\r\n',
  CAPABILITY: `${capabilities('')}OK\r\n`,
  LOGOUT: 'OK "Bye."\r\n',
};

/** A ManageSieve server on loopback that says what a test wants it to say. `%` in `greeting` stands for decent capabilities. */
export async function scriptedSieveServer({
  greeting = '%OK "Ready."\r\n',
  greetingAfterTls = '%OK "Ready under TLS."\r\n',
  answers = {},
  tls = 'none',
  certificate,
}: {
  readonly greeting?: string | null;
  readonly greetingAfterTls?: string;
  readonly answers?: { readonly [command: string]: SieveAnswer };
  readonly tls?: 'none' | 'implicit' | 'starttls';
  readonly certificate?: Certificate;
} = {}): Promise<SieveScriptedServer> {
  const commands: string[] = [];
  const sockets = new Set<Socket>();
  let connections = 0;

  const serve = (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
    let received = Buffer.alloc(0);
    socket.on('data', (chunk: Buffer) => {
      received = Buffer.concat([received, chunk]);
      for (;;) {
        const end = endOfCommand(received);
        if (end === null) return;
        const line = received.toString('latin1', 0, end - 2);
        received = received.subarray(end);
        commands.push(line);
        const name = (/^[A-Z]+/i.exec(line)?.[0] ?? '').toUpperCase();
        const answer = name in answers ? answers[name] : (decentAnswers[name] ?? 'NO "What?"\r\n');
        if (tls === 'starttls' && name === 'STARTTLS' && !(name in answers)) {
          socket.removeAllListeners('data');
          socket.write('OK "Begin TLS."\r\n');
          const upgraded = new TLSSocket(socket, { isServer: true, secureContext: createSecureContext(certificate) });
          serve(upgraded);
          upgraded.write(greetingAfterTls.replace('%', capabilities('')));
          return;
        }
        const said = typeof answer === 'function' ? answer({ line, socket }) : answer;
        if (said && !socket.destroyed) socket.write(Buffer.from(said, 'utf8'));
      }
    });
  };
  const accept = (socket: Socket) => {
    connections++;
    serve(socket);
    const offers = capabilities(tls === 'starttls' ? '"STARTTLS"\r\n' : '');
    if (greeting !== null) socket.write(greeting.replace('%', offers));
  };
  const listener = tls === 'implicit' ? createTlsServer({ ...certificate }, accept) : createServer(accept);
  listener.on('tlsClientError', () => {});
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
  const { port } = listener.address() as AddressInfo;
  return {
    server: {
      name: `scripted-${port}`,
      sieve: { host: '127.0.0.1', port, tls: tls === 'none' ? 'plaintext' : tls, ca: certificate?.cert ?? null },
      auth: ['plain', 'oauthbearer', 'xoauth2'],
    },
    commands,
    connections: () => connections,
    close: () => {
      for (const socket of sockets) socket.destroy();
      return new Promise((resolve) => listener.close(() => resolve()));
    },
  };
}

/** Where the next command ends, behind its line end; null while it is not complete. */
function endOfCommand(received: Buffer): number | null {
  let from = 0;
  for (;;) {
    const end = received.indexOf('\r\n', from);
    if (end === -1) return null;
    const literal = /\{(\d+)\+\}$/.exec(received.toString('latin1', from, end));
    if (literal === null) return end + 2;
    from = end + 2 + Number(literal[1]);
  }
}
