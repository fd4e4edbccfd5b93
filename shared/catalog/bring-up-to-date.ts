import { advance } from './advance.ts';
import { isSameVector, type MailboxDelta, takesAway } from './delta.ts';
import type { MailboxKey } from './email.ts';
import { type Look, lookAt, steadyLook } from './look.ts';
import type { MailboxEntry } from './mailbox.ts';
import { readListed } from './read-listed.ts';
import type { Findings } from './reconcile.ts';
import { isInbox } from './roles.ts';
import type { SurveyedMailbox } from './source.ts';
import { type SyncContext, secondsNow } from './sync-context.ts';
import type { CatalogView } from './view.ts';

/** Sweeps after which rows that go on vanishing are held until the next sync. */
export const sweepsMax = 6;
/** Without mod-sequences, flags are read again when the last reading is older than this … */
export const flagsAgeMaxSeconds = 300;
/** … in so many mailboxes per sync: the inbox, and those read longest ago. */
const flagReadingsMax = 5;

/**
 * Finds out what changed in the mailboxes that are in, and commits it. An account without changes costs one survey and no write.
 *
 * A survey is no snapshot: a message on its way from one mailbox to another can be in neither answer. So what takes an Email
 * away (a row that vanished, a `\Deleted` flag, a mailbox that is gone) is believed only when a sweep begun after it was
 * reported shows no mailbox with new messages, or by its mod-sequence with flags, that were not read; until then it is held as it was.
 */
export async function bringUpToDate(
  context: SyncContext,
  start: CatalogView,
  firstSurvey: readonly SurveyedMailbox[],
): Promise<{ readonly view: CatalogView; readonly seen: Look }> {
  let view = start;
  let seen = await steadyLook(context, { scheme: view.scheme, view }, firstSurvey);

  let deltas = new Map<MailboxKey, MailboxDelta>();
  let due = movedMailboxes(seen, view, secondsNow(context));
  let isSettled = due.length === 0 && !losesMailboxes(seen);
  for (let sweep = 1; !isSettled && sweep <= sweepsMax; sweep += 1) {
    for (const entry of due) {
      const status = seen.mailboxes.get(entry.key)?.status ?? null;
      const read = await readListed(context, { view, entry }, status, deltas.get(entry.key));
      view = read.base.view;
      deltas.set(entry.key, read.delta);
    }
    const takes = losesMailboxes(seen) || [...deltas.values()].some(takesAway);
    // While mailboxes are missing every step is an epoch of its own: there are no changes that could be told wrongly.
    isSettled = view.provisional || !takes;
    if (isSettled) break;

    const survey = await context.source.survey();
    const next = await lookAt(context, { scheme: view.scheme, view }, survey);
    if (next.structure === seen.structure) {
      seen = next;
      due = mailboxesWithMoreToRead(seen, deltas);
      isSettled = due.length === 0;
    } else {
      seen = await steadyLook(context, { scheme: view.scheme, view }, survey);
      deltas = new Map();
      due = movedMailboxes(seen, view, secondsNow(context));
    }
  }
  const findings = findingsOf(context, await view.mailboxes(), seen, deltas, isSettled);
  return { view: await advance(context.catalog, view, findings), seen };
}

function losesMailboxes({ changed }: Look): boolean {
  return [...changed.values()].includes(null);
}

/** What is believed in the end. Unsettled, no mailbox is gone, and a new one that was not read yet is left for the next sync. */
function findingsOf(
  context: SyncContext,
  known: ReadonlyMap<MailboxKey, MailboxEntry>,
  { changed }: Look,
  deltas: ReadonlyMap<MailboxKey, MailboxDelta>,
  isSettled: boolean,
): Findings {
  const readAt = secondsNow(context);
  if (isSettled) return { mailboxes: changed, deltas, isSettled, readAt };
  // Rows under another UIDVALIDITY cannot be held beside the new ones: such a mailbox stays as it was.
  const believed = new Map([...deltas].filter(([, delta]) => !delta.renewed));
  const isRead = (entry: MailboxEntry) => !entry.selectable || entry.vector !== null || believed.has(entry.key);
  const idsHeld = new Set([...known].filter(([key]) => changed.get(key) === null).map(([, { id }]) => id));
  const mailboxes = new Map<MailboxKey, MailboxEntry>();
  for (const [key, entry] of changed) {
    if (entry !== null && isRead(entry) && !idsHeld.has(entry.id)) mailboxes.set(key, entry);
    else believed.delete(key);
  }
  return { mailboxes, deltas: believed, isSettled, readAt };
}

/** The mailboxes to be read: those whose vector is another one, and those whose flags have not been read for too long. */
function movedMailboxes({ mailboxes }: Look, { provisional }: CatalogView, now: number): MailboxEntry[] {
  const moved: MailboxEntry[] = [];
  const waiting: MailboxEntry[] = [];
  for (const { entry, status } of mailboxes.values()) {
    if (status === null) continue;
    if (entry.vector === null) {
      if (!provisional) moved.push(entry);
    } else if (!isSameVector(entry.vector, status)) moved.push(entry);
    else if (status.highestModseq === null && now - entry.flagsReadAt > flagsAgeMaxSeconds) waiting.push(entry);
  }
  waiting.sort((a, b) => Number(isInbox(b.name)) - Number(isInbox(a.name)) || a.flagsReadAt - b.flagsReadAt);
  return [...moved, ...waiting.slice(0, flagReadingsMax)];
}

/** Mailboxes in which a message may have come to light that vanished elsewhere: it is new there, or has lost its `\\Deleted` flag. */
function mailboxesWithMoreToRead({ mailboxes }: Look, deltas: ReadonlyMap<MailboxKey, MailboxDelta>): MailboxEntry[] {
  const unread: MailboxEntry[] = [];
  for (const { entry, status } of mailboxes.values()) {
    const read = deltas.get(entry.key)?.vector ?? entry.vector;
    if (status === null) continue;
    if (read === null || status.uidValidity !== read.uidValidity || status.uidNext > read.uidNext) unread.push(entry);
    else if (isAbove(status.highestModseq, read.highestModseq)) unread.push(entry);
  }
  return unread;
}

/** Whether one mod-sequence is later than the other; not, where one of them is not told. */
function isAbove(a: string | null, b: string | null): boolean {
  return a !== null && b !== null && BigInt(a) > BigInt(b);
}
