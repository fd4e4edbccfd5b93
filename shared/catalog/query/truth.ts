import type { Filter } from '../../jmap/standard/filter.ts';

/** What is known of a condition: it holds, it does not, or more must be found out to say (undefined). */
export type Truth = boolean | undefined;

/**
 * Evaluates a filter tree (RFC 8620 §5.5) on what is known so far. The answer is as definite as it can be: one false
 * condition settles an AND whatever the unknown ones turn out to be, so nobody has to find those out.
 */
export function decide<T>(filter: Filter<readonly T[]>, holds: (test: T) => Truth): Truth {
  if (filter.operator === undefined) return every(filter.condition, holds);
  switch (filter.operator) {
    case 'AND':
      return every(filter.conditions, (inner) => decide(inner, holds));
    case 'OR':
      return some(filter.conditions, (inner) => decide(inner, holds));
    case 'NOT':
      return not(some(filter.conditions, (inner) => decide(inner, holds)));
  }
}

function every<T>(items: readonly T[], holds: (item: T) => Truth): Truth {
  let all: Truth = true;
  for (const item of items) {
    const truth = holds(item);
    if (truth === false) return false;
    if (truth === undefined) all = undefined;
  }
  return all;
}

function some<T>(items: readonly T[], holds: (item: T) => Truth): Truth {
  return not(every(items, (item) => not(holds(item))));
}

function not(truth: Truth): Truth {
  return truth === undefined ? undefined : !truth;
}
