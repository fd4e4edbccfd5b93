import { decodeCharset } from './charset.ts';
import { decodeTransfer, isKnownEncoding } from './decode-transfer.ts';
import { safeHtmlLength } from './html-tags.ts';
import type { Part } from './part.ts';

/** RFC 8621 §4.1.4. */
export type EmailBodyValue = {
  readonly value: string;
  readonly isEncodingProblem: boolean;
  readonly isTruncated: boolean;
};

export type BodyValueOptions = {
  /** UTF-8 octets of `value` at most; 0 for all (RFC 8621 §4.2, `maxBodyValueBytes`). */
  readonly maxBodyValueBytes: number;
  /** Whether `encoded` is only the beginning of the part; the value is then truncated in any case. */
  readonly isPrefix?: boolean;
};

/**
 * Makes the value of a text part from its octets as they are stored (RFC 8621 §4.1.4): transfer encoding and charset
 * decoded, each CRLF replaced with LF, truncated to whole characters and, in HTML, not inside of a tag.
 *
 * `isEncodingProblem`: the transfer encoding or the charset is not known, or octets were malformed; `decodeCharset` tells
 * what is guessed then. Never throws.
 */
export function bodyValue(
  part: Pick<Part, 'type' | 'charset' | 'encoding'>,
  encoded: Uint8Array,
  { maxBodyValueBytes, isPrefix = false }: BodyValueOptions,
): EmailBodyValue {
  const decoded = decodeCharset(decodeTransfer(encoded, part.encoding, isPrefix), part.charset, isPrefix);
  const isEncodingProblem = decoded.isEncodingProblem || !isKnownEncoding(part.encoding);
  const text = decoded.text.replaceAll('\r\n', '\n');
  const whole = isPrefix && text.endsWith('\r') ? text.slice(0, -1) : text;
  const fitting = maxBodyValueBytes > 0 ? utf8Prefix(whole, maxBodyValueBytes) : whole;
  const isTruncated = isPrefix || fitting.length < whole.length;
  const value = isTruncated && part.type === 'text/html' ? fitting.slice(0, safeHtmlLength(fitting)) : fitting;
  return { value, isEncodingProblem, isTruncated };
}

/** The longest beginning of a text that takes at most `bytesMax` octets in UTF-8 and cuts no character apart. */
export function utf8Prefix(text: string, bytesMax: number): string {
  // A code unit takes at most three octets.
  if (text.length * 3 <= bytesMax) return text;
  const { read } = new TextEncoder().encodeInto(text, new Uint8Array(Math.min(bytesMax, text.length * 3)));
  return text.slice(0, read);
}
