// Mailbox/query (RFC 8621 §2.3)
import { stateOf } from '../../catalog/changes.ts';
import { type MailboxFilterCondition, type MailboxQuery, queryMailboxes } from '../../catalog/query/mailbox-query.ts';
import { ok } from '../../jmap/errors.ts';
import { boolean, id, nullable, string, withDefault } from '../../jmap/grammar.ts';
import { windowOf } from '../../jmap/standard/window.ts';
import type { CanQuery } from '../../jmap/verbs.ts';
import { knownMailboxes } from './known-mailboxes.ts';
import type { MailboxPorts } from './record.ts';

/** What Mailboxes can be queried by. */
export const mailboxQuery = {
  filter: {
    parentId: nullable(id),
    name: string,
    role: nullable(string),
    hasAnyRole: boolean,
    isSubscribed: boolean,
  },
  sort: { sortOrder: {}, name: {}, parentId: {} },
  args: { sortAsTree: withDefault(boolean, false), filterAsTree: withDefault(boolean, false) },
} as const;

export function canQueryMailboxes({
  catalog,
}: MailboxPorts): CanQuery<MailboxFilterCondition, MailboxQuery['sort'][number], MailboxQuery['args']> {
  return {
    query: async (request) => {
      const view = await catalog.view('recent');
      const results = queryMailboxes([...(await knownMailboxes(view)).values()], request);
      const window = windowOf(results, request.window);
      if (!window.ok) return window;
      const queryState = stateOf(view, 'Mailbox');
      return ok({ queryState, canCalculateChanges: true, total: results.length, ...window.value });
    },
  };
}
