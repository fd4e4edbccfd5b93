import { createHmac, randomBytes } from 'node:crypto';
import type { ImapCredential } from '../../shared/imap/endpoint.ts';
import { lastUsed } from '../last-used.ts';

/** What one process remembers of logins, so that the mail server is not asked for each request. */
export type LoginMemory = {
  /** `trusted`: this process logged in with exactly this credential not long ago. `refused`: it was refused not long ago. */
  readonly recall: (provider: string, credential: ImapCredential) => 'trusted' | 'refused' | 'unknown';
  readonly trust: (provider: string, credential: ImapCredential) => void;
  /** Forgets every login of this user, and that it trusted any of his credentials. */
  readonly refuse: (provider: string, credential: ImapCredential) => void;
  /** Names a credential without giving it away; another process names it differently. */
  readonly digest: (provider: string, credential: ImapCredential) => string;
};

const maxRememberedUsers = 20_000;
const maxRememberedRefusals = 20_000;

/**
 * Remembers keyed digests of credentials under a key that only this process has, never the credentials. A login is
 * trusted for `trustMs` at most, wherever the password was changed meanwhile. `now` in milliseconds.
 */
export function createLoginMemory(times: { trustMs: number; refusalMs: number }, now: () => number): LoginMemory {
  const key = randomBytes(32);
  const keyed = (...parts: readonly string[]) =>
    createHmac('sha256', key).update(JSON.stringify(parts)).digest('base64');
  const userKey = (provider: string, { user }: ImapCredential) => keyed(provider, user);
  const digest = (provider: string, credential: ImapCredential) => {
    const secret = credential.kind === 'password' ? credential.password : credential.accessToken;
    return keyed(provider, credential.user, credential.kind, secret);
  };

  /** User → digest of a credential → until when it is trusted. A user may have a password for each client. */
  const trusted = lastUsed<Map<string, number>>(maxRememberedUsers);
  const refused = lastUsed<number>(maxRememberedRefusals);

  return {
    digest,
    recall: (provider, credential) => {
      const name = digest(provider, credential);
      if ((trusted.get(userKey(provider, credential))?.get(name) ?? 0) > now()) return 'trusted';
      return (refused.get(name) ?? 0) > now() ? 'refused' : 'unknown';
    },
    trust: (provider, credential) => {
      const name = digest(provider, credential);
      const live = [...(trusted.get(userKey(provider, credential)) ?? [])].filter(([, until]) => until > now());
      trusted.set(userKey(provider, credential), new Map(live).set(name, now() + times.trustMs));
      refused.delete(name);
    },
    refuse: (provider, credential) => {
      trusted.delete(userKey(provider, credential));
      refused.set(digest(provider, credential), now() + times.refusalMs);
    },
  };
}
