import type { RecordsView } from '../../records/account-records.ts';
import { dutyOf } from './ledger.ts';
import { type KeptSubmission, type SubmissionPorts, submissionKind } from './record.ts';
import { attend } from './transmit.ts';

/** All submissions. What a process was sending when it ended is found out about before anything is said of it. */
export async function currentSubmissions(ports: SubmissionPorts): Promise<RecordsView<KeptSubmission>> {
  const view = await ports.records.view(submissionKind);
  const now = ports.submission.now();
  const doubtful = [...view.records].filter(([, { ledger }]) => dutyOf(ledger, now).kind === 'find out');
  if (doubtful.length === 0) return view;
  for (const [id] of doubtful) await attend(id, ports);
  return ports.records.view(submissionKind);
}
