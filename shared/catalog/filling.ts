import type { Id } from '../jmap/scalars.ts';
import { type Counted, countedOf, countsOfThreads } from './counts.ts';
import type { Email, MailboxKey, Row } from './email.ts';
import { entriesAfter } from './entries.ts';
import type { Columns } from './gathered.ts';
import type { MailboxEntry } from './mailbox.ts';
import { mailboxWithRole } from './roles.ts';
import { assignThreadsInOrder, isProvisional } from './threads.ts';
import type { Filling } from './view.ts';

/**
 * What a catalog is filled with: the gathered messages, and the entries of the mailboxes they were `read` from, with the counts
 * that follow. `isWhole`: no mailbox is missing any more, so that no thread has to stay provisional.
 */
export function fillingOf(
  columns: Columns,
  known: ReadonlyMap<MailboxKey, MailboxEntry>,
  read: ReadonlyMap<MailboxKey, MailboxEntry>,
  isWhole: boolean,
): Filling {
  const mail = emailsIn(columns);
  const messageIds = isWhole ? mail.assignThreads() : new Map<string, Id>();
  const byThread = mail.byThread();
  const trash = mailboxWithRole(entriesAfter(known, read).values(), 'trash');
  const counts = countsOfThreads(mail.countedThreads(byThread), trash);
  return {
    mailboxes: new Map([...read].map(([key, entry]) => [key, { ...entry, counts: counts(key) }])),
    rows: mail.rows(),
    emails: mail.places(),
    threads: mail.members(byThread),
    messageIds: sorted(messageIds),
  };
}

/** The rows of the columns as Emails. An Email is named by its first row, in (mailbox, UID) order; most have no other. */
function emailsIn({ uids, dates, sizes, ids, threadIds, marks, stretches }: Columns) {
  const mailboxes = new Uint32Array(ids.length);
  for (const { mailbox, start, end } of stretches) mailboxes.fill(mailbox, start, end);
  const at = <T>(column: readonly T[], row: number) => column[row] as T;
  const mailboxAt = (row: number) => mailboxes[row] as MailboxKey;

  const byId = Uint32Array.from(ids.keys()).sort(
    (a, b) => compare(at(ids, a), at(ids, b)) || mailboxAt(a) - mailboxAt(b) || at(uids, a) - at(uids, b),
  );
  /** Per row, the first one of its Email. */
  const firstOf = new Uint32Array(ids.length);
  /** All rows of the Emails that have several. */
  const rowsOf = new Map<number, number[]>();
  const emails: number[] = [];
  for (const row of byId) {
    const before = emails.at(-1);
    if (before === undefined || at(ids, before) !== at(ids, row)) {
      firstOf[row] = row;
      emails.push(row);
      continue;
    }
    firstOf[row] = before;
    const rows = rowsOf.get(before) ?? [before];
    rowsOf.set(before, rows);
    rows.push(row);
  }
  const rowsAt = (email: number): readonly number[] => rowsOf.get(email) ?? [email];
  const receivedAt = (email: number): number => {
    const rows = rowsOf.get(email);
    return rows === undefined ? at(dates, email) : Math.min(...rows.map((row) => at(dates, row)));
  };
  /** By first row. */
  const threads = [...threadIds];

  function* inOrderOfArrival() {
    // Sorting keeps the order of ids among equal dates.
    for (const email of [...emails].sort((a, b) => receivedAt(a) - receivedAt(b))) {
      yield { id: at(ids, email), threadId: at(threadIds, email) };
    }
  }

  const emailAt = (email: number): Email => ({
    id: at(ids, email),
    threadId: at(threads, email),
    receivedAt: receivedAt(email),
    size: at(sizes, email),
    hasAttachment: null,
    rows: rowsAt(email).map((row) => ({ mailbox: mailboxAt(row), uid: at(uids, row), ...at(marks, row) })),
  });

  return {
    /** Gives every Email its lasting thread, and the thread of each Message-ID. */
    assignThreads: (): ReadonlyMap<string, Id> => {
      const assigned = assignThreadsInOrder(inOrderOfArrival());
      for (const email of emails) threads[email] = assigned.threads.get(at(ids, email)) ?? at(threads, email);
      return assigned.messageIds;
    },

    byThread: (): readonly number[] => [...emails].sort((a, b) => compare(at(threads, a), at(threads, b))),

    countedThreads: function* (byThread: readonly number[]): Generator<readonly Counted[]> {
      let thread: Counted[] = [];
      let threadId: Id | null = null;
      for (const email of byThread) {
        if (at(threads, email) !== threadId) {
          yield thread;
          thread = [];
          threadId = at(threads, email);
        }
        const counted = countedOf(emailAt(email));
        if (counted !== null) thread.push(counted);
      }
      yield thread;
    },

    rows: function* (): Generator<readonly [MailboxKey, Row]> {
      for (const { mailbox, start, end } of stretches) {
        for (let row = start; row < end; row += 1) {
          const email = firstOf[row] as number;
          const { keywords, deleted } = at(marks, row);
          yield [
            mailbox,
            {
              uid: at(uids, row),
              emailId: at(ids, row),
              threadId: at(threads, email),
              receivedAt: receivedAt(email),
              size: at(sizes, email),
              hasAttachment: null,
              keywords,
              deleted,
              shared: rowsOf.has(email),
            },
          ];
        }
      }
    },

    places: function* (): Generator<readonly [Id, readonly (readonly [MailboxKey, number])[]]> {
      for (const email of emails) {
        yield [at(ids, email), rowsAt(email).map((row) => [mailboxAt(row), at(uids, row)] as const)];
      }
    },

    members: function* (byThread: readonly number[]): Generator<readonly [Id, Id]> {
      for (const email of byThread) {
        // A thread that is still to be assigned has no members to look up.
        if (!isProvisional(at(threads, email))) yield [at(threads, email), at(ids, email)];
      }
    },
  };
}

function* sorted<T>(entries: ReadonlyMap<string, T>): Generator<readonly [string, T]> {
  for (const key of [...entries.keys()].sort()) yield [key, entries.get(key) as T];
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
