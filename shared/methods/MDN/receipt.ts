import { ok, type Result, refuse, type SetError } from '../../jmap/errors.ts';
import type { JsonObject } from '../../jmap/scalars.ts';
import { headerValue } from '../../message/compose/header-value.ts';
import type { DispositionNotification } from '../../message/disposition-notification.ts';
import type { MdnMessage } from '../../message/mdn-message.ts';
import { isSmtpMailbox } from '../../message/smtp-mailbox.ts';
import type { KeptIdentity } from '../Identity/record.ts';
import { identityCovers, maySendFrom, type SendingPolicy } from '../Identity/sending-policy.ts';
import type { Mdn } from './record.ts';
import type { ReceiptRequest } from './request.ts';

/** A receipt as it goes out, and what of it the client does not know. */
export type Receipt = { readonly message: MdnMessage; readonly shown: JsonObject };

/** The receipt that an MDN asks for, if this Identity may send it. */
export function receiptFor(
  mdn: Mdn,
  request: ReceiptRequest,
  identity: KeptIdentity,
  policy: SendingPolicy,
): Result<Receipt, SetError> {
  const { disposition, reportingUA, extensionFields } = mdn;
  if (disposition.sendingMode === 'mdn-sent-automatically' && !request.mayBeAutomatic) {
    const description =
      'whoever wants the receipt is not whom the message came from: only the user can decide to send it';
    return refuse({ type: 'forbidden', description });
  }
  const isOwn = (address: string) => identityCovers(identity.email, address) && maySendFrom(policy, address);
  const given = mdn.finalRecipient === null ? null : finalRecipientOf(mdn.finalRecipient);
  // An Identity may stand for all addresses of a domain: then it is the user's own, or the one that the client names.
  const own = [identity.email, policy.address, given?.address ?? ''].find((each) => isSmtpMailbox(each) && isOwn(each));
  if (
    (given === null && mdn.finalRecipient !== null) ||
    (given !== null && !isOwn(given.address)) ||
    own === undefined
  ) {
    return refuse({ type: 'forbiddenFrom', description: 'the final recipient is not an address of the Identity' });
  }
  const { originalRecipient, originalMessageId } = request;
  const finalRecipient = given?.field ?? `rfc822; ${own}`;
  const subject = mdn.subject ?? subjectFor(mdn, request);
  const textBody = mdn.textBody ?? textOf(mdn, request, given?.address ?? own);
  const notification: DispositionNotification = {
    ...{ reportingUA, originalRecipient, finalRecipient, originalMessageId, disposition, extensionFields },
    ...{ mdnGateway: null, error: null },
  };
  const { to, inReplyTo, original } = request;
  const named = { name: identity.name, email: own };
  const from = headerValue('From', 'Addresses', [named]).ok ? named : { name: null, email: own };
  return ok({
    message: { from, to, subject, textBody, notification, inReplyTo, original },
    shown: {
      ...{ mdnGateway: null, originalRecipient, originalMessageId, error: null },
      ...(mdn.subject === null ? { subject } : {}),
      ...(mdn.textBody === null ? { textBody } : {}),
      ...(given?.field === mdn.finalRecipient ? {} : { finalRecipient }),
    },
  });
}

/** Characters of a subject that is made of another one. */
const subjectCharactersMax = 500;

/** Says what the receipt is about, unless that has something in it which is not read again as it was written. */
function subjectFor({ disposition }: Mdn, request: ReceiptRequest): string {
  const word = subjectOf[disposition.type];
  const subject = beginningOf(`${word}: ${request.subject}`).trim();
  return headerValue('Subject', 'Text', subject).ok ? subject : word;
}

function beginningOf(subject: string): string {
  return subject.slice(0, subjectCharactersMax).replace(/\p{Cs}$/u, '');
}

const subjectOf = {
  displayed: 'Read',
  deleted: 'Deleted',
  dispatched: 'Forwarded',
  processed: 'Processed',
} as const;

function textOf({ disposition }: Mdn, { subject }: ReceiptRequest, recipient: string): string {
  const about = subject === '' ? 'Your message' : `Your message "${beginningOf(subject)}"`;
  const done = {
    displayed: 'was displayed. There is no guarantee that it was read or understood',
    deleted: 'was deleted; it may have been seen or not',
    dispatched: 'was passed on, without having been displayed',
    processed: 'was processed, without having been displayed',
  }[disposition.type];
  return `${about} to ${recipient} ${done}.\n`;
}

/** `rfc822; anna@example.org`, or the address alone (RFC 8098 §3.2.4); null for what is neither. */
function finalRecipientOf(text: string): { readonly field: string; readonly address: string } | null {
  const [, type, address = ''] = /^\s*(?:(rfc822|utf-8)\s*;\s*)?([^\s;]+)\s*$/i.exec(text) ?? [];
  if (!isSmtpMailbox(address)) return null;
  return { field: type === undefined ? `rfc822; ${address}` : text, address };
}
