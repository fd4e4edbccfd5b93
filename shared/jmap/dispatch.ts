import type { Registered, Registry } from './data-type.ts';
import {
  AuthenticationFailed,
  type MethodError,
  methodError,
  OutcomeUnknown,
  type Result,
  refuse,
  Unavailable,
} from './errors.ts';
import { id, invalidArguments } from './grammar.ts';
import type { Answer, Context, ImplicitCall } from './method.ts';
import type { Invocation, Request } from './request.ts';
import { type ReferenceBudget, resolveReferences } from './result-reference.ts';
import type { Id, JsonObject } from './scalars.ts';
import { coreUri, type Session } from './session.ts';

/** What serves the requests of one user. */
export type Server<Ports, UserPorts> = {
  readonly registry: Registry<Ports, UserPorts>;
  /** The user's session: it has the limits and the accounts. */
  readonly session: Session;
  /** Makes the ports of one account; called at most once per account and request. */
  readonly portsOf: (accountId: Id) => Ports;
  readonly userPorts: UserPorts;
  /** Tells the operator of a defect; the client gets to know the report's id and nothing else. */
  readonly report: (error: unknown, methodName: string) => string;
  /** Tells the operator why a call is answered with `serverUnavailable`. */
  readonly onUnavailable?: (error: Error) => void;
  /** Whether there is time for another call; those that are left when there is none are answered with `serverUnavailable`. */
  readonly hasTime?: () => boolean;
  /** Takes in each response in turn and gives what is kept of it: so that many large ones are never in memory at once. */
  readonly keep?: (response: Invocation) => Invocation;
};

/** The Response object (RFC 8620 §3.4). */
export type Response = {
  methodResponses: Invocation[];
  createdIds?: { [creationId: string]: Id };
  sessionState: string;
};

/**
 * Runs the method calls of a request in order. Each is answered, whatever happens to it, and does not disturb those that
 * follow. Throws `AuthenticationFailed` only while nothing has been written.
 */
export async function dispatch<Ports, UserPorts>(
  request: Request,
  server: Server<Ports, UserPorts>,
): Promise<Response> {
  const createdIds = new Map(Object.entries(request.createdIds ?? {}));
  const methodResponses: Invocation[] = [];
  const firstResponses = new Map<string, Invocation>();
  const { session } = server;
  const limits = session.capabilities[coreUri];
  const accounts = new Map(Object.entries(session.accounts));
  const budget: ReferenceBudget = { left: limits.maxSizeRequest };
  const portsOf = oncePerAccount(server.portsOf);
  let written = false;

  for (const [name, args, callId] of request.methodCalls) {
    const registered = server.registry.get(name);
    const optedIn = registered !== undefined && request.using.has(registered.capability);
    if (!optedIn) respond('error', methodError('unknownMethod'), callId);
    else if (server.hasTime?.() === false) respond('error', methodError('serverUnavailable'), callId);
    else {
      const resolved = resolveReferences(args, firstResponses, budget);
      if (resolved.ok) await answer(name, registered, resolved.value, callId);
      else respond('error', resolved.error, callId);
    }
  }
  return {
    methodResponses,
    ...(request.createdIds === undefined ? {} : { createdIds: Object.fromEntries(createdIds) }),
    sessionState: session.state,
  };

  /** Runs one call and then those that it makes implicitly: these need no capability in `using`. */
  async function answer(name: string, registered: Registered<Ports, UserPorts>, args: JsonObject, callId: string) {
    const result = await isolated(name, () => run(name, registered, args));
    if (!result.ok) return respond('error', result.error, callId);
    const { response, doubt = null, implicit: following = [] } = result.value;
    if (doubt === null) respond(name, response, callId);
    else respond('error', failed(doubt), callId);
    for (const implicit of following) {
      const next = server.registry.get(implicit.name);
      const given = await argsOf(implicit, name);
      if (given === null) continue;
      if (next === undefined) respond('error', methodError('unknownMethod'), callId);
      // Whoever gets no answer does not know what the first call did, and makes it again.
      else if (server.hasTime?.() === false) respond('error', methodError('serverUnavailable'), callId);
      else await answer(implicit.name, next, given, callId);
    }
  }

  /** What cannot be told any more is no answer to the client, who has his. */
  async function argsOf({ args }: ImplicitCall, name: string): Promise<JsonObject | null> {
    if (typeof args !== 'function') return args;
    try {
      return await args();
    } catch (error) {
      server.report(error, name);
      return null;
    }
  }

  async function run(
    name: string,
    { method, capability }: Registered<Ports, UserPorts>,
    args: JsonObject,
  ): Promise<Result<Answer, MethodError>> {
    const context: Context = {
      limits,
      using: request.using,
      createdIds,
      accounts,
      capability,
      report: (error) => server.report(error, name),
    };
    if (method.scope === 'user') return method.run(args, server.userPorts, context);
    const accountId = id.parse(args.accountId ?? null);
    if (!accountId.ok) return invalidArguments(accountId.error, '/accountId');
    const account = accounts.get(accountId.value);
    if (account === undefined) return refuse(methodError('accountNotFound'));
    if (!Object.hasOwn(account.accountCapabilities, capability)) {
      return refuse(methodError('accountNotSupportedByMethod'));
    }
    if (method.writes && account.isReadOnly) return refuse(methodError('accountReadOnly'));
    const result = await method.run(args, portsOf(accountId.value), {
      ...context,
      accountId: accountId.value,
      portsOf,
    });
    written ||= method.writes;
    return result;
  }

  /** What a call throws becomes its answer: the world failed, or we did. */
  async function isolated(name: string, call: () => Promise<Result<Answer, MethodError>>) {
    try {
      return await call();
    } catch (error) {
      if (error instanceof AuthenticationFailed && !written) throw error;
      if (error instanceof AuthenticationFailed || error instanceof Unavailable) return refuse(failed(error));
      return refuse(methodError('serverFail', `report ${server.report(error, name)}`));
    }
  }

  function failed(error: AuthenticationFailed | Unavailable): MethodError {
    server.onUnavailable?.(error);
    return methodError(error instanceof OutcomeUnknown ? 'serverPartialFail' : 'serverUnavailable');
  }

  function respond(name: string, args: JsonObject, callId: string): void {
    const whole: Invocation = [name, args, callId];
    const response = server.keep?.(whole) ?? whole;
    methodResponses.push(response);
    if (!firstResponses.has(callId)) firstResponses.set(callId, response);
  }
}

function oncePerAccount<Ports>(portsOf: (accountId: Id) => Ports): (accountId: Id) => Ports {
  const made = new Map<Id, Ports>();
  return (accountId) => {
    const ports = made.get(accountId) ?? portsOf(accountId);
    made.set(accountId, ports);
    return ports;
  };
}
