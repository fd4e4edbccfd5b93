// The standard /get method (RFC 8620 §5.1)
import { methodError, ok, refuse } from '../errors.ts';
import { arrayOf, id, type Members, nullable, type Parsed, quote, string } from '../grammar.ts';
import { type AccountMethod, accountMethod } from '../method.ts';
import { type Properties, propertyOf, type RecordOf, type RecordType } from '../record-type.ts';
import type { Id } from '../scalars.ts';
import type { CanGet } from '../verbs.ts';
import { type ChoosePort, ownPort } from './port.ts';

/**
 * `Foo/get`. Duplicates are asked for once, unknown properties are `invalidArguments`, more than `maxObjectsInGet`
 * records are `requestTooLarge`; `ids: []` reads nothing but the state.
 */
export function standardGet<
  N extends string,
  P extends Properties,
  const A extends Members = Record<never, never>,
  Ports = { readonly [K in N]: CanGet<RecordOf<RecordType<N, P>>, Parsed<A>> },
>(
  type: RecordType<N, P>,
  options: {
    /** Arguments of this type besides the standard ones. */
    readonly args?: A;
    /** What `properties: null` stands for; all properties of the table when left out. */
    readonly defaultProperties?: readonly (keyof P & string)[];
    readonly port?: ChoosePort<Ports, CanGet<RecordOf<RecordType<N, P>>, Parsed<A>>>;
  } = {},
): AccountMethod<NoInfer<Ports>> {
  const members = { ids: nullable(arrayOf(id)), properties: nullable(arrayOf(string)) };
  const defaultProperties = options.defaultProperties ?? Object.keys(type.properties);
  const choosePort = options.port ?? ownPort(type.name);

  return accountMethod({ ...options.args, ...members }, async (args, ports: Ports, context) => {
    const { accountId, ids, properties } = args;
    const unknown = properties?.find((name) => propertyOf(type, name) === undefined);
    if (unknown !== undefined) {
      return refuse(methodError('invalidArguments', `/properties: ${type.name} has no property ${quote(unknown)}`));
    }
    const maxObjects = context.limits.maxObjectsInGet;
    const wanted = ids === null ? null : [...new Set(ids)];
    if (wanted !== null && wanted.length > maxObjects) {
      return refuse(methodError('requestTooLarge', `more than ${maxObjects} ids`));
    }

    const port = choosePort(ports, context);
    if (wanted?.length === 0) {
      return ok({ response: { accountId, state: await port.state(), list: [], notFound: [] } });
    }
    const got = await port.get({
      ids: wanted,
      properties: [...new Set(['id', ...(properties ?? defaultProperties)])],
      args: args as unknown as Parsed<A>,
      maxObjects,
    });
    if (!got.ok) return got;
    const { state, list } = got.value;
    if (list.length > maxObjects) return refuse(methodError('requestTooLarge', `more than ${maxObjects} records`));
    const found = new Set<Id>(list.map((record) => record.id));
    return ok({ response: { accountId, state, list, notFound: wanted?.filter((each) => !found.has(each)) ?? [] } });
  });
}
