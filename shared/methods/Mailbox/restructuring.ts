import type { MailboxKey } from '../../catalog/email.ts';
import type { OwnStructure } from '../../catalog/own-structure.ts';
import type { Role } from '../../catalog/roles.ts';
import { formerName, nameSetAside } from '../../catalog/set-aside.ts';
import type { SetError } from '../../jmap/errors.ts';
import type { Id } from '../../jmap/scalars.ts';
import { type Deeds, errorOf, errorOfRemoval, type StructurePorts } from './deeds.ts';
import { type NextMove, nextMove, type Wanted } from './moves.ts';
import { subscriptions } from './subscriptions.ts';
import {
  assigned,
  type Branch,
  childrenOf,
  grown,
  invalid,
  isNew,
  moved,
  newOnes,
  type Position,
  type Tree,
  without,
} from './tree.ts';
import type { MailboxContent, MailboxFailure } from './writing.ts';

/** Where a Mailbox is to be, which role it is to have, and whether it is to be subscribed to; null: it is to be destroyed. */
export type Wish = (Wanted & { readonly isSubscribed: boolean }) | null;

/** Changes of several Mailboxes, one after the other, of which all but destructions can be taken back. */
export type Restructuring = {
  /**
   * Carries out the wishes, in an order in which they are possible; answers why not, by id. Of those nothing is left done, as far as
   * that can be.
   */
  readonly fulfil: (wishes: ReadonlyMap<Id, Wish>) => Promise<Map<Id, SetError>>;
  /** Takes back what was done from the first step of one of these on; answers which Mailboxes that concerns. */
  readonly takeBack: (ids: ReadonlySet<Id>) => Promise<ReadonlySet<Id>>;
  /** As `Subscriptions` has it, for the tree as it is by now. */
  readonly tidyUp: () => Promise<void>;
  readonly tree: () => Tree;
  /** Mailboxes that the mail server would not create, and under which names. */
  readonly notMade: ReadonlyMap<Id, { readonly fullName: string; readonly failure: MailboxFailure }>;
  /** Mailboxes that are no more, as they were; also such of which that is not clear. */
  readonly destroyed: ReadonlyMap<Id, Branch>;
  readonly unclear: ReadonlyMap<Id, Branch>;
  /** What is other now than it was, as far as is known. */
  readonly structure: () => Pick<OwnStructure, 'renamed' | 'subscribed' | 'destroyed'>;
};

/** A Mailbox before something was done to it; null: it was made. `gaveWay`: it was set aside. */
type Step = {
  readonly id: Id;
  readonly before: Branch | null;
  readonly isSubscribed: boolean;
  readonly gaveWay: boolean;
};

