import { createHash } from 'node:crypto';
import type { ImapCredential } from '../../shared/imap/endpoint.ts';
import { AuthenticationFailed, Unavailable } from '../../shared/jmap/errors.ts';
import type { Id } from '../../shared/jmap/scalars.ts';
import { type MatchedLogin, matchLogin, type Provider } from '../../shared/providers.ts';
import { credentialOf, parseAuthorization } from './credential.ts';
import { type Log, reasonOf } from './log.ts';
import type { LoginCounter } from './login-limits.ts';
import type { LoginMemory } from './login-memory.ts';
import { HttpError } from './problem.ts';

/** Somebody who has proved who he is: his credential was accepted by the mail server, in this process and not long ago. */
export type User = {
  /** The login as it was typed. */
  readonly username: string;
  readonly accountId: Id;
  readonly provider: Provider;
  readonly credential: ImapCredential;
};

/** Asks the mail server. Throws `AuthenticationFailed` when it refuses, `Unavailable` when it cannot be asked or throttles. */
export type VerifyLogin = (provider: Provider, credential: ImapCredential) => Promise<void>;

export type Authenticator = {
  /**
   * Authorization header → user. Throws `AuthenticationFailed` (401), `HttpError` 429 after too many refused logins, or
   * `Unavailable` (503).
   */
  readonly authenticate: (request: Request, clientAddress: string, log: Log) => Promise<User>;
  /** The mail server refused this user later on, in the midst of a request: he has to prove himself again. */
  readonly distrust: (user: User) => void;
};

/** `now` in milliseconds, for durations in the log. */
export function createAuthenticator(parts: {
  readonly providers: readonly Provider[];
  readonly verifyLogin: VerifyLogin;
  readonly memory: LoginMemory;
  readonly counter: LoginCounter;
  readonly now: () => number;
}): Authenticator {
  const { providers, verifyLogin, memory, counter, now } = parts;
  /** Requests that arrive together with one credential wait for one login. */
  const underWay = new Map<string, Promise<void>>();

  async function logIn(user: User, clientAddress: string, isFamiliar: boolean, log: Log): Promise<void> {
    const { provider, credential, accountId } = user;
    const begunAt = now();
    const tell = (outcome: 'accepted' | 'refused' | 'unavailable' | 'limited', error?: unknown) =>
      log[outcome === 'accepted' ? 'info' : 'warn']({
        event: 'login',
        outcome,
        provider: provider.name,
        account: accountId,
        durationMs: now() - begunAt,
        ...(error === undefined ? {} : { reason: reasonOf(error) }),
      });
    const attempt = counter.begin({ clientAddress, provider: provider.name, user: credential.user, isFamiliar });
    if ('waitSeconds' in attempt) {
      tell('limited');
      throw new HttpError(429, 'Too many logins were refused.', { 'Retry-After': String(attempt.waitSeconds) });
    }
    try {
      await verifyLogin(provider, credential);
      memory.trust(provider.name, credential);
      attempt.end('notRefused');
      tell('accepted');
    } catch (error) {
      const refused = error instanceof AuthenticationFailed;
      if (refused) memory.refuse(provider.name, credential);
      attempt.end(refused ? 'refused' : 'notRefused');
      if (refused || error instanceof Unavailable) tell(refused ? 'refused' : 'unavailable', error);
      throw error;
    }
  }

  return {
    authenticate: async (request, clientAddress, log) => {
      const user = userOf(providers, request.headers.get('Authorization'));
      const { provider, credential } = user;
      const known = memory.recall(provider.name, credential);
      switch (known) {
        case 'trusted':
          return user;
        case 'refused':
          throw new AuthenticationFailed('refused a moment ago');
        case 'familiar':
        case 'unknown': {
          const name = memory.digest(provider.name, credential);
          const login =
            underWay.get(name) ??
            logIn(user, clientAddress, known === 'familiar', log).finally(() => underWay.delete(name));
          underWay.set(name, login);
          await login;
          return user;
        }
      }
    },
    distrust: ({ provider, credential }) => memory.refuse(provider.name, credential),
  };
}

/** Who the header claims to be. */
function userOf(providers: readonly Provider[], header: string | null): User {
  const claim = parseAuthorization(header);
  if (claim === null) throw new AuthenticationFailed('no usable Authorization header');
  const matched = matchLogin(providers, claim.login);
  if (matched === null) throw new AuthenticationFailed('no provider for this login');
  const credential = credentialOf(claim, matched);
  if (credential === null) throw new AuthenticationFailed('the provider takes no access tokens');
  return { username: claim.login, accountId: accountIdOf(matched), provider: matched.provider, credential };
}

/** One id for each user of each provider; it starts with a letter and tells nothing. */
export function accountIdOf({ provider, user }: MatchedLogin): Id {
  const digest = createHash('sha256')
    .update(JSON.stringify([provider.name, user]))
    .digest('hex');
  return `a${digest.slice(0, 32)}` as Id;
}
