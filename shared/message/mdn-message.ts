import { Buffer } from 'node:buffer';
import type { Id } from '../jmap/scalars.ts';
import type { EmailAddress } from './addresses.ts';
import { composeMessage, type Making } from './compose/compose-message.ts';
import { linesOf } from './compose/crlf-lines.ts';
import type { Draft, DraftPart } from './compose/draft.ts';
import { headerValue } from './compose/header-value.ts';
import { type DispositionNotification, writeDispositionNotification } from './disposition-notification.ts';
import type { HeaderForm } from './header-form.ts';

/** What a receipt says, and to whom. */
export type MdnMessage = {
  readonly from: EmailAddress;
  readonly to: readonly EmailAddress[];
  readonly subject: string;
  readonly textBody: string;
  readonly notification: DispositionNotification;
  /** The message it is about: without angle brackets; null where it has no name. */
  readonly inReplyTo: string | null;
  /** That message itself; null: it is not to be in there. */
  readonly original: Uint8Array | null;
};

/** Writes a receipt (RFC 8098 §3): a report of two parts, or of three. */
export function mdnMessage(receipt: MdnMessage, making: Making): Uint8Array {
  const { from, to, subject, textBody, notification, inReplyTo, original } = receipt;
  const references = inReplyTo === null ? [] : [inReplyTo];
  const fields = [
    field('From', 'Addresses', [{ ...from }]),
    field(
      'To',
      'Addresses',
      to.map((address) => ({ ...address })),
    ),
    field('Subject', 'Text', subject),
    field('In-Reply-To', 'MessageIds', references),
    field('References', 'MessageIds', references),
    // No automatic answer may follow (RFC 3834 §5).
    { name: 'Auto-Submitted', value: ' auto-replied' },
  ].filter((each) => each !== null);
  const subParts: DraftPart[] = [
    { kind: 'text', type: 'text/plain', contentType: ' text/plain', fields: [], value: textBody },
    {
      kind: 'text',
      type: 'message/disposition-notification',
      contentType: ' message/disposition-notification',
      fields: [],
      value: writeDispositionNotification(notification),
    },
  ];
  if (original !== null) {
    const blobId = 'original' as Id;
    subParts.push({ kind: 'blob', type: 'message/rfc822', contentType: ' message/rfc822', fields: [], blobId });
  }
  const draft: Draft = {
    fields,
    has: { date: false, messageId: false, mimeVersion: false },
    domain: from.email.slice(from.email.lastIndexOf('@') + 1),
    root: {
      kind: 'multipart',
      type: 'multipart/report',
      contentType: ' multipart/report; report-type=disposition-notification',
      fields: [],
      subParts,
    },
  };
  const octets = original ?? new Uint8Array();
  const { size, encoding } = linesOf(octets);
  const content = { kind: 'message', source: octets, size, encoding } as const;
  const { pieces } = composeMessage(draft, () => content, making);
  return Buffer.concat(pieces.map((piece) => (piece.kind === 'octets' ? piece.octets : piece.source)));
}

/** Null for an empty list. Throws where the value cannot be written: what comes from others has been checked before. */
function field(name: string, form: HeaderForm, value: Parameters<typeof headerValue>[2]) {
  const written = headerValue(name, form, value);
  if (!written.ok) throw new Error(`Could not write the field ${name}: it ${written.error}`);
  return written.value === null ? null : { name, value: written.value };
}
