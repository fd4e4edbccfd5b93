import type { EmailAddress, EmailAddressGroup } from '../addresses.ts';
import { encodeWords } from './encode-words.ts';
import { piecesOf } from './fold.ts';

/** Words that may stand in a display-name as they are. */
const atoms = /^[\w!#$%&'*+/=?^`{|}~-]+(?: [\w!#$%&'*+/=?^`{|}~-]+)*$/;
/** A dot-atom, an `@`, a domain (RFC 5322 §3.4.1), beyond US-ASCII too (RFC 6532 §3.2): needs no angle brackets. */
const bareAddress =
  /^[\w!#$%&'*+/=?^`{|}~\u00a1-\u{10ffff}-]+(?:\.[\w!#$%&'*+/=?^`{|}~\u00a1-\u{10ffff}-]+)*@[\w\u00a1-\u{10ffff}-]+(?:\.[\w\u00a1-\u{10ffff}-]+)*$/u;
/** The other addresses there are: with a quoted-string before the `@`, or a domain literal behind it. */
const otherAddress =
  /^(?:[^\s()<>[\]:;@\\,"]+|"(?:[^"\\\r\n]|\\[\x20-\x7e])*")@(?:[^\s()<>[\]:;@\\,"]+|\[[^\s[\]\\]*\])$/;
/** What a draft may have for an address while somebody writes it: nothing that means something to a parser of addresses. */
const unfinishedAddress = /^[^()<>[\]:;\\,"]*$/;

/**
 * Addresses and groups of them (RFC 8621 §4.1.2.4) as the pieces of an address-list, if each is writable. Whether one that
 * is unfinished can be read again is for the caller to find out.
 */
export function addressPieces(groups: readonly EmailAddressGroup[]): string[] {
  const members = groups.flatMap(({ name, addresses }) =>
    name === null ? addresses.map(mailbox) : [group(name, addresses)],
  );
  return separated(members);
}

/** Whether the text is an address, or the beginning of one, and cannot be taken for more than that by anybody. */
export function isWritableAddress(email: string): boolean {
  return bareAddress.test(email) || otherAddress.test(email) || unfinishedAddress.test(email);
}

function group(name: string, addresses: readonly EmailAddress[]): string[] {
  const pieces = [...closed(phrase(name), ':'), ...separated(addresses.map(mailbox))];
  return closed(pieces, ';');
}

function mailbox({ name, email }: EmailAddress): string[] {
  const words = phrase(name ?? '');
  if (words.length === 0 && bareAddress.test(email)) return [` ${email}`];
  if (words.length === 0 && /^[^@]* [^@]*$/.test(email)) return piecesOf(` ${email}`);
  return [...words, ` <${email}>`];
}

/** A name of addresses: as atoms, as a quoted-string, or as encoded-words where it has to be. */
function phrase(name: string): string[] {
  const text = name.trim();
  if (text === '') return [];
  if (/^[\x20-\x7e]{1,400}$/.test(text) && !text.includes('=?')) {
    return piecesOf(atoms.test(text) ? ` ${text}` : ` "${text.replace(/["\\]/g, '\\$&')}"`);
  }
  return encodeWords(text, 2).map((word) => ` ${word}`);
}

function separated(members: readonly (readonly string[])[]): string[] {
  return members.flatMap((pieces, index) => (index < members.length - 1 ? closed(pieces, ',') : pieces));
}

/** The pieces with something behind the last one. */
function closed(pieces: readonly string[], end: string): string[] {
  return [...pieces.slice(0, -1), `${pieces.at(-1) ?? ' '}${end}`];
}
