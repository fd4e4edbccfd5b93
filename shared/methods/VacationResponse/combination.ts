import type { Script } from '../SieveScript/scripts.ts';
import { dependenciesOf } from '../SieveScript/tokens.ts';

/** Extensions whose actions a server refuses to take together with an answer (RFC 5230 §4.7, RFC 5429 §2.3), or twice. */
const conflicting: ReadonlySet<string> = new Set(['vacation', 'vacation-seconds', 'reject', 'ereject', 'refuse']);

/**
 * Why scripts, or those that they include, cannot be run behind an answer; null where nothing speaks against it. A script that
 * takes such an action ends in an error then, and nothing it would have done is done.
 */
export function objectionToIncluding(names: readonly string[], scripts: readonly Script[]): string | null {
  const byName = new Map(scripts.map((script) => [script.name, script]));
  const waiting = [...names];
  const seen = new Set<string>();
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const script = byName.get(next);
    if (seen.has(next) || script === undefined) continue;
    seen.add(next);
    const dependencies = dependenciesOf(Buffer.from(script.octets).toString('utf8'));
    if (dependencies === null) return `the script "${next}" cannot be read`;
    const conflict = [...dependencies.required].find((extension) => conflicting.has(extension));
    if (conflict !== undefined) {
      return `the script "${next}" uses "${conflict}", which the mail server does not do together with a vacation response`;
    }
    waiting.push(...dependencies.included);
  }
  return null;
}
