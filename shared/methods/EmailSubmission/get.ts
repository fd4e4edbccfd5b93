// EmailSubmission/get (RFC 8621 §7.1)
import { ok } from '../../jmap/errors.ts';
import type { CanChange, CanGet } from '../../jmap/verbs.ts';
import { only } from '../kept.ts';
import { currentSubmissions } from './current.ts';
import { type EmailSubmission, type SubmissionPorts, shownSubmission } from './record.ts';

export function canGetSubmissions(ports: SubmissionPorts): CanGet<EmailSubmission> {
  return {
    state: async () => (await currentSubmissions(ports)).state,
    get: async ({ ids, properties }) => {
      const { state, records } = await currentSubmissions(ports);
      const list = (ids ?? [...records.keys()]).flatMap((id) => {
        const kept = records.get(id);
        return kept === undefined ? [] : [only(properties, shownSubmission(id, kept))];
      });
      return ok({ state, list });
    },
  };
}

/** EmailSubmission/changes (RFC 8621 §7.2). */
export function canChangeSubmissions(ports: SubmissionPorts): CanChange<object> {
  return {
    changes: async ({ sinceState, maxChanges }) => (await currentSubmissions(ports)).changes(sinceState, maxChanges),
  };
}
