import { Unavailable } from '../../jmap/errors.ts';
import type { Id, JsonObject } from '../../jmap/scalars.ts';
import type { RecordKind } from '../../records/account-records.ts';
import type { SubmissionPorts } from '../EmailSubmission/record.ts';

/** That a receipt for an Email was sent or is about to be, by its id. `at`: milliseconds since the epoch. */
type Claim = JsonObject & { readonly at: number };

const mdnKind: RecordKind<Claim> = { name: 'MDN' };

/** The newest ones are kept; of older ones the keyword tells. */
const claimsMax = 1_000;

export async function wasClaimed(emailId: Id, { records }: SubmissionPorts): Promise<boolean> {
  return (await records.view(mdnKind)).records.has(emailId);
}

/** Keeps that a receipt goes out; false where one did before, or does at this moment. */
export async function claimMdn(emailId: Id, { records, submission }: SubmissionPorts): Promise<boolean> {
  const at = submission.now();
  const changed = await records.change(mdnKind, ({ records: claims }) => {
    if (claims.has(emailId)) return { edits: [], answer: false };
    const oldest = [...claims].sort(([, a], [, b]) => a.at - b.at).slice(0, Math.max(0, claims.size + 1 - claimsMax));
    const edits = oldest.map(([id]) => ({ id, value: null }));
    return { edits: [{ id: emailId, value: { at } }, ...edits], answer: true };
  });
  if (!changed.ok) throw new Unavailable('there is no room to keep that a receipt was sent');
  return changed.value.answer;
}

/** It did not go out after all. */
export async function releaseMdn(emailId: Id, { records }: SubmissionPorts): Promise<void> {
  await records.change(mdnKind, () => ({ edits: [{ id: emailId, value: null }], answer: null }));
}
