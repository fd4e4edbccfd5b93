// VacationResponse/set (RFC 8621 §8.2)
import { ok, type Result, refuse, type SetError } from '../../jmap/errors.ts';
import type { Id, JsonObject, UTCDate } from '../../jmap/scalars.ts';
import type { CanUpdate, Revision } from '../../jmap/verbs.ts';
import { orUndo } from '../SieveScript/or-undo.ts';
import { setErrorOf, tooLarge } from '../SieveScript/script-content.ts';
import type { CanManageScripts, Script, ScriptRefusal } from '../SieveScript/scripts.ts';
import { dependenciesOf } from '../SieveScript/tokens.ts';
import { withLf } from './answer-body.ts';
import { objectionToIncluding } from './combination.ts';
import { someOf } from './get.ts';
import { includedNow } from './includer.ts';
import {
  type KnownVacation,
  knownVacation,
  nothing,
  vacationAmong,
  vacationOf,
  vacationState,
} from './known-vacation.ts';
import { singletonId, type VacationPorts, type VacationResponse } from './record.ts';
import {
  digestOf,
  extensionsOf,
  type VacationScript,
  vacationScriptName,
  wholeSeconds,
  writeVacationScript,
} from './vacation-script.ts';

/**
 * Puts a script among the user's own, and makes it the active one for as long as the response is enabled. The script that is
 * active at that time goes on working from within ours, and is the active one again afterwards.
 */
export function canUpdateVacation(ports: VacationPorts): CanUpdate<VacationResponse> {
  // Read once in a call, when it begins.
  let known: KnownVacation = vacationAmong([]);
  return {
    latestState: async () => {
      known = await knownVacation(ports);
      return vacationState(known);
    },
    current: async (ids, properties) =>
      new Map(ids.includes(singletonId) ? [[singletonId, someOf(vacationOf(known), properties)]] : []),
    update: async (revisions) => {
      const revision = revisions.get(singletonId);
      const done = revision ? await revise(known, revision, ports) : refuse<SetError>({ type: 'notFound' });
      const results = new Map<Id, Result<JsonObject | null, SetError>>();
      results.set(singletonId, done.ok ? ok(done.value.others) : done);
      const after = done.ok ? done.value.own : known.own;
      return { oldState: vacationState(known), newState: vacationState({ own: after }), results };
    },
  };
}

/** Our script afterwards, and the properties that became something else than what was asked for. */
type Revised = { readonly own: Script | null; readonly others: JsonObject | null };

async function revise(
  known: KnownVacation,
  { after }: Revision<VacationResponse>,
  ports: VacationPorts,
): Promise<Result<Revised, SetError>> {
  if (known.isNameTaken) {
    return forbidden(
      `there is a script "${vacationScriptName}" that VacationResponse/set did not make: rename it first`,
    );
  }
  const wanted = { ...vacationOf(known), ...after };
  if (known.says === null) {
    const isOff = Object.keys(after).join() === 'isEnabled' && !wanted.isEnabled && known.own !== null;
    // What it includes can be read from any script.
    const included = known.own === null ? [] : [...(dependenciesOf(textOf(known.own))?.included ?? [])];
    if (isOff && known.own !== null) return takenOff(known.own, included, known.scripts, ports.scripts, null);
    return forbidden(`the script "${vacationScriptName}" was changed by another program: rename or delete it first`);
  }
  const script = scriptFor(wanted, known, known.says, ports);
  const others = differences(wanted, script);
  if (script === null) return removed(known, ports.scripts, others);

  const objection = await objectionTo(script, wanted.isEnabled, known.scripts, ports.scripts);
  if (objection !== null) return refuse(objection);
  const octets = writeVacationScript(script);
  const before = known.own;
  if (before === null || !octets.equals(before.octets)) {
    const { maxSizeScript } = ports.scripts.limits;
    if (octets.byteLength > maxSizeScript) return refuse(tooLarge(maxSizeScript));
    const put = await ports.scripts.put(vacationScriptName, octets);
    if (!put.ok) return refuse(refusedScript(put.error));
  }
  const own = { name: vacationScriptName, isActive: before?.isActive ?? false, octets };
  if (own.isActive === wanted.isEnabled) return ok({ own, others });
  // Half of an update is none: our script becomes again what it was.
  return orUndo(
    () =>
      wanted.isEnabled
        ? activated(own, ports.scripts, others)
        : takenOff(own, script.included, known.scripts, ports.scripts, others),
    () => (before === null ? ports.scripts.remove(vacationScriptName) : ports.scripts.put(own.name, before.octets)),
  );
}

