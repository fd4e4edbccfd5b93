import { ok, type Result, refuse, type SetError } from '../errors.ts';
import { quote, type Resolve, sentence } from '../grammar.ts';
import { jsonEqual } from '../json-equal.ts';
import { type Property, propertyOf, type RecordType } from '../record-type.ts';
import type { JsonObject, JsonValue } from '../scalars.ts';
import { applyPatch, type Patch, type PatchNode } from './patch.ts';

/** A record about to be created: whole, and apart from that the defaults that the client left to us. */
export type Creation = { readonly record: JsonObject; readonly defaults: JsonObject };

/**
 * Checks an object of /set's `create` against the property table (RFC 8620 §5.3) and completes it with defaults.
 * `invalidProperties` names every property that is unknown, of the wrong type, missing, or only the server's to set.
 */
export function createRecord(type: RecordType, given: JsonObject, resolve: Resolve): Result<Creation, SetError> {
  const checked = checkProperties(type, given, resolve);
  const record: JsonObject = { ...checked.values };
  const defaults: JsonObject = {};
  for (const [name, property] of Object.entries(type.properties)) {
    if (Object.hasOwn(given, name) || property.access === 'serverSet') continue;
    if (!('absent' in property)) checked.objections.set(name, 'is missing');
    else if (property.absent !== undefined) defaults[name] = property.absent as JsonValue;
  }
  return unless(checked.objections, { record: { ...defaults, ...record }, defaults });
}

/** Checks properties that replace those of another record (§5.4): the same rules, but nothing is missing. */
export function overrideRecord(type: RecordType, given: JsonObject, resolve: Resolve): Result<JsonObject, SetError> {
  const { values, objections } = checkProperties(type, given, resolve);
  return unless(objections, values);
}

/**
 * Applies a PatchObject to a record and checks what comes out against the property table. The result holds the
 * properties that really change; a server-set or immutable one may be in the patch with the value it has.
 */
export function reviseRecord(
  type: RecordType,
  before: JsonObject,
  patch: Patch,
  resolve: Resolve,
): Result<JsonObject, SetError> {
  const objections: Objections = new Map();
  const changed: JsonObject = {};
  for (const [name, node] of patch) {
    const property = propertyOf(type, name);
    if (property === undefined) {
      objections.set(name, 'is not a property of this type');
      continue;
    }
    const now = Object.hasOwn(before, name) ? before[name] : undefined;
    const patched = node.kind === 'value' ? ok(node.value) : patchedMembers(property, now, node.members, resolve);
    if (!patched.ok) return patched;
    if (jsonEqual(patched.value, now)) continue;
    const reset = patched.value === null && 'absent' in property;
    const next = reset ? ok(property.absent ?? null) : property.parse(patched.value, resolve);
    if (!next.ok) objections.set(name, sentence(next.error));
    else if (jsonEqual(next.value as JsonValue, now)) continue;
    else if (property.access === 'serverSet') objections.set(name, 'is set by the server only');
    else if (property.access === 'immutable') objections.set(name, 'is immutable');
    else changed[name] = next.value as JsonValue;
  }
  return unless(objections, changed);
}

/**
 * Applies the part of a patch that leads into a property. Where its type writes a key in another way than the patch does, that is
 * meant: the id for `#` and a creation id, and lower case where that is the rule.
 */
function patchedMembers(
  property: Property<unknown>,
  now: JsonValue | undefined,
  members: ReadonlyMap<string, PatchNode>,
  resolve: Resolve,
): Result<JsonObject, SetError> {
  const meant = new Map<string, PatchNode>();
  for (const [token, node] of members) {
    const alone: JsonObject = Object.assign(Object.create(null), { [token]: true });
    const parsed = property.parse(alone, resolve);
    const [key = token, ...others] = parsed.ok ? Object.keys(parsed.value as JsonObject) : [];
    const name = others.length > 0 ? token : key;
    if (meant.has(name)) return refuse({ type: 'invalidPatch', description: `two pointers lead to ${quote(name)}` });
    meant.set(name, node);
  }
  return applyPatch(now, meant);
}

/** The properties that cannot be as the client wants them, each with the reason. */
type Objections = Map<string, string>;

function checkProperties(type: RecordType, given: JsonObject, resolve: Resolve) {
  const objections: Objections = new Map();
  const values: JsonObject = {};
  for (const [name, value] of Object.entries(given)) {
    const property = propertyOf(type, name);
    if (property === undefined) objections.set(name, 'is not a property of this type');
    else if (property.access === 'serverSet') objections.set(name, 'is set by the server only');
    else {
      const parsed = property.parse(value, resolve);
      if (parsed.ok) values[name] = parsed.value as JsonValue;
      else objections.set(name, sentence(parsed.error));
    }
  }
  return { values, objections };
}

/** The value; or, where there are objections, `invalidProperties` with all of them. */
function unless<T>(objections: Objections, value: T): Result<T, SetError> {
  if (objections.size === 0) return ok(value);
  const description = [...objections].map(([name, reason]) => `${name}: ${reason}`).join('; ');
  return refuse({ type: 'invalidProperties', properties: [...objections.keys()], description });
}
