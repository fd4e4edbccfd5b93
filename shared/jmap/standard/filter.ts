import { type MethodError, methodError, ok, type Result, refuse } from '../errors.ts';
import { invalidArguments, isObject, type Members, type Parsed, quote } from '../grammar.ts';
import { pointerTo } from '../json-pointer.ts';
import type { JsonObject, JsonValue } from '../scalars.ts';

/** A filter tree (RFC 8620 §5.5). `C` is the type's FilterCondition; all of its properties must match. */
export type Filter<C> = FilterOperator<C> | FilterCondition<C>;
export type FilterOperator<C> = {
  readonly operator: 'AND' | 'OR' | 'NOT';
  readonly conditions: readonly Filter<C>[];
};
export type FilterCondition<C> = { readonly operator?: undefined; readonly condition: C };

/** The FilterCondition of a type: any of the conditions in its table. */
export type ConditionOf<F extends Members> = { readonly [K in keyof F]?: Parsed<F>[K] };

/** How deep operators may nest, and how many nodes the tree may have. */
export const filterLimits = { maxDepth: 16, maxNodes: 1000 };

/**
 * Parses a `filter` argument against the type's table of conditions. What has the wrong form is `invalidArguments`;
 * what is well formed but unknown here, or beyond the limits, is `unsupportedFilter`.
 */
export function parseFilter<F extends Members>(
  conditions: F,
  value: JsonObject,
): Result<Filter<ConditionOf<F>>, MethodError> {
  let nodes = 0;

  function parse(node: JsonValue, path: string, depth: number): Result<Filter<ConditionOf<F>>, MethodError> {
    if (!isObject(node)) return invalid(path, `expected a filter, not ${quote(node)}`);
    nodes += 1;
    if (depth > filterLimits.maxDepth) return unsupported(path, `operators nest deeper than ${filterLimits.maxDepth}`);
    if (nodes > filterLimits.maxNodes) return unsupported(path, `more than ${filterLimits.maxNodes} conditions`);
    return Object.hasOwn(node, 'operator') ? parseOperator(node, path, depth) : parseCondition(node, path);
  }

  function parseOperator(node: JsonObject, path: string, depth: number): Result<Filter<ConditionOf<F>>, MethodError> {
    const { operator, conditions: children, ...others } = node;
    if (operator !== 'AND' && operator !== 'OR' && operator !== 'NOT') {
      return invalid(`${path}/operator`, `expected "AND", "OR" or "NOT", not ${quote(operator ?? null)}`);
    }
    if (!Array.isArray(children)) return invalid(`${path}/conditions`, 'expected an array of filters');
    const [surplus] = Object.keys(others);
    if (surplus !== undefined) return invalid(`${path}${pointerTo(surplus)}`, 'is not a property of a FilterOperator');
    const parsed: Filter<ConditionOf<F>>[] = [];
    for (const [index, child] of children.entries()) {
      const result = parse(child, `${path}/conditions/${index}`, depth + 1);
      if (!result.ok) return result;
      parsed.push(result.value);
    }
    return ok({ operator, conditions: parsed });
  }

  function parseCondition(node: JsonObject, path: string): Result<Filter<ConditionOf<F>>, MethodError> {
    const condition: { [name: string]: unknown } = {};
    for (const [name, given] of Object.entries(node)) {
      const grammar = Object.hasOwn(conditions, name) ? conditions[name] : undefined;
      if (grammar === undefined) return unsupported(path, `there is no condition ${quote(name)}`);
      nodes += 1;
      const result = grammar.parse(given);
      if (!result.ok) return invalidArguments(result.error, `${path}${pointerTo(name)}`);
      condition[name] = result.value;
    }
    return ok({ condition: condition as ConditionOf<F> });
  }

  return parse(value, '/filter', 1);
}

function invalid(path: string, detail: string): Result<never, MethodError> {
  return invalidArguments({ path, detail });
}

function unsupported(path: string, detail: string): Result<never, MethodError> {
  return refuse(methodError('unsupportedFilter', `${path}: ${detail}`));
}
