import { isObject } from '../../shared/jmap/grammar.ts';
import { parseJson } from '../../shared/jmap/json.ts';
import { type Request as JmapRequest, parseRequest } from '../../shared/jmap/request.ts';
import type { JsonObject, JsonValue } from '../../shared/jmap/scalars.ts';
import type { Limits } from '../in-memory/server.ts';
import { capabilities } from './capabilities.ts';

/** What every answer has to be, whatever was asked. Each law throws an `Error` that says how it was broken. */

/** Method-level errors (RFC 8620 §3.6.2, §5) that a client can bring about. */
const clientErrors = new Set([
  ...['unknownMethod', 'invalidArguments', 'invalidResultReference', 'accountNotFound', 'accountReadOnly', 'forbidden'],
  ...['accountNotSupportedByMethod', 'requestTooLarge', 'cannotCalculateChanges', 'stateMismatch', 'anchorNotFound'],
  ...[
    'fromAccountNotFound',
    'fromAccountNotSupportedByMethod',
    'unsupportedSort',
    'unsupportedFilter',
    'tooManyChanges',
    'unknownDataType',
  ],
]);

/**
 * What an API request was answered with: a Response object (RFC 8620 §3.4) that answers each call, or a problem where there was no
 * request to be read. Gives its method responses.
 */
export function expectAnswered(body: string, answer: { status: number; text: string }, limits: Limits): JsonValue[] {
  const request = readable(body, limits);
  if (request === null) {
    expectProblem(answer);
    return [];
  }
  if (answer.status !== 200) broken('a Request object is answered with 200', answer.status, answer.text);
  if (Buffer.byteLength(answer.text) > limits.maxSizeResponse)
    broken('a response keeps to its limit', answer.text.length);
  const response = parsed(answer.text);
  const { methodResponses, createdIds, sessionState, ...others } = response;
  if (!Array.isArray(methodResponses)) return broken('a Response object has methodResponses', response);
  if (typeof sessionState !== 'string' || Object.keys(others).length > 0)
    broken('a Response object has what §3.4 says', others);
  if ((createdIds === undefined) !== (request.createdIds === undefined))
    broken('createdIds is answered if it was sent', createdIds ?? null);
  if (methodResponses.length !== request.methodCalls.length) broken('each call has one answer', methodResponses);
  for (const [index, [name, args, callId]] of request.methodCalls.entries()) {
    const [answered, answers, under] = (methodResponses[index] ?? []) as [string, JsonObject, string];
    if (under !== callId) broken('each call is answered under its id, in order', { callId, under });
    if (answered === 'error') expectError(answers);
    else if (answered !== name) broken('each call is answered by its name', { name, answered });
    else if (name.endsWith('/get')) expectEachOnce(args, answers);
  }
  return methodResponses;
}

/** RFC 8620 §3.6.1. */
export function expectProblem({ status, text }: { status: number; text: string }): void {
  const problem = parsed(text);
  if (status < 400 || status > 499 || problem.status !== status)
    broken('what is no request is the client’s fault', status, text);
  if (!/^urn:ietf:params:jmap:error:(?:unknownCapability|notJSON|notRequest|limit)$/.test(String(problem.type))) {
    broken('a problem has a type that the RFC names', problem);
  }
}

/** I-JSON (RFC 7493), an object. */
function parsed(text: string): JsonObject {
  const value = parseJson(text);
  return isObject(value) ? value : broken('an answer is an object', value);
}

/** What the server should make of the body; null: no request. */
function readable(body: string, limits: Limits): JmapRequest | null {
  try {
    return parseRequest(Buffer.from(body), { limits, capabilities: new Set(capabilities) });
  } catch {
    return null;
  }
}

function expectError(error: JsonObject): void {
  if (!clientErrors.has(String(error.type))) broken('an error is the client’s fault', error);
}

/** §5.1: what was asked for by id is in the list or not found, once, and with nothing else. */
function expectEachOnce({ ids }: JsonObject, { list, notFound }: JsonObject): void {
  if (!Array.isArray(list) || !Array.isArray(ids)) return;
  const found = list.map((record) => (isObject(record) ? (record.id ?? record.emailId) : null));
  const all = [...found, ...(Array.isArray(notFound) ? notFound : [])];
  const [told, asked] = [all, [...new Set(ids)]].map((each) => JSON.stringify([...each].sort()));
  if (told !== asked) broken('a /get accounts for each id once', { told, asked } as JsonObject);
}

export function broken(law: string, ...how: readonly (JsonValue | undefined)[]): never {
  throw new Error(`It does not hold that ${law}: ${how.map((each) => JSON.stringify(each)?.slice(0, 600)).join(' ')}`);
}
