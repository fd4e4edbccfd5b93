import type { Id } from '../jmap/scalars.ts';
import type { Email } from './email.ts';
import type { CatalogView } from './view.ts';

/** Emails of one view, each read once. */
export type EmailReader = {
  /** Makes `get` answer for these ids. */
  readonly load: (ids: Iterable<Id>) => Promise<void>;
  /** null where the catalog has no such Email. */
  readonly get: (id: Id) => Email | null;
};

export function emailReader(view: Pick<CatalogView, 'emails'>): EmailReader {
  const read = new Map<Id, Email | null>();
  return {
    load: async (ids) => {
      const missing = new Set<Id>();
      for (const id of ids) if (!read.has(id)) missing.add(id);
      if (missing.size === 0) return;
      const found = await view.emails(missing);
      for (const id of missing) read.set(id, found.get(id) ?? null);
    },
    get: (id) => {
      const email = read.get(id);
      if (email === undefined) throw new Error(`Could not tell about Email "${id}": it was not loaded`);
      return email;
    },
  };
}
