import { Buffer } from 'node:buffer';
import { hash as digestOf } from 'node:crypto';
import type { Id } from '../jmap/scalars.ts';
import type { Appearance } from './source.ts';
import type { IdentityScheme } from './view.ts';

/**
 * Ids are functions of what the mail server holds: with the catalog lost, the same mail gets the same ids again.
 * Derived ids are a letter that tells the type and base32 in lower case, so no two types share one.
 */

/** Characters of derived ids behind their letter, 5 bits each. Emails have more: an Email id must not be forgeable. */
const emailIdChars = 20;
const otherIdChars = 16;
/** Server ids longer than this are hashed. */
const serverIdCharsMax = 64;

/**
 * What `idOfServer` puts before a server id that it takes as it is, or null: the same in octets. Hundreds of thousands of them are looked
 * at in a row.
 */
export function prefixOfServerId(octets: Uint8Array, from: number, to: number): '' | 'x' | null {
  for (let at = from; at < to; at++) if (ofServerId[octets[at] as number] === 0) return null;
  const first = (octets[from] as number) | 0x20;
  const isLetter = first >= 0x61 && first <= 0x7a;
  if (from === to || to - from > serverIdCharsMax - Number(!isLetter)) return null;
  return isLetter ? '' : 'x';
}

/** 1 for the octets of `[A-Za-z0-9_-]`. */
const ofServerId = Uint8Array.from({ length: 256 }, (_, octet) =>
  Number(/[A-Za-z0-9_-]/.test(String.fromCharCode(octet))),
);

/** The id of an account: the same for every process and every spelling of the login that the provider calls the same. */
export function accountIdOf(provider: string, canonicalLogin: string): Id {
  return hashed('a', otherIdChars, 'account', provider, canonicalLogin) as Id;
}

/** A server's EMAILID, THREADID, MAILBOXID, X-GM-MSGID … as a JMAP id: as it is when it starts with a letter and is not too long. */
export function idOfServer(serverId: string): Id {
  if (/^[A-Za-z][A-Za-z0-9_-]*$/.test(serverId) && serverId.length <= serverIdCharsMax) return serverId as Id;
  if (/^[A-Za-z0-9_-]+$/.test(serverId) && serverId.length < serverIdCharsMax) return `x${serverId}` as Id;
  return hashed('x', emailIdChars, 'server', serverId) as Id;
}

/**
 * The Email id that a message has unless it lies more than once in one mailbox. Under `digest` it covers what another client
 * keeps when it copies or moves, and the newest Received field, which names the queue id of the recipient's own server:
 * no sender can guess it, so a forged twin gets another id. Where a server owes the id it promised, the message is known by
 * its place: such an id does not survive a move, but is never another message's.
 */
export function emailIdOf(scheme: IdentityScheme, appearance: Appearance, uidValidity: number): Id {
  const { internalDate, size, messageId, digestFields, serverEmailId, uid } = appearance;
  if (scheme !== 'digest' && serverEmailId !== null) return idOfServer(serverEmailId);
  const content =
    digestFields === null ? [uidValidity, uid] : [digestFields.date, digestFields.from, digestFields.received];
  return hashed('e', emailIdChars, 'email', internalDate, size, messageId, ...content) as Id;
}

/**
 * Whether several rows of one mailbox may belong to one Email. So they do where the server itself says that they are one;
 * elsewhere the n-th row of equal content is another Email.
 */
export function sharesIdInMailbox(scheme: IdentityScheme): boolean {
  return scheme === 'objectid' || scheme === 'gmail';
}

/** The Email id of the n-th row (1 …) of equal content in one mailbox. */
export function nthEmailId(first: Id, n: number): Id {
  return n === 1 ? first : (hashed('e', emailIdChars, 'copy', first, n) as Id);
}

/** The name under which a Message-ID is known: given without its angle brackets, compared octet by octet. */
export function messageIdHash(messageId: string): string {
  return hashed('', otherIdChars, 'message-id', messageId);
}

/** Puts the id of the thread that a Message-ID begins into octets, from the first one on, and gives how many they are. */
export function putThreadId(messageId: string, into: Uint8Array): number {
  return putHash(into, 't', otherIdChars, `["message-id",${JSON.stringify(messageId)}]`);
}

