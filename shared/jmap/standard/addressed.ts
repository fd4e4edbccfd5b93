import type { SetError } from '../errors.ts';
import { type Id, isId, type JsonObject } from '../scalars.ts';

/** The `update` and the `destroy` of a /set, under the names that the client uses. */
export type Named = {
  readonly update: readonly (readonly [string, JsonObject])[];
  readonly destroy: readonly string[];
};

type Addressed<T> = { readonly accepted: ReadonlyMap<Id, T>; readonly refused: ReadonlyMap<string, SetError> };

/** The records that `update` or `destroy` name, by id: `#` and a creation id may stand for it. `objection`: to all of them. */
export function addressed(
  { update, destroy }: Named,
  createdIds: ReadonlyMap<string, Id>,
  objection?: SetError,
): { readonly patches: Addressed<JsonObject>; readonly doomed: Addressed<null> } {
  const doomed = byId(
    destroy.map((name) => [name, null] as const),
    createdIds,
    () => objection,
  );
  const patches = byId(update, createdIds, (target, others) => {
    if (doomed.accepted.has(target)) return { type: 'willDestroy' };
    return others.has(target) ? { type: 'invalidPatch', description: 'is updated twice' } : undefined;
  });
  return { patches, doomed };
}

function byId<T>(
  named: readonly (readonly [string, T])[],
  createdIds: ReadonlyMap<string, Id>,
  objection: (target: Id, others: ReadonlyMap<Id, T>) => SetError | undefined,
): Addressed<T> {
  const accepted = new Map<Id, T>();
  const refused = new Map<string, SetError>();
  for (const [name, value] of named) {
    const target = name.startsWith('#') ? createdIds.get(name.slice(1)) : name;
    if (target === undefined || !isId(target)) {
      refused.set(name, { type: 'notFound' });
      continue;
    }
    const error = objection(target, accepted);
    if (error === undefined) accepted.set(target, value);
    else refused.set(name, error);
  }
  return { accepted, refused };
}
