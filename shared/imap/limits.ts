/** What one IMAP server, however broken or hostile, may cost. */
export const imapLimits = {
  /** From the first packet to the end of the login. */
  connectTimeoutMs: 15_000,
  /** From sending a command to its tagged answer. */
  commandTimeoutMs: 60_000,
  /** Without one octet from the server while a command waits. */
  silenceTimeoutMs: 25_000,
  /** How long a LOGOUT is waited for before the socket is closed anyway. */
  logoutTimeoutMs: 2_000,

  /** One line or one literal before the login. */
  greetingOctetsMax: 64 * 1024,
  /** One response with all its literals. */
  responseOctetsMax: 48 * 1024 * 1024,
  /** All responses to one command. */
  commandOctetsMax: 256 * 1024 * 1024,
  /** Untagged responses to one command, beyond those it asks for. */
  surplusResponsesMax: 10_000,
  /** Values in one response: a SEARCH of a very large mailbox has one for each message. */
  responseValuesMax: 4_000_000,
  /** Nesting of lists. A deeper one reads as NIL. */
  listDepthMax: 100,

  /** Messages in one FETCH of what identity needs. */
  appearancesPerCommand: 2_000,
  /** Commands on the wire at the same time. */
  pipelinedCommandsMax: 64,
  /** UIDs in one command: their ranges must fit into a line (RFC 7162 §4: 8192 octets). */
  commandLineOctetsMax: 8_000,
  /** Messages of one mailbox; a larger one cannot be read. */
  mailboxMessagesMax: 1_000_000,
  /** Mailboxes of one account; more are not listed. */
  mailboxesMax: 20_000,
  /** Octets of a mailbox name on the wire. */
  mailboxNameOctetsMax: 2_000,
} as const;

/** The limits as they can be set otherwise, to try them out. */
export type ImapLimits = { readonly [K in keyof typeof imapLimits]: number };
