import { isInbox, type Role } from '../../catalog/roles.ts';
import { formerName, nameSetAside } from '../../catalog/set-aside.ts';
import { ok, type Result, refuse, type SetError } from '../../jmap/errors.ts';
import type { Id } from '../../jmap/scalars.ts';
import { errorOf } from './deeds.ts';
import {
  alreadyExists,
  ancestorsOf,
  type Branch,
  childrenOf,
  fullNameAt,
  invalid,
  isNew,
  isTooDeep,
  levelsBelow,
  occupantOf,
  ownNameOf,
  type Position,
  subtreeOf,
  type Tree,
  withRole,
} from './tree.ts';

/** Where a Mailbox is to be, and which role it is to have. */
export type Wanted = { readonly position: Position; readonly role: Role | null };
/** What is to become of Mailboxes, new ones among them; null: it is to be destroyed. */
export type Pending = ReadonlyMap<Id, Wanted | null>;

/**
 * What to do next, of several Mailboxes that are to be made, to be elsewhere, or to be no more. `aside`: it has to give way to others
 * that wait for its place, and it for them (RFC 8620 §5.3: what is valid in the end is allowed).
 */
export type NextMove =
  | { readonly kind: 'create' | 'move'; readonly id: Id; readonly fullName: string }
  | { readonly kind: 'aside'; readonly id: Id; readonly position: Position; readonly fullName: string }
  | { readonly kind: 'destroy'; readonly id: Id }
  | { readonly kind: 'refuse'; readonly id: Id; readonly error: SetError };

/**
 * The next move, of at least one Mailbox that is pending. What cannot be taken back comes last: a Mailbox is destroyed when nothing
 * else is possible. `aside`: those that gave way already; `now`: milliseconds since the epoch.
 */
export function nextMove(tree: Tree, pending: Pending, aside: ReadonlySet<Id>, now: number): NextMove {
  const blocked: { readonly id: Id; readonly obstacle: Hindrance }[] = [];
  // Others have taken the place of one that gave way: if it cannot be destroyed, the sooner that is known the less is taken back.
  const turnOf = ([id, wanted]: readonly [Id, Wanted | null]) => (wanted !== null ? 0 : aside.has(id) ? 1 : 2);
  for (const [id, wanted] of [...pending].sort((a, b) => turnOf(a) - turnOf(b))) {
    const branch = tree.branches.get(id);
    if (branch === undefined && (wanted === null || !isNew(id))) {
      return { kind: 'refuse', id, error: { type: 'notFound' } };
    }
    const obstacle =
      wanted === null ? obstacleToEnd(tree, pending, id) : obstacleTo(tree, pending, { id, branch }, wanted);
    if (!obstacle.ok) return { kind: 'refuse', id, error: obstacle.error };
    const { value } = obstacle;
    if (value.by !== null) blocked.push({ id, obstacle: value });
    else if (wanted === null) return { kind: 'destroy', id };
    else return toPlace(id, branch, value.fullName);
  }
  for (const { id, obstacle } of blocked) {
    // Roles change hands in one moment.
    if (obstacle.by === 'role') return toPlace(id, tree.branches.get(id), obstacle.fullName);
  }
  for (const { id } of blocked) {
    const branch = tree.branches.get(id);
    const isInTheWay = blocked.some(({ obstacle }) => obstacle.by === 'name' && obstacle.occupant === id);
    if (branch !== undefined && isInTheWay && !aside.has(id)) return { kind: 'aside', id, ...placeAside(branch, now) };
  }
  const [first] = blocked;
  if (first === undefined) throw new Error('Could not change a Mailbox: none is pending');
  return { kind: 'refuse', id: first.id, error: first.obstacle.error };
}

function toPlace(id: Id, branch: Branch | undefined, fullName: string): NextMove {
  return { kind: branch === undefined ? 'create' : 'move', id, fullName };
}

/** Something of a Mailbox that is pending, too; `error`: what it is if that one stays as it is. */
type Obstacle = { readonly by: null; readonly fullName: string } | Hindrance;
type Hindrance = { readonly error: SetError } & (
  | { readonly by: 'name'; readonly occupant: Id }
  | { readonly by: 'role'; readonly fullName: string }
  | { readonly by: 'parent' | 'child' }
);

