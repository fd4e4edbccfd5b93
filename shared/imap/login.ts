import { Buffer } from 'node:buffer';
import type { Endpoint } from '../endpoint.ts';
import { AuthenticationFailed, Unavailable } from '../jmap/errors.ts';
import { atom, type ImapArgument, string } from './arguments.ts';
import type { ImapAuthMethod, ImapCredential } from './endpoint.ts';
import type { ImapFlow } from './imapflow-internals.ts';

/**
 * Logs in with the best method that the operator allows and the server offers, in one round trip where SASL-IR (RFC 4959)
 * is offered. Rejects with imapflow's error when the server refuses, with `AuthenticationFailed` where this server accepts
 * no such credential at all, and with `Unavailable` where it accepts no password on this connection.
 */
export async function login(
  client: ImapFlow,
  endpoint: Endpoint,
  methods: readonly ImapAuthMethod[],
  credential: ImapCredential,
): Promise<void> {
  if (credential.kind === 'token') return loginWithToken(client, endpoint, methods, credential);
  const { user, password } = credential;
  if (`${user}${password}`.includes('\0')) throw new AuthenticationFailed('Not a usable password');
  if (methods.includes('plain') && offers(client, 'AUTH=PLAIN')) {
    return authenticate(client, { mechanism: 'PLAIN', response: `\0${user}\0${password}`, end: '*' });
  }
  if (methods.includes('login') && !offers(client, 'LOGINDISABLED')) {
    const answer = await client.exec('LOGIN', [string(user), secret(string(password))]);
    return answer.next();
  }
  throw new Unavailable('The mail server offers no way to log in with a password');
}

async function loginWithToken(
  client: ImapFlow,
  endpoint: Endpoint,
  methods: readonly ImapAuthMethod[],
  { user, accessToken }: Extract<ImapCredential, { kind: 'token' }>,
): Promise<void> {
  // The fields of both mechanisms are framed by ^A.
  if (/[\x00-\x1f\x7f]/.test(`${user}${accessToken}`)) {
    throw new AuthenticationFailed('Not a usable access token');
  }
  if (methods.includes('oauthbearer') && offers(client, 'AUTH=OAUTHBEARER')) {
    const authzid = user.replaceAll('=', '=3D').replaceAll(',', '=2C');
    const fields = [`host=${endpoint.host}`, `port=${endpoint.port}`, `auth=Bearer ${accessToken}`];
    const response = [`n,a=${authzid},`, ...fields, '', ''].join('\x01');
    return authenticate(client, { mechanism: 'OAUTHBEARER', response, end: 'AQ==' });
  }
  if (methods.includes('xoauth2') && offers(client, 'AUTH=XOAUTH2')) {
    const response = [`user=${user}`, `auth=Bearer ${accessToken}`, '', ''].join('\x01');
    return authenticate(client, { mechanism: 'XOAUTH2', response, end: '' });
  }
  throw new AuthenticationFailed('The mail server takes no access tokens');
}

/**
 * AUTHENTICATE with a mechanism of one message (RFC 9051 §6.2.2). `end`: what answers a further challenge, by which the
 * OAuth mechanisms say why they refuse (RFC 7628 §3.2.3) and others say nothing we could answer.
 */
async function authenticate(
  client: ImapFlow,
  { mechanism, response, end }: { mechanism: string; response: string; end: string },
): Promise<void> {
  const encoded = Buffer.from(response, 'utf8').toString('base64');
  const initial = offers(client, 'SASL-IR');
  let sent = initial;
  const parameters = initial ? [atom(mechanism), secret(atom(encoded))] : [atom(mechanism)];
  const answer = await client.exec('AUTHENTICATE', parameters, {
    onPlusTag: async () => {
      client.write(sent ? end : encoded);
      sent = true;
    },
  });
  answer.next();
}

function offers(client: ImapFlow, capability: string): boolean {
  return client.capabilities.has(capability);
}

function secret(argument: ImapArgument): ImapArgument {
  return 'type' in argument ? ({ ...argument, sensitive: true } as ImapArgument) : argument;
}
