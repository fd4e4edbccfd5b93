import type { Span } from '../../catalog/adopt.ts';
import type { MailboxKey } from '../../catalog/email.ts';
import type { KeptFacts, MailboxEntry } from '../../catalog/mailbox.ts';
import type { Role } from '../../catalog/roles.ts';
import type { CatalogView } from '../../catalog/view.ts';
import { ok, type Result, refuse, type SetError } from '../../jmap/errors.ts';
import type { Id, JsonObject } from '../../jmap/scalars.ts';
import type { Some } from '../../jmap/verbs.ts';
import { lookAnew } from '../look-anew.ts';
import { adoptStructure, deeds, errorOf, type StructurePorts, type StructureStep } from './deeds.ts';
import { keepOrNot } from './kept.ts';
import { factsToKeep } from './kept-facts.ts';
import { type KnownMailbox, knownMailboxes } from './known-mailboxes.ts';
import { normalName } from './name.ts';
import type { Mailbox } from './record.ts';
import { mailboxRights } from './rights.ts';
import { fullNameAt, invalid, isTooDeep, occupantOf, type Position, type Tree, treeOf, withRole } from './tree.ts';
import type { MailboxFailure } from './writing.ts';

type NewMailbox = Omit<Mailbox, 'id'>;
/** A Mailbox that is to be, with its name on the mail server. */
type Plan = { readonly wanted: NewMailbox; readonly position: Position; readonly fullName: string };

/**
 * Creates mailboxes whose parents exist. What was not done of one that was created is told in its answer: the properties that are not
 * as they were wanted.
 */
export async function createMailboxes(
  records: ReadonlyMap<string, NewMailbox>,
  view: CatalogView,
  ports: StructurePorts,
): Promise<StructureStep<string, Some<Mailbox>>> {
  const { mailboxes, catalog } = ports;
  const entries = await view.mailboxes();
  let tree = treeOf(entries, await mailboxes.naming());
  const commands = deeds();
  const refused = new Map<string, SetError>();
  const failed = new Map<string, Plan & { readonly failure: MailboxFailure }>();
  const made = new Map<string, Plan>();
  for (const [creationId, wanted] of records) {
    const position = { name: normalName(wanted.name), parentId: wanted.parentId };
    const fullName = fullNameFor(tree, position, wanted.role as Role | null);
    if (!fullName.ok) {
      refused.set(creationId, fullName.error);
      continue;
    }
    const plan = { wanted, position, fullName: fullName.value };
    const failure = await commands.carryOut(() => mailboxes.create(plan.fullName, wanted.role as Role | null));
    if (failure === null || failure === 'unclear') {
      made.set(creationId, plan);
      tree = grown(tree, creationId, plan);
    } else failed.set(creationId, { ...plan, failure });
  }

  const wished = [...made.values()].filter(({ wanted }) => wanted.isSubscribed).map(({ fullName }) => fullName);
  if (wished.length > 0) await commands.carryOut(() => mailboxes.subscribe(wished, true));
  const adopted = await adoptedWithFacts(view, factsOfNew(entries, tree, [...made.values()]), ports);

  const results = new Map<string, Result<Some<Mailbox>, SetError>>();
  const there = await mailboxesIn(adopted.latest);
  for (const [creationId, { wanted, fullName }] of made) {
    const mailbox = there.get(fullName);
    results.set(creationId, mailbox === undefined ? refuse(errorOf('unclear')) : ok(answerOf(mailbox, wanted)));
  }
  const now = failed.size === 0 ? there : await mailboxesIn(await lookAnew(() => catalog.view('now')));
  for (const [creationId, { fullName, failure }] of failed) {
    const existing = failure === 'exists' || failure === 'refused' ? now.get(fullName) : undefined;
    results.set(creationId, refuse(existing === undefined ? errorOf(failure) : alreadyExists(existing.entry.id)));
  }
  for (const [creationId, error] of refused) results.set(creationId, refuse(withIds(error, results)));
  return { ...adopted, results };
}

/** Its full name, if there can be such a Mailbox. */
function fullNameFor(tree: Tree, position: Position, role: Role | null): Result<string, SetError> {
  const fullName = fullNameAt(tree, position);
  if (!fullName.ok) return fullName;
  if (isTooDeep(tree, position.parentId, 0)) return invalid('parentId', 'it would be nested too deeply');
  const occupant = occupantOf(tree, position, fullName.value);
  if (occupant !== undefined) return refuse(alreadyExists(occupant.id));
  const holder = role === null ? undefined : withRole(tree, role);
  return holder === undefined ? fullName : invalid('role', 'another Mailbox has it');
}

