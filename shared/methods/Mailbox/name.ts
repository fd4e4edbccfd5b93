import { roles } from '../../catalog/roles.ts';
import { type Grammar, narrowed, string, unsignedInt } from '../../jmap/grammar.ts';

/**
 * Octets of a name (RFC 8621 §1.3.1 wants at least 100). Modified UTF-7 makes at most two octets of one, so that what servers keep
 * as a file name has room in its 255.
 */
export const maxSizeMailboxName = 120;

/** How deep mailboxes may be nested that are made here; deeper ones that there are stay as they are. */
export const maxMailboxDepth = 50;

/**
 * A name that can be given: what the RFCs call Net-Unicode (RFC 5198), without control characters, and without the mark that no
 * such name may begin with.
 */
export const mailboxName: Grammar<string> = narrowed(string, (name) => {
  if (name === '') return 'is empty';
  if (Buffer.byteLength(normalName(name)) > maxSizeMailboxName) return `is longer than ${maxSizeMailboxName} octets`;
  if (/\p{Cc}|[\u2028\u2029]/u.test(name)) return 'has a control character';
  if (/\p{Cs}/u.test(name) || name.startsWith('\ufeff')) return 'is no Net-Unicode string';
  return undefined;
});

/** The name as it is given to the mailbox: composed (NFC), as RFC 5198 §3 wants it. */
export function normalName(name: string): string {
  return name.normalize('NFC');
}

/** A role that a mailbox can be given. There is one inbox, and virtual mailboxes are none that mail could be put into. */
export const givenRole: Grammar<string> = narrowed(string, (role) => {
  if (role === 'inbox') return 'there is one inbox';
  return (roles as readonly string[]).includes(role) ? undefined : 'is not a role of this server';
});

/** RFC 8621 §2: below 2^31. */
export const sortOrder: Grammar<number> = narrowed(unsignedInt, (order) =>
  order < 2 ** 31 ? undefined : 'is not below 2147483648',
);
