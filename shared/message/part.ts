import type { EmailHeader } from './parse-headers.ts';

/**
 * One body part: an EmailBodyPart (RFC 8621 §4.1.4) and what is needed to fetch and decode it. The same tree is made from a
 * server's BODYSTRUCTURE and from the bytes of a message (`parseMessage`).
 *
 * As `bodyStructure` demands, the tree does not descend into message/rfc822 or message/global: such a part is a leaf.
 */
export type Part = {
  /** The IMAP section number (RFC 9051 §6.4.5.1) of a leaf: `1`, `2.1`; `1` for a message of one part. Null for multipart/*. */
  readonly partId: string | null;
  /**
   * The IMAP section whose header this is, for multiparts too: `2` is fetched as BODY[2.MIME]. Empty for the root, whose
   * header is BODY[HEADER].
   */
  readonly section: string;
  /** The media type, in lower case, without parameters: `text/plain`. */
  readonly type: string;
  /** As written. The implicit `us-ascii` for text/* without a charset parameter; null for other types without one. */
  readonly charset: string | null;
  /** In lower case, without parameters: `inline`, `attachment`. */
  readonly disposition: string | null;
  /** The decoded file name: `filename` of Content-Disposition, else `name` of Content-Type. */
  readonly name: string | null;
  /** Content-Id without its angle brackets. */
  readonly cid: string | null;
  readonly language: readonly string[] | null;
  readonly location: string | null;
  /** The Content-Transfer-Encoding, in lower case; `7bit` where the part names none. */
  readonly encoding: string;
  /** Octets of the body as stored, before any decoding. */
  readonly encodedSize: number;
  /** Octets after transfer decoding where they are known exactly, else null; see `partSize` for what to show then. */
  readonly size: number | null;
  /** The children of a multipart, in order; empty for a leaf. */
  readonly subParts: readonly Part[];
  /** The header fields of this part, where they are at hand. */
  readonly headers?: readonly EmailHeader[];
  /** Where the part lies in the message it was parsed from; absent on a part that a BODYSTRUCTURE told of. */
  readonly range?: PartRange;
};

/** Octet offsets into the bytes of the whole message; each end is exclusive. */
export type PartRange = {
  /** First octet of the part's header. */
  readonly headerStart: number;
  /** First octet of the part's body, just behind the empty line that ends its header. */
  readonly bodyStart: number;
  /** End of the body; the line break before a boundary belongs to the boundary, not to the body. */
  readonly bodyEnd: number;
};

/** Whether the part is a container: `multipart/*`. */
export function isMultipart(part: Pick<Part, 'type'>): boolean {
  return part.type.startsWith('multipart/');
}
