import type { MailboxKey } from '../email.ts';

const uids = 2 ** 32;

/** A row's place in the one sorted table of all rows: mailbox, then UID. Mailbox keys stay below 2^21. */
export function rowKey(mailbox: MailboxKey, uid: number): number {
  return mailbox * uids + uid;
}

export function mailboxOf(key: number): MailboxKey {
  return Math.floor(key / uids);
}

export function uidOf(key: number): number {
  return key % uids;
}
