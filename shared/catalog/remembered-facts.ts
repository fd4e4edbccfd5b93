import type { Id } from '../jmap/scalars.ts';
import type { MailboxKey } from './email.ts';
import type { MailboxEntry } from './mailbox.ts';
import type { CatalogEdit, CatalogView, EmailEdit } from './view.ts';

/** Facts learned on the way to an answer. */
export type LearnedFacts = {
  readonly hasAttachment?: ReadonlyMap<Id, boolean>;
  /** MYRIGHTS letters. */
  readonly rights?: ReadonlyMap<MailboxKey, string>;
};

/** The edit that keeps the facts, without any log entry; null when they are known. `readAt`: seconds since the epoch. */
export async function rememberedFacts(
  view: CatalogView,
  { hasAttachment = new Map(), rights = new Map() }: LearnedFacts,
  readAt: number,
): Promise<CatalogEdit | null> {
  const emails = new Map<Id, EmailEdit>();
  const known = hasAttachment.size === 0 ? new Map() : await view.emails(hasAttachment.keys());
  for (const [id, before] of known) {
    const fact = hasAttachment.get(id) ?? null;
    if (before.hasAttachment !== fact) emails.set(id, { before, after: { ...before, hasAttachment: fact } });
  }

  const mailboxes = new Map<MailboxKey, MailboxEntry>();
  const entries = rights.size === 0 ? new Map() : await view.mailboxes();
  for (const [key, letters] of rights) {
    const entry = entries.get(key);
    if (entry !== undefined) mailboxes.set(key, { ...entry, rights: { letters, readAt } });
  }

  if (emails.size === 0 && mailboxes.size === 0) return null;
  return { mailboxes, emails, threads: new Map(), messageIds: new Map(), log: [], newEpoch: false };
}