export function restructuring(
  start: Tree,
  { mailboxes, surroundings }: Pick<StructurePorts, 'mailboxes' | 'surroundings'>,
  commands: Deeds,
): Restructuring {
  let tree = start;
  const steps: Step[] = [];
  /** Mailboxes that are out of the way. */
  const aside = new Set<Id>();
  const notMade = new Map<Id, { readonly fullName: string; readonly failure: MailboxFailure }>();
  const destroyed = new Map<Id, Branch>();
  const unclear = new Map<Id, Branch>();
  const { subscribeAs, isWanted, ...subscribing } = subscriptions(start, { mailboxes }, commands);

  return {
    fulfil: async (wishes) => {
      const errors = new Map<Id, SetError>();
      const pending = new Map(wishes);
      for (;;) {
        const next = pending.size > 0 ? nextMove(tree, pending, aside, surroundings.now()) : oneTooMany();
        if (next === null) return errors;
        const error = await attempt(next, wishes.get(next.id) ?? null);
        if (error !== null) await refuse(next.id, error);
        else if (next.kind !== 'aside') pending.delete(next.id);
      }

      /** Takes back what was done of it; whoever had to do with that is considered anew. */
      async function refuse(id: Id, error: SetError): Promise<void> {
        pending.delete(id);
        errors.set(id, error);
        for (const other of await backFrom(new Set([id]))) {
          const wish = wishes.get(other);
          const isDone = isMade(other) || destroyed.has(other);
          if (wish !== undefined && !errors.has(other) && !isDone) pending.set(other, wish);
        }
        if (isMade(id)) errors.delete(id);
      }

      /** A Mailbox with a role that another one was to give away, and has kept. */
      function oneTooMany(): NextMove | null {
        for (const [id, wish] of wishes) {
          if (errors.has(id) || !wish?.role || !isHeldTwice(wish.role)) continue;
          return { kind: 'refuse', id, error: invalid('role', 'another Mailbox has it').error };
        }
        return null;
      }
    },
    takeBack: backFrom,
    tidyUp: () => subscribing.tidyUp(tree),
    tree: () => tree,
    ...{ notMade, destroyed, unclear },
    structure: () => {
      const renamed = new Map<MailboxKey, string>();
      const subscribed = new Set<MailboxKey>();
      const gone = new Map<MailboxKey, number | null>();
      for (const { id, entry, fullName } of tree.branches.values()) {
        if (entry === null) continue;
        if (fullName !== entry.name) renamed.set(entry.key, fullName);
        if (isWanted(id) !== entry.subscribed) subscribed.add(entry.key);
      }
      for (const { id, entry } of [...destroyed.values(), ...unclear.values()]) {
        if (entry !== null) gone.set(entry.key, destroyed.has(id) ? (entry.vector?.uidValidity ?? null) : null);
      }
      return { renamed, subscribed, destroyed: gone };
    },
  };

  /** A new Mailbox that there is by now; one that was taken back is none. */
  function isMade(id: Id): boolean {
    return isNew(id) && tree.branches.has(id);
  }

  function isHeldTwice(role: Role): boolean {
    return [...tree.branches.values()].filter((branch) => branch.role === role).length > 1;
  }

  /** Makes a move; null: it is made, and else nothing is done. */
  async function attempt(next: NextMove, wish: Wish): Promise<SetError | null> {
    const { id } = next;
    switch (next.kind) {
      case 'refuse':
        return next.error;
      case 'aside': {
        // It is known before anything else is done whether it holds what goes with it.
        const failure = await move(id, next.position, next.fullName, wish === null ? 'doomed' : 'aside');
        if (failure === null) aside.add(id);
        return failure && (wish === null ? errorOfRemoval(failure) : errorOf(failure));
      }
      case 'destroy':
        return end(id);
      case 'create':
      case 'move': {
        if (wish === null) throw new Error(`Could not tell where ${id} is to be`);
        const failure = await (next.kind === 'create' ? make : take)(id, wish, next.fullName);
        return failure && errorOf(failure);
      }
    }
  }

  async function make(
    id: Id,
    { position, role, isSubscribed }: NonNullable<Wish>,
    fullName: string,
  ): Promise<MailboxFailure | null> {
    const failure = await commands.carryOut(() => mailboxes.create(fullName, role));
    if (failure !== null && failure !== 'unclear') {
      notMade.set(id, { fullName, failure });
      return failure;
    }
    steps.push({ id, before: null, isSubscribed, gaveWay: false });
    subscribing.want(id, isSubscribed);
    tree = grown(tree, { id, entry: null, ...position, role, fullName, isUnclear: failure !== null });
    return null;
  }

  /** All of a wish; null when it holds. What was done before a failure is taken back. */
  async function take(
    id: Id,
    { position, role, isSubscribed }: NonNullable<Wish>,
    fullName: string,
  ): Promise<MailboxFailure | null> {
    const since = steps.length;
    const failure = (await move(id, position, fullName, 'place')) ?? (await subscribeAs(tree, id, isSubscribed));
    if (failure !== null) {
      await back(since);
      return failure;
    }
    const branch = tree.branches.get(id);
    if (branch !== undefined) tree = assigned(tree, branch, role);
    return null;
  }

  async function move(
    id: Id,
    position: Position,
    fullName: string,
    purpose: 'place' | 'aside' | 'doomed',
  ): Promise<MailboxFailure | null> {
    const branch = tree.branches.get(id);
    if (branch === undefined) return 'missing';
    if (fullName !== branch.fullName) {
      const failure = await commands.carryOut(() =>
        mailboxes.rename(branch.fullName, fullName, purpose === 'doomed' ? contentOf(branch) : null),
      );
      if (failure !== null) return failure;
    }
    steps.push({ id, before: branch, isSubscribed: isWanted(id), gaveWay: purpose !== 'place' });
    tree = moved(tree, branch, position, fullName);
    return null;
  }

  async function end(id: Id): Promise<SetError | null> {
    const branch = tree.branches.get(id);
    if (branch === undefined) return { type: 'notFound' };
    const { fullName } = branch;
    const known = contentOf(branch);
    const isAside = aside.has(id);
    const outcome = await commands.carryOut(() =>
      mailboxes.remove(fullName, known, isAside ? null : nameAside(fullName)),
    );
    // Some servers forget a node as soon as nothing is below it.
    const isForgotten = outcome === 'missing' && known === null && childrenOf(start, id).length > 0;
    // What else is not where it was set aside may have been put back by another process.
    const failure = isForgotten ? null : isAside && outcome === 'missing' ? 'lost' : outcome;
    if (failure === 'unclear') unclear.set(id, branch);
    if (failure !== null) return errorOfRemoval(failure);
    destroyed.set(id, branch);
    tree = without(tree, id);
    if (!aside.delete(id)) subscribing.isGone(fullName);
    return null;
  }

  function nameAside(fullName: string): string {
    return nameSetAside(formerName(fullName), surroundings.now());
  }

  /** Takes back the steps from the first one of these Mailboxes on; answers which Mailboxes they were of. */
  async function backFrom(ids: ReadonlySet<Id>): Promise<ReadonlySet<Id>> {
    const since = steps.findIndex(({ id }) => ids.has(id));
    return since === -1 ? new Set() : back(since);
  }

  /** Takes back the steps from that one on, the last one first. */
  async function back(since: number): Promise<ReadonlySet<Id>> {
    const concerned = new Set<Id>();
    for (const { id, before, isSubscribed, gaveWay } of steps.splice(since).reverse()) {
      concerned.add(id);
      const branch = tree.branches.get(id);
      if (branch === undefined) continue;
      if (before === null) {
        // Mail may have come into it, and then it stays, without the role that its former holder has again.
        const aside = nameAside(branch.fullName);
        const failure = await commands.carryOut(() => mailboxes.remove(branch.fullName, nothingYet, aside));
        tree = failure === null ? without(tree, id) : assigned(tree, branch, null);
        continue;
      }
      // Where what it was below has been destroyed it stays: a server would make that anew, or have it below nothing.
      if (before.parentId !== null && !tree.branches.has(before.parentId)) continue;
      if (branch.fullName !== before.fullName) {
        const failure = await commands.carryOut(() => mailboxes.rename(branch.fullName, before.fullName));
        if (failure !== null) continue;
      }
      const { name, parentId, role, fullName } = before;
      // A new one of that name, of which it was not clear whether it was made, was not.
      for (const other of newOnes(tree)) if (other.fullName === fullName) tree = without(tree, other.id);
      tree = moved(tree, { ...branch, role }, { name, parentId }, fullName);
      if (gaveWay) aside.delete(id);
      await subscribeAs(tree, id, isSubscribed);
    }
    return concerned;
  }
}

/** What it is known to hold; null for a node. Servers may give a mailbox another UIDVALIDITY with another name. */
function contentOf({ entry, fullName }: Branch): MailboxContent | null {
  if (!entry?.selectable || entry.vector === null) return null;
  return entry.name === fullName ? entry.vector : { ...entry.vector, uidValidity: null };
}

/** What a mailbox holds that was made a moment ago, under whatever name. */
const nothingYet = { uidValidity: null, uidNext: 1, messages: 0 };
