import { advance } from './advance.ts';
import type { MailboxDelta } from './delta.ts';
import type { MailboxVector } from './mailbox.ts';
import { type Base, MailboxReplaced, readMailbox } from './read-mailbox.ts';
import { MailboxGone } from './source.ts';
import { isRefused, noteRefusal, OutOfTime, type SyncContext, secondsNow } from './sync-context.ts';

/** Messages that are committed at once while more are being read: about 2 KB of memory each. */
export const messagesInCommitMax = 20_000;

/**
 * Reads a mailbox that the survey lists. What appears in large numbers is committed on the way; when the time is up it is
 * committed and `OutOfTime` thrown. Notes and throws when
 * the mailbox could not be opened (`MailboxGone`), or is not the one that the survey showed (`MailboxReplaced`).
 */
export async function readListed(
  context: SyncContext,
  base: Base,
  status: MailboxVector | null,
  earlier?: MailboxDelta,
): Promise<{ readonly base: Base; readonly delta: MailboxDelta }> {
  const { name, serverId } = base.entry;
  const expected = { uidValidity: status?.uidValidity ?? null, mailboxId: serverId };
  try {
    return await readMailbox(context.source, base, {
      ...(!isRefused(context, 'agree', name) && { expected }),
      earlier,
      takeOver: async (at, part) =>
        part.appeared.size >= messagesInCommitMax || context.isOver() ? commitPart(context, at, part) : null,
    });
  } catch (error) {
    if (error instanceof MailboxGone) noteRefusal(context, 'open', name);
    if (error instanceof MailboxReplaced) noteRefusal(context, 'agree', name);
    throw error;
  }
}

async function commitPart(context: SyncContext, { view, entry }: Base, part: MailboxDelta): Promise<Base> {
  const committed = await advance(context.catalog, view, {
    mailboxes: new Map([[entry.key, entry]]),
    deltas: new Map([[entry.key, part]]),
    isSettled: false,
    readAt: secondsNow(context),
  });
  if (context.isOver()) throw new OutOfTime();
  const now = (await committed.mailboxes()).get(entry.key);
  if (now === undefined) throw new Error(`Could not find mailbox ${entry.key} in the catalog it was committed to`);
  return { view: committed, entry: now };
}
