import type { Id } from '../jmap/scalars.ts';
import { isSameVector, type MailboxDelta, rowsAfter, vectorOf } from './delta.ts';
import type { Email, EmailRow, MailboxKey } from './email.ts';
import { flagOfKeyword, keywordsOfFlags } from './keywords.ts';
import type { MailboxEntry, MailboxVector } from './mailbox.ts';
import type { OwnStructure } from './own-structure.ts';
import type { Appearance } from './source.ts';

/** What a call did to the mail server, as far as it is certain that it was this call. */
export type OwnChanges = {
  /** Every mailbox that was written to, also those of which nothing certain is known. */
  readonly mailboxes: ReadonlyMap<MailboxKey, OwnMailboxChanges>;
  /** Absent: no mailbox was created, deleted, renamed or subscribed to. */
  readonly structure?: OwnStructure;
};

/** What a call did to the messages of one mailbox. The UIDs hold under the UIDVALIDITY that the catalog knows. */
export type OwnMailboxChanges = {
  readonly keywords: ReadonlyMap<number, KeywordChange>;
  /** Expunged, moved away, or flagged `\Deleted`. */
  readonly removed: ReadonlySet<number>;
  /** What came into the mailbox, by the UID it got. */
  readonly arrived: ReadonlyMap<number, Arrival>;
  /** In turn what each command told of the mailbox; empty where nothing was asked of it while it was selected. */
  readonly glimpses: readonly Glimpse[];
};

/** JMAP keywords, lower case. */
export type KeywordChange = { readonly add: readonly string[]; readonly remove: readonly string[] };

/** A message that was copied, moved or appended, with the keywords it came with. */
export type Arrival = {
  /** The Email that it is a copy of, whatever the server makes of its date; null: it is named by its content. */
  readonly emailId: Id | null;
  readonly keywords: readonly string[];
};

/**
 * A mailbox right before and right after a command of ours. null where it is not known: only a mod-sequence that follows
 * immediately upon the one before shows that nothing else happened in between.
 */
export type Glimpse = { readonly before: MailboxVector | null; readonly after: MailboxVector | null };

export const noOwnChanges: OwnMailboxChanges = {
  keywords: new Map(),
  removed: new Set(),
  arrived: new Map(),
  glimpses: [],
};

/** The vector after the commands, where they show that the mailbox was as the catalog has it and nobody else changed it. */
export function quietVector({ vector }: MailboxEntry, { glimpses, arrived }: OwnMailboxChanges): MailboxVector | null {
  if (glimpses.length === 0 || arrived.size > 0) return null;
  let last: MailboxVector | null = vector;
  for (const { before, after } of glimpses) {
    if (last === null || before === null || !isSameVector(last, before)) return null;
    last = after;
  }
  return last;
}

/** What the catalog has of the Emails that own changes are about, before them. */
export type OwnRows = {
  /** The row of that UID; undefined where there is none. */
  readonly rowAt: (uid: number) => EmailRow | undefined;
  readonly email: (id: Id) => Email | undefined;
};

/**
 * Own changes of one mailbox as a delta upon its entry. `found`: what was read after them; null where nothing but them can have
 * happened and `quiet` is the vector now.
 */
export function ownDelta(
  entry: MailboxEntry,
  own: OwnMailboxChanges,
  rows: OwnRows,
  found: MailboxDelta | null,
  quiet: MailboxVector | null,
): MailboxDelta {
  const gone = new Set<number>();
  const flags = new Map<number, readonly string[]>();
  const appeared = new Map<number, Appearance>();
  for (const [uid, change] of own.keywords) {
    const row = rows.rowAt(uid);
    if (row !== undefined) flags.set(uid, flagsOf(changed(row.keywords, change), row.deleted));
  }
  for (const uid of own.removed) {
    const row = rows.rowAt(uid);
    if (row === undefined) continue;
    const isLeftFlagged = found !== null && keywordsOfFlags(found.flags.get(uid) ?? []).deleted;
    if (found === null || found.gone.has(uid)) {
      gone.add(uid);
      flags.delete(uid);
    } else if (isLeftFlagged) flags.set(uid, flagsOf(keywordsAfter(row.keywords, own.keywords.get(uid)), true));
  }
  for (const [uid, arrival] of own.arrived) {
    const appearance = appearanceOf(uid, arrival, found?.appeared.get(uid), rows);
    if (appearance === null || rows.rowAt(uid) !== undefined) continue;
    const keywords = keywordsAfter(arrival.keywords, own.keywords.get(uid));
    appeared.set(uid, { ...appearance, flags: flagsOf(keywords, false) });
  }
  const delta = { renewed: false, gone, appeared };
  const vector = quiet ?? { ...(vectorOf(entry) ?? found?.vector ?? neverRead), messages: rowsAfter(entry, delta) };
  return { ...delta, vector, flagsRead: 'changed', flags, complete: true };
}

/** What was found, upon the mailbox as own changes left it: what others did. */
export function deltaOfOthers(own: MailboxDelta, rows: OwnRows, found: MailboxDelta): MailboxDelta {
  const gone = new Set([...found.gone].filter((uid) => !own.gone.has(uid)));
  const flags = new Map([...found.flags].filter(([uid]) => !own.gone.has(uid)));
  const appeared = new Map([...found.appeared].filter(([uid]) => !own.appeared.has(uid)));
  for (const [uid, ours] of own.flags) {
    if (gone.has(uid)) continue;
    const row = rows.rowAt(uid);
    const now = found.flags.get(uid) ?? (row && flagsOf(row.keywords, row.deleted)) ?? ours;
    if (isSameFlags(ours, now)) flags.delete(uid);
    else flags.set(uid, now);
  }
  for (const [uid, ours] of own.appeared) {
    const now = found.appeared.get(uid);
    if (now === undefined) gone.add(uid);
    else if (!isSameFlags(ours.flags, now.flags)) flags.set(uid, now.flags);
  }
  return { ...found, gone, flags, appeared };
}

const neverRead: MailboxVector = { uidValidity: 0, uidNext: 1, highestModseq: null, messages: 0 };

/** The message as it came, also where somebody took it away again before it was read; null where nothing is known of it then. */
function appearanceOf(
  uid: number,
  { emailId }: Arrival,
  found: Appearance | undefined,
  rows: OwnRows,
): Appearance | null {
  if (found !== undefined) return found;
  const email = emailId === null ? undefined : rows.email(emailId);
  if (email === undefined) return null;
  return {
    ...{ uid, flags: [], internalDate: email.receivedAt, size: email.size },
    ...{ serverEmailId: null, serverThreadId: null, digestFields: null },
    ...{ messageId: '', references: '', inReplyTo: '' },
  };
}

function keywordsAfter(keywords: readonly string[], change: KeywordChange | undefined): readonly string[] {
  return change === undefined ? keywords : changed(keywords, change);
}

/** Keywords after a change, sorted. */
export function changed(keywords: readonly string[], { add, remove }: KeywordChange): readonly string[] {
  return [...new Set([...keywords, ...add])].filter((keyword) => !remove.includes(keyword)).sort();
}

function flagsOf(keywords: readonly string[], deleted: boolean): readonly string[] {
  return [...keywords.map(flagOfKeyword), ...(deleted ? ['\\Deleted'] : [])];
}

function isSameFlags(a: readonly string[], b: readonly string[]): boolean {
  const [one, other] = [keywordsOfFlags(a), keywordsOfFlags(b)];
  return one.deleted === other.deleted && one.keywords.join(' ') === other.keywords.join(' ');
}
