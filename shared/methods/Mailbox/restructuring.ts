import type { MailboxKey } from '../../catalog/email.ts';
import type { OwnStructure } from '../../catalog/own-structure.ts';
import type { Role } from '../../catalog/roles.ts';
import { formerName } from '../../catalog/set-aside.ts';
import type { SetError } from '../../jmap/errors.ts';
import type { Id } from '../../jmap/scalars.ts';
import { type Deeds, errorOf, type StructurePorts } from './deeds.ts';
import { nextMove, type Wanted } from './moves.ts';
import { assigned, invalid, moved, type Position, subtreeOf, type Tree } from './tree.ts';
import type { MailboxFailure } from './writing.ts';

/** Where a Mailbox is to be, and whether it is to be subscribed to. */
export type Wish = Wanted & { readonly isSubscribed: boolean };

/** Moves of several Mailboxes, one after the other, which can be taken back. */
export type Restructuring = {
  /** Carries out the wishes, in an order in which they are possible; answers why not, by id. Of those nothing is left done. */
  readonly fulfil: (wishes: ReadonlyMap<Id, Wish>) => Promise<Map<Id, SetError>>;
  /** Takes back all that was done; answers which Mailboxes that concerns. */
  readonly takeBack: () => Promise<ReadonlySet<Id>>;
  /** Ends subscriptions to names that no Mailbox has any more. */
  readonly tidyUp: () => Promise<void>;
  readonly tree: () => Tree;
  /** What is other now than it was, as far as is known. */
  readonly structure: () => Pick<OwnStructure, 'renamed' | 'subscribed'>;
};

/** A Mailbox before something was done to it. */
type Step = { readonly id: Id; readonly position: Position; readonly fullName: string; readonly isSubscribed: boolean };

