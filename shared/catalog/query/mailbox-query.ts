import type { Id } from '../../jmap/scalars.ts';
import type { Comparator } from '../../jmap/standard/comparator.ts';
import type { Filter } from '../../jmap/standard/filter.ts';
import type { AddedItem } from '../../jmap/verbs.ts';
import { collationKey, compareTexts } from './collation.ts';
import { decide } from './truth.ts';

/** What a Mailbox is queried by. */
export type MailboxRecord = {
  readonly id: Id;
  readonly name: string;
  readonly parentId: Id | null;
  readonly role: string | null;
  readonly sortOrder: number;
  readonly isSubscribed: boolean;
};

/** The FilterCondition of Mailbox/query (RFC 8621 §2.3): every property that is there must match. */
export type MailboxFilterCondition = {
  readonly parentId?: Id | null;
  readonly name?: string;
  readonly role?: string | null;
  readonly hasAnyRole?: boolean;
  readonly isSubscribed?: boolean;
};

export type MailboxQuery = {
  readonly filter: Filter<MailboxFilterCondition> | null;
  readonly sort: readonly Comparator<'sortOrder' | 'name' | 'parentId'>[];
  readonly args: { readonly sortAsTree: boolean; readonly filterAsTree: boolean };
};

/** All results of Mailbox/query (RFC 8621 §2.3), in order. Equal Mailboxes go by sortOrder, name and id. */
export function queryMailboxes(mailboxes: readonly MailboxRecord[], query: MailboxQuery): Id[] {
  const { filter, args } = query;
  const matches = (mailbox: MailboxRecord) => filter === null || matchesFilter(mailbox, filter);
  const tree = treeOf(mailboxes);
  const isResult = args.filterAsTree ? (mailbox: MailboxRecord) => tree.pathTo(mailbox).every(matches) : matches;
  const compare = comparison(query);
  const inOrder = args.sortAsTree ? tree.flattened(compare) : mailboxes.toSorted(compare);
  return inOrder.filter(isResult).map(({ id }) => id);
}

/** A Mailbox that was created, changed in more than its counts, or destroyed. */
export type TouchedMailbox = { readonly id: Id; readonly existedBefore: boolean };

/**
 * `removed` and `added` of Mailbox/queryChanges (RFC 8621 §2.4, RFC 8620 §5.6), given all Mailboxes as they are now. What a
 * Mailbox was before is not known, so each touched one may have been a result; for queries by the tree, so may what is
 * below it. All that can be asked for is mutable, so `upToId` has no part in it.
 */
export function mailboxQueryChanges(
  mailboxes: readonly MailboxRecord[],
  query: MailboxQuery,
  touched: readonly TouchedMailbox[],
): { readonly removed: Id[]; readonly added: AddedItem[] } {
  const isNew = new Map(touched.map(({ id, existedBefore }) => [id, !existedBefore]));
  const affected = new Set(isNew.keys());
  if (query.args.sortAsTree || query.args.filterAsTree) {
    const tree = treeOf(mailboxes);
    for (const mailbox of mailboxes) {
      if (tree.pathTo(mailbox).some(({ id }) => isNew.has(id))) affected.add(mailbox.id);
    }
  }
  const results = queryMailboxes(mailboxes, query);
  return {
    removed: [...affected].filter((id) => !isNew.get(id)),
    added: results.flatMap((id, index) => (affected.has(id) ? [{ id, index }] : [])),
  };
}

function matchesFilter(mailbox: MailboxRecord, filter: Filter<MailboxFilterCondition>): boolean {
  return decide(testsOf(filter), (test) => test(mailbox)) === true;
}

type MailboxTest = (mailbox: MailboxRecord) => boolean;

function testsOf(filter: Filter<MailboxFilterCondition>): Filter<readonly MailboxTest[]> {
  if (filter.operator !== undefined) {
    return { operator: filter.operator, conditions: filter.conditions.map(testsOf) };
  }
  const { parentId, name, role, hasAnyRole, isSubscribed } = filter.condition;
  const tests: MailboxTest[] = [];
  if (parentId !== undefined) tests.push((mailbox) => mailbox.parentId === parentId);
  if (name !== undefined) {
    const sought = collationKey(name, null);
    tests.push((mailbox) => collationKey(mailbox.name, null).includes(sought));
  }
  if (role !== undefined) tests.push((mailbox) => mailbox.role === role);
  if (hasAnyRole !== undefined) tests.push((mailbox) => (mailbox.role !== null) === hasAnyRole);
  if (isSubscribed !== undefined) tests.push((mailbox) => mailbox.isSubscribed === isSubscribed);
  return { condition: tests };
}

type Compare = (a: MailboxRecord, b: MailboxRecord) => number;

function comparison({ sort }: MailboxQuery): Compare {
  const plain = { isAscending: true, collation: null };
  const comparators = [...sort, { property: 'sortOrder', ...plain } as const, { property: 'name', ...plain } as const];
  return (a, b) => {
    for (const { property, isAscending, collation } of comparators) {
      const difference =
        property === 'sortOrder'
          ? a.sortOrder - b.sortOrder
          : property === 'name'
            ? compareTexts(collationKey(a.name, collation), collationKey(b.name, collation))
            : compareTexts(a.parentId ?? '', b.parentId ?? '');
      if (difference !== 0) return isAscending ? difference : -difference;
    }
    return compareTexts(a.id, b.id);
  };
}

/** The Mailboxes by their parents; one whose parent is not there stands at the top. */
function treeOf(mailboxes: readonly MailboxRecord[]) {
  const byId = new Map(mailboxes.map((mailbox) => [mailbox.id, mailbox]));
  const parentOf = ({ parentId }: MailboxRecord) => (parentId === null ? undefined : byId.get(parentId));
  const children = new Map<MailboxRecord | undefined, MailboxRecord[]>();
  for (const mailbox of mailboxes) {
    const siblings = children.get(parentOf(mailbox));
    if (siblings) siblings.push(mailbox);
    else children.set(parentOf(mailbox), [mailbox]);
  }

  /** From the top down to the Mailbox itself. */
  function pathTo(mailbox: MailboxRecord): MailboxRecord[] {
    const parent = parentOf(mailbox);
    return parent === undefined ? [mailbox] : [...pathTo(parent), mailbox];
  }

  /** Each Mailbox before its children, siblings in order. */
  function flattened(compare: Compare, parent?: MailboxRecord): MailboxRecord[] {
    const siblings = (children.get(parent) ?? []).toSorted(compare);
    return siblings.flatMap((mailbox) => [mailbox, ...flattened(compare, mailbox)]);
  }

  return { pathTo, flattened };
}
