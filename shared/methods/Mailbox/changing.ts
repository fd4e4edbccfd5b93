import type { Span } from '../../catalog/adopt.ts';
import type { MailboxKey } from '../../catalog/email.ts';
import type { KeptFacts } from '../../catalog/mailbox.ts';
import type { CatalogView } from '../../catalog/view.ts';
import { OutcomeUnknown, ok, type Result, refuse, type SetError } from '../../jmap/errors.ts';
import type { Id, JsonObject } from '../../jmap/scalars.ts';
import type { Some, Together } from '../../jmap/verbs.ts';
import { lookAnew } from '../look-anew.ts';
import { answerOf, keptOfNew, mailboxesIn, wishOfNew } from './creation.ts';
import { adoptStructure, deeds, errorOf, type StructurePorts, type StructureStep } from './deeds.ts';
import { objectionToEnd } from './destruction.ts';
import { type Facts, factsAfter } from './facts-after.ts';
import { keepOrNot } from './kept.ts';
import type { WantedFacts } from './kept-facts.ts';
import { type KnownMailbox, knownMailboxes } from './known-mailboxes.ts';
import type { Mailbox } from './record.ts';
import { type Restructuring, restructuring, type Wish } from './restructuring.ts';
import { surprisesOf, wishOf, withWhatIsLeft } from './revision.ts';
import { alreadyExists, isNew, type Tree, treeOf } from './tree.ts';

type Answer = Some<Mailbox> | JsonObject | null;

/**
 * Makes, moves, renames and destroys mailboxes, and changes what is known of them. Of each record all is done or nothing: what was done
 * before something went wrong is taken back. What could not be stored of a new one, or subscribed to, is told in its answer.
 */
export async function changeMailboxes(
  changes: Together<Mailbox>,
  { onDestroyRemoveEmails }: { readonly onDestroyRemoveEmails: boolean },
  view: CatalogView,
  ports: StructurePorts,
): Promise<StructureStep<Id, Answer>> {
  const start = treeOf(await view.mailboxes(), await ports.mailboxes.naming());
  const errors = new Map<Id, SetError>();
  const wishes = new Map<Id, Wish>();
  for (const [id, record] of changes.create) wishes.set(id, wishOfNew(record));
  for (const [id, { after }] of changes.update) {
    const branch = start.branches.get(id);
    if (branch === undefined) errors.set(id, { type: 'notFound' });
    else wishes.set(id, wishOf(branch, after));
  }
  for (const id of changes.destroy) {
    const branch = start.branches.get(id);
    const objection =
      branch === undefined ? ({ type: 'notFound' } as const) : objectionToEnd(branch, onDestroyRemoveEmails);
    if (objection !== null) errors.set(id, objection);
    else wishes.set(id, null);
  }

  const work = restructuring(start, ports, deeds());
  for (const [id, error] of await work.fulfil(wishes)) errors.set(id, error);
  const facts = await keptOrTakenBack(start, work, changes, errors, ports);
  await work.tidyUp();
  const adopted = await adoptedWith(view, work, facts, ports);
  const isClear = work.unclear.size === 0 && work.notMade.size === 0;
  const now = isClear ? adopted.latest : await lookAnew(() => ports.catalog.view('now'));
  const span = await keptInTheEnd(adopted, now, work, facts, ports);
  return { ...span, results: await outcomes(changes, errors, work, view, span, isClear ? span.latest : now) };
}

/** Keeps the facts of mailboxes that there were; what was done is taken back where that cannot be. */
async function keptOrTakenBack(
  start: Tree,
  work: Restructuring,
  { create, update }: Together<Mailbox>,
  errors: Map<Id, SetError>,
  { records }: StructurePorts,
): Promise<Facts> {
  const factsNow = (): Facts => {
    const wanted = new Map<Id, WantedFacts>();
    for (const [id, { sortOrder }] of [...create, ...[...update].map(([id, { after }]) => [id, after] as const)]) {
      const role = work.tree().branches.get(id)?.role ?? null;
      if (!errors.has(id)) wanted.set(id, { role, ...(sortOrder === undefined ? {} : { sortOrder }) });
    }
    return factsAfter(start, work.tree(), wanted);
  };
  const facts = factsNow();
  const failure = await keepOrNot(records, facts.known);
  if (failure === null) return facts;
  const ids = new Set(facts.known.keys());
  for (const id of new Set([...(await work.takeBack(ids)), ...ids])) {
    const isMade = isNew(id) && work.tree().branches.has(id);
    if ((create.has(id) && !isMade) || update.has(id)) errors.set(id, errorOf(failure));
  }
  return { known: new Map(), created: factsNow().created };
}

