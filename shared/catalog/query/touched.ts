import type { Id } from '../../jmap/scalars.ts';
import type { MailboxKey } from '../email.ts';
import type { CatalogView } from '../view.ts';

/** An Email that something happened to: the mailboxes it was in before all of it and is in after. Empty: it did not exist. */
export type Touched = {
  readonly threadId: Id;
  readonly before: readonly MailboxKey[];
  readonly after: readonly MailboxKey[];
};

/** Every Email that was touched since that version, without those that came and went meanwhile. */
export async function touchedSince(view: CatalogView, version: number): Promise<Map<Id, Touched>> {
  const touched = new Map<Id, Touched>();
  for await (const entries of view.log('Email', version)) {
    for (const entry of entries) {
      if (entry.type !== 'Email') continue;
      const { id, threadId, after } = entry;
      touched.set(id, { threadId, before: touched.get(id)?.before ?? entry.before, after });
    }
  }
  for (const [id, { before, after }] of touched) if (before.length === 0 && after.length === 0) touched.delete(id);
  return touched;
}
