import { isVacationScript, readVacationScript, writeVacationScript } from './vacation-script.ts';

type Named = { readonly name: string; readonly octets: Uint8Array };

/** The vacation response's script, where it runs the script of this name along with it; null where it does not. */
export function includerOf<S extends Named>(name: string, scripts: readonly S[]): S | null {
  const isIncluder = (script: S) =>
    isVacationScript(script) && readVacationScript(script.octets)?.included.includes(name) === true;
  return scripts.find(isIncluder) ?? null;
}

/** Such a script when it runs these instead of that one. */
export function includingInstead({ octets }: Named, name: string, others: readonly string[]): Buffer {
  const says = readVacationScript(octets);
  if (says === null) throw new Error('Could not change what a script includes: it is not ours');
  const included = says.included.flatMap((each) => (each === name ? others : [each]));
  return writeVacationScript({ ...says, included: [...new Set(included)] });
}
