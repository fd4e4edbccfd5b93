import type { MailboxKey } from '../../catalog/email.ts';
import type { KeptFacts, MailboxEntry } from '../../catalog/mailbox.ts';
import type { Id } from '../../jmap/scalars.ts';
import { unseenEntry } from './creation.ts';
import { factsToKeep, type WantedFacts } from './kept-facts.ts';
import { newOnes, subtreeOf, type Tree } from './tree.ts';

/** What has to be kept of mailboxes, where it is something else than before. */
export type Facts = {
  /** Of such as there were, by id. */
  readonly known: ReadonlyMap<Id, KeptFacts | null>;
  /** Of all new ones, by full name. */
  readonly created: ReadonlyMap<string, KeptFacts | null>;
};

/**
 * The facts after a call: roles as they were wanted; what is below a Mailbox that moved keeps those that it had. `wanted`: of the
 * Mailboxes that were changed or made as they were to be.
 */
export function factsAfter(start: Tree, now: Tree, wanted: ReadonlyMap<Id, WantedFacts>): Facts {
  const entries = new Map<MailboxKey, MailboxEntry>();
  const keys = new Map<Id, MailboxKey>();
  const add = (entry: MailboxEntry) => {
    entries.set(entry.key, entry);
    keys.set(entry.id, entry.key);
  };
  // Without what a server may say of the name alone. QUIRK(dovecot): special uses are those of names in its configuration, and a
  // mailbox that was renamed is made there anew.
  for (const { entry, fullName } of now.branches.values()) {
    if (entry !== null) add(entry.name === fullName ? entry : { ...entry, name: fullName, attributes: [] });
  }
  const created = newOnes(now);
  for (const [index, branch] of created.entries()) add(unseenEntry(branch, -1 - index, now));

  const byKey = new Map<MailboxKey, WantedFacts>();
  const want = (id: Id, facts: WantedFacts) => {
    const key = keys.get(id);
    if (key !== undefined) byKey.set(key, facts);
  };
  for (const id of wanted.keys()) {
    const branch = start.branches.get(id);
    for (const below of branch === undefined ? [] : subtreeOf(start, branch)) want(below.id, { role: below.role });
  }
  for (const [id, facts] of wanted) want(id, facts);
  const facts = factsToKeep(entries, byKey);
  return {
    known: new Map([...facts].flatMap(([key, kept]) => (key < 0 ? [] : [[entries.get(key)?.id as Id, kept] as const]))),
    created: new Map(created.map(({ id, fullName }) => [fullName, facts.get(keys.get(id) ?? 0) ?? null])),
  };
}
