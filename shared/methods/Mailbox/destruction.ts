import { isInbox } from '../../catalog/roles.ts';
import type { SetError } from '../../jmap/errors.ts';
import type { Branch } from './tree.ts';

/**
 * Why the Mailbox must not be destroyed, whatever becomes of others. One with messages goes only where that is asked for; also such count
 * as are flagged `\Deleted`, which JMAP does not see and another client may want back.
 */
export function objectionToEnd({ entry, fullName }: Branch, onDestroyRemoveEmails: boolean): SetError | null {
  if (isInbox(fullName)) return { type: 'forbidden', description: 'every account has an inbox' };
  const { vector = null, counts } = entry ?? {};
  if (vector === null || vector.messages === 0 || onDestroyRemoveEmails) return null;
  return counts?.totalEmails === 0
    ? { type: 'mailboxHasEmail', description: 'it holds messages that another client has marked as deleted' }
    : { type: 'mailboxHasEmail' };
}
