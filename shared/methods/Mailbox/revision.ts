import type { Span } from '../../catalog/adopt.ts';
import type { MailboxKey } from '../../catalog/email.ts';
import type { MailboxEntry } from '../../catalog/mailbox.ts';
import type { Role } from '../../catalog/roles.ts';
import type { CatalogView } from '../../catalog/view.ts';
import { ok, type Result, refuse, type SetError } from '../../jmap/errors.ts';
import type { Id, JsonObject } from '../../jmap/scalars.ts';
import type { Revision } from '../../jmap/verbs.ts';
import { adoptStructure, deeds, errorOf, type StructurePorts, type StructureStep } from './deeds.ts';
import { keepOrNot } from './kept.ts';
import { factsToKeep, type WantedFacts } from './kept-facts.ts';
import { type KnownMailbox, knownMailboxes } from './known-mailboxes.ts';
import { normalName } from './name.ts';
import type { Mailbox } from './record.ts';
import { restructuring, type Wish } from './restructuring.ts';
import { type Branch, subtreeOf, type Tree, treeOf } from './tree.ts';

type Wishes = Wish & { readonly sortOrder?: number };

/**
 * Moves and renames mailboxes with what is below them, and changes what is known of them. Of each record all is done or nothing: what
 * was done before something went wrong is taken back.
 */
export async function updateMailboxes(
  revisions: ReadonlyMap<Id, Revision<Mailbox>>,
  view: CatalogView,
  ports: StructurePorts,
): Promise<StructureStep<Id, JsonObject | null>> {
  const entries = await view.mailboxes();
  const start = treeOf(entries, await ports.mailboxes.naming());
  const wishes = new Map<Id, Wishes>();
  for (const [id, { after }] of revisions) {
    const branch = start.branches.get(id);
    if (branch !== undefined) wishes.set(id, wishesOf(branch, after));
  }

  const work = restructuring(start, ports, deeds());
  const errors = await work.fulfil(wishes);
  const isMet = ([id]: readonly [Id, Wishes]) => !errors.has(id);
  let facts = factsToKeep(renamed(entries, work.tree()), factsWanted(start, new Map([...wishes].filter(isMet))));
  const failure = await keepOrNot(ports.records, new Map([...facts].map(([key, kept]) => [idOf(entries, key), kept])));
  if (failure !== null) {
    const undone = new Set([...(await work.takeBack()), ...[...facts.keys()].map((key) => idOf(entries, key))]);
    for (const id of undone) if (wishes.has(id)) errors.set(id, errorOf(failure));
    facts = new Map();
  }
  await work.tidyUp();

  const adopted = await adoptedWith({ ...work.structure(), kept: facts });
  const results = await outcomes(revisions, errors, view, adopted);
  return { ...adopted, results };

  async function adoptedWith(done: Parameters<typeof adoptStructure>[2]): Promise<Span> {
    const changes = [done.renamed?.size, done.subscribed?.size, done.kept?.size];
    if (changes.every((size) => !size)) return { before: view, after: view, latest: view };
    return adoptStructure(ports.catalog, view, done);
  }
}

function wishesOf({ name, parentId, role, entry }: Branch, after: Revision<Mailbox>['after']): Wishes {
  return {
    position: {
      name: after.name === undefined ? name : normalName(after.name),
      parentId: after.parentId === undefined ? parentId : after.parentId,
    },
    role: after.role === undefined ? role : (after.role as Role | null),
    isSubscribed: after.isSubscribed ?? entry?.subscribed ?? false,
    ...(after.sortOrder === undefined ? {} : { sortOrder: after.sortOrder }),
  };
}

/**
 * The entries under their names from now on, without what a server may say of the name alone. QUIRK(dovecot): special uses are those of
 * names in its configuration, and a mailbox that was renamed is made there anew.
 */