/** The same for a Message-ID that is octets of ASCII, those before `to`. */
export function putThreadIdOfOctets(octets: Buffer, from: number, to: number, into: Uint8Array): number {
  let next = jsonBeforeMessageId.length;
  if (next + to - from + jsonAfterMessageId.length > messageIdJson.length || !isJsonText(octets, from, to)) {
    return putThreadId(octets.toString('latin1', from, to), into);
  }
  for (let at = from; at < to; at++) messageIdJson[next++] = octets[at] as number;
  for (let at = 0; at < jsonAfterMessageId.length; at++) messageIdJson[next++] = jsonAfterMessageId.charCodeAt(at);
  return putHash(into, 't', otherIdChars, messageIdJson.toString('latin1', 0, next));
}

const jsonBeforeMessageId = '["message-id","';
const jsonAfterMessageId = '"]';
/** Where the JSON form is put together: that is faster than texts one behind the other. */
const messageIdJson = Buffer.alloc(512);
messageIdJson.write(jsonBeforeMessageId, 'latin1');

/** Whether the octets are the same in a text of JSON. */
function isJsonText(octets: Uint8Array, from: number, to: number): boolean {
  for (let at = from; at < to; at++) {
    const octet = octets[at] as number;
    if (octet < 0x20 || octet > 0x7e || octet === 0x22 || octet === 0x5c) return false;
  }
  return true;
}

/** The derived id of the thread that starts with the message of this Message-ID hash. */
export function threadIdOf(rootHash: string): Id {
  return `t${rootHash}` as Id;
}

/** The Message-ID hash a derived thread id was made from; null for ids that servers gave. */
export function rootOf(threadId: Id): string | null {
  return /^t([a-z2-7]{16})$/.exec(threadId)?.[1] ?? null;
}

/** The thread of a message that has no Message-ID and names none. */
export function lonelyThreadId(emailId: Id): Id {
  return threadIdOf(hashed('', otherIdChars, 'lonely', emailId));
}

/** INBOX, whatever its UIDVALIDITY. */
export const inboxId = 'minbox' as Id;

/** The id of a mailbox whose UIDVALIDITY no other mailbox of the account has: it survives every rename. */
export function mailboxIdOfValidity(uidValidity: number): Id {
  return hashed('m', otherIdChars, 'mailbox', uidValidity) as Id;
}

/** The id of a mailbox that shares its UIDVALIDITY with another: the name at first sight tells them apart. */
export function mailboxIdOfValidityAndName(uidValidity: number, name: string): Id {
  return hashed('m', otherIdChars, 'mailbox', uidValidity, name) as Id;
}

/** The id of a node that cannot be selected and so has no UIDVALIDITY. */
export function mailboxIdOfName(name: string): Id {
  return hashed('m', otherIdChars, 'node', name) as Id;
}

/** The letter and the first `chars` base32 characters of the SHA-256 of the fields, which are kept apart by their JSON form. */
function hashed(letter: string, chars: number, ...fields: readonly (string | number)[]): string {
  return hashes.toString('latin1', 0, putHash(hashes, letter, chars, JSON.stringify(fields)));
}

const hashes = Buffer.alloc(1 + Math.max(emailIdChars, otherIdChars));

/** Puts the same for the JSON form into octets. Made for hundreds of thousands of messages in a row: nothing else is made on the way. */
function putHash(into: Uint8Array, letter: string, chars: number, json: string): number {
  // A text, for that is made faster than a Buffer.
  const digest = digestOf('sha256', json, 'binary');
  let next = 0;
  if (letter !== '') into[next++] = letter.charCodeAt(0);
  const end = next + chars;
  let bits = 0;
  let held = 0;
  for (let at = 0; next < end; at += 1) {
    held = ((held << 8) | digest.charCodeAt(at)) & 0xfff;
    for (bits += 8; bits >= 5 && next < end; bits -= 5) into[next++] = base32[(held >> (bits - 5)) & 31] as number;
  }
  return end;
}

const base32 = Buffer.from('abcdefghijklmnopqrstuvwxyz234567');
