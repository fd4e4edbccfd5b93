import { Buffer } from 'node:buffer';
import type { Socket } from 'node:net';
import { createSecureContext, type SecureContext } from 'node:tls';
import SMTPConnection from 'nodemailer/lib/smtp-connection';
import { isLoopback } from '../endpoint.ts';
import { Unavailable } from '../jmap/errors.ts';
import type { SmtpReply } from '../methods/EmailSubmission/relay.ts';
import type { SmtpLimits } from './limits.ts';
import { onTheWire } from './on-the-wire.ts';
import { parseReply } from './reply.ts';
import type { SmtpServer } from './server.ts';

/** A connection on which commands can be sent, protected as the operator wants it. */
export type SmtpSession = {
  /** The EHLO keywords of the server in upper case, each with its parameters. */
  readonly offers: ReadonlyMap<string, string>;
  /** Asks once more what the server offers, which after a login may be something else; where it refuses, nothing is. Throws as `commands` does. */
  readonly askOffers: (mostMs: number) => Promise<SmtpReply>;
  /** Sends lines, all at once, and gives the reply to each. Throws `Unavailable` when one does not come in `mostMs`. */
  readonly commands: (lines: readonly string[], mostMs?: number) => Promise<SmtpReply[]>;
  /** Sends a chunk of a message that is not the last one (BDAT, RFC 3030), as it is. Throws as `commands` does. */
  readonly chunk: (octets: Uint8Array, mostMs: number) => Promise<SmtpReply>;
  /** Ends a message of chunks: in all else as `message`. */
  readonly endChunks: (beforeEnd: () => Promise<void>) => Promise<SmtpReply | 'unknown'>;
  /**
   * Sends the message after DATA was accepted. `beforeEnd` runs when all but its end is sent. 'unknown': the end was sent, and no
   * reply came. Throws, as long as the end was not sent, `Unavailable` or what `beforeEnd` throws; the connection is closed then.
   */
  readonly message: (octets: Uint8Array, beforeEnd: () => Promise<void>) => Promise<SmtpReply | 'unknown'>;
  /** Says goodbye where it can, and does not wait for the answer. */
  readonly close: () => void;
};

/**
 * What nodemailer 10 has at run time and leaves out of its types. tests/smtp pins the behaviour; the version is pinned in
 * package.json.
 */
type Internals = {
  /** Told of the next replies, in order; replaced when the connection ends. */
  _responseActions: ((reply: string) => void)[];
  readonly _sendCommand: (line: string) => void;
  readonly _socket: Socket;
  readonly _ehloLines?: readonly string[];
};

/** A name of this machine would tell more than the server has to know (RFC 5321 §4.1.3 allows the literal). */
const ownName = '[127.0.0.1]';

