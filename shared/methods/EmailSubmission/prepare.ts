import { createHash } from 'node:crypto';
import type { Email } from '../../catalog/email.ts';
import { existsInJmap } from '../../catalog/keywords.ts';
import { ok, type Result, refuse, type SetError } from '../../jmap/errors.ts';
import type { Id } from '../../jmap/scalars.ts';
import { headerDate } from '../../message/header-date.ts';
import { messageIds } from '../../message/message-ids.ts';
import { type OutgoingMessage, outgoingMessage, withField } from '../../message/outgoing-message.ts';
import type { EmailHeader } from '../../message/parse-headers.ts';
import { isSmtpMailbox } from '../../message/smtp-mailbox.ts';
import { blobFinder } from '../Blob/find.ts';
import { collect } from '../Blob/octets.ts';
import { messageBlobId } from '../Email/blob-id.ts';
import { identityKind, type KeptIdentity } from '../Identity/record.ts';
import { identityCovers, maySendFrom } from '../Identity/sending-policy.ts';
import { addressesIn, type ResolvedEnvelope, resolveEnvelope } from './envelope.ts';
import type { EmailSubmission, SubmissionPorts } from './record.ts';
import type { RelayRequest } from './relay.ts';
import { storedBody } from './stored-body.ts';

/** A message that may be sent, as it goes out. */
export type Prepared = ResolvedEnvelope & {
  readonly id: Id;
  readonly identityId: Id;
  readonly emailId: Id;
  readonly threadId: Id;
  readonly message: RelayRequest['message'];
  readonly messageId: string;
};

/** The message was not read before it was to be sent, and then it could not be. */
export class NotSendable extends Error {
  override readonly name = 'NotSendable';
  readonly setError: SetError;

  constructor(setError: SetError) {
    super(`A message cannot be sent: ${setError.type}`);
    this.setError = setError;
  }
}

/** Whether the message may be sent by this user in this way (RFC 8621 §7.5); if so, all that it takes. */
export async function prepare(
  id: Id,
  { identityId, emailId, envelope }: Pick<EmailSubmission, 'identityId' | 'emailId' | 'envelope'>,
  ports: SubmissionPorts,
): Promise<Result<Prepared, SetError>> {
  const { records, sending, submission } = ports;
  const identity = (await records.view(identityKind(sending.policy))).records.get(identityId);
  if (identity === undefined) return unknown('identityId', 'there is no such Identity');
  const email = await findEmail(emailId, ports);
  if (!email.ok) return email;

  const stored = await storedBody(email.value, ports);
  const admit = (octets: Uint8Array) => admitted(octets, id, identity, ports);
  const read = async () => {
    const octets = await readEmail(emailId, ports);
    return octets.ok ? admit(octets.value) : octets;
  };
  const outgoing = stored === null ? await read() : admit(stored.header);
  if (!outgoing.ok) return outgoing;
  const { octets, headers, messageId } = outgoing.value;
  const resolved = resolveEnvelope(envelope, headers, {
    policy: sending.policy,
    identity,
    maxRecipients: submission.maxRecipients,
    maxDelaySeconds: submission.queue?.maxDelaySeconds ?? submission.serverHoldsSeconds,
    now: submission.now(),
  });
  if (!resolved.ok) return resolved;
  const whole = async () => {
    const again = await read();
    if (!again.ok) throw new NotSendable(again.error);
    return again.value.octets;
  };
  const message = stored === null ? octets : { ...stored, header: octets, read: whole };
  return ok({ ...resolved.value, id, identityId, emailId, threadId: email.value.threadId, message, messageId });
}

/** A message, or its header alone, as it goes out, if it may. */
function admitted(
  stored: Uint8Array,
  id: Id,
  identity: KeptIdentity,
  ports: SubmissionPorts,
): Result<{ octets: Uint8Array; headers: readonly EmailHeader[]; messageId: string }, SetError> {
  const outgoing = outgoingMessage(stored);
  const { headers } = outgoing;
  const invalid = objectionsTo(outgoing, stored);
  if (invalid !== null) return refuse(invalid);
  const forbidden = forbiddenFrom(headers, identity, ports);
  if (forbidden !== null) return refuse(forbidden);
  // Fixed from here on, however often it is tried.
  const [present] = valuesOf(headers, 'message-id').flatMap((value) => messageIds(value) ?? []);
  const messageId = `<${present ?? madeMessageId(id, ports.sending.policy.address)}>`;
  const octets = present === undefined ? withField(outgoing.octets, 'Message-ID', messageId) : outgoing.octets;
  return ok({ octets, headers, messageId });
}

