import type { IdentityScheme } from '../catalog/view.ts';

/**
 * How a connection is protected. `implicit`: TLS from the first octet. `starttls`: refused unless the upgrade succeeds.
 * `plaintext`: to this machine only.
 */
export type ImapTls = 'implicit' | 'starttls' | 'plaintext';

/** Where an IMAP server is. Comes from the operator, never from a request. */
export type ImapEndpoint = {
  readonly host: string;
  readonly port: number;
  readonly tls: ImapTls;
  /** PEM certificates to trust instead of the system's; null: the system's. */
  readonly ca: string | null;
};

/** SASL mechanisms; `login` is the LOGIN command. */
export type ImapAuthMethod = 'oauthbearer' | 'xoauth2' | 'plain' | 'login';

/** What the operator says of one IMAP server. */
export type ImapServer = {
  /** Unique among the servers of a process; part of the key under which sessions are kept. */
  readonly name: string;
  readonly imap: ImapEndpoint;
  /** The methods that may be used; the best that the server offers too is taken. */
  readonly auth: readonly ImapAuthMethod[];
  readonly forbiddenIdentitySchemes: readonly Exclude<IdentityScheme, 'digest'>[];
  readonly quirks: {
    /** Capabilities that are advertised and do not work. Upper case. */
    readonly ignoreCapabilities: readonly string[];
  };
};

/** What a user shows: a password, or an access token of the provider (RFC 6750). `user` is exactly what the server is told. */
export type ImapCredential =
  | { readonly kind: 'password'; readonly user: string; readonly password: string }
  | { readonly kind: 'token'; readonly user: string; readonly accessToken: string };

/** Whether the name can only mean this machine. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(?:\.\d{1,3}){3}$/.test(host);
}
