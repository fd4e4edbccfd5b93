/** What one ManageSieve server, however broken or hostile, may cost. */
export const sieveLimits = {
  /** From the first packet to the end of the login. */
  connectTimeoutMs: 15_000,
  /** From sending a command to its answer. */
  commandTimeoutMs: 30_000,
  /** How long a LOGOUT is waited for before the socket is closed anyway. */
  logoutTimeoutMs: 2_000,

  /** One response before the login, and one after it: a script is the largest. */
  greetingOctetsMax: 64 * 1024,
  responseOctetsMax: 2 * 1024 * 1024,
  /** All responses to one command. */
  commandOctetsMax: 4 * 1024 * 1024,
  /** Responses to one command, its own answer not among them. */
  responsesMax: 2_000,
  /** Values in one response, nested ones included. */
  responseValuesMax: 1_000,

  /** A script: a longer one is neither read nor sent. */
  scriptOctetsMax: 1_000_000,
  /** Scripts of one account, and all their octets: of an account with more, nothing is shown. */
  scriptsMax: 1_000,
  scriptsOctetsMax: 16 * 1024 * 1024,
  /** Scripts that are asked for at the same time. */
  scriptsAtOnce: 20,
} as const;

/** The limits as they can be set otherwise, to try them out. */
export type SieveLimits = { readonly [K in keyof typeof sieveLimits]: number };
