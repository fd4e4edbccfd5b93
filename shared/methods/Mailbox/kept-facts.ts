import type { KeptFacts, MailboxEntry } from '../../catalog/mailbox.ts';
import { mailboxPlaces, type Role } from '../../catalog/roles.ts';

/** The role and, unless it is to stay as it is, the order that a Mailbox is to have. */
export type WantedFacts = { readonly role: Role | null; readonly sortOrder?: number };

/**
 * What has to be kept of mailboxes so that they have these roles, whatever their names and attributes make of them; only of those of
 * which it is something else than before. `entries`: all mailboxes, under their names from now on.
 */
export function factsToKeep<K>(
  entries: ReadonlyMap<K, MailboxEntry>,
  wanted: ReadonlyMap<K, WantedFacts>,
): ReadonlyMap<K, KeptFacts | null> {
  const after = new Map(entries);
  for (const [key, { sortOrder }] of wanted) {
    const entry = after.get(key);
    if (entry !== undefined && sortOrder !== undefined) after.set(key, keeping(entry, { sortOrder }));
  }
  // What one mailbox is not by its name any more another one may be.
  for (let isSettled = false; !isSettled; ) {
    isSettled = true;
    const places = mailboxPlaces(after.values());
    for (const [key, { role }] of wanted) {
      const entry = after.get(key);
      if (entry === undefined || places.get(entry.key)?.role === role || entry.kept?.role === (role ?? 'none'))
        continue;
      after.set(key, keeping(entry, { role: role ?? 'none' }));
      isSettled = false;
    }
  }
  const facts = new Map<K, KeptFacts | null>();
  for (const [key, { kept }] of after) if (!isSameFacts(kept, entries.get(key)?.kept ?? null)) facts.set(key, kept);
  return facts;
}

function keeping(entry: MailboxEntry, facts: Partial<KeptFacts>): MailboxEntry {
  return { ...entry, kept: { sortOrder: null, role: null, ...entry.kept, ...facts } };
}

function isSameFacts(a: KeptFacts | null, b: KeptFacts | null): boolean {
  return (a?.sortOrder ?? null) === (b?.sortOrder ?? null) && (a?.role ?? null) === (b?.role ?? null);
}
