import type { IdentityScheme } from '../catalog/view.ts';
import type { Endpoint } from '../endpoint.ts';

/** SASL mechanisms; `login` is the LOGIN command. */
export type ImapAuthMethod = 'oauthbearer' | 'xoauth2' | 'plain' | 'login';

/** What the operator says of one IMAP server. */
export type ImapServer = {
  /** Unique among the servers of a process; part of the key under which sessions are kept. */
  readonly name: string;
  readonly imap: Endpoint;
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
