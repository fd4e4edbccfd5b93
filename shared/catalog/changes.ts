import { LRUCache } from 'lru-cache';
import { type MethodError, methodError, ok, type Result, refuse } from '../jmap/errors.ts';
import type { Id, State } from '../jmap/scalars.ts';
import type { CatalogView, ChangingType, VersionedEntry } from './view.ts';

/** What a /changes call answers (RFC 8620 §5.2), net over the range: each id appears once. */
export type NetChanges = {
  readonly oldState: State;
  readonly newState: State;
  readonly hasMoreChanges: boolean;
  readonly created: Id[];
  readonly updated: Id[];
  readonly destroyed: Id[];
  /** RFC 8621 §2.2: the count properties when nothing else of any Mailbox changed, else null. Present for Mailbox only. */
  readonly updatedProperties?: string[] | null;
};

const countProperties = ['totalEmails', 'unreadEmails', 'totalThreads', 'unreadThreads'];

/** The state of a type in this version of the catalog: `<epoch>-<version>`. Opaque to clients, compared only for equality. */
export function stateOf(view: Pick<CatalogView, 'epoch' | 'versions'>, type: ChangingType): State {
  return stateAt(view.epoch, view.versions[type]);
}

/**
 * The version of the type that a state names. Refuses with `cannotCalculateChanges` what is not a state of this epoch, lies in
 * the future, or is older than the log. Of a state given out between two pages of changes, it is the version they started from.
 */
export function versionIn(view: CatalogView, type: ChangingType, state: string): Result<number, MethodError> {
  const position = positionIn(view, type, state);
  return position.ok ? ok(position.value.from) : position;
}

/**
 * What changed between `sinceState` and the view. The newest changes come first (RFC 8621 §4.3), at most `maxChanges` ids.
 *
 * When there are more, the client gets an intermediate state that names the range it is working through and how much of it was
 * delivered (the `B-D-E` of RFC 8620 §5.2). The range stays fixed while the account moves on, so that no record is called
 * destroyed on one page and created on another: each page is a cut of one net result.
 */
export async function changesSince(
  view: CatalogView,
  type: ChangingType,
  sinceState: string,
  maxChanges: number | null,
): Promise<Result<NetChanges, MethodError>> {
  const position = positionIn(view, type, sinceState);
  if (!position.ok) return position;
  const { from, to, delivered } = position.value;

  const range = `${view.epoch} ${type} ${from} ${to}`;
  const net = begunRanges.get(range) ?? (await netChanges(view, type, from, to));
  if (delivered > 0 && delivered >= net.length) return cannotCalculate(neverGivenOut);
  const end = maxChanges === null ? net.length : Math.min(net.length, delivered + maxChanges);
  const page = net.slice(delivered, end);
  const complete = end >= net.length;
  if (complete) begunRanges.delete(range);
  else begunRanges.set(range, net);
  const newState = complete ? stateAt(view.epoch, to) : intermediateState(view.epoch, { from, to, delivered: end });

  const created = page.filter((change) => !change.existed).map((change) => change.id);
  const updated = page.filter((change) => change.existed && change.exists).map((change) => change.id);
  const destroyed = page.filter((change) => !change.exists).map((change) => change.id);
  const countsOnly = page.length > 0 && page.every((change) => change.countsOnly);
  return ok({
    oldState: sinceState as State,
    newState,
    hasMoreChanges: !complete || to < view.versions[type],
    created,
    updated,
    destroyed,
    ...(type === 'Mailbox' && { updatedProperties: countsOnly ? countProperties : null }),
  });
}

/**
 * Ranges that clients of this process are working through, so that the log of a long one is not read for each page. What a range holds
 * never changes, and its epoch, which is random, is of one account. Bounded by the number of changes: the log holds no more of a type.
 */
const begunRanges = new LRUCache<string, readonly NetChange[]>({
  maxSize: 400_000,
  sizeCalculation: (net) => net.length,
});

/** Where a client stands: `delivered` ids of the net changes in (from, to] are already its own. */
type Position = { readonly from: number; readonly to: number; readonly delivered: number };

const statePattern = /^([a-z0-9]+)-(\d{1,15})(?:-(\d{1,15})-(\d{1,15}))?$/;

function positionIn(view: CatalogView, type: ChangingType, state: string): Result<Position, MethodError> {
  const match = statePattern.exec(state);
  if (match === null || match[1] !== view.epoch) return cannotCalculate('The state is not of this catalog');
  const current = view.versions[type];
  const from = Number(match[2]);
  const to = match[3] === undefined ? current : Number(match[3]);
  const delivered = match[4] === undefined ? 0 : Number(match[4]);
  // An intermediate state has delivered something of its range, and has something left.
  const isIntermediate = match[3] !== undefined;
  if (to > current || from > to || (isIntermediate && delivered === 0)) return cannotCalculate(neverGivenOut);
  if (from < view.oldestVersions[type]) return cannotCalculate('The state is older than the remembered changes');
  return ok({ from, to, delivered });
}

const neverGivenOut = 'The state was never given out';

function cannotCalculate(description: string): { readonly ok: false; readonly error: MethodError } {
  return refuse(methodError('cannotCalculateChanges', description));
}

function stateAt(epoch: string, version: number): State {
  return `${epoch}-${version}` as State;
}

function intermediateState(epoch: string, { from, to, delivered }: Position): State {
  return `${epoch}-${from}-${to}-${delivered}` as State;
}

/** What became of one record over a range. */
type NetChange = {
  readonly id: Id;
  readonly existed: boolean;
  readonly exists: boolean;
  readonly countsOnly: boolean;
};

/** Net over (from, to], the record touched last first. A record that came and went inside the range is left out. */
async function netChanges(view: CatalogView, type: ChangingType, from: number, to: number): Promise<NetChange[]> {
  const byId = new Map<Id, NetChange>();
  for await (const batch of view.log(type, from)) {
    for (const entry of batch) {
      if (entry.version > to) break;
      const change = changeIn(entry);
      const earlier = byId.get(entry.id);
      byId.delete(entry.id); // set anew, it comes last
      byId.set(entry.id, earlier === undefined ? change : followedBy(earlier, change));
    }
  }
  return [...byId.values()].filter((change) => change.existed || change.exists).reverse();
}

function followedBy(earlier: NetChange, later: NetChange): NetChange {
  return {
    id: later.id,
    existed: earlier.existed,
    exists: later.exists,
    countsOnly: earlier.countsOnly && later.countsOnly,
  };
}

function changeIn(entry: VersionedEntry): NetChange {
  switch (entry.type) {
    case 'Email':
      return { id: entry.id, existed: entry.before.length > 0, exists: entry.after.length > 0, countsOnly: false };
    case 'Thread':
      return { id: entry.id, existed: entry.existedBefore, exists: entry.existsAfter, countsOnly: false };
    case 'Mailbox':
      return {
        id: entry.id,
        existed: entry.existedBefore,
        exists: entry.existsAfter,
        countsOnly: entry.countsOnly && entry.existedBefore && entry.existsAfter,
      };
  }
}
