import { Buffer, isAscii } from 'node:buffer';
import { iJsonText } from './i-json-text.ts';
import { lineContentEnd, lineEnd } from './lines.ts';

/** One header field as RFC 8621 §4.1.3 shows it: the name as written in the message, the value in Raw form (§4.1.2.1). */
export type EmailHeader = { readonly name: string; readonly value: string };

/** What is read of one header block; fields beyond it are ignored, so that a hostile header costs a bounded amount. */
export const headerLimits = { bytesMax: 1024 * 1024, fieldsMax: 10_000 } as const;

const SP = 0x20;
const HTAB = 0x09;
const COLON = 0x3a;

/**
 * Splits a raw header block into its fields, in the order of the message (RFC 5322 §2.2, RFC 8621 §4.1.2.1).
 *
 * The block ends at its first empty line, or where the bytes end. Lines may end in CRLF or in a bare LF. White space
 * between the name and the colon is dropped (RFC 5322 §4.5). A line that is neither a field nor a continuation, such as
 * an mbox `From ` line, is left out together with its continuations: gluing it to the field above would change that
 * field's raw value, and IMAP servers do not find it there either.
 *
 * A value keeps its folding; NUL octets are dropped; octets that are not UTF-8 and what I-JSON forbids become U+FFFD. Never throws.
 */
export function parseHeaders(block: Uint8Array, fieldsMax: number = headerLimits.fieldsMax): EmailHeader[] {
  const bytes = Buffer.from(block.buffer, block.byteOffset, Math.min(block.byteLength, headerLimits.bytesMax));
  // Most are, and then the text of all is cut as the octets are.
  const ascii = isAscii(bytes) ? bytes.toString('latin1') : null;
  const fields: EmailHeader[] = [];
  let at = 0;
  while (at < bytes.length && fields.length < fieldsMax) {
    let end = lineEnd(bytes, at);
    if (lineContentEnd(bytes, at, end) === at) break;
    const start = at;
    at = end;
    while (at < bytes.length && isBlank(bytes[at])) {
      end = lineEnd(bytes, at);
      at = end;
    }
    const field = toField(bytes, ascii, start, lineContentEnd(bytes, start, end));
    if (field) fields.push(field);
  }
  return fields;
}

function isBlank(octet: number | undefined): boolean {
  return octet === SP || octet === HTAB;
}

function toField(bytes: Buffer, ascii: string | null, start: number, end: number): EmailHeader | null {
  let nameEnd = start;
  while (nameEnd < end && isNameOctet(bytes[nameEnd])) nameEnd++;
  let colon = nameEnd;
  while (colon < end && isBlank(bytes[colon])) colon++;
  if (nameEnd === start || colon === end || bytes[colon] !== COLON) return null;
  const value = ascii?.slice(colon + 1, end) ?? iJsonText(bytes.toString('utf8', colon + 1, end));
  return {
    name: ascii?.slice(start, nameEnd) ?? bytes.toString('latin1', start, nameEnd),
    value: value.includes('\0') ? value.replaceAll('\0', '') : value,
  };
}

/** Printable US-ASCII except the colon (RFC 5322 §2.2). */
function isNameOctet(octet: number | undefined): boolean {
  return octet !== undefined && octet > SP && octet < 0x7f && octet !== COLON;
}
