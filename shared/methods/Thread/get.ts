// Thread/get (RFC 8621 §3.1)
import { stateOf } from '../../catalog/changes.ts';
import { existsInJmap } from '../../catalog/keywords.ts';
import { methodError, ok, refuse } from '../../jmap/errors.ts';
import type { CanGet, Some } from '../../jmap/verbs.ts';
import { allOf } from '../all-of.ts';
import type { Thread, ThreadPorts } from './record.ts';

/** The Emails of a Thread, oldest first, then by id (§3). Threads whose Emails are all gone do not exist. */
export function canGetThreads({ catalog }: ThreadPorts): CanGet<Thread> {
  return {
    state: async () => stateOf(await catalog.view('recent', () => true), 'Thread'),
    get: async ({ ids, properties, maxObjects }) => {
      const view = await catalog.view('recent');
      const wanted = ids ?? (await allOf('threadId', view, maxObjects));
      if (wanted === null) return refuse(methodError('requestTooLarge', `more than ${maxObjects} Threads`));
      const members = await view.threadEmails(wanted);
      const emails = await view.emails([...members.values()].flat());
      const list: Some<Thread>[] = [];
      for (const [id, emailIds] of members) {
        const existing = emailIds.map((emailId) => emails.get(emailId) ?? null).filter(existsInJmap);
        if (existing.length === 0) continue;
        existing.sort((a, b) => a.receivedAt - b.receivedAt || (a.id < b.id ? -1 : 1));
        list.push(properties.includes('emailIds') ? { id, emailIds: existing.map((email) => email.id) } : { id });
      }
      return ok({ state: stateOf(view, 'Thread'), list });
    },
  };
}
