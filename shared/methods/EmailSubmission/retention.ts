import type { Id } from '../../jmap/scalars.ts';
import type { KeptSubmission } from './record.ts';

/** Submissions that are over are kept so long, and so many of them (§7: a server may destroy them at any time). */
const keptMs = 60 * 24 * 3_600_000;
const keptMax = 500;

/** Octets that a new submission leaves free: for what becomes of those that are there already. */
export const spareOfNew = 20_000;
/** Octets that answers of the submission server leave free: without them it can still be noted what became of a message. */
export const spareOfAnswers = 10_000;

/** Submissions that are over, the oldest first: where there is no room for others, they go. */
export function over(records: ReadonlyMap<Id, KeptSubmission>): Id[] {
  return [...records]
    .filter(([, { undoStatus, ledger }]) => undoStatus !== 'pending' && ledger.state !== 'sending')
    .sort(([, a], [, b]) => Date.parse(a.sendAt) - Date.parse(b.sendAt))
    .map(([id]) => id);
}

/** Submissions that are over and have been kept long enough. */
export function outlived(records: ReadonlyMap<Id, KeptSubmission>, now: number): Id[] {
  const all = over(records);
  const surplus = all.length - keptMax;
  return all.filter((id, index) => index < surplus || Date.parse(records.get(id)?.sendAt ?? '') + keptMs < now);
}
