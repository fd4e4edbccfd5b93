/** What a submission server may take of us. */
export type SmtpLimits = {
  /** For connecting, the greeting, TLS and the login together, in milliseconds. */
  readonly connectTimeoutMs: number;
  /** For the answer to one command, or to all that were sent together. */
  readonly replyTimeoutMs: number;
  /** For taking the whole message in. */
  readonly messageTimeoutMs: number;
  /** For fetching the body of a message by its URL; what takes longer is sent in the ordinary way. */
  readonly urlTimeoutMs: number;
  /** For the answer to its end: who gives up too early does not know whether it goes out (RFC 5321 §4.5.3.2.6). */
  readonly finalReplyTimeoutMs: number;
  /** Of one answer, in octets. */
  readonly replyOctetsMax: number;
};

export const defaultSmtpLimits: SmtpLimits = {
  connectTimeoutMs: 20_000,
  replyTimeoutMs: 60_000,
  messageTimeoutMs: 300_000,
  urlTimeoutMs: 20_000,
  finalReplyTimeoutMs: 600_000,
  replyOctetsMax: 65_536,
};
