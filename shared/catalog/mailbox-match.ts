import type { Id } from '../jmap/scalars.ts';
import { noCounts } from './counts.ts';
import { isSameVector, noneRead, vectorOf } from './delta.ts';
import type { MailboxKey } from './email.ts';
import { idOfServer, inboxId, mailboxIdOfName, mailboxIdOfValidity, mailboxIdOfValidityAndName } from './ids.ts';
import type { MailboxEntry } from './mailbox.ts';
import { isInbox, isVirtual } from './roles.ts';
import type { SurveyedMailbox } from './source.ts';

/** Which surveyed mailbox is which known one. */
export type Match = {
  readonly kept: ReadonlyMap<MailboxKey, SurveyedMailbox>;
  readonly appeared: readonly SurveyedMailbox[];
  readonly vanished: readonly MailboxKey[];
};

/** MAILBOXIDs (RFC 8474) by name, as far as they were asked for. */
export type ServerIds = ReadonlyMap<string, string>;

/** LIST attributes that say what a mailbox is; the others change with its content or its neighbours. */
const lastingAttributes: ReadonlySet<string> = new Set([
  '\\noinferiors',
  '\\nonexistent',
  '\\noselect',
  '\\archive',
  '\\drafts',
  '\\inbox',
  '\\junk',
  '\\memos',
  '\\scheduled',
  '\\sent',
  '\\snoozed',
  '\\trash',
]);

/**
 * The mailboxes of a survey as the catalog keeps them: without virtual ones, each once, with lasting attributes only. One whose
 * STATUS is refused is a mere node, unless it is known to be more; so is one that could not be opened. One that the server does not see is a
 * node, too, but stays as it was once it was read.
 */
export function surveyedMailboxes(
  survey: readonly SurveyedMailbox[],
  entries: Iterable<MailboxEntry>,
  { isUnreadable, isUnseen }: Record<'isUnreadable' | 'isUnseen', (name: string) => boolean> = allAreRead,
): readonly SurveyedMailbox[] {
  const readable = new Set<string>();
  for (const { name, selectable, vector } of entries) {
    if (selectable && (vector !== null || !isUnseen(name))) readable.add(name);
  }
  const byName = new Map<string, SurveyedMailbox>();
  for (const surveyed of survey) {
    if (isVirtual(surveyed.attributes)) continue;
    const name = isInbox(surveyed.name) ? 'INBOX' : surveyed.name;
    const vector = isUnseen(name) ? null : surveyed.vector;
    const canBeRead = vector !== null || readable.has(name);
    const selectable = surveyed.selectable && canBeRead && !isUnreadable(name);
    byName.set(name, {
      ...surveyed,
      name,
      selectable,
      vector: selectable ? vector : null,
      attributes: lastingOf(surveyed.attributes),
    });
  }
  return [...byName.values()];
}

const allAreRead = { isUnreadable: () => false, isUnseen: () => false };

/** Most mailboxes have none. */
function lastingOf(attributes: readonly string[]): readonly string[] {
  if (attributes.length === 0) return attributes;
  const lasting = attributes.map((text) => text.toLowerCase()).filter((text) => lastingAttributes.has(text));
  return [...new Set(lasting)].sort();
}

/**
 * Names whose MAILBOXID decides who they are: unknown ones, those that changed their UIDVALIDITY, those that others of the same
 * UIDVALIDITY may go by now, and those that two are known by, one of which is gone and was not believed to be yet. QUIRK(cyrus): mailboxes that are made in one second have the same, as all that come with an account.
 */
export function namesToIdentify(entries: Iterable<MailboxEntry>, survey: readonly SurveyedMailbox[]): string[] {
  const known = new Map<string, MailboxEntry>();
  const shared = new Set<string>();
  for (const entry of entries) {
    if (known.has(entry.name)) shared.add(entry.name);
    known.set(entry.name, entry);
  }
  const names = new Map(survey.map((surveyed) => [surveyed.name, surveyed]));
  const vanished = [...known.values()].filter(({ name }) => !names.has(name));
  const moved = [...known.values()].filter((entry) => hasMoved(entry, names.get(entry.name)));
  const namesMoved = new Set(moved.map(({ name }) => name));
  const mayBeAnother = (surveyed: SurveyedMailbox): boolean => {
    const others = namesMoved.has(surveyed.name) ? [...vanished, ...moved] : vanished;
    return others.some(
      (other) =>
        other.name !== surveyed.name &&
        !isInbox(other.name) &&
        validityOf(other) === validityIn(surveyed) &&
        isRenameOf(other, surveyed),
    );
  };
  return survey
    .filter((surveyed) => surveyed.selectable && surveyed.vector !== null)
    .filter((surveyed) => {
      const isKnown = isUnchanged(known.get(surveyed.name), surveyed) && !shared.has(surveyed.name);
      return !isKnown || mayBeAnother(surveyed);
    })
    .map(({ name }) => name);
}

