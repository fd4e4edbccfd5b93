import type { JsonObject } from './scalars.ts';

/** The outcome of something a *client* can get wrong: a value, never an exception. */
export type Result<T, E> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: E };

export function ok<T>(value: T): { readonly ok: true; readonly value: T } {
  return { ok: true, value };
}

export function refuse<E>(error: E): { readonly ok: false; readonly error: E } {
  return { ok: false, error };
}

/** Method-level error types (RFC 8620 §3.6.2, §5.1–5.6, RFC 9404 §4.3). */
export type MethodErrorType =
  | 'serverUnavailable'
  | 'serverFail'
  | 'serverPartialFail'
  | 'unknownMethod'
  | 'invalidArguments'
  | 'invalidResultReference'
  | 'forbidden'
  | 'accountNotFound'
  | 'accountNotSupportedByMethod'
  | 'accountReadOnly'
  | 'requestTooLarge'
  | 'cannotCalculateChanges'
  | 'stateMismatch'
  | 'fromAccountNotFound'
  | 'fromAccountNotSupportedByMethod'
  | 'anchorNotFound'
  | 'unsupportedSort'
  | 'unsupportedFilter'
  | 'tooManyChanges'
  | 'unknownDataType';

/** What goes into an `error` response: `type`, and members that explain it. */
export type MethodError = { readonly type: MethodErrorType; readonly description?: string } & JsonObject;

export function methodError(type: MethodErrorType, description?: string): MethodError {
  return description === undefined ? { type } : { type, description };
}

/** The refusal of one record of a /set or /copy (RFC 8620 §5.3, RFC 8621 §2.5, §4.6 …). */
export type SetError = {
  readonly type: string;
  readonly description?: string;
  readonly properties?: string[];
} & JsonObject;

/** Request-level error types (RFC 8620 §3.6.1), without their `urn:ietf:params:jmap:error:` prefix. */
export type RequestErrorType = 'unknownCapability' | 'notJSON' | 'notRequest' | 'limit';

/** The whole *request* is refused: it becomes a problem+json answer (RFC 7807). */
export class RequestError extends Error {
  override readonly name = 'RequestError';
  readonly type: RequestErrorType;
  readonly status: number;
  readonly detail: string;
  /** For `limit`: the name of the limit, as the Session spells it. */
  readonly limit: string | undefined;

  constructor(type: RequestErrorType, detail: string, options: { status?: number; limit?: string } = {}) {
    super(detail);
    this.type = type;
    this.detail = detail;
    this.status = options.status ?? 400;
    this.limit = options.limit;
  }
}

/**
 * The *world* failed: a socket, a throttling server, the store. Thrown by adapters only; ends as `serverUnavailable`
 * for one call, or as 503 where there is no call yet.
 */
export class Unavailable extends Error {
  override readonly name = 'Unavailable';
  /** Seconds after which trying again makes sense, where known. */
  readonly retryAfterSeconds: number | undefined;

  constructor(message: string, options: { retryAfterSeconds?: number; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.retryAfterSeconds = options.retryAfterSeconds;
  }
}

/** For `catch`: null where the world failed, and everything else is thrown on. */
export function nullIfUnavailable(error: unknown): null {
  if (error instanceof Unavailable) return null;
  throw error;
}

/** Something was changed, and it cannot be seen what: ends as `serverPartialFail` (RFC 8620 §3.6.2), after which clients look anew. */
export class OutcomeUnknown extends Unavailable {}

/** The mail server refused the credential. Thrown by adapters only; ends as 401. Never used for throttling. */
export class AuthenticationFailed extends Error {
  override readonly name = 'AuthenticationFailed';
}