function renamed(
  entries: ReadonlyMap<MailboxKey, MailboxEntry>,
  { branches }: Tree,
): ReadonlyMap<MailboxKey, MailboxEntry> {
  const now = [...branches.values()].flatMap(({ entry, fullName }) =>
    entry === null ? [] : [entry.name === fullName ? entry : { ...entry, name: fullName, attributes: [] }],
  );
  return new Map([...entries, ...now.map((entry) => [entry.key, entry] as const)]);
}

/** Roles as they were wanted; what is below a Mailbox that moves keeps those that it has. */
function factsWanted(start: Tree, wishes: ReadonlyMap<Id, Wishes>): ReadonlyMap<MailboxKey, WantedFacts> {
  const wanted = new Map<MailboxKey, WantedFacts>();
  for (const id of wishes.keys()) {
    const branch = start.branches.get(id);
    for (const { entry, role } of branch === undefined ? [] : subtreeOf(start, branch)) {
      if (entry !== null) wanted.set(entry.key, { role });
    }
  }
  for (const [id, { role, sortOrder }] of wishes) {
    const key = start.branches.get(id)?.entry?.key;
    if (key !== undefined) wanted.set(key, { role, ...(sortOrder === undefined ? {} : { sortOrder }) });
  }
  return wanted;
}

function idOf(entries: ReadonlyMap<MailboxKey, MailboxEntry>, key: MailboxKey): Id {
  const entry = entries.get(key);
  if (entry === undefined) throw new Error(`Could not find mailbox ${key} among those that were changed`);
  return entry.id;
}

async function outcomes(
  revisions: ReadonlyMap<Id, Revision<Mailbox>>,
  errors: ReadonlyMap<Id, SetError>,
  view: CatalogView,
  { before, after, latest }: Span,
): Promise<ReadonlyMap<Id, Result<JsonObject | null, SetError>>> {
  // Where own changes could not be told from those of others, only the latest version has them.
  const [was, own, now] = [await byId(view), await byId(after === before ? latest : after), await byId(latest)];
  const results = new Map<Id, Result<JsonObject | null, SetError>>();
  for (const [id, revision] of revisions) {
    const error = errors.get(id);
    const [known, mailbox] = [was.get(id), own.get(id) ?? now.get(id)];
    if (error !== undefined) results.set(id, refuse(withWhatIsLeft(error, known, now.get(id))));
    else if (known === undefined || mailbox === undefined) results.set(id, refuse({ type: 'notFound' }));
    else results.set(id, ok(surprisesOf(mailbox, { ...known, ...revision.after })));
  }
  return results;
}

/** What of a record that was refused is other than before all the same, where it could not be taken back. */
function withWhatIsLeft(
  error: SetError,
  before: KnownMailbox | undefined,
  mailbox: KnownMailbox | undefined,
): SetError {
  const names = ['name', 'parentId', 'isSubscribed'] as const;
  const left = names.filter((name) => before !== undefined && mailbox !== undefined && mailbox[name] !== before[name]);
  if (left.length === 0) return error;
  const now = left.map((name) => `${name} is ${JSON.stringify(mailbox?.[name])}`).join(', ');
  return { ...error, description: `${error.description ?? error.type}; it could not be taken back: ${now} now` };
}

async function byId(view: CatalogView): Promise<ReadonlyMap<Id, KnownMailbox>> {
  return new Map([...(await knownMailboxes(view)).values()].map((mailbox) => [mailbox.id, mailbox]));
}

/** What is not as it was wanted, or has changed though nobody asked for it; null where there is nothing of that. */
function surprisesOf(mailbox: KnownMailbox, expected: KnownMailbox): JsonObject | null {
  const surprises: JsonObject = {};
  for (const name of ['name', 'parentId', 'role', 'sortOrder', 'isSubscribed'] as const) {
    if (mailbox[name] !== expected[name]) surprises[name] = mailbox[name];
  }
  return Object.keys(surprises).length === 0 ? null : surprises;
}
