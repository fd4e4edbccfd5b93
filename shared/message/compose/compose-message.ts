import { Buffer } from 'node:buffer';
import { unfold } from '../unfold.ts';
import { base64Size } from './base64.ts';
import { linesOf } from './crlf-lines.ts';
import { dateValue } from './date-value.ts';
import { type Draft, type DraftBlob, type DraftPart, isMessageType } from './draft.ts';
import type { Field } from './header-fields.ts';
import { type IdentityEncoding, widest } from './identity-encoding.ts';
import { textBody } from './text-body.ts';

/**
 * How the content of a blob comes into a message. `S` says where it is.
 *
 * - `octets`: any octets, of this number; they will be encoded in base64.
 * - `encoded`: octets that are in a transfer encoding already, and are taken as they are.
 * - `message`: a message (message/rfc822), which must not be encoded (RFC 2046 §5.2.1).
 */
export type BlobContent<S> = { readonly source: S; readonly size: number } & (
  | { readonly kind: 'octets' }
  | { readonly kind: 'encoded'; readonly encoding: 'base64' | 'quoted-printable' }
  | { readonly kind: 'message'; readonly encoding: IdentityEncoding }
);

/** A piece of a message: octets that are at hand, or those of a blob, `size` of them when they are written. */
export type MessagePiece<S> =
  | { readonly kind: 'octets'; readonly octets: Uint8Array }
  | { readonly kind: 'blob'; readonly source: S; readonly isToEncode: boolean; readonly size: number };

/** A message in pieces. `size`: octets of them all. `messageId`: its field, as it is read when it is unfolded; '' where it has none. */
export type ComposedMessage<S> = {
  readonly pieces: readonly MessagePiece<S>[];
  readonly size: number;
  readonly messageId: string;
};

/** What makes a message unlike all others. */
export type Making = {
  /** When it is made, in milliseconds since the epoch. */
  readonly now: number;
  /** At least 80 bits of randomness, in letters and digits; another one each time. */
  readonly randomKey: () => string;
};

/** Where the sender has no domain that could be in a Message-ID. Nobody else's is like that (RFC 2606). */
const noDomain = 'postern.invalid';

/**
 * Writes a message (RFC 5322, RFC 2045, RFC 2046). `contentOf`: what is in the blobs of the draft. A Date, a Message-ID and MIME-Version are
 * made up where the draft has none. No octets of blobs are touched: they stay pieces of their own.
 */
export function composeMessage<S>(
  draft: Draft,
  contentOf: (part: DraftBlob) => BlobContent<S>,
  { now, randomKey }: Making,
): ComposedMessage<S> {
  const pieces: MessagePiece<S>[] = [];
  let text: string[] = [];
  const write = (chars: string) => text.push(chars);
  const flush = () => {
    if (text.length > 0) pieces.push({ kind: 'octets', octets: Buffer.from(text.join('')) });
    text = [];
  };
  const writeFields = (fields: readonly Field[]) => {
    for (const { name, value } of fields) write(`${name}:${value}\r\n`);
  };

  const writePart = ({ part, mime, boundary, body }: Prepared<S>) => {
    writeFields([...mime, ...part.fields]);
    write('\r\n');
    if (part.kind === 'multipart') {
      for (const child of body.children) {
        write(`--${boundary}\r\n`);
        writePart(child);
        write('\r\n');
      }
      write(`--${boundary}--\r\n`);
    } else if (body.octets !== null) {
      flush();
      pieces.push({ kind: 'octets', octets: body.octets });
    } else if (body.content !== null) {
      flush();
      pieces.push(blobPiece(body.content));
    }
  };

  const fields = inOrder([...draft.fields, ...madeFields(draft, { now, randomKey })]);
  writeFields(fields);
  writePart(prepare(draft.root, contentOf, randomKey));
  flush();
  const isMessageId = ({ name }: Field) => name.toLowerCase() === 'message-id';
  const messageId = unfold([...fields, ...draft.root.fields].find(isMessageId)?.value ?? '').trim();
  return { pieces, size: pieces.reduce((sum, piece) => sum + sizeOf(piece), 0), messageId };
}

