import { advance } from './advance.ts';
import type { MailboxDelta } from './delta.ts';
import type { MailboxKey } from './email.ts';
import { missingAmong } from './entries.ts';
import { fillCatalog, isUntouched } from './fill-catalog.ts';
import type { Look } from './look.ts';
import type { MailboxEntry } from './mailbox.ts';
import { messagesInCommitMax, readListed } from './read-listed.ts';
import { isInbox } from './roles.ts';
import { OutOfTime, type SyncContext, secondsNow } from './sync-context.ts';
import type { CatalogView } from './view.ts';

/**
 * Indexes the mailboxes that are missing, the inbox first. A catalog without any message is filled at once; what is missing then is
 * committed in bounded steps: whoever comes next goes on from the last one, in whatever process. `seen` is the newest survey. Ends when all are in or the caller has enough; throws `OutOfTime` when the time is up before.
 * `onRead`: all was read at once, and is about to be committed.
 */
export async function indexMissing(
  context: SyncContext,
  start: CatalogView,
  seen: Look,
  onRead: () => void,
): Promise<CatalogView> {
  let view = start;
  const mailboxes = await view.mailboxes();
  if (isUntouched(mailboxes)) {
    view = await fillCatalog(context, view, seen, missingAmong(mailboxes).toSorted(inboxFirst), onRead);
    if (!view.provisional || context.enough(await view.mailboxes())) return view;
    if (context.isOver()) throw new OutOfTime();
  }
  let deltas = new Map<MailboxKey, MailboxDelta>();
  const commit = async () => {
    const readAt = secondsNow(context);
    view = await advance(context.catalog, view, { mailboxes: new Map(), deltas, isSettled: true, readAt });
    deltas = new Map();
  };
  for (const entry of missingAmong(await view.mailboxes()).toSorted(inboxFirst)) {
    const read = await readListed(context, { view, entry }, seen.mailboxes.get(entry.key)?.status ?? null);
    view = read.base.view;
    deltas.set(entry.key, read.delta);
    const messages = [...deltas.values()].reduce((sum, { appeared }) => sum + appeared.size, 0);
    if (!isInbox(entry.name) && messages < messagesInCommitMax && !context.isOver()) continue;
    await commit();
    if (!view.provisional || context.enough(await view.mailboxes())) return view;
    if (context.isOver()) throw new OutOfTime();
  }
  await commit();
  return view;
}

function inboxFirst(a: MailboxEntry, b: MailboxEntry): number {
  return Number(isInbox(b.name)) - Number(isInbox(a.name)) || a.key - b.key;
}
