import type { Id } from '../jmap/scalars.ts';
import type { MailboxKey } from './email.ts';
import type { MailboxEntry, MailboxVector } from './mailbox.ts';
import {
  matchMailboxes,
  namesToIdentify,
  newEntry,
  renewedEntry,
  type ServerIds,
  surveyedMailboxes,
} from './mailbox-match.ts';
import type { MailSource, SurveyedMailbox } from './source.ts';
import type { CatalogView, IdentityScheme } from './view.ts';

/** What a survey says about the mailboxes of a catalog. */
export type Look = {
  /** Entries that are other ones now, rows aside; null = gone. */
  readonly changed: ReadonlyMap<MailboxKey, MailboxEntry | null>;
  /** Every mailbox there is, with its entry as of now and what STATUS said (null: nothing this time). */
  readonly mailboxes: ReadonlyMap<MailboxKey, { readonly entry: MailboxEntry; readonly status: MailboxVector | null }>;
  /** Equal in two looks at one view that find the same mailboxes under the same names. */
  readonly structure: string;
};

/** A catalog before its first version has no mailboxes and no view. */
type Known = { readonly scheme: IdentityScheme; readonly view: CatalogView | null };

/** Finds the mailboxes of the catalog in a survey. Asks for MAILBOXIDs where ids come from the server and a mailbox is not plainly known. */
export async function lookAt(
  { scheme, view }: Known,
  survey: readonly SurveyedMailbox[],
  source: MailSource,
  { unreadable, readAt }: { readonly unreadable: ReadonlySet<string>; readonly readAt: number },
): Promise<Look> {
  const entries = view === null ? [] : [...(await view.mailboxes()).values()];
  const found = surveyedMailboxes(survey, entries, unreadable);
  const serverIds = scheme === 'objectid' ? await serverIdsOf(namesToIdentify(entries, found), source) : new Map();
  const { kept, appeared, vanished } = matchMailboxes(entries, found, serverIds);

  const changed = new Map<MailboxKey, MailboxEntry | null>();
  const mailboxes = new Map<MailboxKey, { entry: MailboxEntry; status: MailboxVector | null }>();
  for (const before of entries) {
    const surveyed = kept.get(before.key);
    if (surveyed === undefined) continue;
    const entry = renewedEntry(before, surveyed, serverIds);
    if (entry !== before) changed.set(before.key, entry);
    mailboxes.set(before.key, { entry, status: surveyed.vector });
  }
  for (const key of vanished) changed.set(key, null);

  const taken = new Set<Id>(entries.map(({ id }) => id));
  let key = lastKey(view, entries);
  for (const surveyed of appeared) {
    key += 1;
    const entry = newEntry(surveyed, key, serverIds, { survey: found, taken }, readAt);
    taken.add(entry.id);
    changed.set(key, entry);
    mailboxes.set(key, { entry, status: surveyed.vector });
  }

  const names = [...mailboxes.values()].map(({ entry, status }) => [
    entry.key,
    entry.name,
    status?.uidValidity ?? null,
  ]);
  return { changed, mailboxes, structure: JSON.stringify([names, vanished]) };
}

async function serverIdsOf(names: readonly string[], source: MailSource): Promise<ServerIds> {
  return names.length === 0 ? new Map() : ((await source.mailboxIds(names)) ?? new Map());
}

/**
 * No key up to this one may be given to a new mailbox. Each mailbox that ever came raised the version of its type, so a key
 * above it was never used in this epoch.
 */
function lastKey(view: CatalogView | null, entries: readonly MailboxEntry[]): MailboxKey {
  return entries.reduce((last, { key }) => Math.max(last, key), view?.versions.Mailbox ?? 0);
}
