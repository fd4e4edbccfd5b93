import type { Surroundings } from '../../catalog/store.ts';
import type { CatalogView } from '../../catalog/view.ts';
import { ok, type Result, refuse, type SetError } from '../../jmap/errors.ts';
import type { JsonObject } from '../../jmap/scalars.ts';
import type { Some } from '../../jmap/verbs.ts';
import { base64Encoded } from '../../message/compose/base64.ts';
import { composeMessage, type Making, type MessagePiece } from '../../message/compose/compose-message.ts';
import { emailDraft } from '../../message/compose/email-draft.ts';
import type { BlobContentPorts, BlobSource } from './blob-contents.ts';
import { draftBlobs } from './draft-blobs.ts';
import type { AppendPiece } from './mail.ts';
import { type NewContent, type NewEmail, type PutIn, type PutInPorts, putIn, secondsOf } from './put-in.ts';
import type { EmailRecord } from './record.ts';

/** What creating Emails needs of the world. */
export type CreatePorts = PutInPorts & BlobContentPorts & { readonly surroundings: Surroundings };

/** The `create` part of Email/set (RFC 8621 §4.6): `records` by creation id, with their defaults. */
export async function createEmails(
  records: ReadonlyMap<string, Omit<EmailRecord, 'id'>>,
  start: CatalogView,
  ports: CreatePorts,
): Promise<PutIn> {
  const making = { now: ports.surroundings.now(), randomKey: ports.surroundings.randomKey };
  const emails = new Map<string, NewEmail>();
  const refused = new Map<string, Result<Some<EmailRecord>, SetError>>();
  for (const [creationId, { mailboxIds, keywords, receivedAt, ...content }] of records) {
    const at = receivedAt === undefined ? Math.floor(making.now / 1000) : secondsOf(receivedAt);
    const message = createdMessage(content as JsonObject, at, ports, making);
    if (!message.ok) refused.set(creationId, message);
    else {
      emails.set(creationId, {
        mailboxIds: Object.keys(mailboxIds),
        keywords: Object.keys(keywords),
        content: message.value,
      });
    }
  }
  const put = await putIn(emails, start, ports);
  return { ...put, results: new Map([...refused, ...put.results]) };
}

/**
 * The message that an Email object for creation describes (RFC 8621 §4.6), ready to be put into a mailbox. Where the mail server takes what
 * it has from where it is, forwarding does not move the octets of attachments.
 */
function createdMessage(
  email: JsonObject,
  receivedAt: number,
  ports: BlobContentPorts,
  making: Making,
): Result<NewContent, SetError> {
  const draft = emailDraft(email);
  if (!draft.ok) return draft;
  // Made once, so that a second attempt is the same message.
  const keys: string[] = [];
  const repeatedKeys = () => {
    let used = 0;
    return () => {
      keys[used] ??= making.randomKey();
      return keys[used++] ?? '';
    };
  };
  return ok({
    read: async (reading) => {
      const contentOf = await draftBlobs(draft.value, ports, reading);
      if (!contentOf.ok) return refuse({ ...contentOf.error, ...propertiesOf(contentOf.error, email) });
      const message = composeMessage(draft.value, contentOf.value, { now: making.now, randomKey: repeatedKeys() });
      const pieces = message.pieces.map((piece) => appendPiece(piece, reading.canTakeStored));
      return ok({ pieces, messageId: message.messageId, size: message.size, receivedAt });
    },
  });
}

/** The properties that a part may stand in, where the refusal has to name them. */
function propertiesOf({ type }: SetError, email: JsonObject): { properties?: string[] } {
  const places = ['bodyStructure', 'textBody', 'htmlBody', 'attachments'].filter((name) => email[name] !== undefined);
  return type === 'invalidProperties' ? { properties: places } : {};
}

/** A piece of a message as it is sent: taken from where it is stored, if that is possible. */
export function appendPiece(piece: MessagePiece<BlobSource>, canTakeStored: boolean): AppendPiece {
  if (piece.kind === 'octets') return piece;
  const { source, size, isToEncode } = piece;
  if (source.stored !== null && canTakeStored && !isToEncode) return { kind: 'stored', ...source.stored };
  const { open } = source;
  return { kind: 'stream', size, open: isToEncode ? async () => base64Encoded(await open()) : open };
}
