import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createSecureContext, createServer as createTlsServer, TLSSocket } from 'node:tls';
import { promisify } from 'node:util';
import type { ImapServer } from '../../shared/imap/endpoint.ts';

/**
 * Answers one command. A text is sent as it is, `%` standing for the command's tag; null: no answer, ever.
 * The function may use the socket itself.
 */
export type Answer = string | null | ((command: ScriptedCommand) => string | null | undefined);

export type ScriptedCommand = { readonly tag: string; readonly line: string; readonly socket: Socket };

export type Script = {
  readonly greeting?: string | null;
  /** By command name; `UID FETCH` is one. */
  readonly answers?: Readonly<Record<string, Answer>>;
  readonly tls?: 'none' | 'implicit' | 'starttls';
  readonly certificate?: Certificate;
};

export type Certificate = { readonly key: string; readonly cert: string };

export type ScriptedServer = {
  readonly server: ImapServer;
  /** Every command that came, without tags, in order. */
  readonly commands: string[];
  readonly connections: () => number;
  /** Resolves when a command with this name has come (again). */
  readonly received: (name: string) => Promise<void>;
  /** Ends all connections, as a server does that is restarted. */
  readonly hangUp: () => void;
  readonly close: () => Promise<void>;
};

const capabilities = 'IMAP4rev1 SASL-IR AUTH=PLAIN ENABLE CONDSTORE QRESYNC NAMESPACE UNSELECT ESEARCH LITERAL+';

/** What a decent server answers, for an inbox of one message. */
const decentAnswers: Readonly<Record<string, string>> = {
  CAPABILITY: `* CAPABILITY ${capabilities}\r\n% OK done\r\n`,
  AUTHENTICATE: `% OK [CAPABILITY ${capabilities}] welcome\r\n`,
  LOGIN: `% OK [CAPABILITY ${capabilities}] welcome\r\n`,
  ENABLE: '* ENABLED QRESYNC\r\n% OK done\r\n',
  NAMESPACE: '* NAMESPACE (("" "/")) NIL NIL\r\n% OK done\r\n',
  EXAMINE:
    '* 1 EXISTS\r\n* OK [UIDVALIDITY 7] ok\r\n* OK [UIDNEXT 2] ok\r\n* OK [HIGHESTMODSEQ 3] ok\r\n% OK [READ-ONLY] done\r\n',
  UNSELECT: '% OK done\r\n',
  NOOP: '% OK done\r\n',
  'UID SEARCH': '* ESEARCH (TAG "%") UID ALL 1\r\n% OK done\r\n',
  'UID FETCH':
    '* 1 FETCH (UID 1 FLAGS () INTERNALDATE "01-Mar-2024 10:00:00 +0000" RFC822.SIZE 5 X-GUID a BODY[HEADER.FIELDS (MESSAGE-ID REFERENCES IN-REPLY-TO)] "")\r\n% OK done\r\n',
  LOGOUT: '* BYE bye\r\n% OK done\r\n',
};

/** An IMAP server on loopback that says what a test wants it to say. */
export async function scriptedServer({
  greeting,
  answers = {},
  tls = 'none',
  certificate,
}: Script): Promise<ScriptedServer> {
  const commands: string[] = [];
  const sockets = new Set<Socket>();
  const waiting: { name: string; resolve: () => void }[] = [];
  let connections = 0;
  const hello =
    greeting === undefined
      ? `* OK [CAPABILITY ${capabilities}${tls === 'starttls' ? ' STARTTLS' : ''}] ready\r\n`
      : greeting;

  const serve = (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
    let received = '';
    socket.on('data', (chunk: Buffer) => {
      received += chunk.toString('latin1');
      for (;;) {
        const end = received.indexOf('\r\n');
        if (end < 0) return;
        const text = received.slice(0, end);
        received = received.slice(end + 2);
        const [tag = '', ...words] = text.split(' ');
        const first = (words[0] ?? '').toUpperCase();
        const name = first === 'UID' ? `UID ${(words[1] ?? '').toUpperCase()}` : first;
        commands.push(words.join(' '));
        const answer = name in answers ? answers[name] : (decentAnswers[name] ?? '% BAD unknown command\r\n');
        if (tls === 'starttls' && name === 'STARTTLS' && !(name in answers)) {
          socket.removeAllListeners('data');
          socket.write(`${tag} OK go on\r\n`);
          serve(new TLSSocket(socket, { isServer: true, secureContext: createSecureContext(certificate) }));
          return;
        }
        const said = typeof answer === 'function' ? answer({ tag, line: text, socket }) : answer;
        if (said && !socket.destroyed) socket.write(Buffer.from(said.replaceAll('%', tag), 'latin1'));
        for (const waiter of waiting.filter((each) => each.name === name)) {
          waiting.splice(waiting.indexOf(waiter), 1);
          waiter.resolve();
        }
      }
    });
  };
  const accept = (socket: Socket) => {
    connections++;
    serve(socket);
    if (hello !== null) socket.write(hello);
  };
  const listener = tls === 'implicit' ? createTlsServer({ ...certificate }, accept) : createServer(accept);
  listener.on('tlsClientError', () => {});
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
  const { port } = listener.address() as AddressInfo;
  const hangUp = () => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    server: {
      name: `scripted-${port}`,
      imap: { host: '127.0.0.1', port, tls: tls === 'none' ? 'plaintext' : tls, ca: certificate?.cert ?? null },
      auth: ['plain', 'login', 'oauthbearer', 'xoauth2'],
      forbiddenIdentitySchemes: [],
      quirks: { ignoreCapabilities: [] },
    },
    commands,
    connections: () => connections,
    received: (name) => new Promise((resolve) => waiting.push({ name, resolve })),
    hangUp,
    close: () => {
      hangUp();
      return new Promise((resolve) => listener.close(() => resolve()));
    },
  };
}

/** A self-signed certificate for an address (`IP:127.0.0.1`) or a name (`DNS:example.com`). */
export async function certificateFor(subject: string): Promise<Certificate> {
  const folder = await mkdtemp(path.join(tmpdir(), 'certificate-'));
  const [key, cert] = [path.join(folder, 'key.pem'), path.join(folder, 'cert.pem')];
  try {
    await promisify(execFile)('openssl', [
      ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'],
      ...['-subj', '/CN=test', '-addext', `subjectAltName=${subject}`, '-keyout', key, '-out', cert],
    ]);
    return { key: await readFile(key, 'utf8'), cert: await readFile(cert, 'utf8') };
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** Writes the text again and again until the other side hangs up. */
export function endlessly(text: string): Answer {
  return ({ socket }) => {
    const more = () => {
      while (!socket.destroyed && socket.write(text));
      if (!socket.destroyed) socket.once('drain', more);
    };
    more();
    return null;
  };
}