/** What the script has to say; null: there is no need for one. */
function scriptFor(
  { isEnabled, fromDate, toDate, subject, textBody, htmlBody }: VacationResponse,
  { own, scripts }: KnownVacation,
  before: VacationScript,
  { ownAddresses }: VacationPorts,
): VacationScript | null {
  const isNothing = [fromDate, toDate, subject, textBody, htmlBody].every((value) => value === null);
  if (!isEnabled && isNothing) return null;
  const active = scripts.find((script) => script.isActive && script !== own) ?? null;
  return {
    fromDate: fromDate && wholeSeconds(fromDate as UTCDate),
    toDate: toDate && wholeSeconds(toDate as UTCDate),
    subject,
    textBody: textBody === null ? null : withLf(textBody),
    htmlBody: htmlBody === null ? null : withLf(htmlBody),
    addresses: ownAddresses,
    ...(isEnabled && own?.isActive !== true
      ? { included: active === null ? [] : [active.name], includedDigest: active && digestOf(active.octets) }
      : { included: includedNow(before, scripts), includedDigest: before.includedDigest }),
  };
}

function differences(wanted: VacationResponse, script: VacationScript | null): JsonObject | null {
  const { fromDate, toDate, textBody, htmlBody } = script ?? nothing;
  const others: JsonObject = {};
  for (const [name, value] of Object.entries({ fromDate, toDate, textBody, htmlBody })) {
    if (value !== wanted[name as keyof VacationResponse]) others[name] = value;
  }
  return Object.keys(others).length === 0 ? null : others;
}

async function objectionTo(
  script: VacationScript,
  isEnabled: boolean,
  scripts: readonly Script[],
  { extensions, canInclude }: CanManageScripts,
): Promise<SetError | null> {
  const offered = await extensions();
  const missing = extensionsOf(script).filter((extension) => !offered.has(extension));
  if (missing.includes('vacation')) return { type: 'forbidden', description: 'the mail server does not answer mail' };
  if (missing.includes('include')) {
    const description = 'the mail server cannot run the active script beside a vacation response';
    return { type: 'forbidden', description };
  }
  if (missing.length > 0) {
    const properties = (['fromDate', 'toDate'] as const).filter((name) => script[name] !== null);
    return { type: 'invalidProperties', properties, description: 'the mail server cannot compare dates' };
  }
  for (const name of isEnabled ? script.included : []) {
    if (await canInclude(name)) continue;
    return {
      type: 'forbidden',
      description: `the mail server cannot run a script of the name "${name}" beside another one`,
    };
  }
  const description = isEnabled ? objectionToIncluding(script.included, scripts) : null;
  return description === null ? null : { type: 'forbidden', description };
}

async function activated(
  own: Script,
  { activate }: CanManageScripts,
  others: JsonObject | null,
): Promise<Result<Revised, SetError>> {
  const done = await activate(own.name);
  return done.ok ? ok({ own: { ...own, isActive: true }, others }) : refuse(refusedScript(done.error));
}

/** Makes the script active again that was so before, if it is still there. */
async function takenOff(
  own: Script,
  included: readonly string[],
  scripts: readonly Script[],
  { activate }: CanManageScripts,
  others: JsonObject | null,
): Promise<Result<Revised, SetError>> {
  const again = scripts.find(({ name }) => included.includes(name)) ?? null;
  const done = await activate(again?.name ?? null);
  return done.ok ? ok({ own: { ...own, isActive: false }, others }) : refuse(refusedScript(done.error));
}

async function removed(
  { own, says, scripts }: KnownVacation,
  manager: CanManageScripts,
  others: JsonObject | null,
): Promise<Result<Revised, SetError>> {
  if (own === null) return ok({ own: null, others });
  if (own.isActive) {
    const off = await takenOff(own, says === null ? [] : includedNow(says, scripts), scripts, manager, others);
    if (!off.ok) return off;
  }
  const done = await manager.remove(own.name);
  if (done.ok) return ok({ own: null, others });
  if (own.isActive) await manager.activate(own.name);
  return refuse(refusedScript(done.error));
}

function textOf({ octets }: Script): string {
  return Buffer.from(octets).toString('utf8');
}

/** That a script is refused which the user has not written is no fault of his. */
function refusedScript(refusal: ScriptRefusal): SetError {
  if (refusal.reason !== 'invalid' && refusal.reason !== 'badName') return setErrorOf(refusal);
  return { type: 'forbidden', description: `the mail server refuses the script: ${refusal.description}` };
}

function forbidden(description: string): Result<never, SetError> {
  return refuse({ type: 'forbidden', description });
}
