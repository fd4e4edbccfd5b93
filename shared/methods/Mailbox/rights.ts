import type { MailboxEntry } from '../../catalog/mailbox.ts';

/** A MailboxRights object (RFC 8621 §2). */
export type MailboxRights = {
  mayReadItems: boolean;
  mayAddItems: boolean;
  mayRemoveItems: boolean;
  maySetSeen: boolean;
  maySetKeywords: boolean;
  mayCreateChild: boolean;
  mayRename: boolean;
  mayDelete: boolean;
  maySubmit: boolean;
};

/**
 * The rights of the user in a mailbox, by the mapping of RFC 8621 §2 from its MYRIGHTS letters. `d` and `c`, the letters of
 * RFC 2086, stand for `te` and `kx`. INBOX can be neither renamed away nor deleted (RFC 9051 §6.3.4, §6.3.6), and has no children where
 * all mailboxes are below it and shown beside it: `prefix` is what their names begin with.
 */
export function mailboxRights(
  mailbox: Pick<MailboxEntry, 'name' | 'delimiter' | 'selectable' | 'attributes'>,
  myRights: string,
  prefix = '',
): MailboxRights {
  const letters = `${myRights}${myRights.includes('d') ? 'te' : ''}${myRights.includes('c') ? 'kx' : ''}`;
  const may = (...required: readonly string[]) => required.every((letter) => letters.includes(letter));
  const isInbox = mailbox.name.toUpperCase() === 'INBOX';
  const { selectable, delimiter, attributes } = mailbox;
  const mayHaveChildren = delimiter !== null && !attributes.includes('\\noinferiors') && !(isInbox && prefix !== '');
  return {
    mayReadItems: selectable && may('l', 'r'),
    mayAddItems: selectable && may('i'),
    mayRemoveItems: selectable && may('t', 'e'),
    maySetSeen: selectable && may('s'),
    maySetKeywords: selectable && may('w'),
    mayCreateChild: mayHaveChildren && may('k'),
    mayRename: !isInbox && may('x'),
    mayDelete: !isInbox && may('x'),
    maySubmit: selectable && may('p'),
  };
}
