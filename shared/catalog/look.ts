import type { Id } from '../jmap/scalars.ts';
import { vectorOf } from './delta.ts';
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
import { MailboxGone, type SurveyedMailbox } from './source.ts';
import { isRefused, noteRefusal, type SyncContext, secondsNow } from './sync-context.ts';
import type { CatalogView, IdentityScheme } from './view.ts';

/** What a survey says about the mailboxes of a catalog. */
export type Look = {
  /** Entries that are other ones now, rows aside; null = gone. */
  readonly changed: ReadonlyMap<MailboxKey, MailboxEntry | null>;
  /** Every mailbox there is, with its entry as of now and what STATUS said (null: nothing this time). */
  readonly mailboxes: ReadonlyMap<MailboxKey, { readonly entry: MailboxEntry; readonly status: MailboxVector | null }>;
  /** Whether each mailbox is what it was, and under the name and UIDVALIDITY it had. */
  readonly isFamiliar: boolean;
  /** Equal in two looks at one view that find the same mailboxes under the same names. */
  readonly structure: string;
};

/** Surveys after which mailboxes that are renamed again and again are taken as the last one shows them. */
const surveysMax = 5;

/** A catalog before its first version has no mailboxes and no view. */
type Known = { readonly scheme: IdentityScheme; readonly view: CatalogView | null };

/**
 * Finds the mailboxes of the catalog in a survey. Asks for MAILBOXIDs where ids come from the server and a mailbox is not plainly
 * known; throws `MailboxGone` when one has none, which may be because it is called otherwise by now.
 */
export async function lookAt(
  context: SyncContext,
  { scheme, view }: Known,
  survey: readonly SurveyedMailbox[],
): Promise<Look> {
  const entries = view === null ? [] : [...(await view.mailboxes()).values()];
  const found = surveyedMailboxes(survey, entries, {
    isUnreadable: (name) => isRefused(context, 'open', name),
    isUnseen: (name) => isRefused(context, 'see', name),
  });
  const serverIds = scheme === 'objectid' ? await identified(context, entries, found) : new Map<string, string>();
  const { kept, appeared, vanished } = matchMailboxes(entries, found, serverIds);

  const changed = new Map<MailboxKey, MailboxEntry | null>();
  const mailboxes = new Map<MailboxKey, { entry: MailboxEntry; status: MailboxVector | null }>();
  for (const before of entries) {
    const surveyed = kept.get(before.key);
    if (surveyed === undefined) continue;
    const entry = renewedEntry(before, surveyed, serverIds);
    if (entry !== before) changed.set(before.key, entry);
    mailboxes.set(before.key, { entry, status: believed(surveyed.vector, entry) });
  }
  for (const key of vanished) changed.set(key, null);

  const taken = new Set<Id>(entries.filter(({ key }) => kept.has(key)).map(({ id }) => id));
  let key = lastKey(view, entries);
  const keptFacts = appeared.length === 0 ? undefined : await context.kept?.();
  for (const surveyed of appeared) {
    key += 1;
    const fresh = newEntry(surveyed, key, serverIds, { survey: found, taken }, secondsNow(context));
    const entry = { ...fresh, kept: keptFacts?.get(fresh.id) ?? null };
    taken.add(entry.id);
    changed.set(key, entry);
    mailboxes.set(key, { entry, status: surveyed.vector });
  }

  const names = [...mailboxes.values()].map(({ entry, status }) => [
    entry.key,
    entry.name,
    status?.uidValidity ?? null,
  ]);
  const isFamiliar = changed.size === 0 && [...mailboxes.values()].every(hasSameValidity);
  return { changed, mailboxes, isFamiliar, structure: JSON.stringify([names, vanished]) };
}

/**
 * What STATUS said, without the mod-sequence of a mailbox that has none that last. QUIRK(dovecot 2.3): of one that it opens with NOMODSEQ
 * STATUS tells one nevertheless, and a CHANGEDSINCE is BAD.
 */
function believed(status: MailboxVector | null, { vector }: MailboxEntry): MailboxVector | null {
  return status !== null && vector?.highestModseq === null ? { ...status, highestModseq: null } : status;
}

/**
 * A look whose mailboxes two surveys in a row agree on, unless the first one finds them as they were. A survey may be older than
 * the view, and one during which a mailbox is renamed shows it twice or not at all, also under the name of another one.
 */
export async function steadyLook(context: SyncContext, known: Known, first: readonly SurveyedMailbox[]): Promise<Look> {
  let seen = await lookAt(context, known, first);
  for (let surveys = 1; !seen.isFamiliar && surveys < surveysMax; surveys += 1) {
    const { structure } = seen;
    seen = await lookAt(context, known, await context.source.survey());
    if (seen.structure === structure) break;
  }
  return seen;
}

function hasSameValidity({ entry, status }: { readonly entry: MailboxEntry; readonly status: MailboxVector | null }) {
  const known = vectorOf(entry);
  return known === null || status === null || known.uidValidity === status.uidValidity;
}

/** The MAILBOXIDs that decide, also of each mailbox under whose name another one is known that turns out to be called otherwise. */
async function identified(
  context: SyncContext,
  entries: readonly MailboxEntry[],
  found: readonly SurveyedMailbox[],
): Promise<ServerIds> {
  const ids = new Map<string, string>();
  const waiting = new Set(found.map(({ name }) => name));
  for (let next = namesToIdentify(entries, found); next.length > 0; ) {
    for (const name of next) waiting.delete(name);
    for (const [name, id] of await serverIdsOf(context, next)) ids.set(name, id);
    const nameOf = new Map([...ids].map(([name, id]) => [id, name]));
    const isElsewhere = ({ name, serverId }: MailboxEntry) =>
      serverId !== null && (nameOf.get(serverId) ?? name) !== name;
    next = entries.filter(isElsewhere).flatMap(({ name }) => (waiting.has(name) ? [name] : []));
  }
  return ids;
}

async function serverIdsOf(context: SyncContext, names: readonly string[]): Promise<ServerIds> {
  const ids = names.length === 0 ? null : await context.source.mailboxIds(names);
  if (ids === null) return new Map();
  const unknown = names.filter((name) => !ids.has(name) && !isRefused(context, 'identify', name));
  for (const name of unknown) noteRefusal(context, 'identify', name);
  if (unknown.length > 0) throw new MailboxGone(`Could not learn the MAILBOXID of "${unknown.join('", "')}"`);
  return ids;
}

/**
 * No key up to this one may be given to a new mailbox. In an epoch each mailbox that comes, and each that goes, raises the version
 * of its type, so a key above that was not used before.
 */
export function lastKey(view: CatalogView | null, entries: readonly MailboxEntry[]): MailboxKey {
  return entries.reduce((last, { key }) => Math.max(last, key), view?.versions.Mailbox ?? 0);
}
