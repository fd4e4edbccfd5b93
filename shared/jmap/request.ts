import { ok, RequestError, type Result, refuse } from './errors.ts';
import {
  arrayOf,
  creationId,
  type Grammar,
  id,
  isObject,
  mapOf,
  type Problem,
  quote,
  sentence,
  string,
} from './grammar.ts';
import { parseJson } from './json.ts';
import type { Id, JsonObject, JsonValue } from './scalars.ts';
import type { CoreCapability } from './session.ts';

/** A method call or a response (RFC 8620 §3.2): its name, its arguments, the method call id. */
export type Invocation = [name: string, args: JsonObject, callId: string];

/** The Request object (§3.3), checked. */
export type Request = {
  readonly using: ReadonlySet<string>;
  readonly methodCalls: readonly Invocation[];
  /** Undefined when the client did not send it: then it does not get it back. */
  readonly createdIds: { readonly [creationId: string]: Id } | undefined;
};

/** What a request is held against. */
export type RequestRules = {
  readonly limits: Pick<CoreCapability, 'maxSizeRequest' | 'maxCallsInRequest'>;
  /** The URIs that may be in `using`. */
  readonly capabilities: ReadonlySet<string>;
  /**
   * Leniency: capability → those taken to be in `using` along with it, because many clients leave them out. Without it
   * the request is read strictly.
   */
  readonly impliedCapabilities?: { readonly [capability: string]: readonly string[] };
};

/**
 * Reads the body of an API request. Throws `RequestError`: `notJSON`, `notRequest`, `unknownCapability`, or `limit` for
 * `maxSizeRequest` and `maxCallsInRequest` (§3.6.1).
 */
export function parseRequest(body: Uint8Array | string, rules: RequestRules): Request {
  const { limits, capabilities, impliedCapabilities = {} } = rules;
  if (sizeOf(body) > limits.maxSizeRequest) {
    throw limitError('maxSizeRequest', `The request is larger than ${limits.maxSizeRequest} octets`);
  }
  const value = parseJson(typeof body === 'string' ? body : decodeUtf8(body));
  if (!isObject(value)) throw notRequest({ path: '', detail: `expected a Request object, not ${quote(value)}` });

  const given = member(value, 'using', arrayOf(string));
  const unknown = given.find((capability) => !capabilities.has(capability));
  if (unknown !== undefined) {
    throw new RequestError('unknownCapability', `The server does not support the capability ${quote(unknown)}`);
  }
  const implied = given.flatMap((capability) =>
    Object.hasOwn(impliedCapabilities, capability) ? (impliedCapabilities[capability] ?? []) : [],
  );
  const methodCalls = member(value, 'methodCalls', arrayOf(invocation));
  if (methodCalls.length > limits.maxCallsInRequest) {
    throw limitError('maxCallsInRequest', `The request has more than ${limits.maxCallsInRequest} method calls`);
  }
  return {
    using: new Set([...given, ...implied.filter((capability) => capabilities.has(capability))]),
    methodCalls,
    createdIds: Object.hasOwn(value, 'createdIds') ? member(value, 'createdIds', mapOf(creationId, id)) : undefined,
  };
}

const invocation: Grammar<Invocation> = {
  parse: (value): Result<Invocation, Problem> => {
    if (Array.isArray(value) && value.length === 3) {
      const [name, args, callId] = value;
      if (typeof name === 'string' && isObject(args) && typeof callId === 'string') return ok([name, args, callId]);
    }
    return refuse({ path: '', detail: 'expected a method call: a name, an object of arguments, a method call id' });
  },
};

function member<T>(request: JsonObject, name: string, grammar: Grammar<T>): T {
  const given: JsonValue | undefined = Object.hasOwn(request, name) ? request[name] : undefined;
  if (given === undefined) throw notRequest({ path: `/${name}`, detail: 'is missing' });
  const parsed = grammar.parse(given);
  if (parsed.ok) return parsed.value;
  throw notRequest({ path: `/${name}${parsed.error.path}`, detail: parsed.error.detail });
}

function notRequest(problem: Problem): RequestError {
  return new RequestError('notRequest', sentence(problem));
}

function limitError(limit: keyof CoreCapability, detail: string): RequestError {
  return new RequestError('limit', detail, { limit });
}

function decodeUtf8(body: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(body);
  } catch {
    throw new RequestError('notJSON', 'The request is not encoded in UTF-8');
  }
}

/** In octets, as UTF-8. */
function sizeOf(body: Uint8Array | string): number {
  return typeof body === 'string' ? new TextEncoder().encode(body).length : body.length;
}
