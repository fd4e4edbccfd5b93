import { type AddressInfo, createServer, type Socket } from 'node:net';
import { createSecureContext, createServer as createTlsServer, TLSSocket } from 'node:tls';
import type { SmtpServer } from '../../shared/smtp/server.ts';
import type { Certificate } from '../imap/scripted-server.ts';

/** Answers one command, or the end of a message (`.`). Null: no answer, ever. The function may use the socket itself. */
export type SmtpAnswer = string | null | ((line: string, socket: Socket) => string | null);

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
  /** The messages as they came, dots and all. */
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
    let received = '';
    let message: string[] | null = null;
    socket.on('error', () => {});
    socket.on('close', () => {
      sockets.delete(socket);
      cutOff ||= message !== null;
    });
    const say = (name: string, line: string) => {
      const answer = name in answers ? answers[name] : (decentAnswers[name] ?? '502 unknown');
      const said = typeof answer === 'function' ? answer(line, socket) : answer;
      if (name === 'DATA' && said?.startsWith('354')) message = [];
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
      if (name === 'EHLO' && !('EHLO' in answers)) {
        const all = ['hello', ...offers, ...(tls === 'starttls' && !isSecure ? ['STARTTLS'] : [])];
        socket.write(all.map((each, i) => `250${i === all.length - 1 ? ' ' : '-'}${each}\r\n`).join(''));
      } else if (name === 'STARTTLS' && tls === 'starttls' && !('STARTTLS' in answers)) {
        socket.removeAllListeners('data');
        socket.write('220 go on\r\n');
        serve(new TLSSocket(socket, { isServer: true, secureContext: createSecureContext(certificate) }), true);
      } else if (!(name in answers) && !(name in decentAnswers)) say('AUTH', line);
      else say(name, line);
    };
    socket.on('data', (chunk: Buffer) => {
      received += chunk.toString('utf8');
      for (let end = received.indexOf('\r\n'); end >= 0; end = received.indexOf('\r\n')) {
        const line = received.slice(0, end);
        received = received.slice(end + 2);
        take(line);
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
