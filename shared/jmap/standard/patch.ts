import { ok, type Result, refuse, type SetError } from '../errors.ts';
import { isObject, quote } from '../grammar.ts';
import { tokensOf } from '../json-pointer.ts';
import type { JsonObject, JsonValue } from '../scalars.ts';

/**
 * A PatchObject (RFC 8620 §5.3) as a tree: each reference token leads to the next ones, or to the value to set there.
 * In a tree no pointer can be the prefix of another.
 */
export type Patch = ReadonlyMap<string, PatchNode>;
export type PatchNode =
  | { readonly kind: 'value'; readonly value: JsonValue }
  | { readonly kind: 'members'; readonly members: Map<string, PatchNode> };

/** Reads the pointers of a PatchObject; `invalidPatch` when one is malformed or the prefix of another. */
export function parsePatch(patch: JsonObject): Result<Patch, SetError> {
  const tree = new Map<string, PatchNode>();
  for (const [pointer, value] of Object.entries(patch)) {
    const tokens = tokensOf(`/${pointer}`);
    if (tokens === undefined) return invalidPatch(`${quote(pointer)} is no JSON Pointer`);
    if (!plant(tree, tokens, value)) return invalidPatch(`${quote(pointer)} and another pointer overlap`);
  }
  return ok(tree);
}

/**
 * The value after the patch; the value itself is left alone. Null removes a member. `invalidPatch` when a pointer leads
 * into an array, or through something that is not there.
 */
export function applyPatch(target: JsonValue | undefined, patch: Patch): Result<JsonObject, SetError> {
  if (!isObject(target)) {
    return invalidPatch(Array.isArray(target) ? 'a pointer leads into an array' : 'a pointer leads through nothing');
  }
  const patched: JsonObject = Object.assign(Object.create(null), target);
  for (const [name, node] of patch) {
    if (node.kind === 'members') {
      const member = applyPatch(Object.hasOwn(target, name) ? target[name] : undefined, node.members);
      if (!member.ok) return member;
      patched[name] = member.value;
    } else if (node.value === null) {
      delete patched[name];
    } else {
      patched[name] = node.value;
    }
  }
  return ok(patched);
}

/** Puts the value into the tree; false when the place, or one on the way, is taken. */
function plant(tree: Map<string, PatchNode>, tokens: readonly string[], value: JsonValue): boolean {
  let level = tree;
  for (const token of tokens.slice(0, -1)) {
    const next = level.get(token);
    if (next?.kind === 'value') return false;
    const members: Map<string, PatchNode> = next?.members ?? new Map();
    if (next === undefined) level.set(token, { kind: 'members', members });
    level = members;
  }
  const last = tokens.at(-1) ?? '';
  if (level.has(last)) return false;
  level.set(last, { kind: 'value', value });
  return true;
}

function invalidPatch(description: string): Result<never, SetError> {
  return refuse({ type: 'invalidPatch', description });
}
