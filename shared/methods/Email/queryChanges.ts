// Email/queryChanges (RFC 8621 §4.5)
import type { EmailFilterCondition } from '../../catalog/query/filter.ts';
import { queryEmailChanges } from '../../catalog/query/query-changes.ts';
import type { EmailComparator } from '../../catalog/query/sort.ts';
import type { CanQueryChanges } from '../../jmap/verbs.ts';
import type { EmailQueryArguments } from './query.ts';
import { answerFromView } from './query-sources.ts';
import type { EmailPorts } from './record.ts';

/** Every query has its changes, whatever it filters and sorts by. */
export function canQueryChangesOfEmails(
  ports: EmailPorts,
): CanQueryChanges<EmailFilterCondition, EmailComparator, EmailQueryArguments> {
  return {
    queryChanges: (request) =>
      answerFromView(ports, request, (view, sources) => queryEmailChanges(view, request, sources)),
  };
}
