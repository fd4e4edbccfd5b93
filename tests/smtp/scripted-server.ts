import { type AddressInfo, createServer, type Socket } from 'node:net';
import { createSecureContext, createServer as createTlsServer, TLSSocket } from 'node:tls';
import type { SmtpServer } from '../../shared/smtp/server.ts';
import type { Certificate } from '../imap/scripted-server.ts';

/**
 * Answers one command, or the end of a message (`.`, or `BDAT` with LAST). Null: no answer, ever. The function may use the socket itself,
 * and is told what came with `BDAT`.
 */
export type SmtpAnswer =
  | string
  | null
  | ((line: string, socket: Socket, chunk: string) => string | null | Promise<string | null>);

export type SmtpScript = {
  readonly greeting?: string | null;
  /** EHLO keywords with their parameters. */
  readonly offers?: readonly string[];
  /** By the first word of the command in upper case; `.` is the end of a message. */
  readonly answers?: Readonly<Record<string, SmtpAnswer>>;
  readonly tls?: 'none' | 'implicit' | 'starttls';
  readonly certificate?: Certificate;
};

export type ScriptedSmtpServer = {
  readonly server: SmtpServer;
  /** Every command that came, in order; of a message only `.`, where it ended. */
  readonly commands: string[];
  /** The messages as they came, dots and all; of a body that was to be fetched, the URL in braces. */
  readonly messages: string[];
  /** Whether a connection ended in the midst of a message. */
  readonly cutOff: () => boolean;
  readonly close: () => Promise<void>;
};

export const usualOffers = ['PIPELINING', 'SIZE 1000000', '8BITMIME', 'SMTPUTF8', 'DSN', 'AUTH PLAIN LOGIN'];

const decentAnswers: Readonly<Record<string, string>> = {
  AUTH: '235 2.7.0 welcome',
  MAIL: '250 2.1.0 sender ok',
  RCPT: '250 2.1.5 recipient ok',
  DATA: '354 go ahead',
  BDAT: '250 2.0.0 taken',
  BURL: '250 2.5.0 fetched',
  '.': '250 2.0.0 queued as 4711',
  QUIT: '221 bye',
};

/** A submission server on loopback that says what a test wants it to say. */
export async function scriptedSmtpServer(script: SmtpScript = {}): Promise<ScriptedSmtpServer> {
  const { greeting = '220 ready', offers = usualOffers, answers = {}, tls = 'none', certificate } = script;
  const commands: string[] = [];
  const messages: string[] = [];
  const sockets = new Set<Socket>();
  let cutOff = false;

  const serve = (socket: Socket, isSecure: boolean) => {
    sockets.add(socket);
    let received: Buffer = Buffer.alloc(0);
    let message: string[] | null = null;
    /** What came of a message in chunks, and the command whose chunk is on its way. */
    let chunks = '';
    let chunk: { readonly line: string; readonly size: number } | null = null;
    socket.on('error', () => {});
    socket.on('close', () => {
      sockets.delete(socket);
      cutOff ||= message !== null || chunks !== '';
    });
    const say = (name: string, line: string, octets = '') => {
      const answer = name in answers ? answers[name] : (decentAnswers[name] ?? '502 unknown');
      const said = typeof answer === 'function' ? answer(line, socket, octets) : answer;
      if (said instanceof Promise) void said.then((late) => answered(name, line, late));
      else answered(name, line, said);
    };
    const answered = (name: string, line: string, said: string | null | undefined) => {
      if (name === 'DATA' && said?.startsWith('354')) message = [];
      if (name === 'BURL' && said?.startsWith('2')) chunks += `{${line.split(' ')[1]}}`;
      if (name === 'BDAT' && line.endsWith(' LAST')) {
        messages.push(chunks);
        chunks = '';
      }
      if (said !== null && said !== undefined && !socket.destroyed) socket.write(`${said}\r\n`);
    };
    const take = (line: string) => {
      if (message !== null) {
        if (line !== '.') return void message.push(line);
        messages.push(message.join('\r\n'));
        message = null;
        commands.push('.');
        return say('.', line);
      }
      commands.push(line);
      const name = line.split(' ')[0]?.toUpperCase() ?? '';
      if (name === 'BDAT') chunk = { line, size: Number(line.split(' ')[1]) };
      else if (name === 'EHLO' && !('EHLO' in answers)) {
        const all = ['hello', ...offers, ...(tls === 'starttls' && !isSecure ? ['STARTTLS'] : [])];
        socket.write(all.map((each, i) => `250${i === all.length - 1 ? ' ' : '-'}${each}\r\n`).join(''));
      } else if (name === 'STARTTLS' && tls === 'starttls' && !('STARTTLS' in answers)) {
        socket.removeAllListeners('data');
        socket.write('220 go on\r\n');
        serve(new TLSSocket(socket, { isServer: true, secureContext: createSecureContext(certificate) }), true);
      } else if (!(name in answers) && !(name in decentAnswers)) say('AUTH', line);
      else say(name, line);
    };
    socket.on('data', (data: Buffer) => {
      received = Buffer.concat([received, data]);
      for (;;) {
        const end = chunk === null ? received.indexOf('\r\n') : chunk.size;
        if (end < 0 || received.length < end) return;
        const text = received.toString('utf8', 0, end);
        received = received.subarray(chunk === null ? end + 2 : end);
        if (chunk === null) take(text);
        else {
          const { line } = chunk;
          chunk = null;
          chunks += text;
          say('BDAT', line, text);
        }
      }
    });
  };
  const accept = (socket: Socket) => {
    serve(socket, tls === 'implicit');
    if (greeting !== null) socket.write(`${greeting}\r\n`);
  };
  const listener = tls === 'implicit' ? createTlsServer({ ...certificate }, accept) : createServer(accept);
  listener.on('tlsClientError', () => {});
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
  const { port } = listener.address() as AddressInfo;
  return {
    server: {
      smtp: { host: '127.0.0.1', port, tls: tls === 'none' ? 'plaintext' : tls, ca: certificate?.cert ?? null },
      auth: ['plain', 'login', 'oauthbearer', 'xoauth2'],
    },
    commands,
    messages,
    cutOff: () => cutOff,
    close: () => {
      for (const socket of sockets) socket.destroy();
      return new Promise((resolve) => listener.close(() => resolve()));
    },
  };
}
