import { type MethodError, methodError, ok, type Result, refuse } from './errors.ts';
import { invalidArguments, isObject, object, quote, string } from './grammar.ts';
import { pointerTo, tokensOf } from './json-pointer.ts';
import type { Invocation } from './request.ts';
import type { JsonObject, JsonValue } from './scalars.ts';

/** How many values and octets the result references of one request may still bring; counts down. */
export type ReferenceBudget = { left: number };

/**
 * Replaces every argument `#foo` by the `foo` that its ResultReference resolves to (RFC 8620 §3.7).
 *
 * `responses` has the first response of each method call id. `invalidArguments`: both `foo` and `#foo`, or something
 * that is no ResultReference. `invalidResultReference`: it does not resolve, or to more than the budget allows, for
 * otherwise a few calls that refer to one another could make a response of any size.
 */
export function resolveReferences(
  args: JsonObject,
  responses: ReadonlyMap<string, Invocation>,
  budget: ReferenceBudget,
): Result<JsonObject, MethodError> {
  const references = Object.keys(args).filter((name) => name.startsWith('#'));
  if (references.length === 0) return ok(args);
  const both = references.find((name) => Object.hasOwn(args, name.slice(1)));
  if (both !== undefined) {
    return invalidArguments({ path: pointerTo(both), detail: `${quote(both.slice(1))} is given as well` });
  }
  const resolved: JsonObject = Object.create(null);
  for (const [name, value] of Object.entries(args)) {
    if (name.startsWith('#')) {
      const found = resolve(value, pointerTo(name), responses, budget);
      if (!found.ok) return found;
      resolved[name.slice(1)] = found.value;
    } else resolved[name] = value;
  }
  return ok(resolved);
}

const resultReference = object({ resultOf: string, name: string, path: string });

function resolve(
  value: JsonValue,
  at: string,
  responses: ReadonlyMap<string, Invocation>,
  budget: ReferenceBudget,
): Result<JsonValue, MethodError> {
  const reference = resultReference.parse(value);
  if (!reference.ok) return invalidArguments(reference.error, at);
  const { resultOf, name, path } = reference.value;
  const response = responses.get(resultOf);
  if (response === undefined) return unresolved(at, `no response to a call ${quote(resultOf)} yet`);
  if (response[0] !== name) return unresolved(at, `the response is ${quote(response[0])}, not ${quote(name)}`);
  const tokens = tokensOf(path);
  if (tokens === undefined) return unresolved(at, `${quote(path)} is no JSON Pointer`);
  const found = evaluate(response[1], tokens, 0, budget);
  if (found !== undefined) spend(found, budget);
  if (budget.left < 0) return unresolved(at, 'this is more than the references of one request may bring');
  return found === undefined ? unresolved(at, `${quote(path)} leads nowhere`) : ok(found);
}

/** Follows the tokens from `index` on; undefined when they lead nowhere. */
function evaluate(
  value: JsonValue,
  tokens: readonly string[],
  index: number,
  budget: ReferenceBudget,
): JsonValue | undefined {
  const name = tokens[index];
  if (name === undefined) return value;
  if (Array.isArray(value)) {
    if (name === '*') return evaluateEach(value, tokens, index + 1, budget);
    const item = /^(?:0|[1-9]\d*)$/.test(name) ? value[Number(name)] : undefined;
    return item === undefined ? undefined : evaluate(item, tokens, index + 1, budget);
  }
  if (!isObject(value) || !Object.hasOwn(value, name)) return undefined;
  return evaluate(value[name] ?? null, tokens, index + 1, budget);
}

/** The `*`: goes on in every item, and flattens results that are arrays by one level. */
function evaluateEach(
  items: readonly JsonValue[],
  tokens: readonly string[],
  index: number,
  budget: ReferenceBudget,
): JsonValue[] | undefined {
  const results: JsonValue[] = [];
  for (const item of items) {
    budget.left -= 1;
    const result = budget.left < 0 ? undefined : evaluate(item, tokens, index, budget);
    if (result === undefined) return undefined;
    if (Array.isArray(result)) for (const each of result) results.push(each);
    else results.push(result);
  }
  return results;
}

/** Takes from the budget about as many octets as the value has in JSON, and stops when nothing is left. */
function spend(value: JsonValue, budget: ReferenceBudget): void {
  budget.left -= typeof value === 'string' ? value.length + 2 : 1;
  if (typeof value !== 'object' || value === null) return;
  for (const [name, member] of Object.entries(value)) {
    if (budget.left < 0) return;
    budget.left -= name.length;
    spend(member, budget);
  }
}

function unresolved(at: string, detail: string): Result<never, MethodError> {
  return refuse(methodError('invalidResultReference', `${at}: ${detail}`));
}
