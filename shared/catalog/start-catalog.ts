import { noCounts } from './counts.ts';
import { noneRead, vectorOf } from './delta.ts';
import type { MailboxKey } from './email.ts';
import { steadyLook } from './look.ts';
import type { MailboxEntry } from './mailbox.ts';
import type { SurveyedMailbox } from './source.ts';
import type { SyncContext } from './sync-context.ts';
import { BlockLost, type CatalogEdit, type CatalogView, type CommitOutcome } from './view.ts';

/** The first version of a catalog: every mailbox by name, none of them indexed. Its identity scheme is chosen here, once. */
export async function startCatalog(context: SyncContext, survey: readonly SurveyedMailbox[]): Promise<CommitOutcome> {
  const { catalog, source } = context;
  const facts = await source.scheme();
  const { changed } = await steadyLook(context, { scheme: facts.scheme, view: null }, survey);
  return catalog.create(facts, mailboxesOnly(changed), null);
}

/**
 * Begins again after a block was lost: under a new epoch, since nobody can tell any more what changed. Ids stay, as they follow
 * from what the server holds; those of mailboxes are kept where they can still be read.
 */
export async function startAnew({ catalog }: SyncContext, lost: CatalogView): Promise<CommitOutcome> {
  const mailboxes = new Map<MailboxKey, MailboxEntry>();
  for (const entry of (await readableMailboxes(lost)).values()) {
    const key = mailboxes.size + 1; // as if seen for the first time: see lastKey
    const progress = noneRead(vectorOf(entry));
    mailboxes.set(key, { ...entry, key, vector: null, progress, counts: noCounts, flagsReadAt: 0 });
  }
  return catalog.create({ scheme: lost.scheme, threads: lost.threads }, mailboxesOnly(mailboxes), lost);
}

async function readableMailboxes(view: CatalogView): Promise<ReadonlyMap<MailboxKey, MailboxEntry>> {
  try {
    return await view.mailboxes();
  } catch (error) {
    if (error instanceof BlockLost) return new Map();
    throw error;
  }
}

function mailboxesOnly(mailboxes: ReadonlyMap<MailboxKey, MailboxEntry | null>): CatalogEdit {
  const log = [...mailboxes.values()].flatMap((entry) =>
    entry === null
      ? []
      : [{ type: 'Mailbox' as const, id: entry.id, existedBefore: false, existsAfter: true, countsOnly: false }],
  );
  return { mailboxes, emails: new Map(), threads: new Map(), messageIds: new Map(), log, newEpoch: true };
}
