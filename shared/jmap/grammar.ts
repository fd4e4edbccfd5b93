import { type MethodError, methodError, ok, type Result, refuse } from './errors.ts';
import { pointerTo } from './json-pointer.ts';
import { type Id, isId, type JsonObject, type JsonValue, type State, type UTCDate } from './scalars.ts';

/** Why a JSON value was refused, and where: a JSON Pointer relative to the value that was parsed. */
export type Problem = { readonly path: string; readonly detail: string };

/** Finds the id of a record created earlier in the request, by its creation id without the `#` (RFC 8620 §5.3). */
export type Resolve = (creationId: string) => Id | undefined;

/**
 * The type of an argument or property, as the RFCs write it (`UnsignedInt|null`, `Id[Boolean]`): it turns untrusted
 * JSON into `T`, or says what is wrong with it.
 */
export type Grammar<T> = {
  readonly parse: (value: JsonValue, resolve?: Resolve) => Result<T, Problem>;
  /** What an omitted member stands for (§3.5); a grammar without it makes the member mandatory. */
  readonly absent?: T;
};

/** Named members and their types: the arguments of a method, the properties of an object. */
export type Members = { readonly [name: string]: Grammar<unknown> };
/** What parsing such members gives. */
export type Parsed<M extends Members> = { [K in keyof M]: M[K] extends Grammar<infer T> ? T : never };

export const boolean: Grammar<boolean> = scalar('a Boolean', (value) => typeof value === 'boolean');
export const string: Grammar<string> = scalar('a String', (value) => typeof value === 'string');
/** `Id` (§1.2). */
export const id: Grammar<Id> = scalar('an Id', (value) => typeof value === 'string' && isId(value));
/**
 * What a client calls a record that it creates: by §5.3 an `Id`, but aerc takes the path of a new mailbox, and nothing is kept under it
 * beyond the request.
 */
