import { type MethodError, methodError, ok, type Result, refuse } from '../jmap/errors.ts';
import type { Id, JsonObject, State } from '../jmap/scalars.ts';
import type { Changes } from '../jmap/verbs.ts';

/** All records of one type of one account as they are kept, with what it takes to tell what changed. */
export type Collection = {
  /** Random: a collection that was erased and begun anew has no state in common with the old one. */
  readonly epoch: string;
  /** Counts changes of records, not writes: each change has a version of its own, so that a part of them can be told. */
  readonly version: number;
  /** The state before anything was stored, if what there was then is what this collection began with. */
  readonly firstState: State | null;
  readonly records: ReadonlyMap<Id, Kept>;
  /** The newest at the end. */
  readonly destroyed: readonly Gone[];
  /** The log tells what happened after this version. */
  readonly toldFrom: number;
};
/** A record, and the versions at which it came and last changed. */
export type Kept = { readonly created: number; readonly changed: number; readonly value: JsonObject };
export type Gone = { readonly id: Id; readonly created: number; readonly destroyed: number };

/** What happens to a record: it becomes this, or goes. `quiet`: nothing a client can see changes, so no state does. */
export type Edit =
  | { readonly id: Id; readonly value: JsonObject; readonly quiet?: true }
  | { readonly id: Id; readonly value: null };

/** How many destroyed records are remembered; clients whose state is older start over. */
export const destroyedMax = 1_000;

export function stateOf({ epoch, version }: Collection): State {
  return `${epoch}-${version}` as State;
}

/** The collection after these edits, which have to be of different records. */
export function edited(collection: Collection, edits: readonly Edit[]): Collection {
  const records = new Map(collection.records);
  const destroyed = [...collection.destroyed];
  let { version } = collection;
  for (const edit of edits) {
    const before = records.get(edit.id);
    if (edit.value === null) {
      if (before === undefined) continue;
      version += 1;
      records.delete(edit.id);
      destroyed.push({ id: edit.id, created: before.created, destroyed: version });
    } else if (edit.quiet && before !== undefined) {
      records.set(edit.id, { ...before, value: edit.value });
    } else {
      version += 1;
      records.set(edit.id, { created: before?.created ?? version, changed: version, value: edit.value });
    }
  }
  const surplus = destroyed.splice(0, Math.max(0, destroyed.length - destroyedMax));
  return { ...collection, version, records, destroyed, toldFrom: surplus.at(-1)?.destroyed ?? collection.toldFrom };
}

/** What changed since a state (RFC 8620 §5.2), net; or as much of it as `maxChanges` allows, up to a state in between. */
export function changesSince(
  collection: Collection,
  sinceState: State,
  maxChanges: number | null,
): Result<Changes, MethodError> {
  const since = versionOf(collection, sinceState);
  if (since === null) return refuse(methodError('cannotCalculateChanges', 'what changed since then is not known'));

  const net = new Map<Id, Net>();
  let reached = since;
  let isCut = false;
  for (const { id, kind, version } of eventsAfter(collection, since)) {
    const before = net.get(id);
    const after = then(before, kind);
    if (before === undefined && net.size === maxChanges) {
      isCut = true;
      break;
    }
    if (after === null) net.delete(id);
    else net.set(id, after);
    reached = version;
  }
  const idsOf = (kind: Net) => [...net].flatMap(([id, happened]) => (happened === kind ? [id] : []));
  return ok({
    newState: stateOf(isCut ? { ...collection, version: reached } : collection),
    hasMoreChanges: isCut,
    created: idsOf('created'),
    updated: idsOf('updated'),
    destroyed: idsOf('destroyed'),
  });
}

type Net = 'created' | 'updated' | 'destroyed';
type Event = { readonly id: Id; readonly kind: Net; readonly version: number };

/** Of the changes of one record only the last is remembered, which is all that a client has to be told. */
function eventsAfter({ records, destroyed }: Collection, since: number): Event[] {
  const events: Event[] = [];
  for (const [id, { created, changed }] of records) {
    events.push({ id, kind: 'created', version: created });
    if (changed !== created) events.push({ id, kind: 'updated', version: changed });
  }
  for (const { id, created, destroyed: version } of destroyed) {
    events.push({ id, kind: 'created', version: created }, { id, kind: 'destroyed', version });
  }
  return events.filter(({ version }) => version > since).sort((a, b) => a.version - b.version);
}

/** What happened in all, when this happens next; null: nothing that shows. */
function then(before: Net | undefined, next: Net): Net | null {
  if (before === undefined) return next;
  if (before === 'created') return next === 'destroyed' ? null : 'created';
  return next === 'destroyed' ? 'destroyed' : 'updated';
}

function versionOf({ epoch, version, firstState, toldFrom }: Collection, state: State): number | null {
  const digits = state.startsWith(`${epoch}-`) ? state.slice(epoch.length + 1) : '';
  const known = /^\d{1,15}$/.test(digits) ? Number(digits) : Number.NaN;
  const wanted = state === firstState ? 0 : known;
  return wanted >= toldFrom && wanted <= version ? wanted : null;
}
