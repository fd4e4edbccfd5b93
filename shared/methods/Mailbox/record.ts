import type { AccountCatalog } from '../../catalog/account.ts';
import type { CanTellRights } from '../../catalog/rights.ts';
import {
  boolean,
  type Grammar,
  id,
  nullable,
  object,
  reference,
  unsignedInt,
  withDefault,
} from '../../jmap/grammar.ts';
import { type RecordOf, recordType, serverSet } from '../../jmap/record-type.ts';
import { givenRole, mailboxName, sortOrder } from './name.ts';
import type { MailboxRights } from './rights.ts';

/** What a Mailbox needs of the world. */
export type MailboxPorts = { readonly catalog: AccountCatalog; readonly rights: CanTellRights };

const rights: Grammar<MailboxRights> = object({
  mayReadItems: boolean,
  mayAddItems: boolean,
  mayRemoveItems: boolean,
  maySetSeen: boolean,
  maySetKeywords: boolean,
  mayCreateChild: boolean,
  mayRename: boolean,
  mayDelete: boolean,
  maySubmit: boolean,
});

/** A Mailbox (RFC 8621 §2). */
export const mailboxType = recordType('Mailbox', {
  id: serverSet(id),
  name: mailboxName,
  parentId: nullable(reference),
  role: nullable(givenRole),
  sortOrder: withDefault(sortOrder, 0),
  totalEmails: serverSet(unsignedInt),
  unreadEmails: serverSet(unsignedInt),
  totalThreads: serverSet(unsignedInt),
  unreadThreads: serverSet(unsignedInt),
  myRights: serverSet(rights),
  isSubscribed: withDefault(boolean, true),
});

export type Mailbox = RecordOf<typeof mailboxType>;
