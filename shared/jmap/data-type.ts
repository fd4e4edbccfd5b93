import type { AccountMethod, Method, UserMethod } from './method.ts';

/** A data type (RFC 8620 §1.6.3) with the methods it has, and the capability that brings them. */
export type DataType<N extends string = string, M extends Methods = Methods> = {
  readonly name: N;
  /** The URI that must be in `using`, and in the account's `accountCapabilities`. */
  readonly capability: string;
  /** By verb: `get`, `changes`, `query`, … */
  readonly methods: M;
};
// `never` as the ports: `run` is contravariant, so this admits a method whatever it needs.
export type Methods = { readonly [verb: string]: Method<never> };

/** Declares a data type; the `methods` object is the list of its verbs. */
export function dataType<const N extends string, const M extends Methods>(
  name: N,
  capability: string,
  methods: M,
): DataType<N, M> {
  return { name, capability, methods };
}

type MethodsOf<T> = T extends DataType<string, infer M> ? M[keyof M] : never;
type Needs<M> = M extends AccountMethod<infer Ports> ? (ports: Ports) => void : never;
type UserNeeds<M> = M extends UserMethod<infer Ports> ? (ports: Ports) => void : never;

/** Everything the account methods of these types need: their ports added up. */
export type PortsOf<D extends readonly DataType[]> =
  Needs<MethodsOf<D[number]>> extends (ports: infer Ports) => void ? Ports : never;
/** The same for methods that belong to the user and not to an account. */
export type UserPortsOf<D extends readonly DataType[]> =
  UserNeeds<MethodsOf<D[number]>> extends (ports: infer Ports) => void ? Ports : never;

/** A method as the dispatcher finds it: `'Email/get'` → this. */
export type Registered<Ports, UserPorts> = {
  readonly capability: string;
  readonly method: AccountMethod<Ports> | UserMethod<UserPorts>;
};
export type Registry<Ports, UserPorts> = ReadonlyMap<string, Registered<Ports, UserPorts>>;

/** All methods of all data types by their full names. A data type may appear twice, each time under another capability. */
export function registryOf<const D extends readonly DataType[]>(dataTypes: D): Registry<PortsOf<D>, UserPortsOf<D>> {
  const registry = new Map<string, Registered<PortsOf<D>, UserPortsOf<D>>>();
  for (const { name, capability, methods } of dataTypes) {
    for (const [verb, method] of Object.entries(methods)) {
      const fullName = `${name}/${verb}`;
      if (registry.has(fullName)) throw new Error(`Could not register ${fullName}: it is there already`);
      // What the methods need is what PortsOf and UserPortsOf add up; the compiler cannot follow that through a loop.
      registry.set(fullName, { capability, method: method as Method<unknown> });
    }
  }
  return registry;
}
