import type { Grammar } from './grammar.ts';

/**
 * One property of a data type: its type, and who may set it. Neither flag: clients may set and change it.
 * `serverSet`: only the server does; a client may send it back unchanged. `immutable`: a client sets it once, on create.
 */
export type Property<T> = Grammar<T> & { readonly access?: 'serverSet' | 'immutable' };

/** The property table of a data type: each name with the type the RFC gives it. */
export type Properties = { readonly [name: string]: Property<unknown> };

/** A data type's records (RFC 8620 §1.6.3): what /get may return and /set may write. */
export type RecordType<N extends string = string, P extends Properties = Properties> = {
  readonly name: N;
  readonly properties: P;
  /** Properties whose names are a pattern, such as `header:*`: their type, or undefined when the name is not one. */
  readonly patterned?: (name: string) => Property<unknown> | undefined;
};

/** The records of such a type, as TypeScript sees them. */
export type RecordOf<T extends RecordType> = {
  [K in keyof T['properties']]: T['properties'][K] extends Property<infer V> ? V : never;
};

/** Describes a data type's records. `name` is what the protocol calls the type, e.g. `Email`. */
export function recordType<const N extends string, const P extends Properties>(
  name: N,
  properties: P,
  patterned?: (name: string) => Property<unknown> | undefined,
): RecordType<N, P> {
  return patterned === undefined ? { name, properties } : { name, properties, patterned };
}

/** `(server-set)`: the client never decides the value. */
export function serverSet<T>(type: Grammar<T>): Property<T> {
  return { ...type, access: 'serverSet' };
}

/** `(immutable)`: given on create, then fixed. */
export function immutable<T>(type: Grammar<T>): Property<T> {
  return { ...type, access: 'immutable' };
}

/** The property of that name, fixed or patterned. */
export function propertyOf(type: RecordType, name: string): Property<unknown> | undefined {
  return Object.hasOwn(type.properties, name) ? type.properties[name] : type.patterned?.(name);
}
