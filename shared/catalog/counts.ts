import type { Email, MailboxKey } from './email.ts';
import { isUnread, keywordsOf, mailboxesOf } from './keywords.ts';
import type { MailboxCounts } from './mailbox.ts';

/** What an Email brings into the counts: where it exists for JMAP (never nowhere), and whether it is unread. */
export type Counted = { readonly mailboxes: readonly MailboxKey[]; readonly unread: boolean };

export const noCounts: MailboxCounts = { totalEmails: 0, unreadEmails: 0, totalThreads: 0, unreadThreads: 0 };

/** How an Email is counted; null when it does not exist for JMAP. */
export function countedOf(email: Email | null): Counted | null {
  if (email === null) return null;
  const mailboxes = mailboxesOf(email);
  return mailboxes.length === 0 ? null : { mailboxes, unread: isUnread(keywordsOf(email)) };
}

/**
 * What one Thread adds to the counts of each mailbox it lies in (RFC 8621 §2). An unread Email makes its Thread unread in every
 * mailbox of the Thread, but the trash is a world of its own: Emails that are only there do not count elsewhere, and
 * Emails that are not there do not count for it.
 */
export function countsOfThread(
  emails: readonly Counted[],
  trash: MailboxKey | undefined,
): ReadonlyMap<MailboxKey, MailboxCounts> {
  const unreadElsewhere = emails.some((email) => email.unread && email.mailboxes.some((key) => key !== trash));
  const unreadInTrash = emails.some((email) => email.unread && email.mailboxes.some((key) => key === trash));
  const counts = new Map<MailboxKey, MailboxCounts>();
  for (const { mailboxes, unread } of emails) {
    for (const key of mailboxes) {
      const unreadThread = key === trash ? unreadInTrash : unreadElsewhere;
      const { totalEmails, unreadEmails } = counts.get(key) ?? noCounts;
      counts.set(key, {
        totalEmails: totalEmails + 1,
        unreadEmails: unreadEmails + (unread ? 1 : 0),
        totalThreads: 1,
        unreadThreads: unreadThread ? 1 : 0,
      });
    }
  }
  return counts;
}

/** The counts that Threads give to each mailbox together; every mailbox they do not lie in has none. */
export function countsOfThreads(
  threads: Iterable<readonly Counted[]>,
  trash: MailboxKey | undefined,
): (mailbox: MailboxKey) => MailboxCounts {
  const sums = new Map<MailboxKey, MailboxCounts>();
  for (const emails of threads) {
    for (const [key, counts] of countsOfThread(emails, trash))
      sums.set(key, addCounts(sums.get(key) ?? noCounts, counts));
  }
  return (mailbox) => sums.get(mailbox) ?? noCounts;
}

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
