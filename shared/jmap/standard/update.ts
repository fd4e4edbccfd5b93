import { ok, type Result, refuse, type SetError } from '../errors.ts';
import type { Resolve } from '../grammar.ts';
import { propertyOf, type RecordType } from '../record-type.ts';
import type { Id, JsonObject } from '../scalars.ts';
import type { CanUpdate, Revision, Some, Step } from '../verbs.ts';
import { noOutcomes, type Outcomes, settle } from './outcomes.ts';
import { type Patch, parsePatch } from './patch.ts';
import { reviseRecord } from './record.ts';
import type { Steps } from './steps.ts';

/**
 * The `update` part of a /set (RFC 8620 §5.3). The port is asked for the present values of just the properties that the
 * patches touch, and then told what really changes; a record that stays as it is counts as updated without more ado.
 */
export async function updateAll<A>(
  type: RecordType,
  given: ReadonlyMap<Id, JsonObject>,
  port: CanUpdate<JsonObject, A>,
  args: A,
  resolve: Resolve,
  steps: Steps,
): Promise<Outcomes<Id, JsonObject | null>> {
  const outcomes = noOutcomes<Id, JsonObject | null>();
  const { patches, refused } = parsePatches(given);
  settle(outcomes, refused);
  const results = await steps.run([...patches.keys()], async () => {
    const { revisions, settled } = await reviseAll(type, patches, port, resolve);
    const unmoved = { oldState: steps.newState(), newState: steps.newState(), results: settled };
    const step: Step<Id, JsonObject | null> = revisions.size === 0 ? unmoved : await port.update(revisions, args);
    return { ...step, results: new Map([...settled, ...step.results]) };
  });
  settle(outcomes, results);
  return outcomes;
}

export function parsePatches(given: ReadonlyMap<Id, JsonObject>): {
  readonly patches: ReadonlyMap<Id, Patch>;
  readonly refused: ReadonlyMap<Id, Result<never, SetError>>;
} {
  const patches = new Map<Id, Patch>();
  const refused = new Map<Id, Result<never, SetError>>();
  for (const [id, object] of given) {
    const patch = parsePatch(object);
    if (patch.ok) patches.set(id, patch.value);
    else refused.set(id, patch);
  }
  return { patches, refused };
}

/** What the patches change, and the outcome of those that change nothing or cannot be. */
export async function reviseAll(
  type: RecordType,
  patches: ReadonlyMap<Id, Patch>,
  port: Pick<CanUpdate<JsonObject>, 'current'>,
  resolve: Resolve,
): Promise<{
  readonly revisions: ReadonlyMap<Id, Revision<JsonObject>>;
  readonly settled: ReadonlyMap<Id, Result<JsonObject | null, SetError>>;
}> {
  const names = [...patches.values()].flatMap((patch) => [...patch.keys()]);
  const touched = new Set(names.filter((name) => propertyOf(type, name) !== undefined));
  const present = patches.size === 0 ? new Map() : await port.current([...patches.keys()], [...touched]);
  const revisions = new Map<Id, Revision<JsonObject>>();
  const settled = new Map<Id, Result<JsonObject | null, SetError>>();
  for (const [id, patch] of patches) {
    const revision = revise(type, present.get(id), patch, resolve);
    if (!revision.ok) settled.set(id, revision);
    else if (Object.keys(revision.value.after).length === 0) settled.set(id, ok(null));
    else revisions.set(id, revision.value);
  }
  return { revisions, settled };
}

function revise(
  type: RecordType,
  before: Some<JsonObject> | undefined,
  patch: Patch,
  resolve: Resolve,
): Result<Revision<JsonObject>, SetError> {
  if (before === undefined) return refuse({ type: 'notFound' });
  const after = reviseRecord(type, before, patch, resolve);
  if (!after.ok) return after;
  const whole = new Set([...patch].filter(([, { kind }]) => kind === 'value').map(([name]) => name));
  return ok({ before, after: after.value, whole });
}
