/**
 * The transfer encodings that change nothing (RFC 2045 §2.7 to §2.9): US-ASCII in lines of at most 998 octets; any octets but NUL in such
 * lines; and anything: longer lines, or a CR or LF that stands alone.
 */
export type IdentityEncoding = (typeof fromNarrowToWide)[number];

const fromNarrowToWide = ['7bit', '8bit', 'binary'] as const;

/** The encoding of what has parts of these (RFC 2045 §6.4). */
export function widest(encodings: readonly IdentityEncoding[]): IdentityEncoding {
  return fromNarrowToWide.findLast((encoding) => encodings.includes(encoding)) ?? '7bit';
}
