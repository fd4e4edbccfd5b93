import type { SmtpParameters } from '../../message/smtp-parameters.ts';

/** Where a message goes (RFC 8621 §7): addresses that are `Mailbox`es of RFC 5321; an empty `mailFrom` address is no sender. */
export type Envelope = { readonly mailFrom: EnvelopeAddress; readonly rcptTo: readonly EnvelopeAddress[] };
export type EnvelopeAddress = { readonly email: string; readonly parameters: SmtpParameters | null };

/** What a server answered to one command; `text` is the whole answer as `smtpReply` gives it (§7), code and all. */
export type SmtpReply = { readonly code: number; readonly text: string };

/** A message whose body lies on the mail server, from where the submission server may take it (BURL, RFC 4468). */
export type StoredMessage = {
  /** The header as it is to be sent, with the empty line behind it; every line ends with CRLF. */
  readonly header: Uint8Array;
  /** Octets of the body, as the mail server tells. */
  readonly bodySize: number;
  /**
   * A URL by which the submission server can read the body for a while; null: the mail server gives none. Whoever has it and may act
   * for the submission server can read it too: it is never to be logged.
   */
  readonly bodyUrl: () => Promise<string | null>;
  /** The whole message, as it is to be sent where the submission server does not take the body. Throws what reading it throws. */
  readonly read: () => Promise<Uint8Array>;
};

export type RelayRequest = {
  readonly envelope: Envelope;
  /** The message as it is to be sent; at least a header field. */
  readonly message: Uint8Array | StoredMessage;
  /** Seconds for which the submission server is to hold the message (RFC 4865); null: none. */
  readonly holdForSeconds: number | null;
  /** Milliseconds that it may take from beginning to end; an answer that comes later is not waited for. `Infinity`: what each step may take. */
  readonly timeoutMs: number;
  /** Called when the server has all of the message but its end. When it throws, the end is never sent, and nothing goes out. */
  readonly beforeEnd: () => Promise<void>;
};

/** What became of the message. `recipients`: the answer to each of `rcptTo`, in its order. */
export type RelayOutcome =
  /** It is the server's now, for those recipients that it accepted. */
  | { readonly kind: 'accepted'; readonly reply: SmtpReply; readonly recipients: readonly SmtpReply[] }
  /** The server said no: nothing goes out. */
  | {
      readonly kind: 'refused';
      readonly at: 'login' | 'sender' | 'recipients' | 'message';
      readonly reply: SmtpReply;
      readonly recipients: readonly SmtpReply[];
    }
  /** It was not asked, for it said before that it could not; nothing goes out. */
  | { readonly kind: 'tooLarge'; readonly maxSize: number }
  | { readonly kind: 'notOffered'; readonly description: string }
  /** Its end was sent, and the answer is lost: it may go out or not. */
  | { readonly kind: 'unknown' };

/**
 * Giving messages to the submission server of the account. Throws `Unavailable` when it cannot be asked, and whatever
 * `beforeEnd` or the reading of a stored message throws; then nothing goes out.
 */
export type CanRelay = (request: RelayRequest) => Promise<RelayOutcome>;

/** The message as it is to be sent, whatever that takes. Throws what reading it throws. */
export async function octetsOf(message: RelayRequest['message']): Promise<Uint8Array> {
  return message instanceof Uint8Array ? message : message.read();
}