export const creationId: Grammar<string> = scalar(
  'an Id',
  (value) => typeof value === 'string' && /^[^#]/u.test(value) && value.length <= 255,
);
/** A state string: opaque. */
export const state: Grammar<State> = scalar('a state String', (value) => typeof value === 'string');
/** `Int` (§1.3): within the safe range of a double. */
export const int: Grammar<number> = scalar('an Int', Number.isSafeInteger);
/** `UnsignedInt` (§1.3). */
export const unsignedInt: Grammar<number> = scalar('an UnsignedInt', (value) => isUnsigned(value));
/** An `UnsignedInt` that must not be 0, such as `maxChanges` (§5.2). */
export const positiveInt: Grammar<number> = scalar('an integer above 0', (value) => isUnsigned(value) && value !== 0);
/** Any JSON value at all. */
export const anything: Grammar<JsonValue> = { parse: ok };
/** Any JSON object. */
export const anyObject: Grammar<JsonObject> = scalar('an object', isObject);

/** `Date` (§1.4); a fraction of zero is dropped rather than refused, for clients write `.000Z`. */
export const date: Grammar<string> = dateTime('a Date', /(?:Z|[+-](?:[01]\d|2[0-3]):[0-5]\d)$/);
/** `UTCDate` (§1.4), read as generously as `date`. */
export const utcDate: Grammar<UTCDate> = dateTime('a UTCDate', /Z$/);

/** An `Id` of another record, or `#` and the creation id of one made earlier in this request (§5.3). */
export const reference: Grammar<Id> = {
  parse: (value, resolve) => {
    if (typeof value !== 'string' || !value.startsWith('#')) return id.parse(value);
    const found = resolve?.(value.slice(1));
    return found === undefined ? problem(`${quote(value)} names no record created in this request`) : ok(found);
  },
};

/** One of a few fixed strings. */
export function oneOf<const T extends string>(...allowed: readonly T[]): Grammar<T> {
  return scalar(`one of ${allowed.map(quote).join(', ')}`, (value) =>
    (allowed as readonly JsonValue[]).includes(value),
  );
}

/** `T|null`; omitted means null (§3.5). */
export function nullable<T>(grammar: Grammar<T>): Grammar<T | null> {
  return { parse: (value, resolve) => (value === null ? ok(null) : grammar.parse(value, resolve)), absent: null };
}

/** `T (default: absent)`. */
export function withDefault<T>(grammar: Grammar<T>, absent: T): Grammar<T> {
  return { ...grammar, absent };
}

/** A member that may be left out and then is not there at all: there is nothing that it defaults to. */
export function optional<T>(grammar: Grammar<T>): Grammar<T | undefined> {
  return { ...grammar, absent: undefined };
}

/** `T[]`. */
export function arrayOf<T>(item: Grammar<T>): Grammar<T[]> {
  return {
    parse: (value, resolve) => {
      if (!Array.isArray(value)) return problem(`expected an array, not ${quote(value)}`);
      const items: T[] = [];
      for (const [index, element] of value.entries()) {
        const parsed = item.parse(element, resolve);
        if (!parsed.ok) return within(String(index), parsed.error);
        items.push(parsed.value);
      }
      return ok(items);
    },
  };
}

/** `K[T]`: an object whose keys are data. The result has a null prototype, so any key is safe. */
export function mapOf<T>(key: Grammar<string>, item: Grammar<T>): Grammar<{ [key: string]: T }> {
  return {
    parse: (value, resolve) => {
      if (!isObject(value)) return problem(`expected an object, not ${quote(value)}`);
      const map: { [key: string]: T } = Object.create(null);
      for (const name of Object.keys(value)) {
        const parsedKey = key.parse(name, resolve);
        if (!parsedKey.ok) return within(name, parsedKey.error);
        const parsed = item.parse(value[name] ?? null, resolve);
        if (!parsed.ok) return within(name, parsed.error);
        map[parsedKey.value] = parsed.value;
      }
      return ok(map);
    },
  };
}

/**
 * `K[Boolean]`, the RFC's way to write a set: every value must be true. A member that is false counts as not there,
 * because clients patch `"keywords/$seen": false` and mean removal.
 */
export function setOf(key: Grammar<string>): Grammar<{ [key: string]: true }> {
  const flags = mapOf(key, boolean);
  return {
    parse: (value, resolve) => {
      const parsed = flags.parse(value, resolve);
      if (!parsed.ok) return parsed;
      const set: { [key: string]: true } = Object.create(null);
      for (const name of Object.keys(parsed.value)) if (parsed.value[name]) set[name] = true;
      return ok(set);
    },
  };
}

/** An object with exactly these members; unknown ones are refused (§3.9). */
export function object<const M extends Members>(members: M): Grammar<Parsed<M>> {
  return {
    parse: (value, resolve) => {
      if (!isObject(value)) return problem(`expected an object, not ${quote(value)}`);
      for (const name of Object.keys(value)) {
        if (!Object.hasOwn(members, name)) return within(name, { path: '', detail: 'is not known here' });
      }
      const parsed: { [name: string]: unknown } = {};
      for (const [name, member] of Object.entries(members)) {
        const given = Object.hasOwn(value, name) ? value[name] : undefined;
        if (given !== undefined) {
          const result = member.parse(given, resolve);
          if (!result.ok) return within(name, result.error);
          parsed[name] = result.value;
        } else if ('absent' in member) {
          if (member.absent !== undefined) parsed[name] = member.absent;
        } else {
          return within(name, { path: '', detail: 'is missing' });
        }
      }
      return ok(parsed as Parsed<M>);
    },
  };
}

/** An object of which common clients spell members otherwise: `spellings` has the name of each, which is not to be there as well. */
export function spelledToo<T>(spellings: { readonly [wrong: string]: string }, grammar: Grammar<T>): Grammar<T> {
  return {
    parse: (value, resolve) => {
      if (!isObject(value)) return grammar.parse(value, resolve);
      const named = (name: string): string => {
        const right = Object.hasOwn(spellings, name) ? (spellings[name] as string) : name;
        return Object.hasOwn(value, right) ? name : right;
      };
      return grammar.parse(Object.fromEntries(Object.entries(value).map(([name, of]) => [named(name), of])), resolve);
    },
  };
}

/** A type of one's own: whatever `grammar` accepts and `narrow` does not object to (it returns the objection). */
export function narrowed<T, U extends T = T>(
  grammar: Grammar<T>,
  narrow: (value: T) => string | undefined,
): Grammar<U> {
  return {
    parse: (value, resolve) => {
      const parsed = grammar.parse(value, resolve);
      if (!parsed.ok) return parsed;
      const objection = narrow(parsed.value);
      return objection === undefined ? ok(parsed.value as U) : problem(objection);
    },
  };
}

/** The refusal of a method call whose arguments have such a problem; `base` is where in them the value stood. */
export function invalidArguments({ path, detail }: Problem, base = ''): Result<never, MethodError> {
  return refuse(methodError('invalidArguments', sentence({ path: `${base}${path}`, detail })));
}

/** A problem as a description gives it: where, then what. */
export function sentence({ path, detail }: Problem): string {
  return path === '' ? detail : `${path}: ${detail}`;
}

/** Whether the JSON value is an object: neither null nor an array. */
export function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The value as it may be shown in a description: shortened, so that a refusal never echoes a large input. */
export function quote(value: JsonValue): string {
  if (isObject(value)) return 'an object';
  if (Array.isArray(value)) return 'an array';
  if (typeof value !== 'string' || value.length <= 80) return JSON.stringify(value);
  const start = value.slice(0, 80).replace(/\p{Cs}$/u, '');
  return `${JSON.stringify(start)}…`;
}

function problem(detail: string): Result<never, Problem> {
  return refuse({ path: '', detail });
}

/** The problem of a member, seen from the whole. */
function within(name: string, { path, detail }: Problem): Result<never, Problem> {
  return refuse({ path: `${pointerTo(name)}${path}`, detail });
}

function scalar<T>(expected: string, accepts: (value: JsonValue) => boolean): Grammar<T> {
  return {
    parse: (value) => (accepts(value) ? ok(value as T) : problem(`expected ${expected}, not ${quote(value)}`)),
  };
}

function isUnsigned(value: JsonValue): boolean {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

const dateTimePattern = /^(\d{4})-(\d\d)-(\d\d)T([01]\d|2[0-3]):[0-5]\d:([0-5]\d|60)(\.\d+)?/;

function dateTime<T extends string>(expected: string, offset: RegExp): Grammar<T> {
  return {
    parse: (value) => {
      const match = typeof value === 'string' ? dateTimePattern.exec(value) : null;
      if (typeof value !== 'string' || match === null) return problem(`expected ${expected}, not ${quote(value)}`);
      const [start, year, month, day, , , fraction] = match;
      const rest = value.slice(start.length);
      // The Gregorian calendar repeats itself after 400 years; Date.UTC takes years below 100 for something else.
      const lastDay = new Date(Date.UTC(2000 + (Number(year) % 400), Number(month), 0)).getUTCDate();
      const real = Number(month) >= 1 && Number(month) <= 12 && Number(day) >= 1 && Number(day) <= lastDay;
      if (!real || offset.exec(rest)?.index !== 0) return problem(`expected ${expected}, not ${quote(value)}`);
      const significant = fraction?.replace(/\.?0+$/, '') ?? '';
      return ok(`${start.slice(0, start.length - (fraction?.length ?? 0))}${significant}${rest}` as T);
    },
  };
}
