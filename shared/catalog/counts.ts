import type { Email, MailboxKey } from './email.ts';
import { isUnread, keywordsOf, mailboxesOf } from './keywords.ts';
import type { MailboxCounts } from './mailbox.ts';

/** What an Email brings into the counts: where it exists for JMAP (never nowhere), and whether it is unread. */
export type Counted = { readonly mailboxes: readonly MailboxKey[]; readonly unread: boolean };

export const noCounts: MailboxCounts = { totalEmails: 0, unreadEmails: 0, totalThreads: 0, unreadThreads: 0 };

/** How an Email is counted; null when it does not exist for JMAP. */
export function countedOf(email: Pick<Email, 'rows'> | null): Counted | null {
  if (email === null) return null;
  const mailboxes = mailboxesOf(email);
  return mailboxes.length === 0 ? null : { mailboxes, unread: isUnread(keywordsOf(email)) };
}

/**
 * The counts that Threads give to each mailbox together (RFC 8621 §2), but those they do not lie in. An unread Email makes its
 * Thread unread in every mailbox of the Thread, but the trash is a world of its own: Emails that are only there do not count elsewhere, and
 * Emails that are not there do not count for it.
 */
export function countsOfThreads(
  threads: Iterable<readonly Counted[]>,
  trash: MailboxKey | undefined,
): ReadonlyMap<MailboxKey, MailboxCounts> {
  const tally = new ThreadTally(trash);
  for (const emails of threads) tally.add(emails);
  return tally.counts();
}

/** Counts Threads as `countsOfThreads` does, one by one, and makes no object for any. */
export class ThreadTally {
  readonly #trash: MailboxKey | undefined;
  readonly #sums = new Map<MailboxKey, Sum>();
  #threads = 0;

  constructor(trash: MailboxKey | undefined) {
    this.#trash = trash;
  }

  /** Counts a Thread. */
  add(emails: readonly Counted[]): void {
    this.#threads += 1;
    let [unreadElsewhere, unreadInTrash] = [false, false];
    for (let at = 0; at < emails.length; at += 1) {
      const { mailboxes, unread } = emails[at] as Counted;
      for (let place = 0; unread && place < mailboxes.length; place += 1) {
        if (mailboxes[place] === this.#trash) unreadInTrash = true;
        else unreadElsewhere = true;
      }
    }
    for (let at = 0; at < emails.length; at += 1) {
      const { mailboxes, unread } = emails[at] as Counted;
      for (let place = 0; place < mailboxes.length; place += 1) {
        const key = mailboxes[place] as MailboxKey;
        const sum = this.#sumOf(key);
        sum.totalEmails += 1;
        if (unread) sum.unreadEmails += 1;
        if (sum.lastThread === this.#threads) continue;
        sum.lastThread = this.#threads;
        sum.totalThreads += 1;
        if (key === this.#trash ? unreadInTrash : unreadElsewhere) sum.unreadThreads += 1;
      }
    }
  }

  counts(): ReadonlyMap<MailboxKey, MailboxCounts> {
    return new Map([...this.#sums].map(([mailbox, { lastThread: _, ...counts }]) => [mailbox, counts]));
  }

  #sumOf(mailbox: MailboxKey): Sum {
    const known = this.#sums.get(mailbox);
    if (known !== undefined) return known;
    const sum = { ...noCounts, lastThread: 0 };
    this.#sums.set(mailbox, sum);
    return sum;
  }
}

/** Counts that grow, and the last Thread that was counted. */
type Sum = { -readonly [Count in keyof MailboxCounts]: number } & { lastThread: number };

/** `a + factor · b`, count by count. */
export function addCounts(a: MailboxCounts, b: MailboxCounts, factor: 1 | -1 = 1): MailboxCounts {
  return {
    totalEmails: a.totalEmails + factor * b.totalEmails,
    unreadEmails: a.unreadEmails + factor * b.unreadEmails,
    totalThreads: a.totalThreads + factor * b.totalThreads,
    unreadThreads: a.unreadThreads + factor * b.unreadThreads,
  };
}

export function sameCounts(a: MailboxCounts, b: MailboxCounts): boolean {
  return (
    a.totalEmails === b.totalEmails &&
    a.unreadEmails === b.unreadEmails &&
    a.totalThreads === b.totalThreads &&
    a.unreadThreads === b.unreadThreads
  );
}
