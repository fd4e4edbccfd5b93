import type { MailboxKey } from '../../catalog/email.ts';
import type { MailboxEntry } from '../../catalog/mailbox.ts';
import { isInbox, mailboxPlaces, personalPrefix, type Role } from '../../catalog/roles.ts';
import { ok, type Result, refuse, type SetError } from '../../jmap/errors.ts';
import type { Id } from '../../jmap/scalars.ts';
import { maxMailboxDepth } from './name.ts';
import type { Naming } from './writing.ts';

/** A Mailbox in the tree. */
export type Branch = {
  readonly id: Id;
  /** As the catalog has it; null: it was made a moment ago. */
  readonly entry: MailboxEntry | null;
  readonly name: string;
  readonly parentId: Id | null;
  readonly role: Role | null;
  /** Its name on the mail server. */
  readonly fullName: string;
  /** It cannot be told whether it was made: nothing is built upon it. */
  readonly isUnclear?: boolean;
};

/** The id of a Mailbox that is not made yet, or has none yet: its creation id as a reference (RFC 8620 §5.3). */
export function isNew(id: Id): boolean {
  return id.startsWith('#');
}

/** The Mailboxes of an account as a call leaves them, step by step. */
export type Tree = {
  readonly branches: ReadonlyMap<Id, Branch>;
  /** What the full name of every mailbox but the inbox begins with. */
  readonly prefix: string;
  readonly delimiter: string | null;
};

/** Where a Mailbox is, or is to be. */
export type Position = { readonly name: string; readonly parentId: Id | null };

/** The tree of these mailboxes. Where there is only an inbox, the server's own word for the prefix holds. */
export function treeOf(entries: ReadonlyMap<MailboxKey, MailboxEntry>, naming: Naming): Tree {
  const mailboxes = [...entries.values()];
  const places = mailboxPlaces(mailboxes);
  const branches = new Map<Id, Branch>();
  for (const entry of mailboxes) {
    const { id, key, name: fullName } = entry;
    const { name, parentId, role } = places.get(key) ?? { name: fullName, parentId: null, role: null };
    branches.set(id, { id, entry, name, parentId, role, fullName });
  }
  const isInboxAlone = mailboxes.every(({ name }) => isInbox(name));
  const delimiter = mailboxes.find(({ delimiter }) => delimiter !== null)?.delimiter ?? naming.delimiter;
  return { branches, prefix: isInboxAlone ? naming.prefix : personalPrefix(mailboxes), delimiter };
}

/** The full name of a Mailbox at that position, or why there can be none. */
export function fullNameAt(
  { branches, prefix, delimiter }: Tree,
  { name, parentId }: Position,
): Result<string, SetError> {
  if (delimiter !== null && name.includes(delimiter)) {
    return invalid('name', `the mail server parts names by "${delimiter}"`);
  }
  if (parentId === null) return ok(`${prefix}${name}`);
  const parent = branches.get(parentId);
  if (parent === undefined) return invalid('parentId', 'there is no such Mailbox');
  if (!mayHaveChildren(parent, prefix, delimiter))
    return refuse({ type: 'forbidden', description: 'it can have no children' });
  return ok(`${parent.fullName}${delimiter}${name}`);
}

/** What its full name has beyond that of its parent: its name as the mail server has it, whether it can be shown or not. */
export function ownNameOf({ branches, prefix }: Tree, { parentId, fullName }: Branch): string {
  const parent = parentId === null ? undefined : branches.get(parentId);
  return fullName.slice(parent === undefined ? prefix.length : parent.fullName.length + 1);
}

/** Whether mailboxes can be below that one. Where all names begin with the inbox's, those are at the top. */
function mayHaveChildren({ entry, fullName }: Branch, prefix: string, delimiter: string | null): boolean {
  if (delimiter === null || entry?.attributes.includes('\\noinferiors')) return false;
  return prefix === '' || !isInbox(fullName);
}

/** The Mailbox that is at that position, whose full name it is. */
export function occupantOf({ branches }: Tree, { name, parentId }: Position, fullName: string): Branch | undefined {
  const isOfInbox = parentId === null && isInbox(name);
  for (const branch of branches.values()) {
    if (branch.fullName === fullName || (isOfInbox && isInbox(branch.fullName))) return branch;
  }
  return undefined;
}

export function withRole({ branches }: Tree, role: Role): Branch | undefined {
  for (const branch of branches.values()) if (branch.role === role) return branch;
  return undefined;
}

export function childrenOf({ branches }: Tree, id: Id): Branch[] {
  return [...branches.values()].filter(({ parentId }) => parentId === id);
}

/** The Mailbox and everything below it. */
export function subtreeOf(tree: Tree, branch: Branch): Branch[] {
  return [branch, ...childrenOf(tree, branch.id).flatMap((child) => subtreeOf(tree, child))];
}

/** Those that it is below, from its parent up. */
export function ancestorsOf({ branches }: Tree, parentId: Id | null): Branch[] {
  const ancestors: Branch[] = [];
  let next = parentId === null ? undefined : branches.get(parentId);
  while (next !== undefined) {
    ancestors.push(next);
    next = next.parentId === null ? undefined : branches.get(next.parentId);
  }
  return ancestors;
}

/** Whether a Mailbox there, with so many levels of others below it, would be too deep. */
export function isTooDeep(tree: Tree, parentId: Id | null, levelsBelow: number): boolean {
  return ancestorsOf(tree, parentId).length + 1 + levelsBelow > maxMailboxDepth;
}

/** How many levels there are below it. */
export function levelsBelow(tree: Tree, id: Id): number {
  return childrenOf(tree, id).reduce((levels, child) => Math.max(levels, 1 + levelsBelow(tree, child.id)), 0);
}

/** The Mailboxes that were made by this call. */
export function newOnes({ branches }: Tree): readonly Branch[] {
  return [...branches.values()].filter(({ id }) => isNew(id));
}

/** The tree with that Mailbox elsewhere; what is below it has gone with it. */
export function moved(tree: Tree, branch: Branch, position: Position, fullName: string): Tree {
  const branches = new Map(tree.branches);
  for (const { id, fullName: before } of subtreeOf(tree, branch)) {
    const below = branches.get(id);
    if (below === undefined) continue;
    branches.set(id, { ...below, fullName: `${fullName}${before.slice(branch.fullName.length)}` });
  }
  branches.set(branch.id, { ...branch, ...position, fullName });
  return { ...tree, branches };
}

/** The tree in which that Mailbox has the role. */
export function assigned(tree: Tree, branch: Branch, role: Role | null): Tree {
  return grown(tree, { ...branch, role });
}

/** The tree with one more Mailbox. */
export function grown(tree: Tree, branch: Branch): Tree {
  return { ...tree, branches: new Map([...tree.branches, [branch.id, branch]]) };
}

export function without(tree: Tree, id: Id): Tree {
  return { ...tree, branches: new Map([...tree.branches].filter(([other]) => other !== id)) };
}

export function alreadyExists(existingId: Id): SetError {
  return { type: 'alreadyExists', existingId, description: 'its parent has a child of that name' };
}

export function invalid(property: string, description: string): { readonly ok: false; readonly error: SetError } {
  return refuse({ type: 'invalidProperties', properties: [property], description: `${property}: ${description}` });
}
