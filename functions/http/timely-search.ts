import { Unavailable } from '../../shared/jmap/errors.ts';
import type { CanSearchMessages } from '../../shared/methods/Email/mail.ts';

/**
 * A search that goes on to no further mailboxes when the time of its request is over: an account may have thousands, and a slow server
 * may take a minute for each. Those that are asked for in the same turn are begun together.
 */
export function timelySearch({ search, sort }: CanSearchMessages, hasTime: () => boolean): CanSearchMessages {
  const checkTime = () => {
    if (!hasTime()) throw new Unavailable('the time of the request is over');
  };
  return {
    search: async (mailbox, conditions) => {
      checkTime();
      return search(mailbox, conditions);
    },
    sort: async (mailbox, key, thenBy) => {
      checkTime();
      return sort(mailbox, key, thenBy);
    },
  };
}
