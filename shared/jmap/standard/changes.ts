// The standard /changes method (RFC 8620 §5.2)
import { ok } from '../errors.ts';
import { type Members, nullable, type Parsed, positiveInt, state } from '../grammar.ts';
import { type AccountMethod, accountMethod } from '../method.ts';
import type { RecordType } from '../record-type.ts';
import type { JsonObject, JsonValue } from '../scalars.ts';
import type { CanChange, Changes, ChangesRequest } from '../verbs.ts';
import { type ChoosePort, ownPort } from './port.ts';

/** `Foo/changes`. The port knows what changed; that a client can never loop or get too much is made sure here. */
export function standardChanges<
  N extends string,
  const E extends Members = Record<never, never>,
  Ports = { readonly [K in N]: CanChange<Parsed<E>> },
>(
  type: Pick<RecordType<N>, 'name'>,
  options: {
    /** Further members of the response, such as `updatedProperties`. */
    readonly members?: E;
    readonly port?: ChoosePort<Ports, CanChange<Parsed<E>>>;
  } = {},
): AccountMethod<NoInfer<Ports>> {
  const choosePort = options.port ?? ownPort(type.name);
  const furtherMembers = Object.keys(options.members ?? {});

  return accountMethod(
    { sinceState: state, maxChanges: nullable(positiveInt) },
    async (args, ports: Ports, context) => {
      const { accountId, sinceState, maxChanges } = args;
      const result = await choosePort(ports, context).changes({ sinceState, maxChanges });
      if (!result.ok) return result;
      const changes: Changes = result.value;
      assertProgress({ sinceState, maxChanges }, changes);
      const { newState, hasMoreChanges, created, updated, destroyed } = changes;
      const response: JsonObject = {
        accountId,
        oldState: sinceState,
        newState,
        hasMoreChanges,
        created,
        updated,
        destroyed,
      };
      for (const name of furtherMembers) response[name] = (result.value as { [name: string]: JsonValue })[name] ?? null;
      return ok({ response });
    },
  );
}

/** A client repeats the call while `hasMoreChanges`: each answer has to bring it forward, within what it asked for. */
function assertProgress({ sinceState, maxChanges }: ChangesRequest, changes: Changes): void {
  const count = changes.created.length + changes.updated.length + changes.destroyed.length;
  if (changes.hasMoreChanges && (count === 0 || changes.newState === sinceState)) {
    throw new Error(
      `Could not advance from state ${sinceState}: ${count} changes up to ${changes.newState}, and more to come`,
    );
  }
  if (maxChanges !== null && count > maxChanges) {
    throw new Error(`Could not keep to maxChanges ${maxChanges}: there are ${count} changes`);
  }
}
