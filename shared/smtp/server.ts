import type { Endpoint } from '../endpoint.ts';

/** SASL mechanisms, as the operator allows them. */
export type SmtpAuthMethod = 'oauthbearer' | 'xoauth2' | 'plain' | 'login';

/** What the operator says of one submission server. */
export type SmtpServer = { readonly smtp: Endpoint; readonly auth: readonly SmtpAuthMethod[] };

/** What a user shows: the same that the IMAP server takes. */
export type SmtpCredential =
  | { readonly kind: 'password'; readonly user: string; readonly password: string }
  | { readonly kind: 'token'; readonly user: string; readonly accessToken: string };
