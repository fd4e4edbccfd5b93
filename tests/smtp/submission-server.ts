import type { AddressInfo } from 'node:net';
import { SMTPServer, type SMTPServerAddress, type SMTPServerEnvelope } from 'smtp-server';
import type { Endpoint } from '../../shared/endpoint.ts';
import type { Certificate } from '../imap/scripted-server.ts';

/** A submission server of another make, which counts what it accepted. */
export type SubmissionServer = {
  readonly endpoint: Endpoint;
  readonly accepted: {
    readonly user: string;
    readonly from: string;
    readonly to: string[];
    readonly text: string;
    readonly at: number;
    /** With what the extensions added to it. */
    readonly envelope: SMTPServerEnvelope;
  }[];
  /** Resolves when it has accepted so many messages in all. */
  readonly hasAccepted: (count: number) => Promise<void>;
  readonly stop: () => Promise<void>;
};

/** How far a message has come: `part` is when its first octets arrive, `end` when all have. */
export type Milestone = 'MAIL' | 'RCPT' | 'DATA' | 'part' | 'end';

/**
 * `delivered`: told of each message, before it is acknowledged; `reached`: of all that comes before, and of that. Recipients named `nobody` are refused; without a certificate it serves
 * in the clear. `isOpen`: it takes messages of servers, too, which do not log in.
 */
export async function submissionServer(
  options: {
    readonly certificate?: Certificate;
    readonly isOpen?: boolean;
    /** Octets of a message. */
    readonly size?: number;
    readonly delivered?: (message: { readonly to: string[]; readonly text: string }) => Promise<void>;
    readonly reached?: (milestone: Milestone) => Promise<void>;
  } = {},
): Promise<SubmissionServer> {
  const { certificate, isOpen = false, size = 30_000_000 } = options;
  const { delivered = async () => {}, reached = async () => {} } = options;
  const accepted: SubmissionServer['accepted'][number][] = [];
  const waiting: { readonly count: number; readonly resolve: () => void }[] = [];
  const server = new SMTPServer({
    authMethods: ['PLAIN'],
    allowInsecureAuth: true,
    ...(certificate === undefined ? { hideSTARTTLS: true } : certificate),
    authOptional: isOpen,
    hideDSN: false,
    size,
    onAuth: ({ username = '', password }, _session, callback) => {
      if (password === 'wrong') return callback(new Error('no such login'));
      return callback(null, { user: username });
    },
    onMailFrom: (_address, _session, callback) => void reached('MAIL').then(() => callback()),
    onRcptTo: ({ address }, _session, callback) => {
      if (!address.startsWith('nobody@')) return void reached('RCPT').then(() => callback());
      return callback(Object.assign(new Error('5.1.1 nobody is not here'), { responseCode: 550 }));
    },
    onData: (stream, session, callback) => {
      const chunks: Buffer[] = [];
      stream.on('error', () => {});
      stream.on('end', () => {
        const { envelope } = session;
        const { mailFrom, rcptTo } = envelope;
        const text = Buffer.concat(chunks).toString();
        const to = rcptTo.map(({ address }: SMTPServerAddress) => address);
        const from = mailFrom ? mailFrom.address : '';
        accepted.push({
          user: String(session.user),
          from,
          to,
          text,
          at: Date.now(),
          envelope: structuredClone(envelope),
        });
        for (const { count, resolve } of waiting) if (accepted.length >= count) resolve();
        delivered({ to, text })
          .then(() => reached('end'))
          .then(
            () => callback(null, '2.0.0 accepted'),
            (error: Error) => callback(error),
          );
      });
      reached('DATA').then(() => {
        stream.on('data', (chunk: Buffer) => {
          if (chunks.push(chunk) === 1) void reached('part');
        });
      });
    },
  });
  server.on('error', () => {});
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
  const { port } = server.server.address() as AddressInfo;
  return {
    endpoint: {
      host: '127.0.0.1',
      port,
      tls: certificate === undefined ? 'plaintext' : 'starttls',
      ca: certificate?.cert ?? null,
    },
    accepted,
    hasAccepted: (count) =>
      new Promise((resolve) => {
        if (accepted.length >= count) resolve();
        else waiting.push({ count, resolve });
      }),
    stop: () => new Promise((resolve) => server.close(() => resolve())),
  };
}
