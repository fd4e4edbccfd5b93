import type { Email } from '../../catalog/email.ts';
import type { CatalogView } from '../../catalog/view.ts';
import { ok, type Result, refuse, type SetError } from '../../jmap/errors.ts';
import type { JsonValue } from '../../jmap/scalars.ts';
import { addresses, type EmailAddress } from '../../message/addresses.ts';
import { headerValue } from '../../message/compose/header-value.ts';
import { isFieldText } from '../../message/disposition-notification.ts';
import type { HeaderForm } from '../../message/header-form.ts';
import { headerText } from '../../message/header-text.ts';
import { messageIds } from '../../message/message-ids.ts';
import { splitParameters } from '../../message/parameters.ts';
import { type EmailHeader, parseHeaders } from '../../message/parse-headers.ts';
import { isSmtpMailbox } from '../../message/smtp-mailbox.ts';
import { blobFinder } from '../Blob/find.ts';
import { collect } from '../Blob/octets.ts';
import { messageBlobId } from '../Email/blob-id.ts';
import { placesOf } from '../Email/places.ts';
import type { SubmissionPorts } from '../EmailSubmission/record.ts';

/** What a message says of the receipt that its sender wants (RFC 8098 §2). */
export type ReceiptRequest = {
  readonly to: readonly EmailAddress[];
  /** Whether a receipt may go out without the user being asked (§2.1). */
  readonly mayBeAutomatic: boolean;
  readonly originalRecipient: string | null;
  /** With and without its angle brackets. */
  readonly originalMessageId: string | null;
  readonly inReplyTo: string | null;
  readonly subject: string;
  /** The message, if it was wanted. */
  readonly original: Uint8Array | null;
};

/** Addresses that receipts for one message go to. */
const addressesMax = 10;

/** `notFound`: the message does not want a receipt (RFC 9007 §2.1). `forbidden`: there must not be one. */
export async function readRequest(
  email: Email,
  view: CatalogView,
  wantsOriginal: boolean,
  ports: SubmissionPorts,
): Promise<Result<ReceiptRequest, SetError>> {
  const place = placesOf([email], await view.mailboxes()).get(email.id);
  const facts = place && (await ports.messages.read([place], { headers: 'all', structure: false, preview: false }));
  const read = place && facts?.get(place)?.headers;
  if (read === undefined) return refuse({ type: 'notFound', description: 'there is no such Email any more' });
  const headers = parseHeaders(read);
  const to = allValues(headers, 'disposition-notification-to')
    .flatMap((value) => addresses(value))
    .map(({ email: address }) => ({ name: null, email: address }))
    .filter((address) => isSmtpMailbox(address.email) && isWritable('Addresses', [address]))
    .slice(0, addressesMax);
  if (to.length === 0) return refuse({ type: 'notFound', description: 'its sender did not ask for a receipt' });
  const objection = objectionTo(headers);
  if (objection !== null) return refuse({ type: 'forbidden', description: objection });
  const original = wantsOriginal ? await readOriginal(email, ports) : ok(null);
  if (!original.ok) return original;
  const [messageId] = allValues(headers, 'message-id').flatMap((value) => messageIds(value) ?? []);
  const originalMessageId = messageId === undefined ? null : `<${messageId}>`;
  const isUsable = messageId !== undefined && isFieldText(`<${messageId}>`) && isWritable('MessageIds', [messageId]);
  const originalRecipient = headerText(allValues(headers, 'original-recipient')[0] ?? '').trim();
  return ok({
    to,
    mayBeAutomatic: isReturnPath(headers, to),
    originalRecipient: isFieldText(originalRecipient) ? originalRecipient : null,
    originalMessageId: isUsable ? originalMessageId : null,
    inReplyTo: isUsable ? (messageId ?? null) : null,
    subject: headerText(allValues(headers, 'subject')[0] ?? '').replace(/[\p{Cc}\p{Cs}]/gu, ' '),
    original: original.value,
  });
}

/** Why no receipt must be sent for such a message; null where nothing speaks against it. */
function objectionTo(headers: readonly EmailHeader[]): string | null {
  const [contentType] = allValues(headers, 'content-type').map((value) => splitParameters(value));
  const reportType = contentType?.parameters.find(([name]) => name === 'report-type')?.[1].toLowerCase();
  const isReceipt =
    contentType?.value.toLowerCase() === 'multipart/report' && reportType === 'disposition-notification';
  if (isReceipt) return 'there is no receipt for a receipt (RFC 8098 §2.1)';
  const asksMore = allValues(headers, 'disposition-notification-options').some((value) =>
    /=\s*required\b/i.test(value),
  );
  return asksMore ? 'its sender asks for what is not known here (RFC 8098 §2.2)' : null;
}

/** Whoever asks is who sent it, as far as the envelope tells. Upper and lower case make a difference before the `@` (§2.1). */
function isReturnPath(headers: readonly EmailHeader[], to: readonly EmailAddress[]): boolean {
  const compared = ({ email }: EmailAddress) => {
    const at = email.lastIndexOf('@');
    return `${email.slice(0, at)}${email.slice(at).toLowerCase()}`;
  };
  const [path] = allValues(headers, 'return-path').flatMap((value) => addresses(value));
  return path !== undefined && to.every((address) => compared(address) === compared(path));
}

async function readOriginal(email: Email, ports: SubmissionPorts): Promise<Result<Uint8Array, SetError>> {
  const { maxSizeMessage } = ports.submission;
  const opened = await (await blobFinder(ports)(messageBlobId(email.id)))?.open();
  if (!opened) return refuse({ type: 'notFound', description: 'there is no such Email any more' });
  const octets = await collect(opened.octets, maxSizeMessage);
  if (octets === null) return refuse({ type: 'tooLarge', maxSize: maxSizeMessage });
  // SMTP has no NUL (RFC 5321 §4.5.2), and nothing may change a message within a message.
  if (!octets.includes(0)) return ok(octets);
  return refuse({
    type: 'invalidProperties',
    properties: ['includeOriginalMessage'],
    description: 'the message has octets that cannot be sent',
  });
}

/** Whether a receipt can have such a field. */
function isWritable(form: HeaderForm, value: JsonValue): boolean {
  return headerValue('X', form, value).ok;
}

function allValues(headers: readonly EmailHeader[], field: string): string[] {
  return headers.filter(({ name }) => name.toLowerCase() === field).map(({ value }) => value);
}
