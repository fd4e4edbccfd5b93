import {
  arrayOf,
  type Grammar,
  id,
  mapOf,
  nullable,
  object,
  oneOf,
  reference,
  spelledToo,
  string,
  utcDate,
  withDefault,
} from '../../jmap/grammar.ts';
import { immutable, type RecordOf, recordType, serverSet } from '../../jmap/record-type.ts';
import type { Id, JsonObject, UTCDate } from '../../jmap/scalars.ts';
import type { RecordKind } from '../../records/account-records.ts';
import type { BlobPorts } from '../Blob/find.ts';
import type { CanGiveUrls, CanSearchMessages } from '../Email/mail.ts';
import type { IdentityPorts } from '../Identity/record.ts';
import type { Ledger } from './ledger.ts';
import type { CanRelay } from './relay.ts';
import { over } from './retention.ts';

/** What an EmailSubmission needs of the world. */
export type SubmissionPorts = BlobPorts &
  IdentityPorts & { readonly search: CanSearchMessages; readonly submission: CanSubmit };

/** Sending for one account during one request. */
export type CanSubmit = {
  readonly relay: CanRelay;
  /** By which the submission server may read bodies that we do not. */
  readonly urls: CanGiveUrls;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** When the request has to be answered, in milliseconds; what is sent when nobody is there does not look at it. */
  readonly deadline: number;
  /** Whoever sends marks what he is at with a name of his own: `[a-z0-9]`, unguessable. */
  readonly worker: string;
  readonly maxRecipients: number;
  /** Octets of a message. */
  readonly maxSizeMessage: number;
  /** Whether the submission server puts a copy of what it sends into Sent. */
  readonly savesSent: boolean;
  /** Messages that are to be sent later; null: there is no such thing here, or not for who logged in like this. */
  readonly queue: SendQueue | null;
  /** What is held in this account, whoever had it held; null: nothing ever is. */
  readonly held: HeldMessages | null;
  /** Destroys Emails, as far as the mail server lets us, when no client is there to be told. Throws `Unavailable`. */
  readonly destroyEmails: (ids: readonly Id[]) => Promise<void>;
  /** Told why a message could not be sent now; the client learns only that. */
  readonly onUnavailable: (error: Error) => void;
  /** Where there is no queue: seconds for which the submission server holds messages (RFC 4865); null: it does not. */
  readonly serverHoldsSeconds: number | null;
  /** Which Email each submission of this request is about. */
  readonly emailOf: Map<Id, Id>;
};

/** What is to be sent without the user being there. */
export type SendQueue = {
  readonly maxDelaySeconds: number;
  /** Keeps the message and what it takes to send it, sealed, until `forget`; and sees to it that it is sent at that time. */
  readonly hold: (id: Id, message: Uint8Array, sendAtMs: number) => Promise<void>;
};

export type HeldMessages = {
  /** The message that is held; null: it is not any more, or cannot be opened. */
  readonly message: (id: Id) => Promise<Uint8Array | null>;
  /** Erases the message; what it takes to act for its user stays until `forget`. */
  readonly forgetMessage: (id: Id) => Promise<void>;
  /** Erases what is kept of it: the message, and what it took to send it. */
  readonly forget: (id: Id) => Promise<void>;
};

const parameters: Grammar<{ [name: string]: string | null } | null> = nullable(mapOf(string, nullable(string)));
const address = object({ email: string, parameters });
// aerc (go-jmap) writes `mailfrom`.
const envelope = spelledToo({ mailfrom: 'mailFrom' }, object({ mailFrom: address, rcptTo: arrayOf(address) }));
const deliveryStatus = object({
  smtpReply: string,
  delivered: oneOf('queued', 'yes', 'no', 'unknown'),
  displayed: oneOf('unknown', 'yes'),
});

/** An EmailSubmission (RFC 8621 §7). */
export const emailSubmissionType = recordType('EmailSubmission', {
  id: serverSet(id),
  identityId: immutable(reference),
  emailId: immutable(reference),
  threadId: serverSet(id),
  envelope: immutable(nullable(envelope)),
  sendAt: serverSet(utcDate),
  undoStatus: withDefault(oneOf('pending', 'final', 'canceled'), 'pending'),
  deliveryStatus: serverSet(nullable(mapOf(string, deliveryStatus))),
  dsnBlobIds: serverSet(arrayOf(id)),
  mdnBlobIds: serverSet(arrayOf(id)),
});

export type EmailSubmission = RecordOf<typeof emailSubmissionType>;
export type DeliveryStatus = {
  smtpReply: string;
  delivered: 'queued' | 'yes' | 'no' | 'unknown';
  displayed: 'unknown';
};

/** Where Sent ended, and when that was seen, in milliseconds: what comes later has a UID from there on. */
export type EndOfSent = {
  readonly mailboxId: Id;
  readonly uidValidity: number;
  readonly uidNext: number;
  readonly at: number;
};

/** What is kept of one; nothing below `sendAt` but `undoStatus` and `deliveryStatus` is shown. */
export type KeptSubmission = JsonObject & {
  readonly identityId: Id;
  readonly emailId: Id;
  readonly threadId: Id;
  readonly envelope: JsonObject & NonNullable<EmailSubmission['envelope']>;
  readonly sendAt: UTCDate;
  readonly undoStatus: 'pending' | 'final' | 'canceled';
  readonly deliveryStatus: { [email: string]: DeliveryStatus } | null;
  /** Of the message as it goes out, angle brackets and all: by it the message is found again. */
  readonly messageId: string;
  /** Before its end was sent; null: that time has not come, or it was not seen. */
  readonly endOfSent: EndOfSent | null;
  readonly ledger: Ledger;
};

export const submissionKind: RecordKind<KeptSubmission> = { name: 'EmailSubmission', expendable: over };

/** The EmailSubmission as clients see it. */
export function shownSubmission(submissionId: Id, kept: KeptSubmission): EmailSubmission {
  const { identityId, emailId, threadId, envelope: sentTo, sendAt, undoStatus, deliveryStatus: status } = kept;
  const shown = { identityId, emailId, threadId, envelope: sentTo, sendAt, undoStatus, deliveryStatus: status };
  return { id: submissionId, ...shown, dsnBlobIds: [], mdnBlobIds: [] };
}
