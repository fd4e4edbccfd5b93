import type { RecordsView } from '../../records/account-records.ts';
import type { Edit } from '../../records/collection.ts';
import type { KeptSubmission } from './record.ts';

/** Submissions that are over are kept so long, and so many of them (§7: a server may destroy them at any time). */
const keptMs = 60 * 24 * 3_600_000;
const keptMax = 500;

/** Submissions that are over and have been kept long enough. */
export function outlived({ records }: RecordsView<KeptSubmission>, now: number): Edit[] {
  const over = [...records].filter(
    ([, { undoStatus, ledger }]) => undoStatus !== 'pending' && ledger.state !== 'sending',
  );
  const surplus = over.length - keptMax;
  return over.flatMap(([id, { sendAt }], index): Edit[] =>
    index < surplus || Date.parse(sendAt) + keptMs < now ? [{ id, value: null }] : [],
  );
}
