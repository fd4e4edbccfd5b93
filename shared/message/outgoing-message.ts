import { Buffer } from 'node:buffer';
import { type EmailHeader, headerLimits, parseHeaders } from './parse-headers.ts';

/** A message as it goes out (RFC 8621 §7.5): the stored one without its Bcc fields. */
export type OutgoingMessage = {
  readonly octets: Uint8Array;
  /** The fields of the stored message, Bcc too, with the line ends that they will have. */
  readonly headers: readonly EmailHeader[];
  /** Whether there are no more fields than these. */
  readonly isHeaderWhole: boolean;
};

const [tab, lf, cr, space, colon] = [0x09, 0x0a, 0x0d, 0x20, 0x3a];
/** Who was sent a copy in secret must not be told to the others; resent messages have a field of their own (RFC 5322 §3.6.6). */
const secret = /^(?:resent-)?bcc$/i;

/**
 * Leaves out the Bcc fields. A CR or LF alone ends a line here, because it will when the message is sent; a field that only then
 * would be one cannot hide. `Return-Path` goes too: it is the receiving server's to write (RFC 5321 §4.4).
 */
export function outgoingMessage(stored: Uint8Array): OutgoingMessage {
  const bytes = Buffer.from(stored.buffer, stored.byteOffset, stored.byteLength);
  const kept: Buffer[] = [];
  let at = 0;
  let keepFrom = 0;
  let headerEnd = bytes.length;
  while (at < bytes.length) {
    const start = at;
    at = lineEnd(bytes, at);
    if (bytes[start] === cr || bytes[start] === lf) {
      headerEnd = start;
      break;
    }
    while (at < bytes.length && (bytes[at] === space || bytes[at] === tab)) at = lineEnd(bytes, at);
    if (!isDropped(nameOf(bytes, start, at))) continue;
    kept.push(bytes.subarray(keepFrom, start));
    keepFrom = at;
  }
  kept.push(bytes.subarray(keepFrom));
  const header = Buffer.from(bytes.toString('latin1', 0, headerEnd).replace(/\r\n?|\n/g, '\r\n'), 'latin1');
  const headers = parseHeaders(header);
  const isHeaderWhole = header.length <= headerLimits.bytesMax && headers.length < headerLimits.fieldsMax;
  return { octets: Buffer.concat(kept), headers, isHeaderWhole };
}

/** The message with another field in front; both are text without line ends. */
export function withField(message: Uint8Array, name: string, value: string): Uint8Array {
  const field = `${name}: ${value}`;
  if (/[\r\n\0]/.test(field)) throw new Error('Could not add a header field: it is more than one line');
  return Buffer.concat([Buffer.from(`${field}\r\n`), message]);
}

function isDropped(name: string): boolean {
  return secret.test(name) || name.toLowerCase() === 'return-path';
}

function nameOf(bytes: Buffer, start: number, end: number): string {
  const at = bytes.subarray(start, end).indexOf(colon);
  return at === -1 ? '' : bytes.toString('latin1', start, start + at).trim();
}

/** The offset behind the line end, or the end of the bytes. */
function lineEnd(bytes: Buffer, start: number): number {
  for (let at = start; at < bytes.length; at += 1) {
    if (bytes[at] === lf) return at + 1;
    if (bytes[at] === cr) return bytes[at + 1] === lf ? at + 2 : at + 1;
  }
  return bytes.length;
}
