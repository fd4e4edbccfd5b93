// Email/query (RFC 8621 §4.4)
import type { EmailFilterCondition } from '../../catalog/query/filter.ts';
import { queryEmails } from '../../catalog/query/query.ts';
import type { EmailComparator } from '../../catalog/query/sort.ts';
import { boolean, withDefault } from '../../jmap/grammar.ts';
import type { CanQuery } from '../../jmap/verbs.ts';
import { emailFilter } from './filter.ts';
import { answerFromView } from './query-sources.ts';
import type { EmailPorts } from './record.ts';
import { emailSort } from './sort.ts';

/** What Emails are queried by; Email/queryChanges takes the same. There is no limit but the client's. */
export const emailQuery = {
  filter: emailFilter,
  sort: emailSort,
  args: { collapseThreads: withDefault(boolean, false) },
};

export type EmailQueryArguments = { readonly collapseThreads: boolean };

export function canQueryEmails(
  ports: EmailPorts,
): CanQuery<EmailFilterCondition, EmailComparator, EmailQueryArguments> {
  return {
    query: (request) => answerFromView(ports, request, (view, sources) => queryEmails(view, request, sources)),
  };
}
