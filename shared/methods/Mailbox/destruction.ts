import type { Span } from '../../catalog/adopt.ts';
import type { MailboxKey } from '../../catalog/email.ts';
import { isInbox } from '../../catalog/roles.ts';
import { formerName, nameSetAside } from '../../catalog/set-aside.ts';
import type { CatalogView } from '../../catalog/view.ts';
import { ok, type Result, refuse, type SetError } from '../../jmap/errors.ts';
import type { Id } from '../../jmap/scalars.ts';
import { lookAnew } from '../look-anew.ts';
import { adoptStructure, deeds, errorOf, type StructurePorts, type StructureStep } from './deeds.ts';
import { keepOrNot } from './kept.ts';
import { ancestorsOf, type Branch, childrenOf, type Tree, treeOf, without } from './tree.ts';
import type { MailboxFailure } from './writing.ts';

/**
 * Destroys mailboxes, those below others first. A mailbox with messages goes only where that is asked for, and only with exactly
 * those that the catalog knows: also such as are flagged `\Deleted`, which JMAP does not see and another client may want back.
 */
export async function destroyMailboxes(
  ids: readonly Id[],
  { onDestroyRemoveEmails }: { readonly onDestroyRemoveEmails: boolean },
  view: CatalogView,
  ports: StructurePorts,
): Promise<StructureStep<Id, null>> {
  const { mailboxes, catalog, records, surroundings } = ports;
  const commands = deeds();
  let tree = treeOf(await view.mailboxes(), await mailboxes.naming());
  const results = new Map<Id, Result<null, SetError>>();
  const destroyed = new Map<Id, Branch>();
  const unclear = new Map<Id, Branch>();
  for (const id of deepestFirst(ids, tree)) {
    const branch = tree.branches.get(id);
    const objection = branch === undefined ? notFound : objectionTo(tree, branch, onDestroyRemoveEmails);
    if (branch === undefined || objection !== null) {
      results.set(id, refuse(objection ?? notFound));
      continue;
    }
    const { entry, fullName } = branch;
    const known = entry?.selectable ? entry.vector : null;
    const aside = nameSetAside(formerName(fullName), surroundings.now());
    const failure = await commands.carryOut(() => mailboxes.remove(fullName, known, aside));
    // Some servers forget a node as soon as nothing is below it.
    const isForgotten = failure === 'missing' && known === null && [...destroyed.values()].some(isBelow(branch));
    if (failure === 'unclear') unclear.set(id, branch);
    else if (failure !== null && !isForgotten) results.set(id, refuse(errorOfRemoval(failure)));
    else {
      destroyed.set(id, branch);
      tree = without(tree, id);
    }
  }

  const gone = [...destroyed.values(), ...unclear.values()];
  const stale = [...destroyed.values()].filter(({ entry }) => entry?.subscribed).map(({ fullName }) => fullName);
  if (stale.length > 0) await commands.carryOut(() => mailboxes.subscribe(stale, false));
  const keys = new Map<MailboxKey, number | null>();
  for (const { id, entry } of gone) {
    if (entry !== null) keys.set(entry.key, destroyed.has(id) ? (entry.vector?.uidValidity ?? null) : null);
  }
  const adopted: Span =
    keys.size === 0
      ? { before: view, after: view, latest: view }
      : await adoptStructure(catalog, view, { destroyed: keys });
  const now = unclear.size === 0 ? adopted.latest : await lookAnew(() => catalog.view('now'));
  const there = new Set([...(await now.mailboxes()).values()].map(({ id }) => id));
  for (const id of destroyed.keys()) results.set(id, ok(null));
  for (const id of unclear.keys()) results.set(id, there.has(id) ? refuse(errorOf('unclear')) : ok(null));
  // What is left of it would be found by nobody: ids are not used again.
  const kept = gone.filter(({ id, entry }) => entry?.kept && results.get(id)?.ok).map(({ id }) => [id, null] as const);
  await keepOrNot(records, new Map(kept));
  return { ...adopted, results };
}

const notFound: SetError = { type: 'notFound' };

/** No property of it is to blame: servers protect some mailboxes, such as Cyrus those with a special use. */
function errorOfRemoval(failure: MailboxFailure): SetError {
  const isRefused = failure === 'refused' || failure === 'name' || failure === 'exists';
  return errorOf(isRefused ? 'forbidden' : failure);
}

/** Why it must not be destroyed. */
function objectionTo(tree: Tree, branch: Branch, onDestroyRemoveEmails: boolean): SetError | null {
  if (isInbox(branch.fullName)) return { type: 'forbidden', description: 'every account has an inbox' };
  if (childrenOf(tree, branch.id).length > 0) return { type: 'mailboxHasChild' };
  const { vector = null, counts } = branch.entry ?? {};
  if (vector === null || vector.messages === 0 || onDestroyRemoveEmails) return null;
  return counts?.totalEmails === 0
    ? { type: 'mailboxHasEmail', description: 'it holds messages that another client has marked as deleted' }
    : { type: 'mailboxHasEmail' };
}

function deepestFirst(ids: readonly Id[], tree: Tree): Id[] {
  const depthOf = (id: Id) => ancestorsOf(tree, id).length;
  return [...ids].sort((a, b) => depthOf(b) - depthOf(a));
}

function isBelow({ id }: Branch): (branch: Branch) => boolean {
  return ({ parentId }) => parentId === id;
}
