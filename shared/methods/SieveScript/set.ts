// SieveScript/set (RFC 9661 §2.4)
import { nullIfUnavailable, ok, type Result, refuse, type SetError, Unavailable } from '../../jmap/errors.ts';
import { boolean, nullable, type Parsed, string } from '../../jmap/grammar.ts';
import type { Id, JsonObject } from '../../jmap/scalars.ts';
import type { Finish, SetPort } from '../../jmap/standard/set.ts';
import type { Revision, Some, Step } from '../../jmap/verbs.ts';
import { scriptBlobId } from '../Blob/script-blob.ts';
import { includerOf, includingChanged, includingInstead, objectionToScripts } from '../VacationResponse/includer.ts';
import { isVacationScript, vacationScriptName } from '../VacationResponse/vacation-script.ts';
import { freeId, type KnownScript, knownScripts, renamedScripts, scriptsState } from './known-scripts.ts';
import { orUndo } from './or-undo.ts';
import type { SieveScript, SieveScriptPorts } from './record.ts';
import { scriptContent, setErrorOf } from './script-content.ts';
import type { Script } from './scripts.ts';

/** An id that does not exist, or is none, is ignored; so any text is taken. */
export const setArguments = {
  onSuccessActivateScript: nullable(string),
  onSuccessDeactivateScript: nullable(boolean),
};

type Arguments = Parsed<typeof setArguments>;

/** The port of one call: it reads the scripts once, and then knows what it did with them itself. */
export type ScriptSetPort = SetPort<SieveScript, Arguments, false> & {
  readonly finish: (args: Arguments, createdIds: ReadonlyMap<string, Id>) => Finish | null;
};

