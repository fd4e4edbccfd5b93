import type { SetError } from '../errors.ts';
import type { RecordType } from '../record-type.ts';
import type { Id, JsonObject } from '../scalars.ts';
import type { CanCreate, CanDestroy, CanUpdate } from '../verbs.ts';
import { addressed, type Named } from './addressed.ts';
import { type Created, createAll } from './create.ts';
import { noOutcomes, type Outcomes, refuseAll, settle } from './outcomes.ts';
import type { Steps } from './steps.ts';
import { updateAll } from './update.ts';

/** What a /set is to do. */
export type Given = Named & { readonly create: ReadonlyMap<string, JsonObject> };

/** What became of the records of a /set. */
export type Parts = {
  readonly created: Outcomes<string, Created>;
  readonly updated: Outcomes<Id, JsonObject | null>;
  readonly destroyed: Outcomes<Id, null>;
};

/** The parts of a /set one after the other: creates, then updates, then destroys. `single`: nothing is created or destroyed. */
export async function setInTurn<A>(
  type: RecordType,
  { create, ...named }: Given,
  port: CanUpdate<JsonObject, A> & CanCreate<JsonObject, A> & CanDestroy<A>,
  args: A,
  createdIds: Map<string, Id>,
  steps: Steps,
  single?: SetError,
): Promise<Parts> {
  const created = single
    ? refuseAll<string, Created>(create.keys(), single)
    : await createAll(type, create, port, args, createdIds, steps);

  // From here on the creation ids are known that stand for ids in `update` and `destroy`.
  const { patches, doomed } = addressed(named, createdIds, single);
  const resolve = (creationId: string) => createdIds.get(creationId);
  const changed = await updateAll(type, patches.accepted, port, args, resolve, steps);
  const updated = {
    ...changed,
    refused: new Map([...patches.refused, ...changed.refused]),
  };
  const ids = [...doomed.accepted.keys()];
  const destroyed = {
    ...noOutcomes<Id, null>(),
    refused: new Map(doomed.refused),
  };
  settle(destroyed, await steps.run(ids, () => port.destroy(ids, args)));
  return { created, updated, destroyed };
}
