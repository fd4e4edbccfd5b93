import { methodError, ok, type Result, refuse, type SetError } from '../../shared/jmap/errors.ts';
import { jsonEqual } from '../../shared/jmap/json-equal.ts';
import type { Id, JsonObject, State } from '../../shared/jmap/scalars.ts';
import type {
  CanChange,
  CanCopy,
  CanCreate,
  CanDestroy,
  CanGet,
  CanUpdate,
  Original,
  Some,
  Step,
} from '../../shared/jmap/verbs.ts';

type Whole = JsonObject & { id: Id };

/**
 * Records of one type in memory, with every version they ever had: a state is the number of a version. It fills all
 * ports but the queries.
 */
export function shelf<R>(prefix: string, bake: (serial: number) => JsonObject = () => ({})) {
  const versions: ReadonlyMap<Id, Whole>[] = [new Map()];
  const calls: string[] = [];
  const failures = new Map<string, Error>();
  const between: { current?: () => void } = {};
  let serial = 0;

  const latest = (): ReadonlyMap<Id, Whole> => versions.at(-1) ?? new Map();
  const state = (): State => `${prefix}${versions.length - 1}` as State;
  const versionOf = (since: State): ReadonlyMap<Id, Whole> | undefined =>
    since.startsWith(prefix) ? versions[Number(since.slice(prefix.length))] : undefined;

  /** Notes the call of a verb; fails when the test wants it to. */
  function called(verb: string): void {
    calls.push(verb);
    const failure = failures.get(verb);
    if (failure !== undefined) throw failure;
  }

  /** Changes records as somebody else would do it. */
  function change(edit: (records: Map<Id, Whole>) => void): void {
    const next = new Map(latest());
    edit(next);
    versions.push(next);
  }

  function step<K extends string, T>(
    edit: (records: Map<Id, Whole>) => ReadonlyMap<K, Result<T, SetError>>,
  ): Step<K, T> {
    between.current?.();
    const oldState = state();
    const next = new Map(latest());
    const results = edit(next);
    if ([...results.values()].some((result) => result.ok)) versions.push(next);
    return { oldState, newState: state(), results };
  }

  function add(records: Map<Id, Whole>, record: JsonObject): Some<R> {
    serial += 1;
    const answer = { id: `${prefix}${serial}` as Id, ...bake(serial) };
    records.set(answer.id, { ...record, ...answer });
    return answer as Some<R>;
  }

  function only(record: Whole, properties: readonly string[]): Some<R> {
    const some: Whole = { id: record.id };
    for (const name of properties) some[name] = record[name] ?? null;
    return some as Some<R>;
  }

  const ports: CanGet<R> &
    CanChange<{ updatedProperties: string[] | null }> &
    CanCreate<R> &
    CanUpdate<R> &
    CanDestroy &
    CanCopy<R> = {
    state: async () => {
      called('state');
      return state();
    },
    get: async ({ ids, properties }) => {
      called('get');
      const wanted = ids === null ? [...latest().keys()] : ids;
      const list = wanted.flatMap((each) => {
        const record = latest().get(each);
        return record === undefined ? [] : [only(record, properties)];
      });
      return ok({ state: state(), list });
    },
    changes: async ({ sinceState, maxChanges }) => {
      called('changes');
      const before = versionOf(sinceState);
      if (before === undefined) return refuse(methodError('cannotCalculateChanges'));
      const from = versions.indexOf(before);
      let upTo = versions.length - 1;
      while (maxChanges !== null && countOf(difference(before, versions[upTo] ?? before)) > maxChanges) upTo -= 1;
      if (upTo === from && upTo < versions.length - 1) return refuse(methodError('cannotCalculateChanges'));
      return ok({
        ...difference(before, versions[upTo] ?? before),
        newState: `${prefix}${upTo}` as State,
        hasMoreChanges: upTo < versions.length - 1,
        updatedProperties: null,
      });
    },
    latestState: async () => {
      called('latestState');
      return state();
    },
    current: async (ids, properties) => {
      called(`current ${properties.join()}`);
      const present = ids.flatMap((each) => latest().get(each) ?? []);
      return new Map(present.map((record) => [record.id, only(record, properties)]));
    },
    create: async (given) => {
      called('create');
      return step((records) => {
        const results = new Map<string, Result<Some<R>, SetError>>();
        for (const [creationId, record] of given) {
          const burnt = (record as JsonObject).name === 'burnt';
          results.set(creationId, burnt ? refuse({ type: 'forbidden' }) : ok(add(records, record as JsonObject)));
        }
        return results;
      });
    },
    update: async (revisions) => {
      called('update');
      return step((records) => {
        const results = new Map<Id, Result<JsonObject | null, SetError>>();
        for (const [each, { after }] of revisions) {
          const record = records.get(each);
          if (record !== undefined) records.set(each, { ...record, ...after });
          results.set(each, record === undefined ? refuse({ type: 'notFound' }) : ok(null));
        }
        return results;
      });
    },
    destroy: async (ids) => {
      called('destroy');
      return step(
        (records) => new Map(ids.map((each) => [each, records.delete(each) ? ok(null) : refuse({ type: 'notFound' })])),
      );
    },
    copy: async (fromAccountId, originals) => {
      called('copy');
      const from = neighbours.get(fromAccountId)?.latest() ?? new Map<Id, Whole>();
      return step((records) => {
        const results = new Map<string, Result<Some<R>, SetError>>();
        for (const [creationId, { id: original, changed }] of originals as ReadonlyMap<string, Original<JsonObject>>) {
          const record = from.get(original);
          const twin = [...records.values()].find((each) => record !== undefined && each.name === record.name);
          if (record === undefined) results.set(creationId, refuse({ type: 'notFound' }));
          else if (twin !== undefined) {
            results.set(creationId, refuse({ type: 'alreadyExists', existingId: twin.id }));
          } else results.set(creationId, ok(add(records, { ...record, ...changed })));
        }
        return results;
      });
    },
  };
  const neighbours = new Map<string, { latest: () => ReadonlyMap<Id, Whole> }>();
  return { ports, calls, failures, between, latest, state, versionOf, change, neighbours };
}
export type Shelf<R> = ReturnType<typeof shelf<R>>;

/** What /changes says about two versions. */
export function difference(before: ReadonlyMap<Id, Whole>, after: ReadonlyMap<Id, Whole>) {
  const created = [...after.keys()].filter((each) => !before.has(each));
  const destroyed = [...before.keys()].filter((each) => !after.has(each));
  const updated = [...after.keys()].filter((each) => before.has(each) && !jsonEqual(before.get(each), after.get(each)));
  return { created, updated, destroyed };
}

function countOf(changes: ReturnType<typeof difference>): number {
  return changes.created.length + changes.updated.length + changes.destroyed.length;
}
