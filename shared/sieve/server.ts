import type { Endpoint } from '../endpoint.ts';

/** What the operator says of one ManageSieve server. */
export type SieveServer = {
  /** Unique among the servers of a process. */
  readonly name: string;
  readonly sieve: Endpoint;
  /** The SASL mechanisms that may be used; `login` allows a password as `plain` does. The best that is offered is taken. */
  readonly auth: readonly ('oauthbearer' | 'xoauth2' | 'plain' | 'login')[];
};

/** What a user shows: a password, or an access token of the provider (RFC 6750). `user` is exactly what the server is told. */
export type SieveCredential =
  | { readonly kind: 'password'; readonly user: string; readonly password: string }
  | { readonly kind: 'token'; readonly user: string; readonly accessToken: string };
