import { formerName } from '../../catalog/set-aside.ts';
import type { Id } from '../../jmap/scalars.ts';
import type { Deeds, StructurePorts } from './deeds.ts';
import { isNew, subtreeOf, type Tree } from './tree.ts';
import type { MailboxFailure } from './writing.ts';

/** Which Mailboxes are subscribed to, while they move: IMAP keeps names. */
export type Subscriptions = {
  readonly isWanted: (id: Id) => boolean;
  /** Of a new Mailbox; `tidyUp` subscribes to it. */
  readonly want: (id: Id, isSubscribed: boolean) => void;
  /** The subscription of a Mailbox as it is wanted from now on, under its name; what is below it is subscribed to anew. */
  readonly subscribeAs: (tree: Tree, id: Id, isSubscribed: boolean) => Promise<MailboxFailure | null>;
  /** The mailbox of that name was deleted, and with it perhaps its subscription: whoever gets the name subscribes to it anew. */
  readonly isGone: (fullName: string) => void;
  /**
   * Subscribes to new Mailboxes, and ends subscriptions to names that no Mailbox has any more. What the server refuses of it stays as it
   * was: a new Mailbox is shown as not subscribed to, and a name that nobody has is not shown.
   */
  readonly tidyUp: (tree: Tree) => Promise<void>;
};

export function subscriptions(
  start: Tree,
  { mailboxes }: Pick<StructurePorts, 'mailboxes'>,
  commands: Deeds,
): Subscriptions {
  /** Names that are subscribed to, such as may be, and which Mailboxes are to be. */
  const names = new Set<string>();
  const doubtful = new Set<string>();
  const wanted = new Map<Id, boolean>();
  for (const { id, fullName, entry } of start.branches.values()) {
    wanted.set(id, entry?.subscribed ?? false);
    if (entry?.subscribed) names.add(fullName);
  }
  const isWanted = (id: Id) => wanted.get(id) ?? false;

  async function subscribe(some: readonly string[], isSubscribed: boolean): Promise<MailboxFailure | null> {
    const failure = await commands.carryOut(() => mailboxes.subscribe(some, isSubscribed));
    if (failure !== null) return failure;
    for (const name of some) {
      if (isSubscribed) names.add(name);
      else names.delete(name);
    }
    return null;
  }

  return {
    isWanted,
    want: (id, isSubscribed) => wanted.set(id, isSubscribed),
    subscribeAs: async (tree, id, isSubscribed) => {
      const branch = tree.branches.get(id);
      if (branch === undefined) return 'missing';
      const ends = !isSubscribed && names.has(branch.fullName);
      wanted.set(id, isSubscribed);
      const below = subtreeOf(tree, branch).filter((other) => wanted.get(other.id));
      const fresh = below.map(({ fullName }) => fullName).filter((name) => !names.has(name));
      const failure = fresh.length > 0 ? await subscribe(fresh, true) : null;
      return failure ?? (ends ? await subscribe([branch.fullName], false) : null);
    },
    isGone: (fullName) => {
      if (names.delete(fullName)) doubtful.add(fullName);
    },
    tidyUp: async (tree) => {
      const branches = [...tree.branches.values()].filter(({ id }) => isWanted(id));
      const fresh = branches.filter(({ id }) => isNew(id)).map(({ fullName }) => fullName);
      if (fresh.length > 0) await subscribe(fresh, true);
      const kept = new Set(branches.map(({ fullName }) => formerName(fullName)));
      const stale = [...new Set([...names, ...doubtful])].filter((name) => !kept.has(name));
      if (stale.length > 0) await subscribe(stale, false);
    },
  };
}
