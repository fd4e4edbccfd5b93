import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { SMTPServer, type SMTPServerAuthentication, type SMTPServerSession } from 'smtp-server';
import type { DovecotServer } from './dovecot.ts';

export type DemoSubmission = { readonly port: number; readonly stop: () => Promise<void> };

const sizeMax = 50_000_000;
const closeTimeoutMs = 1_000;

/**
 * The submission server (RFC 6409) of the demo, on loopback and without TLS: it takes messages from the users of this Dovecot, from each
 * under his own address, and puts them into the mailboxes of these users. Mail for anybody else is refused, for it would go nowhere.
 */
export async function startDemoSubmission(dovecot: Pick<DovecotServer, 'users' | 'deliver'>): Promise<DemoSubmission> {
  const userOf = (address: string) => dovecot.users.find(({ user }) => user === address.toLowerCase())?.user;
  const server = new SMTPServer({
    name: 'demo.example.org',
    banner: 'the demo of Postern',
    authMethods: ['PLAIN', 'LOGIN'],
    allowInsecureAuth: true,
    disabledCommands: ['STARTTLS'],
    size: sizeMax,
    closeTimeout: closeTimeoutMs,
    onAuth: ({ username = '', password }: SMTPServerAuthentication, _session, callback) => {
      const known = dovecot.users.find(({ user }) => user === userOf(username));
      if (known === undefined || known.password !== password) return callback(refusal(535, '5.7.8 No such login'));
      return callback(null, { user: known.user });
    },
    onMailFrom: ({ address }, session, callback) => {
      if (address === '' || userOf(address) === session.user) return callback();
      return callback(refusal(550, `5.7.1 You are ${session.user}`));
    },
    onRcptTo: ({ address }, _session, callback) => {
      if (userOf(address) !== undefined) return callback();
      const users = dovecot.users.map(({ user }) => user).join(', ');
      return callback(refusal(550, `5.7.1 The demo sends nothing to the world: only to ${users}`));
    },
    onData: (stream, session, callback) => {
      take(stream, session).then(
        (answer) => callback(null, answer),
        (error: Error & { responseCode?: number }) =>
          callback(error.responseCode === undefined ? refusal(451, '4.3.0 The message could not be delivered') : error),
      );
    },
  });

  async function take(
    stream: AsyncIterable<Buffer> & { readonly sizeExceeded: boolean },
    session: SMTPServerSession,
  ): Promise<string> {
    const octets = await buffer(stream);
    if (stream.sizeExceeded) throw refusal(552, `5.3.4 More than ${sizeMax} octets`);
    const { mailFrom, rcptTo } = session.envelope;
    const from = mailFrom === false ? '' : mailFrom.address;
    // What whoever delivers a message puts in front of it (RFC 5321 §4.4).
    const trace = [
      `Return-Path: <${from}>`,
      `Received: from [127.0.0.1] by demo.example.org with ESMTPA id ${session.id};`,
      ` ${new Date().toUTCString().replace('GMT', '+0000')}\r\n`,
    ];
    const message = Buffer.concat([Buffer.from(trace.join('\r\n')), octets]);
    const users = new Set(rcptTo.flatMap(({ address }) => userOf(address) ?? []));
    for (const to of users) await dovecot.deliver({ from, to, message });
    return `2.0.0 Delivered as ${session.id}`;
  }

  // A client that goes away in the midst of something is no failure of ours.
  server.on('error', () => {});
  server.listen(0, '127.0.0.1');
  await once(server.server, 'listening');
  return {
    port: (server.server.address() as AddressInfo).port,
    stop: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

function refusal(responseCode: number, text: string): Error {
  return Object.assign(new Error(text), { responseCode });
}
