import type { Part } from './part.ts';

/** Octets of one full base64 line as mailers write it (76 and CRLF), and what they decode to. */
const base64Line = { encoded: 78, decoded: 57 } as const;

/**
 * The `size` of an EmailBodyPart (RFC 8621 §4.1.4): octets after transfer decoding.
 *
 * A BODYSTRUCTURE tells only the encoded size. Where nothing is encoded that is the answer. For base64 the usual line
 * length gives the decoded size but for the padding (at most two octets too many). For quoted-printable the encoded size
 * is shown: an upper bound. A caller that needs the exact number decodes the part.
 */
export function partSize(part: Pick<Part, 'encoding' | 'encodedSize' | 'size'>): number {
  if (part.size !== null) return part.size;
  if (part.encoding !== 'base64') return part.encodedSize;
  const rest = part.encodedSize % base64Line.encoded;
  const fullLines = (part.encodedSize - rest) / base64Line.encoded;
  return fullLines * base64Line.decoded + Math.floor(rest / 4) * 3;
}