function alreadyExists(existingId: Id): SetError {
  return { type: 'alreadyExists', existingId, description: 'its parent has a child of that name' };
}

/** The id of a Mailbox that has none yet. */
function idOfNew(creationId: string): Id {
  return `#${creationId}` as Id;
}

/** Where a Mailbox of the same call is in the way, its id is known only in the end. */
function withIds(error: SetError, results: ReadonlyMap<string, Result<Some<Mailbox>, SetError>>): SetError {
  for (const [creationId, result] of results) {
    if (error.existingId === idOfNew(creationId) && result.ok) return { ...error, existingId: result.value.id };
  }
  return error;
}

function grown(tree: Tree, creationId: string, { wanted, position, fullName }: Plan): Tree {
  const id = idOfNew(creationId);
  const branch = { id, entry: null, ...position, role: wanted.role as Role | null, fullName };
  return { ...tree, branches: new Map([...tree.branches, [id, branch]]) };
}

/** What has to be kept of new mailboxes, by full name. */
function factsOfNew(
  entries: ReadonlyMap<MailboxKey, MailboxEntry>,
  { delimiter }: Tree,
  plans: readonly Plan[],
): ReadonlyMap<string, KeptFacts | null> {
  const all = new Map<MailboxKey, MailboxEntry>(entries);
  const wanted = new Map<MailboxKey, { role: Role | null; sortOrder: number }>();
  const keys = new Map<string, MailboxKey>();
  for (const [
    index,
    {
      wanted: { role, sortOrder },
      fullName,
    },
  ] of plans.entries()) {
    const key = -1 - index;
    keys.set(fullName, key);
    all.set(key, { ...unseen, key, id: idOfNew(fullName), name: fullName, delimiter });
    wanted.set(key, { role: role as Role | null, sortOrder });
  }
  const facts = factsToKeep(all, wanted);
  return new Map([...keys].map(([fullName, key]) => [fullName, facts.get(key) ?? null]));
}

/** A mailbox of which nothing is known but its name. */
const unseen: Omit<MailboxEntry, 'key' | 'id' | 'name' | 'delimiter'> = {
  ...{ selectable: true, attributes: [], subscribed: true, serverId: null, vector: null, progress: null, rights: null },
  ...{ counts: { totalEmails: 0, unreadEmails: 0, totalThreads: 0, unreadThreads: 0 }, flagsReadAt: 0, kept: null },
};

/** The catalog with the new mailboxes, and with what is kept of them if it could be stored. */
async function adoptedWithFacts(
  view: CatalogView,
  created: ReadonlyMap<string, KeptFacts | null>,
  { catalog, records }: StructurePorts,
): Promise<Span> {
  if (created.size === 0) return { before: view, after: view, latest: view };
  const adopted = await adoptStructure(catalog, view, { created });
  const entries = [...(await adopted.latest.mailboxes()).values()].filter(({ name }) => created.has(name));
  const facts = entries.filter(({ kept }) => kept !== null).map(({ id, kept }) => [id, kept] as const);
  if ((await keepOrNot(records, new Map(facts))) === null) return adopted;
  const kept = new Map(entries.map(({ key }) => [key, null]));
  return { ...adopted, latest: (await adoptStructure(catalog, adopted.latest, { kept })).latest };
}

type Existing = { readonly entry: MailboxEntry; readonly known: KnownMailbox };

/** All mailboxes by full name. */
async function mailboxesIn(view: CatalogView): Promise<ReadonlyMap<string, Existing>> {
  const known = await knownMailboxes(view);
  const existing = new Map<string, Existing>();
  for (const [key, entry] of await view.mailboxes()) {
    const mailbox = known.get(key);
    if (mailbox !== undefined) existing.set(entry.name, { entry, known: mailbox });
  }
  return existing;
}

/** What the client does not know of a new Mailbox: what only the server sets, and what is not as it was wanted. */
function answerOf({ entry, known }: Existing, wanted: NewMailbox): Some<Mailbox> {
  const { id, totalEmails, unreadEmails, totalThreads, unreadThreads } = known;
  const answer: JsonObject & { id: Id } = { id, totalEmails, unreadEmails, totalThreads, unreadThreads };
  answer.myRights = mailboxRights(entry, entry.rights?.letters ?? '');
  for (const name of ['name', 'parentId', 'role', 'sortOrder', 'isSubscribed'] as const) {
    if (known[name] !== wanted[name]) answer[name] = known[name];
  }
  return answer;
}
