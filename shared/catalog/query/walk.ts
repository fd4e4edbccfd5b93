import type { Id } from '../../jmap/scalars.ts';
import type { MailboxKey } from '../email.ts';
import type { CatalogView, RowBlock } from '../view.ts';
import { type Candidate, candidateAt } from './candidate.ts';
import type { Scope } from './scope.ts';

/**
 * Every Email of the scope once, in batches: what is in a later batch was received later (`newestFirst`: earlier) than
 * all before it; within a batch there is no order. Blocks are read as batches are asked for: first those that may hold
 * the first `wanted` rows, then as many rows again as were read before, so that a short walk reads little and a long
 * one does not go step by step. `wanted` infinite: everything at once.
 */
export async function* walk(
  view: CatalogView,
  scope: Scope,
  newestFirst: boolean,
  wanted: number,
): AsyncGenerator<readonly Candidate[]> {
  const blocks = await blocksOf(view, scope, newestFirst);
  const seen = new Set<Id>();
  let waiting: Candidate[] = [];
  let rowsRead = 0;
  for (let next = 0; next < blocks.length; ) {
    const enough = rowsRead + Math.max(wanted - rowsRead, rowsRead, 1);
    const group: PlacedBlock[] = [];
    for (let placed = blocks[next]; placed !== undefined && rowsRead < enough; placed = blocks[++next]) {
      group.push(placed);
      rowsRead += placed.block.count;
    }
    const rows = await Promise.all(group.map(({ block }) => block.rows()));
    for (const [index, { mailbox }] of group.entries()) {
      for (const row of rows[index] ?? []) {
        const candidate = candidateAt(mailbox, row);
        if (candidate === undefined || seen.has(candidate.id) || !inRange(candidate, scope)) continue;
        seen.add(candidate.id);
        waiting.push(candidate);
      }
    }
    // An unread block may hold Emails as early (late) as its edge: those beyond it can be given away.
    const edge = blocks[next]?.block;
    const isDue = ({ receivedAt }: Candidate) =>
      edge === undefined || (newestFirst ? receivedAt > edge.newest : receivedAt < edge.oldest);
    const due = waiting.filter(isDue);
    if (due.length === 0) continue;
    waiting = edge === undefined ? [] : waiting.filter((candidate) => !isDue(candidate));
    yield due;
  }
}

type PlacedBlock = { readonly mailbox: MailboxKey; readonly block: RowBlock };

/** The blocks that may hold Emails of the scope, those with the newest (oldest) Email first. */
async function blocksOf(view: CatalogView, scope: Scope, newestFirst: boolean): Promise<PlacedBlock[]> {
  const perMailbox = await Promise.all(
    [...scope.mailboxes].map(async (mailbox) =>
      (await view.rowBlocks(mailbox)).map((block): PlacedBlock => ({ mailbox, block })),
    ),
  );
  return perMailbox
    .flat()
    .filter(({ block }) => block.newest >= scope.since && block.oldest < scope.until)
    .sort(({ block: a }, { block: b }) => (newestFirst ? b.newest - a.newest : a.oldest - b.oldest));
}

function inRange({ receivedAt }: Candidate, { since, until }: Scope): boolean {
  return receivedAt >= since && receivedAt < until;
}