async function adoptedWith(
  view: CatalogView,
  work: Restructuring,
  { known, created }: Facts,
  { catalog }: StructurePorts,
): Promise<Span> {
  const kept = new Map<MailboxKey, KeptFacts | null>();
  for (const [key, { id }] of await view.mailboxes()) {
    const facts = known.get(id);
    if (facts !== undefined) kept.set(key, facts);
  }
  const structure = { ...work.structure(), created, kept };
  if (Object.values(structure).every(({ size }) => size === 0)) return { before: view, after: view, latest: view };
  return adoptStructure(catalog, view, structure);
}

/** Keeps the facts of new mailboxes, whose ids are known now, and none of those that are gone: ids are not used again. */
async function keptInTheEnd(
  adopted: Span,
  now: CatalogView,
  { destroyed, unclear }: Restructuring,
  { created }: Facts,
  { catalog, records }: StructurePorts,
): Promise<Span> {
  const there = new Set([...(await now.mailboxes()).values()].map(({ id }) => id));
  const gone = [...destroyed.values(), ...[...unclear.values()].filter(({ id }) => !there.has(id))];
  const stale = gone.flatMap(({ id, entry }) => (entry?.kept ? [[id, null] as const] : []));
  const fresh = await keptOfNew(adopted.latest, created);
  if ((await keepOrNot(records, new Map([...stale, ...fresh]))) === null || fresh.size === 0) return adopted;
  const entries = [...(await adopted.latest.mailboxes()).values()].filter(({ name }) => created.has(name));
  const kept = new Map(entries.map(({ key }) => [key, null]));
  return { ...adopted, latest: (await adoptStructure(catalog, adopted.latest, { kept })).latest };
}

async function outcomes(
  { create, update, destroy }: Together<Mailbox>,
  errors: ReadonlyMap<Id, SetError>,
  work: Restructuring,
  view: CatalogView,
  { before, after, latest }: Span,
  now: CatalogView,
): Promise<ReadonlyMap<Id, Result<Answer, SetError>>> {
  const results = new Map<Id, Result<Answer, SetError>>();
  const [was, there, nowThere] = [await byId(view), await mailboxesIn(latest), await mailboxesIn(now)];
  const idOf = (id: Id | null): Id | null => {
    const branch = id !== null && isNew(id) ? work.tree().branches.get(id) : undefined;
    return branch === undefined ? id : (there.get(branch.fullName)?.entry.id ?? id);
  };
  /** Where a Mailbox of the same call is in the way, its id is known only in the end. */
  const refusal = (error: SetError) => {
    const { existingId } = error;
    return refuse(typeof existingId === 'string' ? { ...error, existingId: idOf(existingId as Id) } : error);
  };

  for (const [id, record] of create) {
    const mailbox = there.get(work.tree().branches.get(id)?.fullName ?? '');
    const { fullName = '', failure = null } = work.notMade.get(id) ?? {};
    const existing = failure === 'exists' || failure === 'refused' ? nowThere.get(fullName) : undefined;
    const error = existing === undefined ? errors.get(id) : alreadyExists(existing.entry.id);
    if (error !== undefined) results.set(id, refusal(error));
    else if (mailbox === undefined) results.set(id, refuse(errorOf('unclear')));
    else if (was.has(mailbox.entry.id)) throw new OutcomeUnknown(`"${mailbox.entry.name}" was taken for a former one`);
    else results.set(id, ok(answerOf(mailbox, { ...record, parentId: idOf(record.parentId) })));
  }
  // Where own changes could not be told from those of others, only the latest version has them.
  const [own, last] = [await byId(after === before ? latest : after), await byId(now)];
  for (const [id, { after: wanted }] of update) {
    const error = errors.get(id);
    const [known, mailbox] = [was.get(id), own.get(id) ?? last.get(id)];
    if (error !== undefined) results.set(id, refusal(withWhatIsLeft(error, known, last.get(id))));
    else if (known === undefined || mailbox === undefined) results.set(id, refuse({ type: 'notFound' }));
    else {
      const expected = { ...known, ...wanted };
      results.set(id, ok(surprisesOf(mailbox, { ...expected, parentId: idOf(expected.parentId) })));
    }
  }
  for (const id of destroy) {
    const error = errors.get(id) ?? stillThere;
    const isGone = !last.has(id) && (work.destroyed.has(id) || work.unclear.has(id));
    results.set(id, isGone ? ok(null) : refusal(withWhatIsLeft(error, was.get(id), last.get(id))));
  }
  return results;
}

/** What a mail server has said to be gone, and shows all the same. */
const stillThere: SetError = { type: 'forbidden', description: 'the mail server keeps it' };

async function byId(view: CatalogView): Promise<ReadonlyMap<Id, KnownMailbox>> {
  return new Map([...(await knownMailboxes(view)).values()].map((mailbox) => [mailbox.id, mailbox]));
}
