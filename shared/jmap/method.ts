import type { MethodError, OutcomeUnknown, Result } from './errors.ts';
import { type Grammar, id, invalidArguments, type Members, object, type Parsed } from './grammar.ts';
import type { Id, JsonObject } from './scalars.ts';
import type { Account, CoreCapability } from './session.ts';

/** What a method may know of the request it is part of. */
export type Context = {
  /** The capability that this method belongs to. */
  readonly capability: string;
  readonly limits: CoreCapability;
  /** The capabilities the request opted into. */
  readonly using: ReadonlySet<string>;
  /** Creation id → id, for the whole request (RFC 8620 §3.3); a method that creates records adds to it. */
  readonly createdIds: Map<string, Id>;
  /** The accounts of this user, by id. */
  readonly accounts: ReadonlyMap<string, Account>;
  /** Hands a defect to the operator and gives the report's id, which is all that a client may see of it. */
  readonly report: (error: unknown) => string;
};

/** What a method of one account knows beyond that; `Ports` are those of the data types it needs. */
export type AccountContext<Ports> = Context & {
  readonly accountId: Id;
  /** The same ports in another account of this user, for methods that name two. */
  readonly portsOf: (accountId: Id) => Ports;
};

/** What a method answers: the arguments of its response, and calls that it makes implicitly (`onSuccess…`). */
export type Answer = {
  readonly response: JsonObject;
  readonly implicit?: readonly ImplicitCall[];
  /** It cannot be told what became of some of it: then that is the answer, and what follows from the rest is done nevertheless. */
  readonly doubt?: OutcomeUnknown | null;
};
/** Run after the response, answered under the same method call id (§3.2). */
export type ImplicitCall = {
  readonly name: string;
  /** Where they depend on what the calls before did, they are asked for after these; null: there is nothing left to do. */
  readonly args: JsonObject | (() => Promise<JsonObject | null>);
};

/** A method with an `accountId` argument. `run` is a property: method syntax would let a missing port slip past. */
export type AccountMethod<Ports> = {
  readonly scope: 'account';
  /** Whether it changes anything: refused with `accountReadOnly` where the account is. */
  readonly writes: boolean;
  readonly run: (
    args: JsonObject,
    ports: Ports,
    context: AccountContext<Ports>,
  ) => Promise<Result<Answer, MethodError>>;
};
/** A method of the user rather than of an account, such as `Core/echo` or `PushSubscription/set`. */
export type UserMethod<Ports> = {
  readonly scope: 'user';
  readonly run: (args: JsonObject, ports: Ports, context: Context) => Promise<Result<Answer, MethodError>>;
};
export type Method<Ports> = AccountMethod<Ports> | UserMethod<Ports>;

/**
 * A method of one account. `members` are its arguments besides `accountId`; what they do not allow is answered with
 * `invalidArguments` and a JSON Pointer. Annotate `ports` with what the method needs, e.g. `{ Email: CanGet<Email> }`:
 * the other parameters have their types already.
 */
export function accountMethod<const M extends Members, Ports>(
  members: M,
  run: (
    args: Parsed<M> & { readonly accountId: Id },
    ports: Ports,
    context: AccountContext<Ports>,
  ) => Promise<Result<Answer, MethodError>>,
  options: { readonly writes?: boolean } = {},
): AccountMethod<NoInfer<Ports>> {
  const grammar: Grammar<unknown> = object({ ...members, accountId: id });
  return {
    scope: 'account',
    writes: options.writes ?? false,
    run: async (given, ports, context) => {
      const parsed = grammar.parse(given, (creationId) => context.createdIds.get(creationId));
      if (!parsed.ok) return invalidArguments(parsed.error);
      return run(parsed.value as Parsed<M> & { accountId: Id }, ports, context);
    },
  };
}

/** A method of the user; `members` are all its arguments. */
export function userMethod<const M extends Members, Ports>(
  members: M,
  run: (args: Parsed<M>, ports: Ports, context: Context) => Promise<Result<Answer, MethodError>>,
): UserMethod<NoInfer<Ports>> {
  const grammar = object(members);
  return {
    scope: 'user',
    run: async (given, ports, context) => {
      const parsed = grammar.parse(given, (creationId) => context.createdIds.get(creationId));
      if (!parsed.ok) return invalidArguments(parsed.error);
      return run(parsed.value, ports, context);
    },
  };
}