export function canSetScripts(ports: SieveScriptPorts): ScriptSetPort {
  const { scripts: manager } = ports;
  let known: KnownScript[] = [];

  /** Does something to each record, one after the other; the states are those before and after. */
  async function each<K extends string, R, T>(
    records: Iterable<readonly [K, R]>,
    act: (key: K, record: R) => Promise<Result<T, SetError>>,
  ): Promise<Step<K, T>> {
    const oldState = scriptsState(known);
    const results = new Map<K, Result<T, SetError>>();
    for (const [key, record] of records) results.set(key, await answered(results, () => act(key, record)));
    return { oldState, newState: scriptsState(known), results };
  }

  async function create({
    name: asked,
    blobId,
  }: Omit<SieveScript, 'id'>): Promise<Result<Some<SieveScript>, SetError>> {
    const name = asked ?? freeName(known);
    const objection = objectionToName(name, known) ?? objectionToNumber(known.length + 1);
    if (objection !== null) return refuse(objection);
    const content = await scriptContent(blobId, ports);
    if (!content.ok) return content;
    const conflict = conflictBy([...known, { name, octets: content.value, isActive: false }]);
    if (conflict !== null) return refuse(conflict);
    const put = await manager.put(name, content.value);
    if (!put.ok) return refuse(setErrorOf(put.error));
    const ids = new Set(known.map(({ id }) => id));
    const script = { name, octets: content.value, isActive: false, blobId: scriptBlobId(content.value) };
    const id = await idFor(name, ids);
    known = [...known, { id, ...script }];
    return ok({ id, name, blobId: script.blobId, isActive: false });
  }

  function objectionToNumber(count: number): SetError | null {
    const { maxNumberScripts } = manager.limits;
    if (maxNumberScripts === null || count <= maxNumberScripts) return null;
    return { type: 'overQuota', description: `more than ${maxNumberScripts} scripts` };
  }

  /** An id that follows from the name, or one that is kept for it because another script has that. */
  async function idFor(name: string, taken: ReadonlySet<Id>): Promise<Id> {
    const id = freeId(name, taken);
    if (id !== freeId(name, new Set())) await keepId(id, name);
    return id;
  }

  async function keepId(id: Id, name: string): Promise<Result<null, SetError>> {
    const kept = await ports.records.change(renamedScripts, () => ({ edits: [{ id, value: { name } }], answer: null }));
    return kept.ok ? ok(null) : refuse({ type: 'overQuota', description: 'no more names can be remembered' });
  }

  async function update(id: Id, { after }: Revision<SieveScript>): Promise<Result<JsonObject | null, SetError>> {
    const script = known.find((other) => other.id === id);
    if (script === undefined) return refuse({ type: 'notFound' });
    if (isVacationScript(script)) return refuse(ofVacation);
    const others: JsonObject = {};
    const name = after.name === null ? freeName(known) : after.name;
    if (name !== undefined) {
      const objection = objectionToName(name, known);
      if (objection !== null) return refuse(objection);
      if (after.name === null) others.name = name;
    }
    if (after.blobId !== undefined) {
      const content = await scriptContent(after.blobId, ports);
      if (!content.ok) return content;
      const conflict = conflictBy(
        known.map((other) => (other === script ? { ...script, octets: content.value } : other)),
      );
      if (conflict !== null) return refuse(conflict);
      const put = await manager.put(script.name, content.value);
      if (!put.ok) return refuse(setErrorOf(put.error));
      await tellIncluder(script.name, content.value);
      replace(script, { octets: content.value, blobId: scriptBlobId(content.value) });
      if (scriptBlobId(content.value) !== after.blobId) others.blobId = scriptBlobId(content.value);
    }
    if (name !== undefined) {
      // Half of an update is none.
      const renamed = await orUndo(
        () => rename(id, script.name, name),
        async () => {
          const undone = after.blobId === undefined ? ok(null) : await manager.put(script.name, script.octets);
          if (!undone.ok) return;
          replace(script, script);
          if (after.blobId !== undefined) await tellIncluder(script.name, script.octets);
        },
      );
      if (!renamed.ok) return renamed;
    }
    return ok(Object.keys(others).length === 0 ? null : others);
  }

  function conflictBy(after: readonly Script[]): SetError | null {
    const description = objectionToScripts(known, after);
    return description === null ? null : { type: 'forbidden', description };
  }

  /**
   * A vacation response that runs the script along with itself knows it by what it says, should another program rename it. Where
   * that cannot be told, nothing else is wrong.
   */
  async function tellIncluder(name: string, octets: Uint8Array): Promise<void> {
    const includer = includerOf(name, known);
    if (includer === null) return;
    const changed = includingChanged(includer, octets);
    if (changed.equals(includer.octets)) return;
    const put = await manager.put(includer.name, changed).catch(nullIfUnavailable);
    if (put?.ok) replace(includer, { octets: changed, blobId: scriptBlobId(changed) });
  }

  /**
   * The id is kept before the name changes: until it has, it says nothing. A vacation response that runs the script along with
   * itself knows both names meanwhile, so that there is no moment at which it does not.
   */
  async function rename(id: Id, from: string, to: string): Promise<Result<null, SetError>> {
    const kept = await keepId(id, to);
    if (!kept.ok) return kept;
    const includer = includerOf(from, known);
    if (includer !== null && !(await manager.canInclude(to))) {
      return refuse({ type: 'forbidden', description: 'under that name the vacation response could not run it' });
    }
    const including = async (names: readonly string[]) =>
      includer === null ? ok(null) : manager.put(includer.name, includingInstead(includer, from, names));
    const prepared = await including([from, to]);
    if (!prepared.ok) return refuse(setErrorOf(prepared.error));
    const renamed = await orUndo(
      () => manager.rename(from, to),
      () => including([from]),
    );
    if (!renamed.ok) {
      const error = setErrorOf(renamed.error);
      return refuse(error.type === 'alreadyExists' ? { ...error, existingId: freeId(to, new Set()) } : error);
    }
    known = known.map((script) => (script.id === id ? { ...script, name: to } : script));
    // Both names do no harm, where one of them cannot be taken out.
    const finished = await including([to]);
    if (includer !== null) {
      const octets = includingInstead(includer, from, finished.ok ? [to] : [from, to]);
      replace(includer, { octets, blobId: scriptBlobId(octets) });
    }
    return ok(null);
  }

  async function destroy(id: Id): Promise<Result<null, SetError>> {
    const script = known.find((other) => other.id === id);
    if (script === undefined) return refuse({ type: 'notFound' });
    if (isVacationScript(script)) return refuse(ofVacation);
    if (script.isActive) return refuse({ type: 'sieveIsActive' });
    if (includerOf(script.name, known)?.isActive === true) {
      return refuse({ type: 'sieveIsActive', description: 'it is run along with the vacation response' });
    }
    const removed = await manager.remove(script.name);
    if (!removed.ok) return refuse(setErrorOf(removed.error));
    known = known.filter((other) => other !== script);
    return ok(null);
  }

  function replace({ id }: KnownScript, changed: Partial<KnownScript>): void {
    known = known.map((script) => (script.id === id ? { ...script, ...changed, id } : script));
  }

  /** One script becomes active, or none. */
  async function activate(target: KnownScript | null): Promise<Step<Id, JsonObject>> {
    const oldState = scriptsState(known);
    const before = known.find(({ isActive }) => isActive);
    const done = before?.id === target?.id ? ok(null) : await manager.activate(target?.name ?? null);
    if (done.ok) known = known.map((script) => ({ ...script, isActive: script.id === target?.id }));
    const results = new Map<Id, Result<JsonObject, SetError>>();
    const outcome = (isActive: boolean) => (done.ok ? ok({ isActive }) : refuse(setErrorOf(done.error)));
    if (before !== undefined && before.id !== target?.id) results.set(before.id, outcome(false));
    if (target !== null) results.set(target.id, outcome(true));
    return { oldState, newState: scriptsState(known), results };
  }

  return {
    latestState: async () => {
      known = await knownScripts(ports);
      return scriptsState(known);
    },
    current: async (ids) => {
      const wanted = known.filter(({ id }) => ids.includes(id));
      return new Map(wanted.map(({ octets: _, ...script }) => [script.id, script]));
    },
    create: (records) => each(records, (_, record) => create(record)),
    update: (revisions) => each(revisions, update),
    destroy: (ids) =>
      each(
        ids.map((id) => [id, null] as const),
        destroy,
      ),
    finish: ({ onSuccessActivateScript: asked, onSuccessDeactivateScript }, createdIds) => {
      const wanted = asked?.startsWith('#') ? createdIds.get(asked.slice(1)) : asked;
      const target = known.find(({ id }) => id === wanted) ?? null;
      if (target === null && onSuccessDeactivateScript !== true) return null;
      const active = known.find(({ isActive }) => isActive);
      const ids = new Set([active, target].flatMap((script) => (script == null ? [] : [script.id])));
      return { ids: [...ids], run: () => activate(target) };
    },
  };
}

