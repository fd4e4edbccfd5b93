import { Overtaken } from './advance.ts';
import { vectorOf } from './delta.ts';
import type { MailboxKey } from './email.ts';
import { entriesAfter, missingAmong } from './entries.ts';
import { fillingOf } from './filling.ts';
import { Gathering } from './gathered.ts';
import type { Look } from './look.ts';
import type { MailboxEntry, MailboxVector } from './mailbox.ts';
import { expectation, noting } from './read-listed.ts';
import { expectMailbox } from './read-mailbox.ts';
import { isInbox } from './roles.ts';
import type { MailboxReading } from './source.ts';
import { type SyncContext, secondsNow } from './sync-context.ts';
import type { CatalogView } from './view.ts';

/** Messages that are gathered before they are committed: some 150 octets of memory each. */
const messagesAtOnceMax = 300_000;
/**
 * Mailboxes that are read together, at first and at most, and their messages: they have to be waited for, also when the time is up. Twice as many
 * as the last time, if these took less than so many milliseconds.
 */
const together = { atFirst: 16, mailboxesMax: 128, messagesMax: 2_000, quickMs: 1_000 };

/** Whether no message of any mailbox is in, so that the catalog can be filled. */
export function isUntouched(mailboxes: ReadonlyMap<MailboxKey, MailboxEntry>): boolean {
  return [...mailboxes.values()].every((entry) => (vectorOf(entry)?.uidNext ?? 1) === 1);
}

/**
 * Reads the mailboxes, small ones together, and commits them together: a version for each would write the look-up runs again and
 * again. Ends early when the caller has enough, when there are too many messages, or when the time is up; then the last mailbox may be in by a part. One whose rows do
 * not number its EXISTS is left out, since it needs a closer look. When a mailbox cannot be read, what was read before is committed,
 * and the failure thrown. Also throws `Overtaken`. `onRead`: no mailbox is missing any more, and the catalog is about to be committed.
 */
export async function fillCatalog(
  context: SyncContext,
  view: CatalogView,
  seen: Look,
  mailboxes: readonly MailboxEntry[],
  onRead: () => void,
): Promise<CatalogView> {
  const told = mailboxes.reduce((sum, { key }) => sum + (seen.mailboxes.get(key)?.status?.messages ?? 0), 0);
  const gathering = new Gathering(view, Math.min(told, messagesAtOnceMax));
  const read = new Map<MailboxKey, MailboxEntry>();
  const after = new Map(await view.mailboxes());
  let failure: { readonly error: unknown } | null = null;
  const readings = new Map<string, MailboxReading>();
  const asked = new Set<string>();
  let atOnce = together.atFirst;
  for (const [index, entry] of mailboxes.entries()) {
    if (gathering.size >= messagesAtOnceMax || context.isOver()) break;
    try {
      if (!asked.has(entry.name)) {
        const group = groupOf(mailboxes.slice(index, index + Math.min(atOnce, together.mailboxesMax)), seen);
        for (const { name } of group) asked.add(name);
        if (group.length > 1) {
          const askedAt = context.surroundings.now();
          for (const [name, reading] of await context.source.readTogether(group, view)) readings.set(name, reading);
          const isQuick = context.surroundings.now() - askedAt < together.quickMs;
          atOnce = isQuick ? Math.max(together.atFirst, 2 * group.length) : together.atFirst;
        }
      }
      const reading = readings.get(entry.name);
      readings.delete(entry.name);
      const found = await noting(context, entry.name, () =>
        gatherMailbox(context, view, seen, { entry, reading }, gathering),
      );
      if (found === null) continue;
      read.set(entry.key, found);
      if (context.enough(after.set(entry.key, found))) break;
    } catch (error) {
      gathering.drop(entry.key);
      failure = { error };
      break;
    }
  }
  const filled = read.size === 0 ? view : await filledWith(context, view, gathering, read, onRead);
  if (failure !== null) throw failure.error;
  return filled;
}

/** The first of the mailboxes that can be read together. The inbox is not among them: there may be who wants no other. */
function groupOf(
  mailboxes: readonly MailboxEntry[],
  seen: Look,
): { readonly name: string; readonly told: MailboxVector }[] {
  const group = [];
  let messages = 0;
  for (const { key, name } of mailboxes) {
    const told = seen.mailboxes.get(key)?.status ?? null;
    messages += told?.messages ?? 0;
    if (told === null || told.messages === 0 || isInbox(name) || messages > together.messagesMax) break;
    group.push({ name, told });
  }
  return group;
}

/** The entry of a mailbox of which all messages were gathered, or the first part; null when none were kept. */
async function gatherMailbox(
  context: SyncContext,
  view: CatalogView,
  seen: Look,
  { entry, reading: known }: { readonly entry: MailboxEntry; readonly reading: MailboxReading | undefined },
  gathering: Gathering,
): Promise<MailboxEntry | null> {
  const status = seen.mailboxes.get(entry.key)?.status ?? null;
  const reading = known ?? (await context.source.read(entry.name, null, view, status));
  await expectMailbox(reading, entry.name, expectation(context, entry, status).expected);

  const { vector } = reading;
  const before = gathering.size;
  let part = null;
  for await (const batch of reading.appeared) {
    gathering.add(entry.key, vector.uidValidity, batch);
    const last = batch.at(-1);
    if (last === undefined || (gathering.size < messagesAtOnceMax && !context.isOver())) continue;
    part = { ...vector, uidNext: last.uid + 1, messages: gathering.size - before };
    break;
  }
  if (part !== null && part.uidNext < vector.uidNext) return { ...entry, progress: part };
  if (gathering.size - before !== vector.messages) {
    gathering.drop(entry.key);
    return null;
  }
  return { ...entry, vector, progress: null, flagsReadAt: secondsNow(context) };
}

async function filledWith(
  { catalog, isOver }: SyncContext,
  view: CatalogView,
  gathering: Gathering,
  read: ReadonlyMap<MailboxKey, MailboxEntry>,
  onRead: () => void,
): Promise<CatalogView> {
  const known = await view.mailboxes();
  const isWhole = missingAmong(entriesAfter(known, read)).length === 0;
  if (isWhole && !isOver()) onRead();
  const filling = fillingOf(gathering.columns(), known, read, isWhole || view.threads === 'server');
  const outcome = await catalog.fill(view, filling);
  if (outcome.kind === 'conflict') throw new Overtaken('Could not fill the catalog: another writer was first');
  return outcome.view;
}
