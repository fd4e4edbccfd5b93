import { ok } from '../jmap/errors.ts';
import type { Id, JsonObject } from '../jmap/scalars.ts';
import type { CanChange, CanGet, Some } from '../jmap/verbs.ts';
import type { AccountRecords, RecordKind } from '../records/account-records.ts';

/** /get of a type that we keep. `show` makes the record that clients see of the one that is kept. */
export function canGetKept<R extends { readonly id: Id }, K extends JsonObject>(
  records: AccountRecords,
  kind: RecordKind<K>,
  show: (id: Id, kept: K) => R,
): CanGet<R> {
  return {
    state: async () => (await records.view(kind)).state,
    get: async ({ ids, properties }) => {
      const view = await records.view(kind);
      const list = (ids ?? [...view.records.keys()]).flatMap((id) => {
        const kept = view.records.get(id);
        return kept === undefined ? [] : [only(properties, show(id, kept))];
      });
      return ok({ state: view.state, list });
    },
  };
}

/** /changes of a type that we keep. */
export function canChangeKept<K extends JsonObject>(records: AccountRecords, kind: RecordKind<K>): CanChange<object> {
  return {
    changes: async ({ sinceState, maxChanges }) => (await records.view(kind)).changes(sinceState, maxChanges),
  };
}

/** Some properties of a record, and its id. */
export function only<R extends { readonly id: Id }>(properties: readonly string[], record: R): Some<R> {
  const shown: JsonObject & { id: Id } = { id: record.id };
  const whole: JsonObject = { ...record };
  for (const name of properties) shown[name] = whole[name] ?? null;
  return shown as Some<R>;
}
