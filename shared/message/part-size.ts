import { decodeTransfer } from './decode-transfer.ts';
import type { Part } from './part.ts';

/** Octets of one full base64 line as mailers write it (76 and CRLF), and what they decode to. */
const base64Line = { encoded: 78, decoded: 57 } as const;
/** So many octets at the end of a base64 body tell its decoded size, where all lines are equally long: below 1,000 (RFC 5322 §2.1.1). */
const tailOctets = 2_048;

/**
 * The `size` of an EmailBodyPart (RFC 8621 §4.1.4), octets after transfer decoding, as far as it is known. A BODYSTRUCTURE tells only the
 * encoded size. Where nothing is encoded that is the answer; else it has to be found out by `octetsForSize`. Where it was not, the usual
 * line length gives the decoded size of base64 but for the padding (at most two octets too many), and the encoded size is an upper
 * bound of quoted-printable.
 */
export function partSize(part: Pick<Part, 'encoding' | 'encodedSize' | 'size'>): number {
  if (part.size !== null) return part.size;
  if (part.encoding !== 'base64') return part.encodedSize;
  const rest = part.encodedSize % base64Line.encoded;
  const fullLines = (part.encodedSize - rest) / base64Line.encoded;
  return fullLines * base64Line.decoded + Math.floor(rest / 4) * 3;
}

/** Octets of a stored body. */
export type Stretch = { readonly from: number; readonly maxOctets: number };

/** What has to be read to learn the size of a part: nothing, its whole body, or only its end. */
export function octetsForSize({
  encoding,
  encodedSize,
  size,
}: Pick<Part, 'encoding' | 'encodedSize' | 'size'>): Stretch | 'all' | 'none' {
  if (size !== null || encodedSize === 0) return 'none';
  if (encoding === 'quoted-printable') return 'all';
  if (encoding !== 'base64') return 'none';
  return encodedSize <= tailOctets ? 'all' : { from: encodedSize - tailOctets, maxOctets: tailOctets };
}

/** The decoded size of a body, all of which is at hand. */
export function sizeOfBody(octets: Uint8Array, encoding: string): number {
  return decodeTransfer(octets, encoding).length;
}

/**
 * The decoded size of a base64 body by its end, which may begin within a line or its break; null where that does not tell: lines are
 * not equally long, or hold something else.
 */
export function sizeOfBase64(encodedSize: number, tail: Uint8Array): number | null {
  const text = Buffer.from(tail).toString('latin1');
  const data = text.trimEnd();
  const lines = data.split('\r\n');
  const [rest = '', whole] = lines;
  const last = lines.at(-1) ?? '';
  if (tail.length !== tailOctets || lines.length < 3 || whole === undefined || whole.length % 4 !== 0) return null;
  const isWhole = (line: string) => line.length === whole.length && /^[A-Za-z0-9+/]+$/.test(line);
  if (!lines.slice(1, -1).every(isWhole) || rest.replace(/^\n/, '').length > whole.length) return null;
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(last) || last.length % 4 !== 0 || last.length > whole.length) return null;
  const before = encodedSize - text.length + data.length - last.length;
  if (before % (whole.length + 2) !== 0) return null;
  const characters = (before / (whole.length + 2)) * whole.length + last.length;
  return (characters / 4) * 3 - (last.length - last.replace(/=+$/, '').length);
}
