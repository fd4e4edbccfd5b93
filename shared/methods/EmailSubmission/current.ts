import type { RecordsView } from '../../records/account-records.ts';
import { dutyOf } from './ledger.ts';
import { type KeptSubmission, type SubmissionPorts, submissionKind } from './record.ts';
import { attend } from './transmit.ts';

/**
 * All submissions. What a process was sending when it ended is found out about before anything is said of it, and what is not going to
 * be sent any more is given up.
 */
export async function currentSubmissions(ports: SubmissionPorts): Promise<RecordsView<KeptSubmission>> {
  const view = await ports.records.view(submissionKind);
  const now = ports.submission.now();
  const open = [...view.records].filter(([, { ledger }]) => ['find out', 'give up'].includes(dutyOf(ledger, now).kind));
  if (open.length === 0) return view;
  for (const [id] of open) await attend(id, ports);
  return ports.records.view(submissionKind);
}
