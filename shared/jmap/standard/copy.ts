// The standard /copy method (RFC 8620 §5.4)
import { methodError, ok, refuse } from '../errors.ts';
import { anyObject, boolean, creationId, id, mapOf, nullable, quote, state, withDefault } from '../grammar.ts';
import { type AccountMethod, accountMethod, type ImplicitCall } from '../method.ts';
import type { Properties, RecordOf, RecordType } from '../record-type.ts';
import { isId, type JsonObject } from '../scalars.ts';
import type { CanCopy, Original } from '../verbs.ts';
import { mapOrNull, noOutcomes, settle } from './outcomes.ts';
import { type ChoosePort, ownPort } from './port.ts';
import { overrideRecord } from './record.ts';
import { stepsFrom } from './steps.ts';

/**
 * `Foo/copy`. Copying within one account is `invalidArguments`. `onSuccessDestroyOriginal` makes one implicit `Foo/set`
 * in the other account, for the records that were copied.
 */
export function standardCopy<
  N extends string,
  P extends Properties,
  R = RecordOf<RecordType<N, P>>,
  Ports = { readonly [K in N]: CanCopy<R> },
>(
  type: RecordType<N, P>,
  options: { readonly port?: ChoosePort<Ports, CanCopy<R>> } = {},
): AccountMethod<NoInfer<Ports>> {
  const choosePort = options.port ?? ownPort<Ports, CanCopy<R>>(type.name);
  const members = {
    fromAccountId: id,
    ifFromInState: nullable(state),
    ifInState: nullable(state),
    create: mapOf(creationId, anyObject),
    onSuccessDestroyOriginal: withDefault(boolean, false),
    destroyFromIfInState: nullable(state),
  };

  return accountMethod(
    members,
    async (args, ports: Ports, context) => {
      const { accountId, fromAccountId } = args;
      const { limits, createdIds } = context;
      const create = Object.entries(args.create);
      if (fromAccountId === accountId) {
        return refuse(methodError('invalidArguments', '/fromAccountId: is the account to copy to'));
      }
      const fromAccount = context.accounts.get(fromAccountId);
      if (fromAccount === undefined) return refuse(methodError('fromAccountNotFound'));
      if (!Object.hasOwn(fromAccount.accountCapabilities, context.capability)) {
        return refuse(methodError('fromAccountNotSupportedByMethod'));
      }
      if (create.length > limits.maxObjectsInSet) {
        return refuse(methodError('requestTooLarge', `more than ${limits.maxObjectsInSet} records`));
      }

      const port = choosePort(ports, context);
      if (args.ifFromInState !== null) {
        const fromPort = choosePort(context.portsOf(fromAccountId), context);
        const fromState = await fromPort.latestState();
        if (args.ifFromInState !== fromState) {
          return refuse(methodError('stateMismatch', `the state of the other account is ${quote(fromState)}`));
        }
      }
      const oldState = await port.latestState();
      if (args.ifInState !== null && args.ifInState !== oldState) {
        return refuse(methodError('stateMismatch', `the state is ${quote(oldState)}`));
      }

      const outcomes = noOutcomes<string, JsonObject>();
      const originals = new Map<string, Original<R>>();
      for (const [creationId, { id: original, ...overrides }] of create) {
        const changed = overrideRecord(type, overrides, (other) => createdIds.get(other));
        if (typeof original !== 'string' || !isId(original)) {
          const description = 'id: expected the Id of the record to copy';
          outcomes.refused.set(creationId, { type: 'invalidProperties', properties: ['id'], description });
        } else if (!changed.ok) outcomes.refused.set(creationId, changed.error);
        else originals.set(creationId, { id: original, changed: changed.value as Original<R>['changed'] });
      }
      const steps = stepsFrom(oldState, context.report);
      const results = await steps.run([...originals.keys()], () => port.copy(fromAccountId, originals));
      settle(outcomes, results);
      for (const [creationId, copied] of results) if (copied.ok) createdIds.set(creationId, copied.value.id);

      const response = {
        fromAccountId,
        accountId,
        oldState: steps.oldState(),
        newState: steps.newState(),
        created: mapOrNull(outcomes.done),
        notCreated: mapOrNull(outcomes.refused),
      };
      const destroy = [...outcomes.done.keys()].flatMap((creationId) => originals.get(creationId)?.id ?? []);
      const destroyOriginals: ImplicitCall = {
        name: `${type.name}/set`,
        args: { accountId: fromAccountId, ifInState: args.destroyFromIfInState, destroy },
      };
      const destroys = args.onSuccessDestroyOriginal && destroy.length > 0;
      return ok({ response, doubt: steps.doubt(), implicit: destroys ? [destroyOriginals] : [] });
    },
    { writes: true },
  );
}