const ofVacation: SetError = {
  type: 'forbidden',
  description: 'this script is made by VacationResponse/set, and can be changed by nothing else',
};

/**
 * The outcome for one record of several. When the world fails before any was changed, that is thrown; after that, it refuses
 * this one, and the others keep their answers.
 */
async function answered<T>(
  before: ReadonlyMap<string, Result<unknown, SetError>>,
  act: () => Promise<Result<T, SetError>>,
): Promise<Result<T, SetError>> {
  try {
    return await act();
  } catch (error) {
    const isAnyDone = [...before.values()].some((result) => result.ok);
    if (!isAnyDone || !(error instanceof Unavailable)) throw error;
    return refuse({ type: 'serverUnavailable' });
  }
}

function objectionToName(name: string, known: readonly KnownScript[]): SetError | null {
  const existing = known.find((script) => script.name === name);
  if (existing !== undefined) return { type: 'alreadyExists', existingId: existing.id };
  if (name !== vacationScriptName) return null;
  return { type: 'invalidProperties', properties: ['name'], description: 'this name is that of the vacation response' };
}

/** The name of a script that was given none. */
function freeName(known: readonly KnownScript[]): string {
  const taken = new Set(known.map(({ name }) => name));
  for (let n = 1; ; n++) if (!taken.has(`Script ${n}`)) return `Script ${n}`;
}
