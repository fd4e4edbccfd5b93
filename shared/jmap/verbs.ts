import type { MethodError, OutcomeUnknown, Result, SetError } from './errors.ts';
import type { Id, JsonObject, State } from './scalars.ts';
import type { Comparator } from './standard/comparator.ts';
import type { Filter } from './standard/filter.ts';
import type { Window } from './standard/window.ts';

/**
 * What a data type may need of the world, in the protocol's own verbs. A port is made for one account and one request,
 * so no verb names an account. A verb may throw `Unavailable` or `AuthenticationFailed`; a verb that writes does so only
 * when it changed nothing, and otherwise finds out what happened and says so record by record; where it cannot, it throws
 * `OutcomeUnknown`.
 */

/** No extra arguments. */
export type None = { readonly [name: string]: never };

/** Some properties of a record: the ones asked for, patterned ones included, and always the id. */
export type Some<R> = JsonObject & Partial<R> & { id: Id };

/** §5.1. `R` is the record, `A` the type's extra arguments. */
export type CanGet<R, A = unknown> = {
  /** The state that `get` would return; must be cheap: clients poll it. */
  readonly state: () => Promise<State>;
  /** Reads what is asked and nothing more. Ids that do not exist are left out of the list. */
  readonly get: (request: GetRequest<A>) => Promise<Result<Got<R>, MethodError>>;
};
export type GetRequest<A> = {
  /** Without duplicates, never empty; null: all records. */
  readonly ids: readonly Id[] | null;
  /** Without duplicates, `id` among them. */
  readonly properties: readonly string[];
  readonly args: A;
  /** With `ids: null`, more records than this are refused with `requestTooLarge`: a port may do so before reading them. */
  readonly maxObjects: number;
};
export type Got<R> = { readonly state: State; readonly list: Some<R>[] };

/** §5.2. `E` are extra members of the response, such as `updatedProperties`. */
export type CanChange<E = unknown> = {
  readonly changes: (request: ChangesRequest) => Promise<Result<Changes & E, MethodError>>;
};
export type ChangesRequest = { readonly sinceState: State; readonly maxChanges: number | null };
export type Changes = {
  readonly newState: State;
  /** True only with at least one id, and with a `newState` that is not `sinceState`. */
  readonly hasMoreChanges: boolean;
  readonly created: Id[];
  readonly updated: Id[];
  readonly destroyed: Id[];
};

/** §5.5. `C` is the FilterCondition, `S` the Comparator, `A` the extra arguments. */
export type CanQuery<C, S extends Comparator = Comparator, A = unknown> = {
  readonly query: (request: QueryRequest<C, S, A>) => Promise<Result<Queried, MethodError>>;
};
export type QueryRequest<C, S, A> = {
  readonly filter: Filter<C> | null;
  readonly sort: readonly S[];
  /** Which part of the results is wanted: `windowOf` cuts it from a whole list. */
  readonly window: Window;
  readonly calculateTotal: boolean;
  readonly args: A;
};
export type Queried = {
  readonly queryState: State;
  readonly canCalculateChanges: boolean;
  readonly position: number;
  readonly ids: Id[];
  /** Mandatory when `calculateTotal`. */
  readonly total?: number;
};

/** §5.6. */
export type CanQueryChanges<C, S extends Comparator = Comparator, A = unknown> = {
  readonly queryChanges: (request: QueryChangesRequest<C, S, A>) => Promise<Result<QueryChanges, MethodError>>;
};
export type QueryChangesRequest<C, S, A> = {
  readonly filter: Filter<C> | null;
  readonly sort: readonly S[];
  readonly sinceQueryState: State;
  /** Beyond it the answer is `tooManyChanges`: a port may say so before it has counted them all. */
  readonly maxChanges: number | null;
  readonly upToId: Id | null;
  readonly calculateTotal: boolean;
  readonly args: A;
};
export type QueryChanges = {
  readonly newQueryState: State;
  readonly removed: Id[];
  /** By ascending index. */
  readonly added: AddedItem[];
  readonly total?: number;
};
export type AddedItem = { id: Id; index: number };

/** §5.3: what every /set asks first. */
export type CanSet = {
  /** Catches up with the world and gives the state that `ifInState` is compared with. */
  readonly latestState: () => Promise<State>;
};
/**
 * What one step of a /set did. `oldState` and `newState` hold this step's own changes only; foreign changes found
 * meanwhile come before the one or after the other. `results` answers every record of the step, unless there is a `doubt`: then it
 * cannot be told what became of the others.
 */
export type Step<K extends string, T> = {
  readonly oldState: State;
  readonly newState: State;
  readonly results: ReadonlyMap<K, Result<T, SetError>>;
  readonly doubt?: OutcomeUnknown | undefined;
};
export type CanCreate<R, A = unknown> = CanSet & {
  /** By creation id, whole records: defaults filled in, references resolved. Answers with what the server set. */
  readonly create: (records: ReadonlyMap<string, Omit<R, 'id'>>, args: A) => Promise<Step<string, Some<R>>>;
};
export type CanUpdate<R, A = unknown> = CanSet & {
  /** The present values of these properties; a record that does not exist is left out. */
  readonly current: (ids: readonly Id[], properties: readonly string[]) => Promise<ReadonlyMap<Id, Some<R>>>;
  /** Answers with whatever else changed about the record, or null. */
  readonly update: (revisions: ReadonlyMap<Id, Revision<R>>, args: A) => Promise<Step<Id, JsonObject | null>>;
};
/** The properties that a patch touches, and those it changes; null also where it removes one that has no default. */
export type Revision<R> = {
  readonly before: Some<R>;
  readonly after: JsonObject & Partial<R>;
  /** Those that the patch gives whole, and not by their members. */
  readonly whole: ReadonlySet<string>;
};
export type CanDestroy<A = unknown> = CanSet & {
  readonly destroy: (ids: readonly Id[], args: A) => Promise<Step<Id, null>>;
};

/** §5.3, of a type whose records are in each other's way: a call as a whole, in whatever order its parts are possible. */
export type CanSetTogether<R, A = unknown> = Pick<CanUpdate<R>, 'latestState' | 'current'> & {
  /** Answers for creations as `create` does, for others as `update` and `destroy` do; each under its key. */
  readonly setTogether: (changes: Together<R>, args: A) => Promise<Step<Id, Some<R> | JsonObject | null>>;
};
/** Each record is named once. `#` and a creation id, also as a reference, is the id of a record that is to be created. */
export type Together<R> = {
  readonly create: ReadonlyMap<Id, Omit<R, 'id'>>;
  readonly update: ReadonlyMap<Id, Revision<R>>;
  readonly destroy: readonly Id[];
};

/** §5.4. */
export type CanCopy<R> = CanSet & {
  /** By creation id: the record of the other account, and what is to be different in the copy. */
  readonly copy: (fromAccountId: Id, records: ReadonlyMap<string, Original<R>>) => Promise<Step<string, Some<R>>>;
};
export type Original<R> = { readonly id: Id; readonly changed: JsonObject & Partial<R> };
