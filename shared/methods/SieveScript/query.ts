// SieveScript/query (RFC 9661 §2.5)
import { collationKey, compareTexts } from '../../catalog/query/collation.ts';
import { decide } from '../../catalog/query/truth.ts';
import { ok } from '../../jmap/errors.ts';
import { boolean, string } from '../../jmap/grammar.ts';
import type { ComparatorOf } from '../../jmap/standard/comparator.ts';
import type { ConditionOf, Filter } from '../../jmap/standard/filter.ts';
import { windowOf } from '../../jmap/standard/window.ts';
import type { CanQuery } from '../../jmap/verbs.ts';
import { type KnownScript, knownScripts, scriptsState } from './known-scripts.ts';
import type { SieveScriptPorts } from './record.ts';

/** What SieveScripts can be queried by. */
export const sieveScriptQuery = {
  filter: { name: string, isActive: boolean },
  sort: { name: {}, isActive: {} },
} as const;

export type SieveScriptCondition = ConditionOf<typeof sieveScriptQuery.filter>;
export type SieveScriptComparator = ComparatorOf<typeof sieveScriptQuery.sort>;

/** Names are compared without regard to case; scripts that compare equal go by name. */
export function canQueryScripts(ports: SieveScriptPorts): CanQuery<SieveScriptCondition, SieveScriptComparator> {
  return {
    query: async ({ filter, sort, window }) => {
      const scripts = await knownScripts(ports);
      const tests = filter && testsOf(filter);
      const matching = scripts.filter((script) => tests === null || decide(tests, (test) => test(script)) === true);
      const results = matching.sort(comparison(sort)).map(({ id }) => id);
      const cut = windowOf(results, window);
      if (!cut.ok) return cut;
      return ok({
        queryState: scriptsState(scripts),
        canCalculateChanges: false,
        total: results.length,
        ...cut.value,
      });
    },
  };
}

type ScriptTest = (script: KnownScript) => boolean;

function testsOf(filter: Filter<SieveScriptCondition>): Filter<readonly ScriptTest[]> {
  if (filter.operator !== undefined) {
    return { operator: filter.operator, conditions: filter.conditions.map(testsOf) };
  }
  const { name, isActive } = filter.condition;
  const tests: ScriptTest[] = [];
  if (name !== undefined) {
    const sought = collationKey(name, null);
    tests.push((script) => collationKey(script.name, null).includes(sought));
  }
  if (isActive !== undefined) tests.push((script) => script.isActive === isActive);
  return { condition: tests };
}

function comparison(sort: readonly SieveScriptComparator[]): (a: KnownScript, b: KnownScript) => number {
  const comparators = [...sort, { property: 'name', isAscending: true, collation: null } as const];
  return (a, b) => {
    for (const { property, isAscending, collation } of comparators) {
      const difference =
        property === 'isActive'
          ? Number(a.isActive) - Number(b.isActive)
          : compareTexts(collationKey(a.name, collation), collationKey(b.name, collation));
      if (difference !== 0) return isAscending ? difference : -difference;
    }
    return compareTexts(a.name, b.name);
  };
}
