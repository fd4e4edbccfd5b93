// EmailSubmission/queryChanges (RFC 8621 §7.4)
import { ok } from '../../jmap/errors.ts';
import { spliceOf } from '../../jmap/standard/splice.ts';
import type { CanQueryChanges } from '../../jmap/verbs.ts';
import { currentSubmissions } from './current.ts';
import { querySubmissions, type SubmissionComparator, type SubmissionCondition } from './query.ts';
import type { SubmissionPorts } from './record.ts';

export function canQueryChangesOfSubmissions(
  ports: SubmissionPorts,
): CanQueryChanges<SubmissionCondition, SubmissionComparator> {
  return {
    queryChanges: async (request) => {
      const view = await currentSubmissions(ports);
      const changes = view.changes(request.sinceQueryState, null);
      if (!changes.ok) return changes;
      const results = querySubmissions(view.records, request);
      const { created, updated, destroyed } = changes.value;
      // `upToId` is for filters and sorts on what never changes, and one can filter by `undoStatus`.
      const upToId = request.filter === null ? request.upToId : null;
      return ok({
        newQueryState: view.state,
        ...spliceOf(results, new Set([...created, ...updated, ...destroyed]), upToId),
        ...(request.calculateTotal ? { total: results.length } : {}),
      });
    },
  };
}
