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
  /** Messages in one FETCH of headers, structures and previews. */
  messagesPerCommand: 500,
  /** Messages in one command that changes them. */
  messagesPerChange: 2_000,
  /** Headers, structures and previews that are kept of one reading, in octets; of more than fit into memory nothing is told. */
  factsOctetsMax: 64 * 1024 * 1024,
  /** One section of a message, where nobody asks for less; what is beyond is cut off. */
  sectionOctetsMax: 32 * 1024 * 1024,
  /** What the sections of one FETCH may amount to; those whose size nobody named count as `sectionOctetsGuess`. */
  sectionsPerCommandOctets: 64 * 1024 * 1024,
  sectionOctetsGuess: 256 * 1024,
  /** The names of sections or header fields in one FETCH: with its UIDs they must fit into a line. */
  fetchNamesOctetsMax: 1_000,
  /** Whole messages that are read because their BODYSTRUCTURE is of no use: each, and all that are kept for one request. */
  wholeMessageOctetsMax: 32 * 1024 * 1024,
  wholeMessagesOctetsMax: 64 * 1024 * 1024,
  /** What is read at a time of a message that is streamed. */
  streamChunkOctets: 1024 * 1024,
  /** How long a stream waits for its reader before it gives the session back. */
  streamIdleMs: 60_000,
  /** Commands on the wire at the same time. */
  pipelinedCommandsMax: 64,
  /** UIDs in one command: their ranges must fit into a line, with a mailbox name (RFC 7162 §4: 8192 octets). */
  commandLineOctetsMax: 7_000,
  /** Messages of one mailbox; a larger one cannot be read. */
  mailboxMessagesMax: 1_000_000,
  /** Mailboxes of one account; more are not listed. */
  mailboxesMax: 20_000,
  /** Octets of a mailbox name on the wire. */
  mailboxNameOctetsMax: 2_000,
} as const;

/** The limits as they can be set otherwise, to try them out. */
export type ImapLimits = { readonly [K in keyof typeof imapLimits]: number };
