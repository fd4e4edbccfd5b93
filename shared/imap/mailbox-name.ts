import { Buffer } from 'node:buffer';
import { imapLimits } from './limits.ts';

/** How mailbox names are written on the wire: modified UTF-7 (RFC 3501 §5.1.3) or UTF-8 (RFC 9051 §5.1, RFC 6855). */
export type NameEncoding = 'utf-7' | 'utf-8';

/**
 * A name that is not what its encoding would make of its text (8-bit octets, a bare `&`) is kept as the server wrote it,
 * behind this mark, so that it finds its mailbox again. U+FEFF has no other use at the start of a name (RFC 9051 §5.1 wants
 * names in Net-Unicode, RFC 5198, which forbids it there).
 */
const rawMark = '\ufeff';

/** The Unicode name of a mailbox from the octets (as latin1) that LIST shows. `encodeName` undoes it exactly. */
export function decodeName(wire: string, encoding: NameEncoding): string {
  if (/^inbox$/i.test(wire)) return 'INBOX';
  if (/^[\x20-\x25\x27-\x7e]+$/.test(wire)) return wire;
  const decoded = encoding === 'utf-7' ? decodeUtf7(wire) : Buffer.from(wire, 'latin1').toString('utf8');
  if (decoded !== null && !decoded.startsWith(rawMark) && encodeName(decoded, encoding) === wire) return decoded;
  return rawMark + wire;
}

/** The octets (as latin1) of a mailbox name, or null where no server can have such a mailbox. */
export function encodeName(name: string, encoding: NameEncoding): string | null {
  if (name === '' || /[\0\r\n]/.test(name) || hasLoneSurrogate(name)) return null;
  const wire = name.startsWith(rawMark) ? name.slice(rawMark.length) : encodeText(name, encoding);
  return wire === '' || wire.length > imapLimits.mailboxNameOctetsMax || /[^\x01-\xff]/.test(wire) ? null : wire;
}

function encodeText(name: string, encoding: NameEncoding): string {
  return encoding === 'utf-7' ? encodeUtf7(name) : Buffer.from(name, 'utf8').toString('latin1');
}

function encodeUtf7(name: string): string {
  return name.replace(/&|[^\x20-\x7e]+/g, (run) => {
    if (run === '&') return '&-';
    const base64 = Buffer.from(run, 'utf16le').swap16().toString('base64');
    return `&${base64.replace(/=+$/, '').replaceAll('/', ',')}-`;
  });
}

/** Null where the text is not modified UTF-7. */
function decodeUtf7(wire: string): string | null {
  if (/[^\x20-\x7e]/.test(wire)) return null;
  let broken = false;
  const name = wire.replace(/&([^-]*)(-?)/g, (_, run: string, end: string) => {
    if (end === '' || /[^A-Za-z0-9+,]/.test(run)) broken = true;
    if (run === '') return '&';
    const octets = Buffer.from(run.replaceAll(',', '/'), 'base64');
    if (octets.length === 0 || octets.length % 2 === 1) broken = true;
    return broken ? '' : Buffer.from(octets).swap16().toString('utf16le');
  });
  return broken || hasLoneSurrogate(name) ? null : name;
}

function hasLoneSurrogate(text: string): boolean {
  return /[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/.test(text);
}
