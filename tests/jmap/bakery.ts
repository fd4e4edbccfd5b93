import { core } from '../../shared/jmap/core.ts';
import { dataType, type PortsOf, registryOf, type UserPortsOf } from '../../shared/jmap/data-type.ts';
import { dispatch, type Response, type Server } from '../../shared/jmap/dispatch.ts';
import { methodError, ok, refuse } from '../../shared/jmap/errors.ts';
import {
  arrayOf,
  boolean,
  id,
  nullable,
  oneOf,
  reference,
  setOf,
  string,
  unsignedInt,
  utcDate,
  withDefault,
} from '../../shared/jmap/grammar.ts';
import { immutable, type RecordOf, recordType, serverSet } from '../../shared/jmap/record-type.ts';
import { type Invocation, parseRequest } from '../../shared/jmap/request.ts';
import type { Id, JsonObject } from '../../shared/jmap/scalars.ts';
import { buildSession, type CoreCapability, coreUri } from '../../shared/jmap/session.ts';
import { standardChanges } from '../../shared/jmap/standard/changes.ts';
import type { ComparatorOf } from '../../shared/jmap/standard/comparator.ts';
import { standardCopy } from '../../shared/jmap/standard/copy.ts';
import type { ConditionOf, Filter } from '../../shared/jmap/standard/filter.ts';
import { standardGet } from '../../shared/jmap/standard/get.ts';
import { standardQuery } from '../../shared/jmap/standard/query.ts';
import { standardQueryChanges } from '../../shared/jmap/standard/query-changes.ts';
import { standardSet } from '../../shared/jmap/standard/set.ts';
import { spliceOf } from '../../shared/jmap/standard/splice.ts';
import { windowOf } from '../../shared/jmap/standard/window.ts';
import type { CanQuery, CanQueryChanges } from '../../shared/jmap/verbs.ts';
import { difference, type Shelf, shelf } from './shelf.ts';

/** The toy types that the engine is proven on: cookies, cakes made of them, and the one oven. */

export const bakeryUri = 'https://bakery.example/jmap';
export const cakeUri = 'https://bakery.example/jmap/cakes';

export const cookie = recordType(
  'Cookie',
  {
    id: serverSet(id),
    name: string,
    isEaten: withDefault(boolean, false),
    kind: immutable(withDefault(oneOf('butter', 'oat'), 'butter')),
    toppings: withDefault(setOf(string), {}),
    grams: nullable(unsignedInt),
    bakedAt: serverSet(utcDate),
    inspiredBy: nullable(reference),
    tags: nullable(arrayOf(string)),
  },
  (name) => (name.startsWith('note:') ? nullable(string) : undefined),
);
export type Cookie = RecordOf<typeof cookie>;

export const cake = recordType('Cake', {
  id: serverSet(id),
  layers: arrayOf(reference),
  /** Cookie id → whether it is on the top: creation ids as keys. */
  decoration: withDefault(setOf(reference), {}),
});
export type Cake = RecordOf<typeof cake>;

export const oven = recordType('Oven', { id: serverSet(id), degrees: unsignedInt });
export type Oven = RecordOf<typeof oven>;

export const cookieQuery = {
  filter: { name: string, kind: oneOf('butter', 'oat'), isEaten: boolean, minGrams: unsignedInt, hasTopping: string },
  sort: { name: {}, grams: {}, hasTopping: { topping: string } },
  args: { onePerKind: withDefault(boolean, false) },
};