/**
 * Finds every known mailbox again. Where the server gives MAILBOXIDs its word holds. Else, in this order: the same name and
 * UIDVALIDITY; another name with a UIDVALIDITY that no other mailbox has or had, which is a rename; the same name with another
 * UIDVALIDITY, which is the same mailbox with new UIDs.
 */
export function matchMailboxes(
  entries: readonly MailboxEntry[],
  survey: readonly SurveyedMailbox[],
  serverIds: ServerIds,
): Match {
  const kept = new Map<MailboxKey, SurveyedMailbox>();
  const known = new Set(entries);
  const unknown = new Set(survey);
  /** Pairs what is left on both sides by a property, where no two on either side have the same. */
  const pair = <K>(ofEntry: (entry: MailboxEntry) => K | null, ofSurveyed: (surveyed: SurveyedMailbox) => K | null) => {
    const mailboxes = uniquely(unknown, ofSurveyed);
    for (const [property, entry] of uniquely(known, ofEntry)) {
      const surveyed = mailboxes.get(property);
      if (surveyed === undefined) continue;
      kept.set(entry.key, surveyed);
      known.delete(entry);
      unknown.delete(surveyed);
    }
  };

  const namesakes = new Map(survey.map((surveyed) => [surveyed.name, surveyed]));
  const isUnchangedEntry = (entry: MailboxEntry) => {
    const surveyed = namesakes.get(entry.name);
    if (surveyed === undefined || !isUnchanged(entry, surveyed)) return false;
    return entry.serverId === null || (serverIds.get(entry.name) ?? entry.serverId) === entry.serverId;
  };
  pair(
    (entry) => (isUnchangedEntry(entry) ? entry.name : null),
    ({ name }) => name,
  );
  if (known.size === 0 && unknown.size === 0) return { kept, appeared: [], vanished: [] };
  pair(
    ({ serverId }) => serverId,
    ({ name }) => serverIds.get(name) ?? null,
  );
  // A MAILBOXID that was not found again is another mailbox, whatever its name and UIDVALIDITY.
  const isOpenEntry = ({ serverId }: MailboxEntry) => serverId === null || serverIds.size === 0;
  const isOpen = ({ name }: SurveyedMailbox) => !serverIds.has(name);
  const validities = { known: uniquely(entries, validityOf), surveyed: uniquely(survey, validityIn) };
  pair(
    (entry) => {
      const validity = validityOf(entry);
      return validity !== null && !isInbox(entry.name) && isOpenEntry(entry) && validities.known.has(validity)
        ? validity
        : null;
    },
    (surveyed) => {
      const validity = validityIn(surveyed);
      const entry = validity === null ? undefined : validities.known.get(validity);
      return entry !== undefined &&
        isOpen(surveyed) &&
        isRenameOf(entry, surveyed) &&
        validities.surveyed.has(validity ?? 0)
        ? validity
        : null;
    },
  );
  pair(
    (entry) => (isOpenEntry(entry) ? `${entry.selectable} ${entry.name}` : null),
    (surveyed) => (isOpen(surveyed) ? `${surveyed.selectable} ${surveyed.name}` : null),
  );
  return { kept, appeared: [...unknown], vanished: [...known].map(({ key }) => key) };
}

/** The elements by a property that no two of them share; those without it (null) are left out. */
function uniquely<T, K>(elements: Iterable<T>, propertyOf: (element: T) => K | null): ReadonlyMap<K, T> {
  const unique = new Map<K, T>();
  const shared = new Set<K>();
  for (const element of elements) {
    const property = propertyOf(element);
    if (property === null) continue;
    if (unique.has(property)) shared.add(property);
    unique.set(property, element);
  }
  for (const property of shared) unique.delete(property);
  return unique;
}

