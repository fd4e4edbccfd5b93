import { ok, type Result, type SetError } from '../errors.ts';
import type { RecordType } from '../record-type.ts';
import type { Id, JsonObject } from '../scalars.ts';
import type { CanCreate, Some } from '../verbs.ts';
import { noOutcomes, type Outcomes, settle } from './outcomes.ts';
import { createRecord } from './record.ts';
import type { Steps } from './steps.ts';

/** A record that was created: all of it, and the part that the client does not know yet. */
export type Created = { readonly whole: Some<JsonObject>; readonly response: JsonObject };

/**
 * The `create` part of a /set (RFC 8620 §5.3). A record that refers to another one by its creation id is created after
 * it, whatever the order they were sent in; what depends on itself, or on a record that could not be created, is
 * refused. New ids go into `createdIds` at once.
 */
export async function createAll<A>(
  type: RecordType,
  given: ReadonlyMap<string, JsonObject>,
  port: CanCreate<JsonObject, A>,
  args: A,
  createdIds: Map<string, Id>,
  steps: Steps,
): Promise<Outcomes<string, Created>> {
  const outcomes = noOutcomes<string, Created>();
  // A creation id of this call is the most recent one of that name, even while its record does not exist.
  const resolve = (creationId: string) =>
    given.has(creationId) ? outcomes.done.get(creationId)?.whole.id : createdIds.get(creationId);

  for (const batch of batchesOf(type, given)) {
    const records = new Map<string, JsonObject>();
    const defaults = new Map<string, JsonObject>();
    for (const [creationId, object] of batch) {
      const creation = createRecord(type, object, resolve);
      if (creation.ok) {
        records.set(creationId, creation.value.record);
        defaults.set(creationId, creation.value.defaults);
      } else outcomes.refused.set(creationId, creation.error);
    }
    const results = await steps.run([...records.keys()], () => port.create(records, args));
    for (const [creationId, result] of results) {
      if (result.ok) createdIds.set(creationId, result.value.id);
      settle(outcomes, [[creationId, completed(result, records.get(creationId), defaults.get(creationId))]]);
    }
  }
  return outcomes;
}

export function completed(
  result: Result<Some<JsonObject>, SetError>,
  record: JsonObject | undefined,
  defaults: JsonObject | undefined,
): Result<Created, SetError> {
  if (!result.ok) return result;
  return ok({ whole: { ...record, ...result.value }, response: { ...defaults, ...result.value } });
}

/**
 * The records in an order in which each comes after those it refers to; those of one batch do not depend on each other.
 * What waits for itself in a circle comes last, together: there no reference will resolve.
 */
function* batchesOf(
  type: RecordType,
  given: ReadonlyMap<string, JsonObject>,
): Generator<readonly (readonly [string, JsonObject])[]> {
  let waiting = [...given].map(([creationId, object]) => ({
    creationId,
    object,
    after: siblingsIn(type, object, given),
  }));
  while (waiting.length > 0) {
    const names = new Set(waiting.map(({ creationId }) => creationId));
    const free = waiting.filter(({ after }) => !after.some((sibling) => names.has(sibling)));
    const batch = free.length > 0 ? free : waiting;
    yield batch.map(({ creationId, object }) => [creationId, object]);
    waiting = waiting.filter((each) => !batch.includes(each));
  }
}

/** The records of the same call that this one refers to: the property types know where references stand. */
function siblingsIn(type: RecordType, object: JsonObject, given: ReadonlyMap<string, JsonObject>): readonly string[] {
  const siblings: string[] = [];
  createRecord(type, object, (creationId) => {
    if (given.has(creationId)) siblings.push(creationId);
    return creationId as Id;
  });
  return siblings;
}