async function findEmail(emailId: Id, { catalog, submission }: SubmissionPorts): Promise<Result<Email, SetError>> {
  const known = (await (await catalog.view('recent')).emails([emailId])).get(emailId);
  const email = known ?? (await (await catalog.view('now')).emails([emailId])).get(emailId);
  if (email === undefined || !existsInJmap(email)) return unknown('emailId', 'there is no such Email');
  return email.size > submission.maxSizeMessage ? tooLarge(submission.maxSizeMessage) : ok(email);
}

/** The whole message, as it is stored now. */
async function readEmail(emailId: Id, ports: SubmissionPorts): Promise<Result<Uint8Array, SetError>> {
  const { maxSizeMessage } = ports.submission;
  const opened = await (await blobFinder(ports)(messageBlobId(emailId)))?.open();
  if (!opened) return unknown('emailId', 'there is no such Email any more');
  const octets = await collect(opened.octets, maxSizeMessage);
  return octets === null ? tooLarge(maxSizeMessage) : ok(octets);
}

/** `invalidEmail`, with every property that no message may go out with (RFC 5322 §3.6); null: there is none. */
function objectionsTo({ headers, isHeaderWhole }: OutgoingMessage, octets: Uint8Array): SetError | null {
  const properties: string[] = [];
  // What is not looked at could be another From.
  if (!isHeaderWhole) properties.push('headers');
  const once = (property: string, field: string, isValid: (value: string) => boolean, isMandatory = false) => {
    const values = valuesOf(headers, field);
    if (values.length > 1 || !values.every(isValid) || (isMandatory && values.length === 0)) properties.push(property);
  };
  const hasAddresses = (field: string, most: number) => () => {
    const found = addressesIn(headers, field);
    return found.length > 0 && found.length <= most && found.every(isSmtpMailbox);
  };
  once('from', 'from', hasAddresses('from', 100), true);
  once('sender', 'sender', hasAddresses('sender', 1));
  once('sentAt', 'date', (value) => headerDate(value) !== null, true);
  once('messageId', 'message-id', (value) => messageIds(value)?.length === 1);
  for (const [property, field] of Object.entries(listFields)) once(property, field, () => true);
  // SMTP has no NUL (RFC 5321 §4.5.2).
  if (octets.includes(0)) properties.push('bodyStructure');
  if (
    valuesOf(headers, 'from').length === 1 &&
    addressesIn(headers, 'from').length > 1 &&
    valuesOf(headers, 'sender').length === 0
  ) {
    properties.push('sender');
  }
  return properties.length === 0 ? null : { type: 'invalidEmail', properties: [...new Set(properties)] };
}
const listFields = { to: 'to', cc: 'cc', bcc: 'bcc', replyTo: 'reply-to', subject: 'subject' };

/** §9.6: who a message says it is from has to be the Identity, and the Identity one that the user may be. */
function forbiddenFrom(
  headers: readonly EmailHeader[],
  identity: KeptIdentity,
  { sending }: SubmissionPorts,
): SetError | null {
  const from = addressesIn(headers, 'from');
  const isOwn = (address: string) => identityCovers(identity.email, address) && maySendFrom(sending.policy, address);
  if (from.every(isOwn)) return null;
  return { type: 'forbiddenFrom', description: 'the From field has addresses that are not those of the Identity' };
}

function valuesOf(headers: readonly EmailHeader[], field: string): string[] {
  return headers.filter(({ name }) => name.toLowerCase() === field).map(({ value }) => value);
}

/** Always the same for one submission. */
function madeMessageId(id: Id, address: string): string {
  const digest = createHash('sha256').update(id).digest('hex').slice(0, 32);
  return `${digest}@${address.slice(address.lastIndexOf('@') + 1)}`;
}

function tooLarge(maxSize: number): Result<never, SetError> {
  return refuse({ type: 'tooLarge', maxSize });
}

function unknown(property: string, description: string): Result<never, SetError> {
  return refuse({ type: 'invalidProperties', properties: [property], description });
}