const dataTypes = [
  core,
  dataType('Cookie', bakeryUri, {
    get: standardGet(cookie, {
      args: { shout: withDefault(boolean, false) },
      defaultProperties: ['id', 'name', 'isEaten', 'toppings'],
    }),
    changes: standardChanges(cookie, { members: { updatedProperties: nullable(arrayOf(string)) } }),
    query: standardQuery(cookie, { ...cookieQuery, maxLimit: 50 }),
    queryChanges: standardQueryChanges(cookie, cookieQuery),
    set: standardSet(cookie),
    copy: standardCopy(cookie),
  }),
  dataType('Cake', cakeUri, {
    get: standardGet(cake),
    set: standardSet(cake, {
      args: { onSuccessEat: nullable(arrayOf(string)) },
      onSuccess: async ({ created }, { onSuccessEat }, _ports, { accountId }) => {
        const eaten = (onSuccessEat ?? []).flatMap((name) => {
          const layers = created.get(name.slice(1))?.layers;
          if (layers === undefined) throw new Error(`Could not eat ${name}: it was not created`);
          return layers;
        });
        if (eaten.length === 0) return [];
        const update = Object.fromEntries(eaten.map((cookieId) => [cookieId, { isEaten: true }]));
        return [{ name: 'Cookie/set', args: { accountId, update } }];
      },
    }),
    copy: standardCopy(cake),
  }),
  dataType('Oven', bakeryUri, { get: standardGet(oven), set: standardSet(oven, { singleton: true }) }),
] as const;

export const registry = registryOf(dataTypes);
export type Ports = PortsOf<typeof dataTypes>;
export type UserPorts = UserPortsOf<typeof dataTypes>;

export const limits: CoreCapability = {
  maxSizeUpload: 1000,
  maxConcurrentUpload: 2,
  maxSizeRequest: 20_000,
  maxConcurrentRequests: 4,
  maxCallsInRequest: 16,
  maxObjectsInGet: 20,
  maxObjectsInSet: 10,
  collationAlgorithms: ['i;ascii-casemap'],
};

type Condition = ConditionOf<(typeof cookieQuery)['filter']>;
type Comparator = ComparatorOf<(typeof cookieQuery)['sort']>;
type QueryArgs = { onePerKind: boolean };

/** One account's goods. */
export function goods() {
  const cookies = shelf<Cookie>('c', (serial) => ({
    bakedAt: `2024-01-01T00:00:${String(serial % 60).padStart(2, '0')}Z`,
  }));
  return { cookies, cakes: shelf<Cake>('k'), ovens: shelf<Oven>('o') };
}

/** The results of a query over these cookies. */
export function resultsOf(
  cookies: ReadonlyMap<Id, JsonObject & { id: Id }>,
  filter: Filter<Condition> | null,
  sort: readonly Comparator[],
  { onePerKind }: QueryArgs,
): Id[] {
  const kinds = new Set<unknown>();
  return [...cookies.values()]
    .filter((each) => filter === null || matches(each as JsonObject & Cookie, filter))
    .sort((a, b) => compare(a as JsonObject & Cookie, b as JsonObject & Cookie, sort))
    .filter(({ kind }) => !onePerKind || (!kinds.has(kind) && kinds.add(kind)))
    .map((each) => each.id);
}

function matches(each: Cookie, filter: Filter<Condition>): boolean {
  switch (filter.operator) {
    case 'AND':
      return filter.conditions.every((child) => matches(each, child));
    case 'OR':
      return filter.conditions.some((child) => matches(each, child));
    case 'NOT':
      return !filter.conditions.some((child) => matches(each, child));
    case undefined: {
      const { name, kind, isEaten, minGrams, hasTopping } = filter.condition;
      return (
        (name === undefined || each.name.includes(name)) &&
        (kind === undefined || each.kind === kind) &&
        (isEaten === undefined || each.isEaten === isEaten) &&
        (minGrams === undefined || (each.grams ?? 0) >= minGrams) &&
        (hasTopping === undefined || Object.hasOwn(each.toppings, hasTopping))
      );
    }
  }
}

function compare(a: Cookie, b: Cookie, sort: readonly Comparator[]): number {
  for (const comparator of sort) {
    const [x, y] = [keyOf(a, comparator), keyOf(b, comparator)];
    if (x !== y) return (x < y ? -1 : 1) * (comparator.isAscending ? 1 : -1);
  }
  return a.id < b.id ? -1 : 1;
}

