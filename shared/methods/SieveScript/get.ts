// SieveScript/get (RFC 9661 §2.3)
import { ok } from '../../jmap/errors.ts';
import type { JsonObject } from '../../jmap/scalars.ts';
import type { CanGet, Some } from '../../jmap/verbs.ts';
import { type KnownScript, knownScripts, scriptsState } from './known-scripts.ts';
import type { SieveScript, SieveScriptPorts } from './record.ts';

/** What the mail server holds at this moment. */
export function canGetScripts(ports: SieveScriptPorts): CanGet<SieveScript> {
  return {
    state: async () => scriptsState(await knownScripts(ports)),
    get: async ({ ids, properties }) => {
      const scripts = await knownScripts(ports);
      const wanted = ids === null ? scripts : scripts.filter(({ id }) => ids.includes(id));
      return ok({ state: scriptsState(scripts), list: wanted.map((script) => shown(script, properties)) });
    },
  };
}

/** A script with these of its properties. */
export function shown({ octets: _, ...script }: KnownScript, properties: readonly string[]): Some<SieveScript> {
  const some: JsonObject = {};
  for (const name of properties) some[name] = script[name as keyof SieveScript];
  return { ...some, id: script.id };
}
