import { ok, refuse, Unavailable } from '../../shared/jmap/errors.ts';
import type { CanManageScripts, ScriptLimits, ScriptRefusal } from '../../shared/methods/SieveScript/scripts.ts';
import { sieveTokens } from '../../shared/methods/SieveScript/tokens.ts';

/** The verbs that change something, which can be made to fail. */
export type ScriptVerb = 'put' | 'rename' | 'remove' | 'activate';

/**
 * A ManageSieve server in memory, with one account: scripts by name. It refuses what Dovecot refuses, and takes for Sieve whatever has
 * tokens and does not hold the word `nonsense`.
 */
export function inMemoryScripts(
  initial: Readonly<Record<string, string>> = {},
  options: {
    readonly active?: string;
    readonly extensions?: readonly string[];
    readonly scriptsMax?: number;
    readonly limits?: Partial<ScriptLimits>;
  } = {},
) {
  const { extensions = ['vacation', 'include', 'date', 'relational', 'fileinto', 'reject'], scriptsMax = 16 } = options;
  const scripts = new Map(Object.entries(initial));
  let active = options.active ?? null;
  /** What was done, in order: `put one`. */
  const done: string[] = [];
  let failing: { readonly verb: ScriptVerb; readonly with: ScriptRefusal | 'unavailable'; times: number } | null = null;

  const refusal = (reason: ScriptRefusal['reason'], description = reason as string) => refuse({ reason, description });
  const attempt = async (verb: ScriptVerb, names: readonly string[], act: () => ReturnType<typeof refusal> | null) => {
    if (failing?.verb === verb && failing.times-- > 0) {
      if (failing.with === 'unavailable') throw new Unavailable('The connection was lost, and nothing was done');
      return refuse(failing.with);
    }
    const objection = act();
    if (objection === null) done.push([verb, ...names].join(' '));
    return objection ?? ok(null);
  };
  const objectionTo = (octets: Uint8Array) => {
    const text = Buffer.from(octets).toString('utf8');
    const tokens = sieveTokens(text);
    const unknown = tokens?.find(({ kind, text: word }) => kind === 'word' && word === 'nonsense');
    return tokens === null || unknown !== undefined ? refusal('invalid', 'line 1: that is no Sieve') : null;
  };

  const manager: CanManageScripts = {
    limits: { maxSizeScript: 1_000_000, maxNumberScripts: null, ...options.limits },
    readAll: async () =>
      [...scripts].map(([name, text]) => ({ name, isActive: name === active, octets: Buffer.from(text, 'utf8') })),
    // As Cyrus, which knows scripts of other names by another name.
    canInclude: async (name) => /^[\x20-\x7e]*$/.test(name),
    extensions: async () => new Set(extensions),
    check: async (octets) => objectionTo(octets) ?? ok(null),
    put: (name, octets) =>
      attempt('put', [name], () => {
        if (name.includes('/')) return refusal('badName');
        if (octets.byteLength > 50_000) return refusal('tooLarge');
        if (!scripts.has(name) && scripts.size >= scriptsMax) return refusal('overQuota');
        const objection = objectionTo(octets);
        if (objection === null) scripts.set(name, Buffer.from(octets).toString('utf8'));
        return objection;
      }),
    rename: (from, to) =>
      attempt('rename', [from, to], () => {
        const text = scripts.get(from);
        if (text === undefined) return refusal('notFound');
        if (scripts.has(to)) return refusal('alreadyExists');
        if (to.includes('/')) return refusal('badName');
        scripts.delete(from);
        scripts.set(to, text);
        if (active === from) active = to;
        return null;
      }),
    remove: (name) =>
      attempt('remove', [name], () => {
        if (!scripts.has(name)) return refusal('notFound');
        if (active === name) return refusal('isActive');
        scripts.delete(name);
        return null;
      }),
    activate: (name) =>
      attempt('activate', [String(name)], () => {
        if (name !== null && !scripts.has(name)) return refusal('notFound');
        active = name;
        return null;
      }),
  };
  return {
    manager,
    done,
    /** What there is: names with their text, the active one first. */
    shown: () => ({ active, scripts: Object.fromEntries(scripts) }),
    /** Another client at work. */
    change: (changed: Readonly<Record<string, string | null>>, nowActive: string | null = active) => {
      for (const [name, text] of Object.entries(changed)) {
        if (text === null) scripts.delete(name);
        else scripts.set(name, text);
      }
      active = nowActive;
    },
    /** The next so many calls of a verb fail. */
    fail: (verb: ScriptVerb, how: ScriptRefusal | 'unavailable', times = 1) => {
      failing = { verb, with: how, times };
    },
  };
}
