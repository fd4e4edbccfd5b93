import { Buffer } from 'node:buffer';
import { Unavailable } from '../jmap/errors.ts';
import type { SmtpReply } from '../methods/EmailSubmission/relay.ts';
import type { SmtpCredential, SmtpServer } from './server.ts';
import type { SmtpSession } from './session.ts';

/** A mechanism, its first response, and what answers a further challenge (RFC 7628 §3.2.3 asks for an answer to a refusal). */
type Exchange = { readonly mechanism: string; readonly responses: readonly string[]; readonly isInitial: boolean };

/**
 * Logs in (RFC 4954) with the best method that the operator allows and the server offers. Gives the refusal, or null. Throws
 * `Unavailable` where the server offers no way, or cannot at the moment.
 */
export async function logIn(
  session: SmtpSession,
  { smtp, auth }: SmtpServer,
  credential: SmtpCredential,
): Promise<SmtpReply | null> {
  const offered = new Set((session.offers.get('AUTH') ?? '').toUpperCase().split(/\s+/));
  const exchange = exchangesOf(credential, smtp).find(
    ({ mechanism }) => offered.has(mechanism) && auth.some((method) => method.toUpperCase() === mechanism),
  );
  if (exchange === undefined)
    throw new Unavailable('The submission server offers no way to log in with this credential');

  const [first = '', ...further] = exchange.responses.map((text) => Buffer.from(text, 'utf8').toString('base64'));
  const command = `AUTH ${exchange.mechanism}`;
  let [reply] = (await session.commands([
    exchange.isInitial ? `${command} ${first === '' ? '=' : first}` : command,
  ])) as [SmtpReply];
  const answers = exchange.isInitial ? further : [first, ...further];
  while (reply.code === 334) {
    const [answered] = (await session.commands([answers.shift() ?? '*'])) as [SmtpReply];
    reply = answered;
  }
  if (reply.code < 300) return null;
  // RFC 4954 §4.7 and §6: 454 and other 4xx are no word about the credential.
  if (reply.code < 500)
    throw new Unavailable('The submission server cannot check logins at the moment', { retryAfterSeconds: 60 });
  return reply;
}

function exchangesOf(credential: SmtpCredential, { host, port }: { host: string; port: number }): Exchange[] {
  const { user } = credential;
  if (credential.kind === 'password') {
    const { password } = credential;
    if (`${user}${password}`.includes('\0')) return [];
    return [
      { mechanism: 'PLAIN', responses: [`\0${user}\0${password}`], isInitial: true },
      { mechanism: 'LOGIN', responses: [user, password], isInitial: false },
    ];
  }
  const { accessToken } = credential;
  // The fields of both mechanisms are framed by ^A.
  if (/[\x00-\x1f\x7f]/.test(`${user}${accessToken}`)) return [];
  const authzid = user.replaceAll('=', '=3D').replaceAll(',', '=2C');
  const fields = [`host=${host}`, `port=${port}`, `auth=Bearer ${accessToken}`];
  return [
    {
      mechanism: 'OAUTHBEARER',
      responses: [[`n,a=${authzid},`, ...fields, '', ''].join('\x01'), '\x01'],
      isInitial: true,
    },
    {
      mechanism: 'XOAUTH2',
      responses: [[`user=${user}`, `auth=Bearer ${accessToken}`, '', ''].join('\x01'), ''],
      isInitial: true,
    },
  ];
}
