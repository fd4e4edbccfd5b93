import { dataType } from '../../jmap/data-type.ts';
import { standardChanges } from '../../jmap/standard/changes.ts';
import { standardGet } from '../../jmap/standard/get.ts';
import { standardQuery } from '../../jmap/standard/query.ts';
import { standardQueryChanges } from '../../jmap/standard/query-changes.ts';
import { standardSet } from '../../jmap/standard/set.ts';
import { submissionCapability } from '../capabilities.ts';
import { canChangeSubmissions, canGetSubmissions } from './get.ts';
import { canQuerySubmissions, submissionQuery } from './query.ts';
import { canQueryChangesOfSubmissions } from './queryChanges.ts';
import { emailSubmissionType } from './record.ts';
import { afterSubmissions, canSetSubmissions, setArguments } from './set.ts';

/** EmailSubmissions (RFC 8621 §7). */
export const emailSubmission = dataType('EmailSubmission', submissionCapability, {
  get: standardGet(emailSubmissionType, { port: canGetSubmissions }),
  changes: standardChanges(emailSubmissionType, { port: canChangeSubmissions }),
  query: standardQuery(emailSubmissionType, { ...submissionQuery, port: canQuerySubmissions }),
  queryChanges: standardQueryChanges(emailSubmissionType, { ...submissionQuery, port: canQueryChangesOfSubmissions }),
  set: standardSet(emailSubmissionType, {
    args: setArguments,
    port: canSetSubmissions,
    onSuccess: afterSubmissions,
  }),
});