/** The same name, and nothing that speaks against its being the same mailbox. */
function isUnchanged(entry: MailboxEntry | undefined, surveyed: SurveyedMailbox): boolean {
  if (entry === undefined || entry.selectable !== surveyed.selectable) return false;
  const validity = validityOf(entry);
  return surveyed.vector === null || validity === null || surveyed.vector.uidValidity === validity;
}

/** What STATUS says under its name is not what it said before. */
function hasMoved(entry: MailboxEntry, surveyed: SurveyedMailbox | undefined): boolean {
  const [before, now] = [vectorOf(entry), surveyed?.vector ?? null];
  return before !== null && now !== null && !isSameVector(before, now);
}

/** RENAME keeps UIDNEXT (measured). INBOX cannot be the new name of another mailbox (RFC 3501 §6.3.5). */
function isRenameOf(entry: MailboxEntry, { name, vector }: SurveyedMailbox): boolean {
  return vector !== null && !isInbox(name) && (vectorOf(entry)?.uidNext ?? 0) <= vector.uidNext;
}

function validityOf(entry: MailboxEntry): number | null {
  return vectorOf(entry)?.uidValidity ?? null;
}

function validityIn({ vector }: SurveyedMailbox): number | null {
  return vector?.uidValidity ?? null;
}

/**
 * The entry of a mailbox seen for the first time; it has no rows yet. An empty one needs no reading, unless it may be another
 * one under its former name.
 */
export function newEntry(
  surveyed: SurveyedMailbox,
  key: MailboxKey,
  serverIds: ServerIds,
  others: { readonly survey: readonly SurveyedMailbox[]; readonly taken: ReadonlySet<Id> },
  readAt: number,
): MailboxEntry {
  const serverId = serverIds.get(surveyed.name) ?? null;
  const givenId = serverId === null ? null : idOfServer(serverId);
  const isEmpty = surveyed.vector?.messages === 0 && hasOwnValidity(surveyed, others.survey);
  return {
    key,
    id: givenId === null || others.taken.has(givenId) ? derivedId(surveyed, others) : givenId,
    name: surveyed.name,
    delimiter: surveyed.delimiter,
    selectable: surveyed.selectable,
    attributes: surveyed.attributes,
    subscribed: surveyed.subscribed,
    serverId,
    vector: isEmpty ? surveyed.vector : null,
    progress: isEmpty ? null : noneRead(surveyed.vector),
    counts: noCounts,
    rights: null,
    flagsReadAt: isEmpty ? readAt : 0,
    kept: null,
  };
}

/** The entry under what the survey says of it now; the same object when that is nothing new. */
export function renewedEntry(entry: MailboxEntry, surveyed: SurveyedMailbox, serverIds: ServerIds): MailboxEntry {
  const { name, delimiter, attributes, subscribed } = surveyed;
  const serverId = serverIds.get(name) ?? entry.serverId;
  const isSame =
    entry.name === name &&
    entry.delimiter === delimiter &&
    entry.subscribed === subscribed &&
    entry.serverId === serverId &&
    entry.attributes.join(' ') === attributes.join(' ');
  return isSame ? entry : { ...entry, name, delimiter, attributes, subscribed, serverId };
}

/** Whether no other mailbox of the survey has its UIDVALIDITY. */
function hasOwnValidity(surveyed: SurveyedMailbox, survey: readonly SurveyedMailbox[]): boolean {
  const validity = validityIn(surveyed);
  return !survey.some((other) => other.name !== surveyed.name && validityIn(other) === validity);
}

/** INBOX is a constant; else by UIDVALIDITY, with the name where that is not enough to tell it from the others. */
function derivedId(
  surveyed: SurveyedMailbox,
  { survey, taken }: { readonly survey: readonly SurveyedMailbox[]; readonly taken: ReadonlySet<Id> },
): Id {
  const { name, vector } = surveyed;
  if (isInbox(name)) return inboxId;
  if (vector !== null && hasOwnValidity(surveyed, survey)) {
    const byValidity = mailboxIdOfValidity(vector.uidValidity);
    if (!taken.has(byValidity)) return byValidity;
  }
  const idOf = (text: string) =>
    vector === null ? mailboxIdOfName(text) : mailboxIdOfValidityAndName(vector.uidValidity, text);
  let id = idOf(name);
  // A mailbox of that name at first sight may live on under another name.
  while (taken.has(id)) id = idOf(`${name} ${id}`);
  return id;
}
