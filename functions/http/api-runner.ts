import type { Foresight } from '../../shared/catalog/sync-context.ts';
import { dispatch } from '../../shared/jmap/dispatch.ts';
import { type Invocation, parseRequest } from '../../shared/jmap/request.ts';
import { coreUri } from '../../shared/jmap/session.ts';
import { impliedCapabilities } from '../../shared/methods/capabilities.ts';
import { foresightOf } from '../../shared/methods/Email/foresight.ts';
import { type Ports, registry } from '../../shared/methods/registry.ts';
import type { RunApiRequest } from './api.ts';
import type { User } from './authenticate.ts';
import { fittedResponse } from './fit-response.ts';
import { logDefect, logUnavailable } from './log.ts';
import type { DescribeSession } from './session.ts';

/** A user's account for the time of one request: what the methods need, and the end of it, which never throws. */
export type OpenAccount = (
  user: User,
  foresight?: Foresight,
) => { readonly ports: Ports; readonly close: () => Promise<void> };

/** Runs API requests with the methods of the registry; the responses have at most `maxSizeResponse` octets. */
export function createApiRunner(parts: {
  readonly describeSession: DescribeSession;
  readonly openAccount: OpenAccount;
  readonly maxSizeResponse: number;
  /** Takes `using` by the letter. */
  readonly strict: boolean;
  /** How long after its arrival a request may still begin a call; and the clock, in milliseconds. */
  readonly requestTimeoutMs: number;
  readonly now: () => number;
}): RunApiRequest {
  return async (user, body, { urls, log, requestId }) => {
    const deadline = parts.now() + parts.requestTimeoutMs;
    const session = parts.describeSession(user, urls);
    const capabilities = new Set(Object.keys(session.capabilities));
    const limits = session.capabilities[coreUri];
    const leniency = parts.strict ? {} : { impliedCapabilities };
    const request = parseRequest(body, { limits, capabilities, ...leniency });
    const account = parts.openAccount(user, foresightOf(request.methodCalls));
    const fitted = fittedResponse(parts.maxSizeResponse, isWriting);
    let reports = 0;
    try {
      const response = await dispatch(request, {
        registry,
        session,
        portsOf: () => account.ports,
        userPorts: {},
        hasTime: () => parts.now() < deadline,
        keep: fitted.keep,
        onUnavailable: (error) => logUnavailable(log, error, user.accountId),
        report: (error) => {
          const report = `${requestId}-${++reports}`;
          logDefect(log, report, error);
          return report;
        },
      });
      const { json, methodResponses } = fitted.write(response);
      return { json, responses: methodResponses.map(nameOf) };
    } finally {
      await account.close();
    }
  };
}

function isWriting(methodName: string): boolean {
  const method = registry.get(methodName)?.method;
  return method?.scope === 'account' && method.writes;
}

function nameOf([name, args]: Invocation): string {
  return name === 'error' ? `error/${args.type}` : name;
}