/** The fields that every message has (RFC 5322 §3.6, RFC 2045 §4) and this draft does not. */
function madeFields({ has, domain }: Draft, { now, randomKey }: Making): Field[] {
  const made: Field[] = [];
  if (!has.date) made.push({ name: 'Date', value: ` ${dateValue(new Date(now).toISOString())}` });
  if (!has.messageId) made.push({ name: 'Message-ID', value: ` <${randomKey()}@${domain ?? noDomain}>` });
  if (!has.mimeVersion) made.push({ name: 'MIME-Version', value: ' 1.0' });
  return made;
}

/** The order in which people who read headers expect the fields; others follow as they were given. */
const order = [
  'date',
  'from',
  'sender',
  'reply-to',
  'to',
  'cc',
  'bcc',
  'subject',
  'message-id',
  'in-reply-to',
  'references',
];

function inOrder(fields: readonly Field[]): Field[] {
  const rank = ({ name }: Field) => {
    const index = order.indexOf(name.toLowerCase());
    return index < 0 ? order.length : index;
  };
  return [...fields].sort((a, b) => rank(a) - rank(b));
}

function sizeOf<S>(piece: MessagePiece<S>): number {
  return piece.kind === 'octets' ? piece.octets.byteLength : piece.size;
}

function blobPiece<S>(content: BlobContent<S>): MessagePiece<S> {
  const isToEncode = content.kind === 'octets';
  const size = isToEncode ? base64Size(content.size) : content.size;
  return { kind: 'blob', source: content.source, isToEncode, size };
}

/** A part of which everything is known that stands in its header. */
type Prepared<S> = {
  readonly part: DraftPart;
  readonly mime: readonly Field[];
  readonly boundary: string;
  /** What it is with all that is in it. */
  readonly identity: IdentityEncoding;
  readonly body: {
    readonly children: readonly Prepared<S>[];
    readonly octets: Uint8Array | null;
    readonly content: BlobContent<S> | null;
  };
};

function prepare<S>(
  part: DraftPart,
  contentOf: (part: DraftBlob) => BlobContent<S>,
  randomKey: () => string,
): Prepared<S> {
  switch (part.kind) {
    case 'multipart': {
      const children = part.subParts.map((subPart) => prepare(subPart, contentOf, randomKey));
      const identity = widest(children.map((child) => child.identity));
      // `=_` can stand in no line of quoted-printable or base64 (RFC 2045 §6.7), and nobody can know the rest.
      const boundary = `=_${randomKey()}`;
      const contentType = `${part.contentType};\r\n boundary="${boundary}"`;
      const mime = mimeFields(contentType, identity === '7bit' ? null : identity);
      return { part, mime, boundary, identity, body: { children, octets: null, content: null } };
    }
    case 'text': {
      const body = textOf(part.type, part.value);
      const isText = part.type.startsWith('text/');
      const contentType = isText ? `${part.contentType}; charset=${body.charset}` : part.contentType;
      const { octets, identity } = body;
      const mime = mimeFields(contentType, body.encoding);
      return { part, mime, boundary: '', identity, body: { children: [], octets, content: null } };
    }
    case 'blob': {
      const content = contentOf(part);
      const identity = content.kind === 'message' ? content.encoding : '7bit';
      const mime = mimeFields(part.contentType, content.kind === 'octets' ? 'base64' : content.encoding);
      return { part, mime, boundary: '', identity, body: { children: [], octets: null, content } };
    }
  }
}

function mimeFields(contentType: string, encoding: string | null): Field[] {
  const type = { name: 'Content-Type', value: contentType };
  return encoding === null ? [type] : [type, { name: 'Content-Transfer-Encoding', value: ` ${encoding}` }];
}

/** The text as the body of a part of this type: a message within a message is not encoded. */
function textOf(
  type: string,
  value: string,
): { charset: string; encoding: string; identity: IdentityEncoding; octets: Uint8Array } {
  if (!isMessageType(type)) return { ...textBody(value), identity: '7bit' };
  const octets = Buffer.from(value.replace(/\r\n?|\n/g, '\r\n'));
  const { encoding } = linesOf(octets);
  return { charset: 'utf-8', encoding, identity: encoding, octets };
}
