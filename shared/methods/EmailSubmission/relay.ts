import type { SmtpParameters } from '../../message/smtp-parameters.ts';

/** Where a message goes (RFC 8621 §7): addresses that are `Mailbox`es of RFC 5321; an empty `mailFrom` address is no sender. */
export type Envelope = { readonly mailFrom: EnvelopeAddress; readonly rcptTo: readonly EnvelopeAddress[] };
export type EnvelopeAddress = { readonly email: string; readonly parameters: SmtpParameters | null };

/** What a server answered to one command; `text` is the whole answer as `smtpReply` gives it (§7), code and all. */
export type SmtpReply = { readonly code: number; readonly text: string };

export type RelayRequest = {
  readonly envelope: Envelope;
  /** The message as it is to be sent; at least a header field. */
  readonly message: Uint8Array;
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
 * `beforeEnd` throws; then nothing goes out.
 */
export type CanRelay = (request: RelayRequest) => Promise<RelayOutcome>;