function keyOf(each: Cookie, comparator: Comparator): string | number {
  switch (comparator.property) {
    case 'name':
      return each.name;
    case 'grams':
      return each.grams ?? 0;
    case 'hasTopping':
      return Object.hasOwn(each.toppings, comparator.topping) ? 1 : 0;
  }
}

function cookieQueries(
  cookies: Shelf<Cookie>,
): CanQuery<Condition, Comparator, QueryArgs> & CanQueryChanges<Condition, Comparator, QueryArgs> {
  return {
    query: async ({ filter, sort, window, args }) => {
      const results = resultsOf(cookies.latest(), filter, sort, args);
      const cut = windowOf(results, window);
      if (!cut.ok) return cut;
      return ok({ queryState: cookies.state(), canCalculateChanges: true, total: results.length, ...cut.value });
    },
    queryChanges: async ({ filter, sort, sinceQueryState, args, upToId }) => {
      const before = cookies.versionOf(sinceQueryState);
      if (before === undefined) return refuse(methodError('cannotCalculateChanges'));
      const results = resultsOf(cookies.latest(), filter, sort, args);
      const { created, updated, destroyed } = difference(before, cookies.latest());
      const touched = new Set([...created, ...updated, ...destroyed]);
      // One cookie that changes may bring out or hide another one of its kind.
      if (args.onePerKind) for (const each of [...before.keys(), ...cookies.latest().keys()]) touched.add(each);
      return ok({
        newQueryState: cookies.state(),
        total: results.length,
        ...spliceOf(results, touched, args.onePerKind ? null : upToId),
      });
    },
  };
}

/** A bakery of two accounts, `A` and `B`, one that may only be read, and one without cakes. */
export function bakery() {
  const accounts = { A: goods(), B: goods(), readOnly: goods(), cakeless: goods() };
  for (const account of Object.values(accounts)) {
    for (const [name, other] of Object.entries(accounts)) account.cookies.neighbours.set(name, other.cookies);
    account.ovens.change((records) => records.set('singleton' as Id, { id: 'singleton' as Id, degrees: 180 }));
  }
  const reports: { error: unknown; methodName: string }[] = [];
  const session = buildSession({
    username: 'baker',
    core: limits,
    capabilities: { [bakeryUri]: {}, [cakeUri]: {} },
    accounts: new Map(
      Object.keys(accounts).map((name) => [
        name as Id,
        {
          name,
          isPersonal: name === 'A',
          isReadOnly: name === 'readOnly',
          accountCapabilities: { [bakeryUri]: {}, ...(name === 'cakeless' ? {} : { [cakeUri]: {} }) },
        },
      ]),
    ),
    urls: { apiUrl: '/api', downloadUrl: '/download', uploadUrl: '/upload', eventSourceUrl: '/events' },
    strict: false,
    hash: (text) => String(text.length),
  });
  const server: Server<Ports, UserPorts> = {
    registry,
    session,
    portsOf: (accountId) => {
      const { cookies, cakes, ovens } = accounts[accountId as string as keyof typeof accounts];
      return { Cookie: { ...cookies.ports, ...cookieQueries(cookies) }, Cake: cakes.ports, Oven: ovens.ports };
    },
    userPorts: undefined,
    report: (error, methodName) => `report-${reports.push({ error, methodName })}`,
  };

  /** Sends a request as a client does. */
  async function send(methodCalls: unknown[], others: JsonObject = {}): Promise<Response> {
    const request = { using: [coreUri, bakeryUri, cakeUri], methodCalls, ...others };
    return dispatch(
      parseRequest(JSON.stringify(request), { limits, capabilities: new Set(Object.keys(session.capabilities)) }),
      server,
    );
  }
  /** Calls one method of account A and gives the first response to it: name and arguments. */
  async function call(name: string, args: JsonObject): Promise<readonly [string, JsonObject]> {
    const { methodResponses } = await send([[name, { accountId: 'A', ...args }, '0']]);
    const [response]: Invocation[] = methodResponses;
    if (response === undefined) throw new Error(`Could not find an answer to ${name}`);
    return [response[0], response[1]];
  }
  return { ...accounts, server, reports, send, call };
}
