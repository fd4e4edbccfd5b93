import { isInbox, type Role } from '../../catalog/roles.ts';
import { formerName, nameSetAside } from '../../catalog/set-aside.ts';
import { ok, type Result, refuse, type SetError } from '../../jmap/errors.ts';
import type { Id } from '../../jmap/scalars.ts';
import {
  ancestorsOf,
  type Branch,
  fullNameAt,
  invalid,
  isTooDeep,
  levelsBelow,
  occupantOf,
  ownNameOf,
  type Position,
  type Tree,
  withRole,
} from './tree.ts';

/** Where Mailboxes are to be, and which role they are to have. */
export type Wanted = { readonly position: Position; readonly role: Role | null };
export type Pending = ReadonlyMap<Id, Wanted>;

/**
 * What to do next, of several Mailboxes that are to be elsewhere. `aside`: it has to give way to others that wait for its place, and
 * it for theirs (RFC 8620 §5.3: what is valid in the end is allowed).
 */
export type NextMove =
  | { readonly kind: 'move'; readonly id: Id; readonly fullName: string }
  | { readonly kind: 'aside'; readonly id: Id; readonly position: Position; readonly fullName: string }
  | { readonly kind: 'refuse'; readonly id: Id; readonly error: SetError };

/** The next move, of at least one Mailbox that is pending. `aside`: those that gave way already; `now`: milliseconds since the epoch. */
export function nextMove(tree: Tree, pending: Pending, aside: ReadonlySet<Id>, now: number): NextMove {
  const blocked: { readonly id: Id; readonly obstacle: Hindrance }[] = [];
  for (const [id, wanted] of pending) {
    const branch = tree.branches.get(id);
    if (branch === undefined) return { kind: 'refuse', id, error: { type: 'notFound' } };
    const obstacle = obstacleTo(tree, pending, branch, wanted);
    if (!obstacle.ok) return { kind: 'refuse', id, error: obstacle.error };
    const { value } = obstacle;
    if (value.by === null) return { kind: 'move', id, fullName: value.fullName };
    blocked.push({ id, obstacle: value });
  }
  for (const { id, obstacle } of blocked) {
    // Roles change hands in one moment.
    if (obstacle.by === 'role') return { kind: 'move', id, fullName: obstacle.fullName };
  }
  for (const { id, obstacle } of blocked) {
    const branch = tree.branches.get(id);
    if (branch !== undefined && obstacle.by === 'name' && !aside.has(id) && !isInbox(branch.fullName)) {
      return { kind: 'aside', id, ...placeAside(branch, now) };
    }
  }
  const [first] = blocked;
  if (first === undefined) throw new Error('Could not move a Mailbox: none is pending');
  return { kind: 'refuse', id: first.id, error: first.obstacle.error };
}

/** Something of a Mailbox that is to move, too; `error`: what it is if that one stays. */
type Obstacle = { readonly by: null; readonly fullName: string } | Hindrance;
type Hindrance = { readonly by: 'name' | 'parent' | 'role'; readonly fullName: string; readonly error: SetError };

/** What keeps the Mailbox from being as it is wanted, at this moment; refused where nothing pending can change it. */
function obstacleTo(
  tree: Tree,
  pending: Pending,
  branch: Branch,
  { position, role }: Wanted,
): Result<Obstacle, SetError> {
  const { id } = branch;
  const moves = position.name !== branch.name || position.parentId !== branch.parentId;
  let fullName = branch.fullName;
  if (moves) {
    if (isInbox(branch.fullName)) return refuse({ type: 'forbidden', description: 'the inbox stays where it is' });
    const name = position.name === branch.name ? ownNameOf(tree, branch) : position.name;
    const wished = fullNameAt(tree, { ...position, name });
    if (!wished.ok) return wished;
    fullName = wished.value;
    const between = position.parentId === id ? [branch] : upTo(id, ancestorsOf(tree, position.parentId));
    if (between.length > 0) {
      const error = invalid('parentId', 'it is the Mailbox itself, or below it').error;
      if (!between.some((other) => other.id !== id && isMoving(pending, other))) return refuse(error);
      return ok({ by: 'parent', fullName, error });
    }
    if (isTooDeep(tree, position.parentId, levelsBelow(tree, id))) {
      return invalid('parentId', 'it would be nested too deeply');
    }
    const occupant = occupantOf(tree, position, fullName);
    if (occupant !== undefined && occupant.id !== id) {
      const description = 'its parent has a child of that name';
      const error: SetError = { type: 'alreadyExists', existingId: occupant.id, description };
      return isMoving(pending, occupant) ? ok({ by: 'name', fullName, error }) : refuse(error);
    }
  }
  const holder = role === null || role === branch.role ? undefined : withRole(tree, role);
  if (role !== branch.role && isInbox(branch.fullName)) return invalid('role', 'the inbox stays the inbox');
  if (role !== null && branch.entry?.selectable === false) return invalid('role', 'it can hold no Emails');
  if (holder !== undefined && holder.id !== id) {
    const refusal = invalid('role', 'another Mailbox has it');
    const isFree = pending.has(holder.id) && pending.get(holder.id)?.role !== role;
    return isFree ? ok({ by: 'role', fullName, error: refusal.error }) : refusal;
  }
  return ok({ by: null, fullName });
}

/** Those from a parent up to that Mailbox; none where it is not above. */
function upTo(id: Id, ancestors: readonly Branch[]): readonly Branch[] {
  const at = ancestors.findIndex((other) => other.id === id);
  return at === -1 ? [] : ancestors.slice(0, at + 1);
}

function isMoving(pending: Pending, { id, name, parentId }: Branch): boolean {
  const position = pending.get(id)?.position;
  return position !== undefined && (position.name !== name || position.parentId !== parentId);
}

/** A place beside it that nothing has. */
function placeAside({ parentId, fullName, name }: Branch, now: number): { position: Position; fullName: string } {
  const aside = (some: string) => nameSetAside(formerName(some), now);
  return { position: { name: aside(name), parentId }, fullName: aside(fullName) };
}
