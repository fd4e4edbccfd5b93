import { editedView } from './edited-view.ts';
import type { MailboxKey } from './email.ts';
import { lastKey, lookAt } from './look.ts';
import type { KeptFacts, MailboxEntry, MailboxVector } from './mailbox.ts';
import { ownerLetters } from './rights.ts';
import { type SyncContext, secondsNow } from './sync-context.ts';
import type { CatalogEdit, CatalogView } from './view.ts';

/** What a call did to the mailboxes themselves, or tried to: only what the mail server shows is believed. Names are full ones. */
export type OwnStructure = {
  /** What is kept of each mailbox that was created. */
  readonly created: ReadonlyMap<string, KeptFacts | null>;
  /** The new names: of mailboxes that were renamed, and of all that lie below them. */
  readonly renamed: ReadonlyMap<MailboxKey, string>;
  /** Mailboxes that were subscribed to, or not any more. */
  readonly subscribed: ReadonlySet<MailboxKey>;
  /** With the UIDVALIDITY that each had; null: the mail server did not say that it is gone. */
  readonly destroyed: ReadonlyMap<MailboxKey, number | null>;
  /** What is kept of mailboxes from now on. */
  readonly kept: ReadonlyMap<MailboxKey, KeptFacts | null>;
};

type MailboxEdits = ReadonlyMap<MailboxKey, MailboxEntry | null>;

/**
 * What such changes make of the mailboxes of a view, by one survey that began after them; by none, where it is only about what we
 * keep ourselves. New mailboxes get their rights too. Whatever else the survey shows is left to the next sync.
 */
export async function ownMailboxes(
  context: SyncContext,
  view: CatalogView,
  own: OwnStructure | undefined,
): Promise<MailboxEdits> {
  const known = await view.mailboxes();
  const edits = new Map<MailboxKey, MailboxEntry | null>();
  for (const [key, kept] of own?.kept ?? []) {
    const entry = known.get(key);
    if (entry !== undefined) edits.set(key, { ...entry, kept });
  }
  if (own === undefined || !isSeenByOthers(own)) return edits;

  const renamed = [...own.renamed].flatMap(([key, name]) => {
    const entry = known.get(key);
    return entry === undefined ? [] : [[key, { ...entry, name }] as const];
  });
  // Whoever has the name now of one that was destroyed is not that one, whatever the mail server shows of it.
  const taken = new Set([...own.created.keys(), ...own.renamed.values()]);
  const replaced = [...own.destroyed.keys()].filter(
    (key) => !own.renamed.has(key) && taken.has(known.get(key)?.name ?? ''),
  );
  const gone = replaced.map((key) => [key, null] as const);
  const expected = editedView(view, { ...noEdit, mailboxes: new Map([...renamed, ...gone]) });
  const { mailboxes } = await lookAt(context, { scheme: view.scheme, view: expected }, await context.source.survey());

  for (const key of new Set([...own.renamed.keys(), ...own.subscribed])) {
    const entry = known.get(key);
    const now = mailboxes.get(key)?.entry;
    if (entry === undefined || now === undefined) continue;
    const { kept } = edits.get(key) ?? entry;
    // Servers may give attributes to names: those that it had stay with the name.
    const { name, attributes } = own.renamed.has(key) ? now : entry;
    edits.set(key, { ...entry, name, attributes, subscribed: now.subscribed, kept });
  }
  for (const [key, uidValidity] of own.destroyed) {
    const found = mailboxes.get(key);
    if (known.has(key) && (found === undefined || isSuccessor(found.status, uidValidity))) edits.set(key, null);
  }
  const created = [...mailboxes.values()].flatMap(({ entry }) => (own.created.has(entry.name) ? [entry] : []));
  const rights = await rightsOf(context, created);
  // Keys are given without gaps: those of mailboxes that others created are given again when these are found.
  let lastOne = lastKey(view, [...known.values()]);
  for (const entry of created) {
    const before = known.get(entry.key);
    if (before === undefined) lastOne += 1;
    const kept = keptBeside(entry, own.created.get(entry.name) ?? null);
    const key = before?.key ?? lastOne;
    edits.set(key, { ...(before ?? entry), key, kept, rights: rights.get(entry.name) ?? null });
  }
  return edits;
}

/**
 * Whether a mailbox has taken the place of one that was destroyed. QUIRK(dovecot): one that its configuration wants to be there
 * (`auto = subscribe`) is made anew at once.
 */
function isSuccessor(now: MailboxVector | null, uidValidity: number | null): boolean {
  return uidValidity !== null && now !== null && now.uidValidity !== uidValidity;
}

/** Without a role that the server itself tells (RFC 6154). */
function keptBeside({ attributes }: MailboxEntry, kept: KeptFacts | null): KeptFacts | null {
  if (kept === null || !attributes.includes(`\\${kept.role}`)) return kept;
  return kept.sortOrder === null ? null : { ...kept, role: null };
}

/** Their rights, by name; absent where the server does not tell. */
async function rightsOf(
  context: SyncContext,
  entries: readonly MailboxEntry[],
): Promise<ReadonlyMap<string, NonNullable<MailboxEntry['rights']>>> {
  const names = entries.filter(({ selectable }) => selectable).map(({ name }) => name);
  const told = names.length === 0 ? null : await context.source.rights(names);
  const readAt = secondsNow(context);
  const letters = told ?? new Map(names.map((name) => [name, ownerLetters]));
  return new Map([...letters].map(([name, some]) => [name, { letters: some, readAt }]));
}

function isSeenByOthers({ created, renamed, subscribed, destroyed }: OwnStructure): boolean {
  return created.size + renamed.size + subscribed.size + destroyed.size > 0;
}

const noEdit: CatalogEdit = {
  mailboxes: new Map(),
  emails: new Map(),
  threads: new Map(),
  messageIds: new Map(),
  log: [],
  newEpoch: false,
};
