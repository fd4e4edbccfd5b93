import { secondsPerDay } from './blocks.ts';
import { logDaysMin, logEntriesMax, logSlackDays } from './limits.ts';
import type { Logged } from './log.ts';
import type { BlockRef, Root } from './references.ts';
import { pageKind, type Rewriting, repack } from './repack.ts';
import type { Table } from './table.ts';
import { readPage } from './tree.ts';

/** A log after its oldest part was forgotten, and the version from which it still tells everything. */
type Retained = { readonly log: Table<number, Logged>; readonly oldestVersion: number };

/**
 * Forgets leaves of a log whose entries are all too old or too many; none before there is something to gain.
 * `versions` are those that the log tells: from `oldest` to `newest`. `now`: seconds since the epoch.
 */
export async function prunedLog(
  rewriting: Rewriting<number, Logged>,
  log: Table<number, Logged>,
  versions: { readonly oldest: number; readonly newest: number },
  now: number,
): Promise<Retained> {
  const { root, buffer } = log;
  const oldestKept = now - logDaysMin * secondsPerDay;
  let excess = root.refs.reduce((sum, ref) => sum + ref.count, 0) - logEntriesMax;
  const isOverdue = root.refs.some((ref) => ref.oldest < oldestKept - logSlackDays * secondsPerDay);
  if (!isOverdue && excess <= 0) return { log, oldestVersion: versions.oldest };

  const isForgotten = (ref: BlockRef<number>): boolean => {
    if (ref.newest >= oldestKept && ref.count > excess) return false;
    excess -= ref.count;
    return true;
  };
  const kept = await withoutFirst(rewriting, root, isForgotten);
  if (kept === root) return { log, oldestVersion: versions.oldest };
  const first = kept.refs[0]?.first ?? [...buffer.keys()].reduce((a, b) => Math.min(a, b), versions.newest + 1);
  return { log: { root: kept, buffer }, oldestVersion: first - 1 };
}

/** A tree without the leaves at its beginning that are forgotten; only the first page of each depth is read. */
async function withoutFirst(
  rewriting: Rewriting<number, Logged>,
  root: Root<number>,
  isForgotten: (ref: BlockRef<number>) => boolean,
): Promise<Root<number>> {
  const refs = [...root.refs];
  while (refs[0] !== undefined && isForgotten(refs[0])) refs.shift();
  const [first, ...rest] = refs;
  if (first === undefined) return { depth: 0, refs: [] };
  const whole = refs.length === root.refs.length ? root : { depth: root.depth, refs };
  if (root.depth === 0) return whole;

  const below = { depth: root.depth - 1, refs: await readPage(rewriting, first) };
  const kept = await withoutFirst(rewriting, below, isForgotten);
  if (kept === below) return whole;
  const page = await repack(pageKind(rewriting), [{ ref: first, items: kept.refs }], null);
  return { depth: root.depth, refs: [...page, ...rest] };
}
