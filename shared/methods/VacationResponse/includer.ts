import type { Script } from '../SieveScript/scripts.ts';
import { objectionToIncluding } from './combination.ts';
import {
  digestOf,
  isVacationScript,
  readVacationScript,
  type VacationScript,
  vacationScriptName,
  writeVacationScript,
} from './vacation-script.ts';

type Named = { readonly name: string; readonly octets: Uint8Array };

/** The vacation response's script, where it runs the script of this name along with it; null where it does not. */
export function includerOf<S extends Named>(name: string, scripts: readonly S[]): S | null {
  const isIncluder = (script: S) =>
    isVacationScript(script) && readVacationScript(script.octets)?.included.includes(name) === true;
  return scripts.find(isIncluder) ?? null;
}

/** The names of what such a script runs along with itself, as the scripts are called now: another program may have renamed one. */
export function includedNow(
  { included, includedDigest }: VacationScript,
  scripts: readonly Named[],
): readonly string[] {
  if (scripts.some(({ name }) => included.includes(name))) return included;
  const renamed = scripts.find(
    ({ name, octets }) => name !== vacationScriptName && digestOf(octets) === includedDigest,
  );
  return renamed === undefined ? included : [renamed.name];
}

/** Why the active vacation response could not run along with these scripts what it could with those before; null where it can. */
export function objectionToScripts(before: readonly Script[], after: readonly Script[]): string | null {
  const active = before.find((script) => script.isActive && isVacationScript(script));
  const included = active === undefined ? [] : (readVacationScript(active.octets)?.included ?? []);
  return objectionToIncluding(included, before) === null ? objectionToIncluding(included, after) : null;
}

/** Such a script once what it runs along with itself says this. */
export function includingChanged({ octets }: Named, included: Uint8Array): Buffer {
  const says = readVacationScript(octets);
  if (says === null) throw new Error('Could not change what a script includes: it is not ours');
  return writeVacationScript({ ...says, includedDigest: digestOf(included) });
}

/** Such a script when it runs these instead of that one. */
export function includingInstead({ octets }: Named, name: string, others: readonly string[]): Buffer {
  const says = readVacationScript(octets);
  if (says === null) throw new Error('Could not change what a script includes: it is not ours');
  const included = says.included.flatMap((each) => (each === name ? others : [each]));
  return writeVacationScript({ ...says, included: [...new Set(included)] });
}
