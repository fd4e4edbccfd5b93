import type { User } from './authenticate.ts';
import type { Log } from './log.ts';

/** One request on its way to its handler. */
export type Visit = {
  readonly request: Request;
  /** What the variables of the route's template stand for, percent-decoded. */
  readonly variables: { readonly [name: string]: string };
  /** Scheme and host that the client used, without a slash at the end. */
  readonly origin: string;
  readonly log: Log;
  /** Names what is asked for or goes wrong in the log and in `Report …`; the same for the whole request. */
  readonly requestId: string;
  /** Adds to the log entry of this request. */
  readonly note: (facts: { responses?: readonly string[]; requestOctets?: number; responseOctets?: number }) => void;
};

/** Who may ask: anybody, or only somebody who has proved who he is. */
export type Handler =
  | { readonly admits: 'anybody'; readonly serve: (visit: Visit) => Promise<Response> }
  | { readonly admits: 'users'; readonly serve: (visit: Visit, user: User) => Promise<Response> };

export type Route = { readonly method: 'GET' | 'POST'; readonly template: string; readonly handler: Handler };

/** `found`, or whether there is such a path at all: then `allowed` are its methods. */
export type Match =
  | {
      readonly kind: 'found';
      readonly template: string;
      readonly handler: Handler;
      readonly variables: { readonly [name: string]: string };
    }
  | { readonly kind: 'methodNotAllowed'; readonly template: string; readonly allowed: readonly string[] }
  | { readonly kind: 'notFound' };

/**
 * Finds the route of a method and path. `{+name}` at the end of a template takes the rest of the path, slashes and all, for
 * gateways decode `%2F` in file names. A slash at the end does not matter; HEAD is GET without a body.
 */
export function matchRoute(routes: readonly Route[], method: string, path: string): Match {
  const matching = routes.flatMap((route) => {
    const variables = variablesOf(route.template, path);
    return variables === null ? [] : [{ route, variables }];
  });
  const [first] = matching;
  if (first === undefined) return { kind: 'notFound' };
  const found = matching.find(({ route }) => route.method === (method === 'HEAD' ? 'GET' : method));
  if (found !== undefined) return { kind: 'found', ...found.route, variables: found.variables };
  const methods = matching.flatMap(({ route }) => (route.method === 'GET' ? ['GET', 'HEAD'] : [route.method]));
  return { kind: 'methodNotAllowed', template: first.route.template, allowed: [...methods, 'OPTIONS'] };
}

function variablesOf(template: string, path: string): { [name: string]: string } | null {
  const wanted = segmentsOf(template);
  const given = segmentsOf(path);
  if (wanted.at(-1)?.startsWith('{+')) given.push(given.splice(wanted.length - 1).join('/'));
  if (given.length !== wanted.length) return null;
  const variables: { [name: string]: string } = {};
  for (const [index, segment] of wanted.entries()) {
    const name = /^\{\+?(\w+)\}$/.exec(segment)?.[1];
    const text = given[index] ?? '';
    if (name !== undefined) variables[name] = decode(text);
    else if (text !== segment) return null;
  }
  return variables;
}

function segmentsOf(path: string): string[] {
  return path.replace(/^\/|\/$/g, '').split('/');
}

/** What is not percent-encoded properly stands for itself. */
function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
