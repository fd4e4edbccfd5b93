import type { JsonObject } from '../../jmap/scalars.ts';
import { scriptNameOctetsMax } from './record.ts';
import type { ScriptLimits } from './scripts.ts';

/** What is said of a mail server's Sieve: by the operator, for the server is not asked. */
export type SieveFacts = {
  readonly extensions: readonly string[];
  readonly maxSizeScript: number | null;
  readonly maxNumberScripts: number | null;
  readonly maxNumberRedirects: number | null;
  readonly notificationMethods: readonly string[] | null;
  readonly externalLists: readonly string[] | null;
};

/** Of a script, where the operator says nothing else. */
const scriptOctetsMax = 1_000_000;

export function scriptLimits({ maxSizeScript, maxNumberScripts }: SieveFacts): ScriptLimits {
  return { maxSizeScript: Math.min(maxSizeScript ?? scriptOctetsMax, scriptOctetsMax), maxNumberScripts };
}

/** What `urn:ietf:params:jmap:sieve` is in an account's `accountCapabilities` (RFC 9661 §1.2.1). */
export function sieveAccountCapability(facts: SieveFacts): JsonObject {
  const isNotifying = facts.extensions.includes('enotify');
  return {
    maxSizeScriptName: scriptNameOctetsMax,
    ...scriptLimits(facts),
    maxNumberRedirects: facts.maxNumberRedirects,
    sieveExtensions: [...facts.extensions],
    notificationMethods: isNotifying ? [...(facts.notificationMethods ?? [])] : null,
    externalLists: facts.extensions.includes('extlists') ? [...(facts.externalLists ?? [])] : null,
  };
}
