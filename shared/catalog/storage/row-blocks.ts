import type { MailboxKey, Row } from '../email.ts';
import type { RowBlock } from '../view.ts';
import type { BlockRef } from './references.ts';
import { mailboxOf, rowKey, uidOf } from './row-key.ts';
import { type Entries, lastNotAbove } from './shape.ts';
import { ascending, type Buffered, type Table } from './table.ts';
import { firstsAt, leavesBetween, type Reading, readLeaf } from './tree.ts';

type RowChange = readonly [key: number, change: Buffered<Row>];

/**
 * The row blocks of a mailbox: its leaves, each with the buffered changes that fall into it, and a last one of the rows
 * that came after them. Counts are exact; UID and date ranges are bounds once rows were removed or replaced.
 * `seen` is told of every leaf whose rows are read.
 */
export async function rowBlocksOf(
  reading: Reading<number, Row>,
  { root, buffer }: Table<number, Row>,
  mailbox: MailboxKey,
  seen: (leaf: Entries<number, Row>) => void,
): Promise<readonly RowBlock[]> {
  const [from, to] = [rowKey(mailbox, 0), rowKey(mailbox + 1, 0) - 1];
  const leaves = await leavesBetween(reading, root, from, to);
  const refs = leaves.filter((ref) => mailboxOf(ref.first) === mailbox);
  const changes = [...buffer].filter(([key]) => key >= from && key <= to).sort(([a], [b]) => ascending(a, b));

  const changesOfRefs: RowChange[][] = refs.map(() => []);
  const tail: RowChange[] = [];
  const end = refs.at(-1);
  for (const change of changes) {
    const isTail = end === undefined || change[0] > end.first + end.span;
    if (isTail) tail.push(change);
    else changesOfRefs[Math.max(0, firstsAt(refs, change[0]))]?.push(change);
  }

  const blocks = refs.map((ref, i) =>
    rowBlock(ref, changesOfRefs[i] ?? [], async () => {
      const leaf = await readLeaf(reading, ref);
      seen(leaf);
      return leaf;
    }),
  );
  return [...blocks, rowBlock(null, tail, async () => ({ keys: [], values: [] }))].filter((block) => block.count > 0);
}

function rowBlock(
  ref: BlockRef<number> | null,
  changes: readonly RowChange[],
  read: () => Promise<Entries<number, Row>>,
): RowBlock {
  let count = ref?.count ?? 0;
  let firstUid = ref === null ? Number.POSITIVE_INFINITY : uidOf(ref.first);
  let lastUid = ref === null ? 0 : uidOf(ref.first) + ref.span;
  let oldest = ref?.oldest ?? Number.POSITIVE_INFINITY;
  let newest = ref?.newest ?? 0;
  for (const [, { value, inTree }] of changes) {
    if (value === null) {
      count -= 1;
      continue;
    }
    if (!inTree) count += 1;
    firstUid = Math.min(firstUid, value.uid);
    lastUid = Math.max(lastUid, value.uid);
    oldest = Math.min(oldest, value.receivedAt);
    newest = Math.max(newest, value.receivedAt);
  }
  let rows: readonly Row[] | null = null;
  return {
    ...{ count, firstUid, lastUid, oldest, newest },
    rows: async () => {
      rows ??= overlaid(await read(), changes);
      return rows;
    },
  };
}

/** The rows of a leaf after buffered changes, both in key order. */
function overlaid({ keys, values }: Entries<number, Row>, changes: readonly RowChange[]): readonly Row[] {
  if (changes.length === 0) return values;
  const out: Row[] = [];
  let next = 0;
  for (const [key, { value }] of changes) {
    const upTo = lastNotAbove(keys, key) + 1;
    out.push(...values.slice(next, keys[upTo - 1] === key ? upTo - 1 : upTo));
    if (value !== null) out.push(value);
    next = upTo;
  }
  return out.concat(values.slice(next));
}
