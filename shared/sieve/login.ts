import type { Endpoint } from '../endpoint.ts';
import { AuthenticationFailed, Unavailable } from '../jmap/errors.ts';
import { string } from './arguments.ts';
import type { SieveCredential, SieveServer } from './server.ts';
import type { SieveWire } from './wire.ts';

/**
 * Logs in with the best mechanism that the operator allows and the server offers (RFC 5804 §2.1), in one round trip. Throws
 * `AuthenticationFailed` when the server says that the credential is wrong or that it takes none of this kind, `Unavailable`
 * where it accepts no password on this connection.
 */
export async function login(
  wire: SieveWire,
  { sieve, auth }: SieveServer,
  credential: SieveCredential,
  offered: ReadonlySet<string>,
): Promise<void> {
  const { mechanism, response, end } = messageFor(sieve, auth, credential, offered);
  await wire.run('AUTHENTICATE', [string(mechanism), string(base64(response))], () => string(base64(end)));
  wire.loggedIn();
}

/**
 * A mechanism of one message. `end`: what answers a further challenge, by which the OAuth mechanisms say why they refuse
 * (RFC 7628 §3.2.3) and others say nothing we could answer.
 */
type SaslMessage = { readonly mechanism: string; readonly response: string; readonly end: string };

function messageFor(
  { host, port }: Endpoint,
  auth: SieveServer['auth'],
  credential: SieveCredential,
  offered: ReadonlySet<string>,
): SaslMessage {
  const { user } = credential;
  if (credential.kind === 'password') {
    const { password } = credential;
    if (password === '' || `${user}${password}`.includes('\0')) throw new AuthenticationFailed('Not a usable password');
    const isAllowed = auth.includes('plain') || auth.includes('login');
    if (!isAllowed || !offered.has('PLAIN')) {
      throw new Unavailable('The ManageSieve server offers no way to log in with a password');
    }
    return { mechanism: 'PLAIN', response: `\0${user}\0${password}`, end: '' };
  }
  const { accessToken } = credential;
  // The fields of both mechanisms are framed by ^A.
  if (accessToken === '' || /[\x00-\x1f\x7f]/.test(`${user}${accessToken}`)) {
    throw new AuthenticationFailed('Not a usable access token');
  }
  if (auth.includes('oauthbearer') && offered.has('OAUTHBEARER')) {
    const authzid = user.replaceAll('=', '=3D').replaceAll(',', '=2C');
    const fields = [`host=${host}`, `port=${port}`, `auth=Bearer ${accessToken}`];
    return { mechanism: 'OAUTHBEARER', response: [`n,a=${authzid},`, ...fields, '', ''].join('\x01'), end: '\x01' };
  }
  if (auth.includes('xoauth2') && offered.has('XOAUTH2')) {
    const response = [`user=${user}`, `auth=Bearer ${accessToken}`, '', ''].join('\x01');
    return { mechanism: 'XOAUTH2', response, end: '' };
  }
  throw new AuthenticationFailed('The ManageSieve server takes no access tokens');
}

function base64(text: string): string {
  return Buffer.from(text, 'utf8').toString('base64');
}
