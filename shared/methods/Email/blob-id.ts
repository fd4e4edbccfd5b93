import type { Id } from '../../jmap/scalars.ts';

/** What a blob id of a message may name: the whole message, or one part of it by its `partId`. */
export type MessageBlob = { readonly emailId: Id; readonly partId: string | null };

const partSuffix = /^(.+)-(\d+(?:_\d+)*)$/;

/** The blob id of a whole message is the Email's id. */
export function messageBlobId(emailId: Id): Id {
  return emailId;
}

/** `<emailId>-<part number>`, with `_` for the dots of the part number, which an Id cannot hold (RFC 8620 §1.2). */
export function partBlobId(emailId: Id, partId: string): Id {
  return `${emailId}-${partId.replaceAll('.', '_')}` as Id;
}

/** The readings of a blob id, the whole message first. Which of them exists is for the catalog to say. */
export function messageBlobsOf(blobId: Id): MessageBlob[] {
  const match = partSuffix.exec(blobId);
  const whole: MessageBlob = { emailId: blobId, partId: null };
  if (match === null) return [whole];
  const [, emailId, part] = match;
  return [whole, { emailId: emailId as Id, partId: (part ?? '').replaceAll('_', '.') }];
}
