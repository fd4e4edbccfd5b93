import type { Foresight } from '../../catalog/sync-context.ts';
import type { CatalogView } from '../../catalog/view.ts';
import { isObject } from '../../jmap/grammar.ts';
import type { Invocation } from '../../jmap/request.ts';
import type { Id, JsonObject, JsonValue } from '../../jmap/scalars.ts';
import { placesOf } from './places.ts';

/** The metadata (RFC 8621 §4.1.1), and what is remembered of most Emails. */
const toldByCatalog: ReadonlySet<JsonValue> = new Set([
  ...['id', 'blobId', 'threadId', 'mailboxIds', 'keywords', 'size', 'receivedAt'],
  'hasAttachment',
]);

/** Where the first message lies that is read or changed; by what its Mailbox or it is called. */
type Aim = { readonly kind: 'Mailbox' | 'Email'; readonly id: Id; readonly forChanges: boolean };

/**
 * Which mailbox the calls of a request will open first, as far as their arguments tell before they are checked: the one in which
 * Email/query looks for what Email/get reads then, or the one of the first Email that is read or changed. It is a guess: whoever
 * relies on it loses a command when it is wrong, and nothing else. It is told once.
 */
export function foresightOf(calls: readonly Invocation[]): Foresight {
  let isTold = false;
  return async (view) => {
    const aim = isTold ? null : aimOf(calls);
    isTold = true;
    if (aim === null) return null;
    const entry = await entryOf(view, aim);
    if (!entry?.vector) return null;
    return { name: entry.name, vector: entry.vector, forChanges: aim.forChanges };
  };
}

function aimOf(calls: readonly Invocation[]): Aim | null {
  for (const [index, [name, args, callId]] of calls.entries()) {
    if (name === 'Email/set') return aimOfSet(args);
    if (name === 'Email/get' && args.ids !== undefined && readsMessages(args)) {
      return aimAtEmail([args.ids].flat()[0], false);
    }
    if (name === 'Email/query' && calls.slice(index).some((call) => readsResultOf(callId, call))) {
      const id = isObject(args.filter) ? args.filter.inMailbox : undefined;
      return typeof id === 'string' ? { kind: 'Mailbox', id: id as Id, forChanges: false } : null;
    }
  }
  return null;
}

/** The mailbox that the first Email is taken out of, where that is said; else where it lies. */
function aimOfSet({ update, destroy }: JsonObject): Aim | null {
  const [[id, patch] = [undefined, null]] = isObject(update) ? Object.entries(update) : [];
  if (id === undefined) return aimAtEmail([destroy].flat()[0], true);
  const [left] = isObject(patch) ? Object.keys(patch).filter((path) => patch[path] === null && leaves.test(path)) : [];
  if (left === undefined) return aimAtEmail(id, true);
  return { kind: 'Mailbox', id: left.replace(leaves, '') as Id, forChanges: true };
}

/** Before the id of a Mailbox in a patch. */
const leaves = /^mailboxIds\//;

function aimAtEmail(id: unknown, forChanges: boolean): Aim | null {
  return typeof id === 'string' ? { kind: 'Email', id: id as Id, forChanges } : null;
}

function readsResultOf(callId: string, [name, args]: Invocation): boolean {
  const ids = args['#ids'];
  return name === 'Email/get' && isObject(ids) && ids.resultOf === callId && readsMessages(args);
}

/** Whether some property is asked for that the mail server has to tell. */
function readsMessages({ properties }: JsonObject): boolean {
  return !Array.isArray(properties) || properties.some((name) => !toldByCatalog.has(name));
}

async function entryOf(view: CatalogView, { kind, id }: Aim) {
  const mailboxes = await view.mailboxes();
  if (kind === 'Mailbox') return [...mailboxes.values()].find((entry) => entry.id === id);
  const place = placesOf((await view.emails([id])).values(), mailboxes).get(id);
  return place && [...mailboxes.values()].find(({ name }) => name === place.mailbox);
}
