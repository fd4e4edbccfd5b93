import type { LearnedFacts } from './account.ts';
import type { MailboxKey } from './email.ts';
import type { MailSource } from './source.ts';
import type { Surroundings } from './store.ts';
import type { CatalogView } from './view.ts';

/** How old MYRIGHTS letters may be. Asking costs one command per mailbox, so an answer may be stale for this long. */
export const rightsAgeSeconds = 3600;

/** What an owner may do (RFC 4314 §2.1): the letters of every mailbox on a server without ACL. */
export const ownerLetters = 'lrswipkxte';

/** MYRIGHTS letters of every mailbox. */
export type CanTellRights = (view: CatalogView) => Promise<ReadonlyMap<MailboxKey, string>>;

/** Rights out of the catalog; those older than `rightsAgeSeconds` are asked for, and remembered. */
export function rightsReader(options: {
  readonly source: () => Promise<Pick<MailSource, 'rights'>>;
  readonly remember: (facts: LearnedFacts) => Promise<void>;
  readonly surroundings: Pick<Surroundings, 'now'>;
}): CanTellRights {
  return async (view) => {
    const known = new Map<MailboxKey, string>();
    const stale = new Map<string, MailboxKey>();
    const oldest = options.surroundings.now() / 1000 - rightsAgeSeconds;
    for (const { key, name, selectable, rights } of (await view.mailboxes()).values()) {
      // A node is nothing that could have rights of its own; servers do not tell any, or the owner's.
      if (!selectable) known.set(key, ownerLetters);
      else if (rights !== null && rights.readAt >= oldest) known.set(key, rights.letters);
      else stale.set(name, key);
    }
    if (stale.size === 0) return known;

    const source = await options.source();
    const told = await source.rights([...stale.keys()]);
    const learned = new Map<MailboxKey, string>();
    for (const [name, key] of stale) {
      const letters = told === null ? ownerLetters : told.get(name);
      if (letters !== undefined) learned.set(key, letters);
    }
    if (learned.size > 0) await options.remember({ rights: learned });
    return new Map([...known, ...learned]);
  };
}
