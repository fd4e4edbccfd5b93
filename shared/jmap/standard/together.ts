import type { Result, SetError } from '../errors.ts';
import type { RecordType } from '../record-type.ts';
import type { Id, JsonObject } from '../scalars.ts';
import type { CanSetTogether, Some } from '../verbs.ts';
import { addressed } from './addressed.ts';
import { type Created, completed } from './create.ts';
import type { Given, Parts } from './in-turn.ts';
import { noOutcomes, settle } from './outcomes.ts';
import { createRecord } from './record.ts';
import type { Steps } from './steps.ts';
import { parsePatches, reviseAll } from './update.ts';

/**
 * The parts of a /set as one step, for a port that finds out itself in which order they are possible (RFC 8620 §5.3: what is valid in
 * the end is allowed). What is done to a record that the same call creates comes after that.
 */
export async function setTogether<A>(
  type: RecordType,
  { create, update, destroy }: Given,
  port: CanSetTogether<JsonObject, A>,
  args: A,
  createdIds: Map<string, Id>,
  steps: Steps,
): Promise<Parts> {
  const parts: Parts = {
    created: noOutcomes<string, Created>(),
    updated: noOutcomes<Id, JsonObject | null>(),
    destroyed: noOutcomes<Id, null>(),
  };
  const isNew = (name: string) => name.startsWith('#') && create.has(name.slice(1));
  const named = (which: boolean) => ({
    update: update.filter(([name]) => isNew(name) === which),
    destroy: destroy.filter((name) => isNew(name) === which),
  });
  await carryOut({ ...named(false), create });
  await carryOut({ ...named(true), create: new Map() });
  return parts;

  async function carryOut(given: Given): Promise<void> {
    const resolve = (creationId: string) =>
      given.create.has(creationId) ? referenceTo(creationId) : createdIds.get(creationId);
    const records = new Map<Id, JsonObject>();
    const defaults = new Map<string, JsonObject>();
    for (const [creationId, object] of given.create) {
      const creation = createRecord(type, object, resolve);
      if (creation.ok) {
        records.set(referenceTo(creationId), creation.value.record);
        defaults.set(creationId, creation.value.defaults);
      } else parts.created.refused.set(creationId, creation.error);
    }
    const { patches, doomed } = addressed(given, createdIds);
    const { patches: revised, refused } = parsePatches(patches.accepted);
    for (const [name, error] of patches.refused) parts.updated.refused.set(name, error);
    for (const [name, error] of doomed.refused) parts.destroyed.refused.set(name, error);
    settle(parts.updated, refused);

    const ids = [...records.keys(), ...revised.keys(), ...doomed.accepted.keys()];
    const results = await steps.run<Id, Some<JsonObject> | JsonObject | null>(ids, async () => {
      const { revisions, settled } = await reviseAll(type, revised, port, resolve);
      if (settled.size === ids.length)
        return { oldState: steps.newState(), newState: steps.newState(), results: settled };
      const destroy = [...doomed.accepted.keys()];
      const step = await port.setTogether({ create: records, update: revisions, destroy }, args);
      return { ...step, results: new Map([...settled, ...step.results]) };
    });

    type Creation = Result<Some<JsonObject>, SetError>;
    const creations = [...defaults.keys()].flatMap((creationId): [string, Creation][] => {
      const result = results.get(referenceTo(creationId)) as Creation | undefined;
      return result === undefined ? [] : [[creationId, result]];
    });
    for (const [creationId, result] of creations) if (result.ok) createdIds.set(creationId, result.value.id);
    for (const [creationId, result] of creations) {
      const record = createRecord(type, create.get(creationId) ?? {}, (other) => createdIds.get(other));
      const whole = record.ok ? record.value.record : undefined;
      settle(parts.created, [[creationId, completed(result, whole, defaults.get(creationId))]]);
    }
    for (const [id, result] of results) {
      if (revised.has(id)) settle(parts.updated, [[id, result]]);
      if (doomed.accepted.has(id)) settle(parts.destroyed, [[id, result as Result<null, SetError>]]);
    }
  }
}

/** What stands for the id of a record that is to be created. */
function referenceTo(creationId: string): Id {
  return `#${creationId}` as Id;
}