/** What keeps the Mailbox from being as it is wanted, at this moment; refused where nothing pending can change it. */
function obstacleTo(
  tree: Tree,
  pending: Pending,
  { id, branch }: { readonly id: Id; readonly branch: Branch | undefined },
  { position, role }: Wanted,
): Result<Obstacle, SetError> {
  const { parentId } = position;
  let fullName = branch?.fullName ?? '';
  if (branch === undefined || position.name !== branch.name || parentId !== branch.parentId) {
    if (isInbox(fullName)) return refuse({ type: 'forbidden', description: 'the inbox stays where it is' });
    if (parentId !== null && !tree.branches.has(parentId) && pending.has(parentId)) {
      return ok({ by: 'parent', error: invalid('parentId', 'it could not be created').error });
    }
    if (parentId !== null && tree.branches.get(parentId)?.isUnclear) return refuse(errorOf('unclear'));
    const isSame = branch !== undefined && position.name === branch.name;
    const wished = fullNameAt(tree, isSame ? { ...position, name: ownNameOf(tree, branch) } : position);
    if (!wished.ok) return wished;
    fullName = wished.value;
    const between = branch !== undefined && parentId === id ? [branch] : upTo(id, ancestorsOf(tree, parentId));
    const others = (some: readonly Branch[]) => some.filter((other) => other.id !== id);
    if (between.length > 0) {
      const { error } = invalid('parentId', 'it is the Mailbox itself, or below it');
      return unlessStaying(pending, others(between), { by: 'parent', error });
    }
    if (isTooDeep(tree, parentId, levelsBelow(tree, id))) {
      const { error } = invalid('parentId', 'it would be nested too deeply');
      const below = branch === undefined ? [] : others(subtreeOf(tree, branch));
      return unlessStaying(pending, [...ancestorsOf(tree, parentId), ...below], { by: 'parent', error });
    }
    const occupant = occupantOf(tree, position, fullName);
    if (occupant !== undefined && occupant.id !== id) {
      const obstacle = { by: 'name', occupant: occupant.id, error: alreadyExists(occupant.id) } as const;
      return unlessStaying(pending, [occupant], obstacle);
    }
  }
  const before = branch?.role ?? null;
  const holder = role === null || role === before ? undefined : withRole(tree, role);
  if (role !== before && isInbox(fullName)) return invalid('role', 'the inbox stays the inbox');
  if (role !== null && branch?.entry?.selectable === false) return invalid('role', 'it can hold no Emails');
  if (holder !== undefined && holder.id !== id) {
    const refusal = invalid('role', 'another Mailbox has it');
    const isFree = pending.has(holder.id) && pending.get(holder.id)?.role !== role;
    return isFree ? ok({ by: 'role', fullName, error: refusal.error }) : refusal;
  }
  return ok({ by: null, fullName });
}

/** What keeps the Mailbox from being destroyed, at this moment. */
function obstacleToEnd(tree: Tree, pending: Pending, id: Id): Result<Obstacle, SetError> {
  const children = childrenOf(tree, id);
  if (children.length === 0) return ok({ by: null, fullName: '' });
  const error: SetError = { type: 'mailboxHasChild' };
  const isStaying = (child: Branch) => {
    const wanted = pending.get(child.id);
    return wanted === undefined || wanted?.position.parentId === id;
  };
  return children.some(isStaying) ? refuse(error) : ok({ by: 'child', error });
}

/** Those from a parent up to that Mailbox; none where it is not above. */
function upTo(id: Id, ancestors: readonly Branch[]): readonly Branch[] {
  const at = ancestors.findIndex((other) => other.id === id);
  return at === -1 ? [] : ancestors.slice(0, at + 1);
}

/** An obstacle that may go with one of these Mailboxes; refused where all of them stay. */
function unlessStaying(pending: Pending, some: readonly Branch[], obstacle: Hindrance): Result<Obstacle, SetError> {
  return some.some((other) => isLeaving(pending, other)) ? ok(obstacle) : refuse(obstacle.error);
}

/** Whether it is to be elsewhere, or to be no more. */
function isLeaving(pending: Pending, { id, name, parentId }: Branch): boolean {
  const wanted = pending.get(id);
  if (wanted === undefined) return false;
  return wanted === null || wanted.position.name !== name || wanted.position.parentId !== parentId;
}

/** A place beside it that nothing has. */
function placeAside({ parentId, fullName, name }: Branch, now: number): { position: Position; fullName: string } {
  const aside = (some: string) => nameSetAside(formerName(some), now);
  return {
    position: { name: aside(name), parentId },
    fullName: aside(fullName),
  };
}
