import type { Id } from '../../jmap/scalars.ts';
import type { Field } from './header-fields.ts';

/** A message that is to be made: what an Email object for creation (RFC 8621 §4.6) says, checked and put in order. */
export type Draft = {
  /** Header fields of the message, without those that are made up when it is written, and without those of the root part. */
  readonly fields: readonly Field[];
  /** Whether these fields are among them, or have to be made. */
  readonly has: { readonly date: boolean; readonly messageId: boolean; readonly mimeVersion: boolean };
  /** The domain of the sender, if there is a usable one: for the Message-ID. */
  readonly domain: string | null;
  readonly root: DraftPart;
};

/** A part that is to be made. `type` is in lower case; `contentType` is the value of its field. */
export type DraftPart = DraftMultipart | DraftText | DraftBlob;

export type DraftMultipart = {
  readonly kind: 'multipart';
  readonly type: string;
  /** Without the boundary. */
  readonly contentType: string;
  readonly fields: readonly Field[];
  readonly subParts: readonly DraftPart[];
};

/** A part whose content is a value of `bodyValues`. */
export type DraftText = {
  readonly kind: 'text';
  readonly type: string;
  /** Without the charset. */
  readonly contentType: string;
  readonly fields: readonly Field[];
  readonly value: string;
};

/** A part whose content is a blob. */
export type DraftBlob = {
  readonly kind: 'blob';
  readonly type: string;
  readonly contentType: string;
  readonly fields: readonly Field[];
  readonly blobId: Id;
};

/** The parts of a draft that are blobs, in the order of the message. */
export function blobParts(part: DraftPart): DraftBlob[] {
  switch (part.kind) {
    case 'multipart':
      return part.subParts.flatMap(blobParts);
    case 'blob':
      return [part];
    case 'text':
      return [];
  }
}

/**
 * Whether parts of this type hold a message or a piece of one, and so must not be encoded in base64 or quoted-printable (RFC 2045 §6.4). Those
 * of RFC 6532 §3.7 may.
 */
export function isMessageType(type: string): boolean {
  return type.startsWith('message/') && !type.startsWith('message/global');
}
