// The standard /set method (RFC 8620 §5.3)
import { methodError, ok, type Result, refuse, type SetError } from '../errors.ts';
import {
  anyObject,
  arrayOf,
  creationId,
  type Members,
  mapOf,
  nullable,
  type Parsed,
  quote,
  state,
  string,
} from '../grammar.ts';
import { type AccountContext, type AccountMethod, accountMethod, type ImplicitCall } from '../method.ts';
import type { Properties, RecordOf, RecordType } from '../record-type.ts';
import type { Id, JsonObject } from '../scalars.ts';
import type { CanCreate, CanDestroy, CanSetTogether, CanUpdate, Some, Step } from '../verbs.ts';
import type { Created } from './create.ts';
import { setInTurn } from './in-turn.ts';
import { mapOrNull, type Outcomes } from './outcomes.ts';
import { type ChoosePort, ownPort } from './port.ts';
import { stepsFrom } from './steps.ts';
import { setTogether } from './together.ts';

/** The port that /set needs; where there is only one record, it is neither created nor destroyed. */
export type SetPort<R, A, Single extends boolean> = Single extends true
  ? CanUpdate<R, A>
  : (CanUpdate<R, A> & CanCreate<R, A> & CanDestroy<A>) | CanSetTogether<R, A>;

/** What a /set achieved: the created records, whole, by creation id; the ids of the others. */
export type Achieved<R> = {
  readonly created: ReadonlyMap<string, Some<R>>;
  readonly updated: readonly Id[];
  readonly destroyed: readonly Id[];
};

/** Something that follows from a /set as a whole: the records that it changes, each answered with what changed about it. */
export type Finish = { readonly ids: readonly Id[]; readonly run: () => Promise<Step<Id, JsonObject>> };

/**
 * `Foo/set`: creates, then updates, then destroys, unless the port does it all together. Creation ids are resolved within the call,
 * whatever its order, and across calls; they may also stand for an id among the keys of `update` and in `destroy`.
 */
export function standardSet<
  N extends string,
  P extends Properties,
  const A extends Members = Record<never, never>,
  const Single extends boolean = false,
  R = RecordOf<RecordType<N, P>>,
  Port extends SetPort<R, Parsed<A>, Single> = SetPort<R, Parsed<A>, Single>,
  Ports = { readonly [K in N]: Port },
>(
  type: RecordType<N, P>,
  options: {
    readonly args?: A;
    /** There is exactly one record: to create or destroy one is refused with `singleton`. */
    readonly singleton?: Single;
    readonly port?: ChoosePort<Ports, Port>;
    /** What is still to be done when no record was refused; null: nothing. */
    readonly finish?: (port: Port, args: Parsed<A>, createdIds: ReadonlyMap<string, Id>) => Finish | null;
    /** The calls that follow implicitly from what was achieved, such as those of `onSuccessUpdateEmail`. */
    readonly onSuccess?: (
      achieved: Achieved<R>,
      args: Parsed<A>,
      ports: Ports,
      context: AccountContext<Ports>,
    ) => Promise<readonly ImplicitCall[]>;
  } = {},
): AccountMethod<NoInfer<Ports>> {
  type PortInTurn = CanUpdate<JsonObject, Parsed<A>> & CanCreate<JsonObject, Parsed<A>> & CanDestroy<Parsed<A>>;
  type AnyPort = PortInTurn | CanSetTogether<JsonObject, Parsed<A>>;
  const choosePort = options.port ?? ownPort(type.name);
  const members = {
    ifInState: nullable(state),
    create: nullable(mapOf(creationId, anyObject)),
    update: nullable(mapOf(string, anyObject)),
    destroy: nullable(arrayOf(string)),
  };

  return accountMethod(
    { ...options.args, ...members },
    async (args, ports: Ports, context) => {
      const { limits, createdIds } = context;
      const create = new Map(Object.entries(args.create ?? {}));
      const update = Object.entries(args.update ?? {});
      const destroy = args.destroy ?? [];
      if (create.size + update.length + destroy.length > limits.maxObjectsInSet) {
        return refuse(methodError('requestTooLarge', `more than ${limits.maxObjectsInSet} records`));
      }

      const extra = args as unknown as Parsed<A>;
      const chosen = choosePort(ports, context);
      const port = chosen as unknown as AnyPort;
      const oldState = await port.latestState();
      if (args.ifInState !== null && args.ifInState !== oldState) {
        return refuse(methodError('stateMismatch', `the state is ${quote(oldState)}`));
      }
      const steps = stepsFrom(oldState, context.report);

      const single: SetError | undefined = options.singleton ? { type: 'singleton' } : undefined;
      const given = { create, update, destroy };
      const { created, updated, destroyed } =
        'setTogether' in port
          ? await setTogether(type, given, port, extra, createdIds, steps)
          : await setInTurn(type, given, port, extra, createdIds, steps, single);
      const refusals = [created.refused, updated.refused, destroyed.refused];
      const isAllDone = refusals.every(({ size }) => size === 0) && steps.doubt() === null;
      const finish = (isAllDone && options.finish?.(chosen, extra, createdIds)) || null;
      if (finish !== null) note(await steps.run(finish.ids, finish.run), created, updated);

      const response = {
        accountId: args.accountId,
        oldState: steps.oldState(),
        newState: steps.newState(),
        created: mapOrNull(new Map([...created.done].map(([creationId, each]) => [creationId, each.response]))),
        updated: mapOrNull(updated.done),
        destroyed: destroyed.done.size === 0 ? null : [...destroyed.done.keys()],
        notCreated: mapOrNull(created.refused),
        notUpdated: mapOrNull(updated.refused),
        notDestroyed: mapOrNull(destroyed.refused),
      };
      const achieved = {
        created: new Map([...created.done].map(([creationId, each]) => [creationId, each.whole as Some<R>])),
        updated: [...updated.done.keys()],
        destroyed: [...destroyed.done.keys()],
      };
      const doubt = steps.doubt();
      try {
        return ok({ response, doubt, implicit: (await options.onSuccess?.(achieved, extra, ports, context)) ?? [] });
      } catch (error) {
        // What was done is done, and has to be answered for.
        context.report(error);
        return ok({ response, doubt });
      }
    },
    { writes: true },
  );
}

/** Adds what changed about records further: to those that were created, else to those that were updated. */
function note(
  results: ReadonlyMap<Id, Result<JsonObject, SetError>>,
  created: Outcomes<string, Created>,
  updated: Outcomes<Id, JsonObject | null>,
): void {
  for (const [id, result] of results) {
    const [creationId, creation] = [...created.done].find(([, { whole }]) => whole.id === id) ?? [];
    if (!result.ok) updated.refused.set(id, result.error);
    else if (creationId !== undefined && creation !== undefined) {
      const { whole, response } = creation;
      created.done.set(creationId, {
        whole: { ...whole, ...result.value, id },
        response: { ...response, ...result.value },
      });
    } else updated.done.set(id, { ...updated.done.get(id), ...result.value });
  }
}
