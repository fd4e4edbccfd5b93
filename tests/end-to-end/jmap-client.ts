import type { Id, JsonObject, JsonValue } from '../../shared/jmap/scalars.ts';
import type { Session } from '../../shared/jmap/session.ts';

/** What a JMAP client knows of the server: nothing but its URL and the protocol. */

export type Invocation = readonly [name: string, args: JsonObject, callId: string];
export type Login = { readonly user: string; readonly password: string };

export const coreAndMail = ['urn:ietf:params:jmap:core', 'urn:ietf:params:jmap:mail'];

/** RFC 8620 §5.1. `R` is what the client expects of a record. */
export type GetResponse<R> = {
  readonly accountId: Id;
  readonly state: string;
  readonly list: readonly R[];
  readonly notFound: Id[];
};
/** RFC 8620 §5.2. */
export type ChangesResponse = {
  readonly oldState: string;
  readonly newState: string;
  readonly hasMoreChanges: boolean;
  readonly created: readonly Id[];
  readonly updated: readonly Id[];
  readonly destroyed: readonly Id[];
  readonly updatedProperties?: readonly string[] | null;
};
/** RFC 8620 §5.5. */
export type QueryResponse = {
  readonly queryState: string;
  readonly canCalculateChanges: boolean;
  readonly position: number;
  readonly ids: readonly Id[];
  readonly total?: number;
  readonly limit?: number;
};
/** RFC 8620 §5.6. */
export type QueryChangesResponse = {
  readonly oldQueryState: string;
  readonly newQueryState: string;
  readonly removed: readonly Id[];
  readonly added: readonly { readonly id: Id; readonly index: number }[];
  readonly total?: number;
};

/** An answer that is not 200: its status, its headers, and its problem details. */
export class HttpProblem extends Error {
  override readonly name = 'HttpProblem';
  readonly status: number;
  readonly headers: Headers;
  readonly problem: { readonly type?: string; readonly limit?: string; readonly detail?: string };

  constructor(status: number, headers: Headers, problem: HttpProblem['problem']) {
    super(`HTTP ${status}: ${JSON.stringify(problem)}`);
    this.status = status;
    this.headers = headers;
    this.problem = problem;
  }
}

/** A method call that was answered with an error (RFC 8620 §3.6.2). */
export class MethodFailed extends Error {
  override readonly name = 'MethodFailed';
  readonly type: string;

  constructor(call: string, error: JsonObject) {
    super(`${call} failed: ${JSON.stringify(error)}`);
    this.type = String(error.type);
  }
}

export type JmapClient = {
  readonly accountId: string;
  readonly session: Session;
  /** Sends the method calls in one request; answers the responses as they are. */
  readonly call: (methodCalls: readonly Invocation[], using?: readonly string[]) => Promise<readonly Invocation[]>;
  /** One call; `accountId` is filled in. Throws `MethodFailed` for an error. */
  readonly one: <T>(name: string, args: JsonObject) => Promise<T>;
  readonly get: <R>(type: string, args: JsonObject) => Promise<GetResponse<R>>;
  readonly changes: (type: string, sinceState: string, maxChanges?: number) => Promise<ChangesResponse>;
  readonly query: (type: string, args: JsonObject) => Promise<QueryResponse>;
  readonly queryChanges: (type: string, args: JsonObject) => Promise<QueryChangesResponse>;
  /** Answers the blob id. */
  readonly upload: (octets: Uint8Array) => Promise<string>;
  readonly download: (blobId: string, options?: { type?: string; name?: string }) => Promise<Response>;
};

/** Basic authentication (RFC 7617). */
export function basic({ user, password }: Login): string {
  return `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
}

/** Fetches the Session and answers a client of its account. Throws `HttpProblem`. */
export async function jmapClient(url: string, login: Login): Promise<JmapClient> {
  const headers = { Authorization: basic(login) };
  const session = (await (await succeeded(fetch(`${url}/.well-known/jmap`, { headers }))).json()) as Session;
  const accountId = session.primaryAccounts[coreAndMail[1] ?? ''] ?? '';

  const call: JmapClient['call'] = async (methodCalls, using = coreAndMail) => {
    const response = await succeeded(
      fetch(session.apiUrl, {
        method: 'POST',
        headers: { ...headers, 'Content-Type': 'application/json' },
        body: JSON.stringify({ using, methodCalls }),
      }),
    );
    return ((await response.json()) as { methodResponses: Invocation[] }).methodResponses;
  };
  const one = async <T>(name: string, args: JsonObject): Promise<T> => {
    const [answer] = await call([[name, { accountId, ...args }, '0']]);
    return answerOf<T>(name, answer);
  };
  return {
    accountId,
    session,
    call,
    one,
    get: (type, args) => one(`${type}/get`, args),
    changes: (type, sinceState, maxChanges) =>
      one(`${type}/changes`, { sinceState, ...(maxChanges === undefined ? {} : { maxChanges }) }),
    query: (type, args) => one(`${type}/query`, args),
    queryChanges: (type, args) => one(`${type}/queryChanges`, args),
    upload: async (octets) => {
      const uploadUrl = session.uploadUrl.replace('{accountId}', accountId);
      const response = await succeeded(fetch(uploadUrl, { method: 'POST', headers, body: Buffer.from(octets) }));
      return ((await response.json()) as { blobId: string }).blobId;
    },
    download: (blobId, { type = 'application/octet-stream', name = 'blob' } = {}) => {
      const variables: { [name: string]: string } = { accountId, blobId, type, name };
      const expanded = session.downloadUrl.replace(/\{(\w+)\}/g, (_, variable) =>
        encodeURIComponent(variables[variable] ?? ''),
      );
      return succeeded(fetch(expanded, { headers }));
    },
  };
}

/** The arguments of a response; throws `MethodFailed` for an error. */
export function answerOf<T>(call: string, response: Invocation | undefined): T {
  if (response === undefined) throw new Error(`${call} was not answered`);
  const [name, args] = response;
  if (name === 'error') throw new MethodFailed(call, args);
  return args as JsonValue as T;
}

async function succeeded(answer: Promise<Response>): Promise<Response> {
  const response = await answer;
  if (response.ok) return response;
  throw new HttpProblem(response.status, response.headers, (await response.json()) as HttpProblem['problem']);
}
