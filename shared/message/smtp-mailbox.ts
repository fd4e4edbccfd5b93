import { Buffer } from 'node:buffer';

/** RFC 5321 §4.5.3.1, in octets. A path is the address with the angle brackets. */
const limits = { localOctetsMax: 64, domainOctetsMax: 255, pathOctetsMax: 256 };

/** Any character beyond ASCII that is no control character and no half of a pair (RFC 6531 §3.3). */
const beyondAscii = '\\u{a0}-\\u{d7ff}\\u{e000}-\\u{10ffff}';
const atom = `[A-Za-z0-9!#$%&'*+\\-/=?^_\`{|}~${beyondAscii}]+`;
const quoted = `"(?:[\\x20\\x21\\x23-\\x5b\\x5d-\\x7e${beyondAscii}]|\\\\[\\x20-\\x7e])*"`;
const label = `[A-Za-z0-9${beyondAscii}](?:[A-Za-z0-9${beyondAscii}-]*[A-Za-z0-9${beyondAscii}])?`;
const literal = '\\[(?:\\d{1,3}(?:\\.\\d{1,3}){3}|IPv6:[0-9A-Fa-f:.]{2,45})\\]';
const mailbox = new RegExp(`^(${atom}(?:\\.${atom})*|${quoted})@(${label}(?:\\.${label})*|${literal})$`, 'u');

/**
 * Whether the text is a `Mailbox` of RFC 5321 §4.1.2, with the characters that RFC 6531 adds: what may stand between the angle
 * brackets of MAIL FROM and RCPT TO. Nothing that could end the command or begin another one is such a text.
 */
export function isSmtpMailbox(text: string): boolean {
  if (Buffer.byteLength(text) + 2 > limits.pathOctetsMax) return false;
  const [, local, domain] = mailbox.exec(text) ?? [];
  if (local === undefined || domain === undefined) return false;
  return Buffer.byteLength(local) <= limits.localOctetsMax && Buffer.byteLength(domain) <= limits.domainOctetsMax;
}

/** Whether a server must offer SMTPUTF8 (RFC 6531) for this to be said. */
export function needsSmtpUtf8(text: string): boolean {
  return /[^\x00-\x7f]/.test(text);
}

/** The address as it is compared: domains in any case are the same, and so are in practice the names before them. */
export function comparableMailbox(address: string): string {
  return address.normalize('NFC').toLowerCase();
}
