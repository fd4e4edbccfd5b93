import type { ObservedMailbox } from './imap-actor.ts';

/** An Email as JMAP should show it, told from what another client sees over IMAP. Mailboxes by their full names, sorted. */
export type ExpectedEmail = {
  readonly token: string;
  readonly conversation: string;
  readonly mailboxes: readonly string[];
  readonly keywords: readonly string[];
  /** Seconds since the epoch. */
  readonly receivedAt: number;
  readonly size: number;
};

type VisibleRow = Omit<ExpectedEmail, 'mailboxes'> & { readonly mailbox: string };

const keywordOfFlag: ReadonlyMap<string, string> = new Map([
  ['\\seen', '$seen'],
  ['\\flagged', '$flagged'],
  ['\\answered', '$answered'],
  ['\\draft', '$draft'],
]);

/** The rows that exist for JMAP: those flagged `\Deleted` do not (RFC 8621 §4.1.1). */
export function visibleRows(observed: readonly ObservedMailbox[]): VisibleRow[] {
  return observed.flatMap(({ name, rows }) =>
    rows
      .map((row) => ({ ...row, flags: row.flags.map((flag) => flag.toLowerCase()) }))
      .filter(({ flags }) => !flags.includes('\\deleted'))
      .map(({ token, conversation, flags, internalDate, size }) => ({
        ...{ token, conversation, size, mailbox: name, receivedAt: internalDate },
        keywords: flags.map((flag) => keywordOfFlag.get(flag) ?? flag).sort(),
      })),
  );
}

/** Contents of which two copies lie in one mailbox: only a server's own ids say whether these are one Email. */
export function contentsLyingTwice(observed: readonly ObservedMailbox[]): ReadonlySet<string> {
  const twice = new Set<string>();
  for (const { rows } of observed) {
    const seen = new Set<string>();
    for (const { token } of rows) (seen.has(token) ? twice : seen).add(token);
  }
  return twice;
}

/** One Email for each content: its copies merged as docs/silence.md says. */
export function expectedEmails(observed: readonly ObservedMailbox[]): ReadonlyMap<string, ExpectedEmail> {
  const copies = new Map<string, VisibleRow[]>();
  for (const row of visibleRows(observed)) copies.set(row.token, [...(copies.get(row.token) ?? []), row]);
  return new Map([...copies].map(([token, rows]) => [token, merged(rows)]));
}

function merged(rows: readonly VisibleRow[]): ExpectedEmail {
  const [first] = rows;
  if (first === undefined) throw new Error('An Email without a copy');
  const { token, conversation, size } = first;
  const keywords = new Set(rows.flatMap((row) => row.keywords));
  if (!rows.every((row) => row.keywords.includes('$seen'))) keywords.delete('$seen');
  return {
    ...{ token, conversation, size },
    mailboxes: [...new Set(rows.map(({ mailbox }) => mailbox))].sort(),
    keywords: [...keywords].sort(),
    receivedAt: Math.min(...rows.map(({ receivedAt }) => receivedAt)),
  };
}

export type Counts = {
  readonly totalEmails: number;
  readonly unreadEmails: number;
  readonly totalThreads: number;
  readonly unreadThreads: number;
};

/** What counting needs of an Email. */
export type Countable = {
  readonly threadId: string;
  readonly mailboxIds: readonly string[];
  readonly keywords: readonly string[];
};

/** The counts of a mailbox by the words of RFC 8621 §2, counted anew over all Emails. */
export function countsOf(mailboxId: string, emails: readonly Countable[], trashId: string | null): Counts {
  const isUnread = ({ keywords }: Countable) => !keywords.includes('$seen') && !keywords.includes('$draft');
  const isHere = ({ mailboxIds }: Countable) => mailboxIds.includes(mailboxId);
  const isOnlyInTrash = ({ mailboxIds }: Countable) => mailboxIds.every((id) => id === trashId);
  const isInTrash = ({ mailboxIds }: Countable) => trashId !== null && mailboxIds.includes(trashId);
  const here = emails.filter(isHere);
  const threads = new Set(here.map(({ threadId }) => threadId));
  const counted = emails.filter((email) => (mailboxId === trashId ? isInTrash(email) : !isOnlyInTrash(email)));
  const unread = new Set(counted.filter(isUnread).map(({ threadId }) => threadId));
  return {
    totalEmails: here.length,
    unreadEmails: here.filter(isUnread).length,
    totalThreads: threads.size,
    unreadThreads: [...threads].filter((threadId) => unread.has(threadId)).length,
  };
}