export function restructuring(
  start: Tree,
  { mailboxes, surroundings }: Pick<StructurePorts, 'mailboxes' | 'surroundings'>,
  commands: Deeds,
): Restructuring {
  let tree = start;
  const steps: Step[] = [];
  /** Names that are subscribed to, and which Mailboxes are to be. */
  const names = new Set<string>();
  const wanted = new Map<Id, boolean>();
  for (const { id, fullName, entry } of start.branches.values()) {
    wanted.set(id, entry?.subscribed ?? false);
    if (entry?.subscribed) names.add(fullName);
  }

  return {
    fulfil: async (wishes) => {
      const errors = new Map<Id, SetError>();
      const pending = new Map(wishes);
      const aside = new Map<Id, number>();
      while (pending.size > 0) {
        const next = nextMove(tree, pending, new Set(aside.keys()), surroundings.now());
        const { id } = next;
        const wish = pending.get(id);
        if (wish === undefined) break;
        if (next.kind === 'aside') {
          const since = steps.length;
          const failure = await move(id, next.position, next.fullName);
          if (failure === null) aside.set(id, since);
          else refuse(id, errorOf(failure));
          continue;
        }
        const failure = next.kind === 'move' ? await take(id, wish, next.fullName) : null;
        const error = next.kind === 'refuse' ? next.error : failure && errorOf(failure);
        if (error === null) pending.delete(id);
        else refuse(id, error);
        const since = aside.get(id);
        if (error !== null && since !== undefined) {
          for (const other of await back(since)) refuse(other, error);
        }
      }
      for (const [id, { role }] of wishes) {
        // Whoever was to give the role away has kept it.
        if (errors.has(id) || role === null || !isHeldTwice(role)) continue;
        const since = steps.findIndex((step) => step.id === id);
        const { error } = invalid('role', 'another Mailbox has it');
        for (const other of since === -1 ? [id] : await back(since)) refuse(other, error);
        const [branch, before] = [tree.branches.get(id), start.branches.get(id)];
        if (branch !== undefined && before !== undefined) tree = assigned(tree, branch, before.role);
      }
      return errors;

      function refuse(id: Id, error: SetError): void {
        pending.delete(id);
        if (wishes.has(id)) errors.set(id, error);
      }
    },
    takeBack: () => back(0),
    tidyUp: async () => {
      const kept = new Set(
        [...tree.branches.values()].filter(({ id }) => wanted.get(id)).map(({ fullName }) => formerName(fullName)),
      );
      const stale = [...names].filter((name) => !kept.has(name));
      if (stale.length > 0) await subscribe(stale, false);
    },
    tree: () => tree,
    structure: () => {
      const renamed = new Map<MailboxKey, string>();
      const subscribed = new Set<MailboxKey>();
      for (const { id, entry, fullName } of tree.branches.values()) {
        if (entry === null) continue;
        if (fullName !== entry.name) renamed.set(entry.key, fullName);
        if (wanted.get(id) !== entry.subscribed) subscribed.add(entry.key);
      }
      return { renamed, subscribed };
    },
  };

  function isHeldTwice(role: Role): boolean {
    return [...tree.branches.values()].filter((branch) => branch.role === role).length > 1;
  }

  /** All of a wish; null when it holds. What was done before a failure is taken back. */
  async function take(
    id: Id,
    { position, role, isSubscribed }: Wish,
    fullName: string,
  ): Promise<MailboxFailure | null> {
    const since = steps.length;
    const failure = (await move(id, position, fullName)) ?? (await subscribeAs(id, isSubscribed));
    if (failure !== null) {
      await back(since);
      return failure;
    }
    const branch = tree.branches.get(id);
    if (branch !== undefined) tree = assigned(tree, branch, role);
    return null;
  }

  async function move(id: Id, position: Position, fullName: string): Promise<MailboxFailure | null> {
    const branch = tree.branches.get(id);
    if (branch === undefined) return 'missing';
    const { name, parentId } = branch;
    const isSubscribed = wanted.get(id) ?? false;
    if (fullName !== branch.fullName) {
      const failure = await commands.carryOut(() => mailboxes.rename(branch.fullName, fullName));
      if (failure !== null) return failure;
    }
    steps.push({ id, position: { name, parentId }, fullName: branch.fullName, isSubscribed });
    tree = moved(tree, branch, position, fullName);
    return null;
  }

  /** Subscriptions are to names: what is below a Mailbox that moved is subscribed to anew. */
  async function subscribeAs(id: Id, isSubscribed: boolean): Promise<MailboxFailure | null> {
    const branch = tree.branches.get(id);
    if (branch === undefined) return 'missing';
    const ends = !isSubscribed && names.has(branch.fullName);
    wanted.set(id, isSubscribed);
    const below = subtreeOf(tree, branch).filter((other) => wanted.get(other.id));
    const fresh = below.map(({ fullName }) => fullName).filter((name) => !names.has(name));
    const failure = fresh.length > 0 ? await subscribe(fresh, true) : null;
    return failure ?? (ends ? await subscribe([branch.fullName], false) : null);
  }

  async function subscribe(some: readonly string[], isSubscribed: boolean): Promise<MailboxFailure | null> {
    const failure = await commands.carryOut(() => mailboxes.subscribe(some, isSubscribed));
    if (failure !== null) return failure;
    for (const name of some) {
      if (isSubscribed) names.add(name);
      else names.delete(name);
    }
    return null;
  }

  /** Takes back the steps from that one on, the last one first; answers which Mailboxes they were of. */
  async function back(since: number): Promise<ReadonlySet<Id>> {
    const concerned = new Set<Id>();
    for (const { id, position, fullName, isSubscribed } of steps.splice(since).reverse()) {
      concerned.add(id);
      const branch = tree.branches.get(id);
      if (branch === undefined) continue;
      if (branch.fullName !== fullName) {
        const failure = await commands.carryOut(() => mailboxes.rename(branch.fullName, fullName));
        if (failure !== null) continue;
      }
      tree = moved(tree, branch, position, fullName);
      await subscribeAs(id, isSubscribed);
    }
    return concerned;
  }
}
