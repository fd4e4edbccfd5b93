import type { MailboxKey } from '../../catalog/email.ts';
import type { Arrival, Glimpse, KeywordChange, OwnChanges } from '../../catalog/own-changes.ts';

/** Takes down what a call did, one command after the other. */
export type OwnLedger = {
  /** The mailbox was written to, or may have been. */
  readonly touch: (mailbox: MailboxKey, glimpses?: readonly Glimpse[]) => void;
  readonly flags: (mailbox: MailboxKey, uid: number, change: KeywordChange) => void;
  readonly leaves: (mailbox: MailboxKey, uid: number) => void;
  readonly arrives: (mailbox: MailboxKey, uid: number, arrival: Arrival) => void;
  /** Whether no mailbox was written to. */
  readonly isEmpty: () => boolean;
  readonly changes: () => OwnChanges;
};

export function ownLedger(): OwnLedger {
  const mailboxes = new Map<MailboxKey, ReturnType<typeof page>>();
  const of = (mailbox: MailboxKey) => {
    const own = mailboxes.get(mailbox) ?? page();
    mailboxes.set(mailbox, own);
    return own;
  };
  return {
    touch: (mailbox, glimpses = []) => void of(mailbox).glimpses.push(...glimpses),
    flags: (mailbox, uid, change) => {
      const { keywords } = of(mailbox);
      keywords.set(uid, followedBy(keywords.get(uid), change));
    },
    leaves: (mailbox, uid) => {
      const { arrived, keywords, removed } = of(mailbox);
      // What came by us and went by us has never been there.
      if (arrived.delete(uid)) keywords.delete(uid);
      else removed.add(uid);
    },
    arrives: (mailbox, uid, arrival) => void of(mailbox).arrived.set(uid, arrival),
    isEmpty: () => mailboxes.size === 0,
    changes: () => ({ mailboxes }),
  };
}

function page() {
  return {
    keywords: new Map<number, KeywordChange>(),
    removed: new Set<number>(),
    arrived: new Map<number, Arrival>(),
    glimpses: [] as Glimpse[],
  };
}

function followedBy(first: KeywordChange | undefined, second: KeywordChange): KeywordChange {
  if (first === undefined) return second;
  const keep = (some: readonly string[], gone: readonly string[]) => some.filter((word) => !gone.includes(word));
  return {
    add: [...new Set([...keep(first.add, second.remove), ...second.add])],
    remove: [...new Set([...keep(first.remove, second.add), ...second.remove])],
  };
}
