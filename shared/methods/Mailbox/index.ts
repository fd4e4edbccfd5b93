import { dataType } from '../../jmap/data-type.ts';
import { standardChanges } from '../../jmap/standard/changes.ts';
import { standardGet } from '../../jmap/standard/get.ts';
import { standardQuery } from '../../jmap/standard/query.ts';
import { standardQueryChanges } from '../../jmap/standard/query-changes.ts';
import { standardSet } from '../../jmap/standard/set.ts';
import { mailCapability } from '../capabilities.ts';
import { canChangeMailboxes, changesMembers } from './changes.ts';
import { canGetMailboxes } from './get.ts';
import { canQueryMailboxes, mailboxQuery } from './query.ts';
import { canQueryChangesOfMailboxes } from './queryChanges.ts';
import { mailboxType } from './record.ts';
import { canSetMailboxes, mailboxSetArguments } from './set.ts';

/** Mailboxes (RFC 8621 §2). */
export const mailbox = dataType('Mailbox', mailCapability, {
  get: standardGet(mailboxType, { port: canGetMailboxes }),
  changes: standardChanges(mailboxType, { members: changesMembers, port: canChangeMailboxes }),
  query: standardQuery(mailboxType, { ...mailboxQuery, port: canQueryMailboxes }),
  queryChanges: standardQueryChanges(mailboxType, { ...mailboxQuery, port: canQueryChangesOfMailboxes }),
  set: standardSet(mailboxType, { args: mailboxSetArguments, port: canSetMailboxes }),
});
