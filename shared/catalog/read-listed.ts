import { advance } from './advance.ts';
import type { MailboxDelta } from './delta.ts';
import type { MailboxEntry, MailboxVector } from './mailbox.ts';
import { type Base, type Expected, MailboxReplaced, readMailbox } from './read-mailbox.ts';
import { MailboxGone, MailboxUnseen } from './source.ts';
import { isRefused, noteRefusal, OutOfTime, type SyncContext, secondsNow } from './sync-context.ts';

/** Messages that are committed at once while more are being read: about 2 KB of memory each. */
export const messagesInCommitMax = 20_000;

/**
 * Reads a mailbox that the survey lists. What appears in large numbers is committed on the way; when the time is up it is
 * committed and `OutOfTime` thrown. Notes and throws what
 * `noting` notes.
 */
export async function readListed(
  context: SyncContext,
  base: Base,
  status: MailboxVector | null,
  earlier?: MailboxDelta,
): Promise<{ readonly base: Base; readonly delta: MailboxDelta }> {
  return noting(context, base.entry.name, () =>
    readMailbox(context.source, base, {
      ...expectation(context, base.entry, status),
      earlier,
      told: status,
      takeOver: async (at, part) =>
        part.appeared.size >= messagesInCommitMax || context.isOver() ? commitPart(context, at, part) : null,
    }),
  );
}

/** What the survey showed of a mailbox, unless the server is known not to agree with itself. */
export function expectation(
  context: SyncContext,
  { name, serverId }: MailboxEntry,
  status: MailboxVector | null,
): { readonly expected?: Expected } {
  if (isRefused(context, 'agree', name)) return {};
  return { expected: { uidValidity: status?.uidValidity ?? null, mailboxId: serverId } };
}

/** Notes that the mailbox could not be opened (`MailboxGone`), or not be seen (`MailboxUnseen`), or is not the one that the survey showed (`MailboxReplaced`). */
export async function noting<T>(context: SyncContext, name: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof MailboxGone) noteRefusal(context, 'open', name);
    if (error instanceof MailboxUnseen) noteRefusal(context, 'see', name);
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