/** Connects; the greeting, EHLO and TLS are nodemailer's. After `timeoutMs` nothing more is waited for. Throws `Unavailable`. */
export async function openSmtp({ smtp }: SmtpServer, limits: SmtpLimits, timeoutMs: number): Promise<SmtpSession> {
  const endsAt = performance.now() + timeoutMs;
  if (smtp.tls === 'plaintext' && !isLoopback(smtp.host)) {
    throw new Unavailable(`No connection to "${smtp.host}": plaintext is for this machine only`);
  }
  const connection = new SMTPConnection({
    host: smtp.host,
    port: smtp.port,
    secure: smtp.tls === 'implicit',
    ...(smtp.tls === 'starttls' ? { requireTLS: true } : {}),
    ...(smtp.tls === 'plaintext' ? { ignoreTLS: true } : {}),
    name: ownName,
    tls: { secureContext: secureContextFor(smtp.ca), rejectUnauthorized: true },
    allowInternalNetworkInterfaces: true,
    connectionTimeout: limits.connectTimeoutMs,
    greetingTimeout: limits.connectTimeoutMs,
    socketTimeout: Math.max(limits.finalReplyTimeoutMs, limits.messageTimeoutMs) + limits.replyTimeoutMs,
    socketCloseTimeout: 1_000,
    maxResponseSize: limits.replyOctetsMax,
    logger: false,
  });
  const internals = connection as unknown as Internals;

  /** Those who wait for something of this connection. */
  const waiting = new Set<(error: Unavailable) => void>();
  let failure: Unavailable | null = null;
  const fail = (error: Unavailable) => {
    failure ??= error;
    for (const reject of [...waiting]) reject(failure);
    waiting.clear();
    connection.close();
  };
  connection.on('error', (cause: Error) => fail(unavailable(cause)));
  connection.on('end', () => fail(failed('ECONNRESET', 'The submission server closed the connection')));

  /** Waits for `begin` to call back; no longer than the connection lives, nor than `mostMs`. */
  function within<T>(mostMs: number, begin: (resolve: (value: T) => void) => void): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      if (failure !== null) return reject(failure);
      const deadline = setTimeout(
        () => fail(failed('ETIMEDOUT', 'The submission server did not answer in time')),
        Math.max(0, Math.min(mostMs, endsAt - performance.now())),
      );
      const settle = (end: () => void) => {
        clearTimeout(deadline);
        waiting.delete(onFailure);
        end();
      };
      const onFailure = (error: Unavailable) => settle(() => reject(error));
      waiting.add(onFailure);
      begin((value) => settle(() => resolve(value)));
    });
  }
  /** The next reply that nobody waits for yet; `hear` is told its lines. */
  function nextReply(mostMs: number, hear: (raw: string) => void = () => {}): Promise<SmtpReply> {
    return within(mostMs, (resolve) => {
      internals._responseActions.push((raw) => {
        const reply = parseReply(raw);
        if (reply === null) return fail(failed('EPROTO', 'The submission server does not speak SMTP'));
        hear(raw);
        resolve(reply);
      });
    });
  }

  /** Sends what is left of a message, and then its end. */
  async function ended(
    sendRest: () => Promise<void>,
    end: string,
    beforeEnd: () => Promise<void>,
  ): Promise<SmtpReply | 'unknown'> {
    // A server that has seen enough may answer before the end.
    let early: SmtpReply | null = null;
    const answer = nextReply(limits.messageTimeoutMs + limits.finalReplyTimeoutMs);
    answer.then(
      (reply) => {
        early = reply;
      },
      () => {},
    );
    const socket = internals._socket;
    try {
      await sendRest();
      if (early === null) await beforeEnd();
    } catch (error) {
      // Without its end the server must not take the message for whole; a connection that ends does not end the message.
      fail(new Unavailable('the message was not ended', { cause: error }));
      socket.destroy();
      throw error;
    }
    if (early !== null)
      return refusalOrNothing(early, () => fail(new Unavailable('an answer came before its question')));
    if (failure !== null) throw failure;
    socket.write(end);
    return answer.catch(() => 'unknown' as const);
  }

  await within<void>(limits.connectTimeoutMs, (resolve) => {
    connection.connect((error) => (error === undefined ? resolve() : fail(unavailable(error))));
  });

  let offers = offersOf(internals._ehloLines ?? []);
  return {
    get offers() {
      return offers;
    },
    askOffers: (mostMs) => {
      const reply = nextReply(mostMs, (raw) => {
        if (!raw.startsWith('250')) return;
        const [, ...lines] = raw.split(/\r?\n/);
        offers = offersOf(lines.map((line) => line.slice('250 '.length)));
      });
      internals._sendCommand(`EHLO ${ownName}`);
      return reply;
    },
    commands: (lines, mostMs = limits.replyTimeoutMs) => {
      const broken = lines.find((line) => /[\r\n\0]/.test(line));
      if (broken !== undefined) throw new Error('Could not send a command: it is more than one line');
      const replies = Promise.all(lines.map(() => nextReply(mostMs)));
      if (lines.length > 0) internals._sendCommand(lines.join('\r\n'));
      return replies;
    },
    chunk: (octets, mostMs) => {
      const reply = nextReply(mostMs);
      internals._sendCommand(`BDAT ${octets.byteLength}`);
      if (!internals._socket.destroyed) internals._socket.write(octets);
      return reply;
    },
    message: (octets, beforeEnd) => {
      const send = () =>
        within<void>(limits.messageTimeoutMs, (resolve) => {
          internals._socket.write(onTheWire(octets), () => resolve());
        });
      return ended(send, '.\r\n', beforeEnd);
    },
    endChunks: (beforeEnd) => ended(async () => {}, 'BDAT 0 LAST\r\n', beforeEnd),
    close: () => {
      if (failure !== null) return;
      internals._responseActions.push(() => {});
      internals._sendCommand('QUIT');
      fail(new Unavailable('the session is over'));
    },
  };
}

/** What was said before the message ended is a refusal or nothing that can be relied on. */
function refusalOrNothing(reply: SmtpReply, end: () => void): SmtpReply {
  if (reply.code >= 400) return reply;
  end();
  throw new Unavailable('The submission server answered before the message ended');
}

function offersOf(lines: readonly string[]): ReadonlyMap<string, string> {
  return new Map(
    lines.map((line) => {
      const [, keyword = '', parameters = ''] = /^([^\s=]+)[\s=]*(.*)$/s.exec(line) ?? [];
      return [keyword.toUpperCase(), parameters.trim()] as const;
    }),
  );
}

function unavailable(cause: Error & { code?: string | undefined }): Unavailable {
  return new Unavailable(`No connection to the submission server: ${cause.code ?? cause.name}`, { cause });
}

/** `code` is what the log may tell of it. */
function failed(code: string, message: string): Unavailable {
  return Object.assign(new Unavailable(message), { code });
}

/** One context for all connections that trust the same certificates. */
const secureContexts = new Map<string | null, SecureContext>();

function secureContextFor(ca: string | null): SecureContext {
  const context =
    secureContexts.get(ca) ??
    createSecureContext({ minVersion: 'TLSv1.2', ...(ca === null ? {} : { ca: Buffer.from(ca) }) });
  secureContexts.set(ca, context);
  return context;
}
