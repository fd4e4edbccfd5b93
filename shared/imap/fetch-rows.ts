import { TooMuchAtOnce } from '../catalog/source.ts';
import { cutUidSet, type ImapArgument } from './arguments.ts';
import { unlessGone } from './at-place.ts';
import { CommandRefused } from './failure.ts';
import { imapLimits } from './limits.ts';
import type { ImapValue } from './response.ts';
import type { ImapSession } from './session.ts';
import { rangesOf } from './uid-ranges.ts';

/** What may still be kept. */
export type OctetBudget = { left: number };

/**
 * The items of each message that is there; none where the mailbox was taken away meanwhile. A message that makes the server refuse is left out: the others are asked again
 * without it, by halves. Throws `TooMuchAtOnce` when the budget is passed; by then everything has come, and nothing was kept of the rest.
 */
export async function fetchRows(
  session: ImapSession,
  uids: readonly number[],
  items: readonly ImapArgument[],
  budget: OctetBudget = { left: Number.POSITIVE_INFINITY },
): Promise<Map<number, readonly ImapValue[]>> {
  const rows = new Map<number, readonly ImapValue[]>();
  const wanted = new Set(uids);
  const ask = async (some: readonly number[]): Promise<void> => {
    if (some.length === 0) return;
    try {
      const fetching = session.fetch(rangesOf(some), items, { rowsMax: some.length }, (row) => {
        if (!wanted.has(row.uid)) return;
        budget.left -= octetsIn(row.items);
        if (budget.left >= 0) rows.set(row.uid, [...row.items, ...(rows.get(row.uid) ?? [])]);
      });
      await unlessGone(fetching);
    } catch (error) {
      if (!(error instanceof CommandRefused) || error.status === 'BAD') throw error;
      if (some.length === 1) return;
      const half = some.length >> 1;
      await ask(some.slice(0, half));
      await ask(some.slice(half));
    }
  };
  const sets = cutUidSet(rangesOf(uids), imapLimits.messagesPerCommand);
  await Promise.all(
    sets.map((set) => ask(uids.filter((uid) => set.some(([first, last]) => uid >= first && uid <= last)))),
  );
  if (budget.left < 0) throw new TooMuchAtOnce('The messages have too much in their headers and structures');
  return rows;
}

/** About how much memory values take. */
function octetsIn(values: readonly ImapValue[]): number {
  let octets = 0;
  for (const value of values) {
    if (value === null) continue;
    octets += typeof value === 'string' || value instanceof Uint8Array ? value.length : 16 + octetsIn(value);
  }
  return octets;
}
