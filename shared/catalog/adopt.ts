import type { Id } from '../jmap/scalars.ts';
import { commitEdit, Overtaken } from './advance.ts';
import type { MailboxDelta } from './delta.ts';
import { editedView, joinedEdits } from './edited-view.ts';
import type { MailboxKey } from './email.ts';
import { entriesAfter, missingAmong } from './entries.ts';
import type { MailboxEntry } from './mailbox.ts';
import {
  deltaOfOthers,
  noOwnChanges,
  type OwnChanges,
  type OwnMailboxChanges,
  type OwnRows,
  ownDelta,
  quietVector,
} from './own-changes.ts';
import { ownMailboxes } from './own-structure.ts';
import { MailboxReplaced, readMailbox } from './read-mailbox.ts';
import { reconcile } from './reconcile.ts';
import { type Place, placeOf } from './row-changes.ts';
import { MailboxGone, MailboxUnseen } from './source.ts';
import { sync } from './sync.ts';
import { type SyncContext, secondsNow } from './sync-context.ts';
import type { CatalogView, LogEntry } from './view.ts';

/** A stretch of a catalog's history. */
export type Span = {
  /** Between the states of these two lie the call's own changes and no others. */
  readonly before: CatalogView;
  readonly after: CatalogView;
  /** The newest version: also what others did, as far as it was found on the way. */
  readonly latest: CatalogView;
};

/** What became of a catalog by changes of a call's own. */
export type Adopted = Span & {
  /** false: own changes could not be told from those of others, and nothing lies between `before` and `after`. */
  readonly isAttributed: boolean;
};

/** Commits that others may win before own changes are left to be found like those of others. */
const attemptsMax = 20;

/**
 * Brings a catalog up to date with what a call of ours did to the mail server, by reading the mailboxes it touched and no
 * others; where the commands themselves have told everything, without reading at all. What others did meanwhile is committed too,
 * with later versions. Who loses a race throws away what was read, and asks again from the version that won; what that has already
 * of our changes is not ours any more.
 *
 * Where own changes cannot be told from others' (a mailbox was taken away or got another UIDVALIDITY meanwhile) the account is
 * synchronised, and nothing lies between `before` and `after`. Throws what the source and the store throw.
 */
export async function adopt(context: SyncContext, start: CatalogView, own: OwnChanges): Promise<Adopted> {
  let view = start;
  for (let attempt = 1; attempt <= attemptsMax && isContinued(start, view); attempt += 1) {
    try {
      return await adoptUpon(context, view, own);
    } catch (error) {
      if ([MailboxGone, MailboxUnseen, MailboxReplaced].some((kind) => error instanceof kind)) break;
      if (!(error instanceof Overtaken)) throw error;
      view = (await context.catalog.open()) ?? start;
    }
  }
  return { before: start, after: start, latest: await sync(context), isAttributed: false };
}

function isContinued(start: CatalogView, { epoch, provisional }: CatalogView): boolean {
  return epoch === start.epoch && !provisional;
}

async function adoptUpon(context: SyncContext, view: CatalogView, own: OwnChanges): Promise<Adopted> {
  const mailboxes = await ownMailboxes(context, view, own.structure);
  const entries = entriesAfter(await view.mailboxes(), mailboxes);
  const created = missingAmong(entries).map(({ key }) => key);
  const touched = new Set([...own.mailboxes.keys(), ...created]);

  const deltas = new Map<MailboxKey, MailboxDelta>();
  const others = new Map<MailboxKey, MailboxDelta>();
  const copies = new Map<Place, Id>();
  for (const key of touched) {
    const entry = entries.get(key);
    if (entry === undefined || !entry.selectable) continue;
    const changes = own.mailboxes.get(key) ?? noOwnChanges;
    const quiet = quietVector(entry, changes);
    const found = quiet === null ? await readTouched(context, view, entry) : null;
    const rows = await rowsKnown(view, key, changes);
    const delta = ownDelta(entry, changes, rows, found, quiet);
    deltas.set(key, delta);
    if (found !== null) others.set(key, deltaOfOthers(delta, rows, found));
    for (const [uid, { emailId }] of changes.arrived) {
      // A server that tells wrong UIDs must not give one message the id of another.
      const size = emailId === null ? undefined : rows.email(emailId)?.size;
      if (emailId !== null && delta.appeared.get(uid)?.size === size) copies.set(placeOf(key, uid), emailId);
    }
  }

  const readAt = secondsNow(context);
  const found = await reconcile(view, { mailboxes, deltas, copies, isSettled: true, readAt });
  const edit = { ...found, log: ownFirst(found.log, await view.mailboxes(), mailboxes) };
  const middle = editedView(view, edit);
  if (others.size === 0) {
    const after = await commitEdit(context.catalog, view, edit);
    return { before: view, after, latest: after, isAttributed: true };
  }
  const rest = await reconcile(middle, { mailboxes: new Map(), deltas: others, isSettled: false, readAt });
  const latest = await commitEdit(context.catalog, view, joinedEdits(edit, rest));
  return { before: view, after: middle, latest, isAttributed: true };
}

/** With the Mailboxes that were changed before those that are other ones because of that: whose parent is gone, or whose counts moved. */
function ownFirst(
  log: readonly LogEntry[],
  known: ReadonlyMap<MailboxKey, MailboxEntry>,
  own: ReadonlyMap<MailboxKey, MailboxEntry | null>,
): readonly LogEntry[] {
  const ids = new Set([...own].flatMap(([key, entry]) => (entry ?? known.get(key))?.id ?? []));
  const isOwn = ({ type, id }: LogEntry) => type === 'Mailbox' && ids.has(id);
  return [...log.filter(isOwn), ...log.filter((entry) => !isOwn(entry))];
}

/** What happened in a mailbox since the view. Its rows cannot be told from others when they are numbered anew. */
async function readTouched(context: SyncContext, view: CatalogView, entry: MailboxEntry): Promise<MailboxDelta> {
  const { delta } = await readMailbox(context.source, { view, entry });
  if (delta.renewed) throw new MailboxReplaced(`Mailbox "${entry.name}" has another UIDVALIDITY by now`);
  return delta;
}

/** The rows that own changes of a mailbox name, and the Emails of those that arrived. */
async function rowsKnown(view: CatalogView, mailbox: MailboxKey, own: OwnMailboxChanges): Promise<OwnRows> {
  const ids = await view.emailIdsAt(mailbox, [...own.keywords.keys(), ...own.removed, ...own.arrived.keys()]);
  const copied = [...own.arrived.values()].flatMap(({ emailId }) => (emailId === null ? [] : [emailId]));
  const emails = await view.emails(new Set([...ids.values(), ...copied]));
  return {
    rowAt: (uid) => {
      const id = ids.get(uid);
      const rows = id === undefined ? undefined : emails.get(id)?.rows;
      return rows?.find((row) => row.mailbox === mailbox && row.uid === uid);
    },
    email: (id) => emails.get(id),
  };
}
