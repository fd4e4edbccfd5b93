import type { ImapCredential } from '../../shared/imap/endpoint.ts';
import type { MatchedLogin } from '../../shared/providers.ts';

/** What an Authorization header claims. */
export type Claim = { readonly login: string; readonly secret: string; readonly scheme: 'basic' | 'bearer' };

/** More than this is no credential; providers' OAuth tokens stay below 3 kB. */
const maxHeaderCharacters = 8_192;

/**
 * Reads an Authorization header; null when it is none that could be right.
 *
 * `Basic` (RFC 7617, UTF-8) holds a login and a password. `Bearer` (RFC 6750) holds the OAuth access token of the
 * mail's provider, and, because a mail server wants to be told the user, the base64url of the login before it:
 * `Bearer <base64url(login)>~<token>`. A token alone says nobody's name, and tokens are not ours to decode.
 */
export function parseAuthorization(header: string | null): Claim | null {
  if (header === null || header.length > maxHeaderCharacters) return null;
  const [, scheme = '', value = ''] = /^(\w+) +([A-Za-z0-9+/._~-]+=*) *$/.exec(header) ?? [];
  switch (scheme.toLowerCase()) {
    case 'basic': {
      const pair = decodeUtf8(Buffer.from(value, 'base64'));
      const colon = pair.indexOf(':');
      return colon === -1 ? null : claim(pair.slice(0, colon), pair.slice(colon + 1), 'basic');
    }
    case 'bearer': {
      const tilde = value.indexOf('~');
      return claim(
        decodeUtf8(Buffer.from(value.slice(0, Math.max(tilde, 0)), 'base64url')),
        value.slice(tilde + 1),
        'bearer',
      );
    }
    default:
      return null;
  }
}

/**
 * What to show the mail server for this claim, or null when the provider takes no such thing. Where a provider takes
 * access tokens only, the password of Basic is one: so a client that knows nothing but passwords can use it.
 */
export function credentialOf(claim: Claim, { provider, user }: MatchedLogin): ImapCredential | null {
  const takesTokens = provider.auth.some((method) => method === 'oauthbearer' || method === 'xoauth2');
  const takesPasswords = provider.auth.some((method) => method === 'plain' || method === 'login');
  const { secret, scheme } = claim;
  if (takesTokens && (scheme === 'bearer' || !takesPasswords)) return { kind: 'token', user, accessToken: secret };
  return scheme === 'bearer' ? null : { kind: 'password', user, password: secret };
}

function claim(login: string, secret: string, scheme: 'basic' | 'bearer'): Claim | null {
  return login === '' || secret === '' || /\p{Cc}/u.test(login + secret) ? null : { login, secret, scheme };
}

/** What is no UTF-8 decodes to nothing. */
function decodeUtf8(octets: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(octets);
  } catch {
    return '';
  }
}
