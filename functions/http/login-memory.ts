import { createHmac, randomBytes } from 'node:crypto';
import type { ImapCredential } from '../../shared/imap/endpoint.ts';
import { lastUsed } from '../last-used.ts';

/** What one process remembers of logins, so that the mail server is not asked for each request. */
export type LoginMemory = {
  /**
   * `trusted`: this process logged in with exactly this credential not long ago. `familiar`: it did so before, within a day, and it was
   * not refused since. `refused`: it was refused not long ago.
   */
  readonly recall: (provider: string, credential: ImapCredential) => 'trusted' | 'familiar' | 'refused' | 'unknown';
  readonly trust: (provider: string, credential: ImapCredential) => void;
  /** Ends the trust in every credential of this user; this one is familiar no more. */
  readonly refuse: (provider: string, credential: ImapCredential) => void;
  /** Names a credential without giving it away; another process names it differently. */
  readonly digest: (provider: string, credential: ImapCredential) => string;
};

const maxRememberedUsers = 20_000;
const maxRememberedRefusals = 20_000;
const maxFamiliar = 50_000;
const familiarMs = 24 * 3_600_000;

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
  const familiar = lastUsed<number>(maxFamiliar);

  return {
    digest,
    recall: (provider, credential) => {
      const name = digest(provider, credential);
      if ((trusted.get(userKey(provider, credential))?.get(name) ?? 0) > now()) return 'trusted';
      if ((refused.get(name) ?? 0) > now()) return 'refused';
      return (familiar.get(name) ?? 0) > now() ? 'familiar' : 'unknown';
    },
    trust: (provider, credential) => {
      const name = digest(provider, credential);
      const live = [...(trusted.get(userKey(provider, credential)) ?? [])].filter(([, until]) => until > now());
      trusted.set(userKey(provider, credential), new Map(live).set(name, now() + times.trustMs));
      familiar.set(name, now() + familiarMs);
      refused.delete(name);
    },
    refuse: (provider, credential) => {
      trusted.delete(userKey(provider, credential));
      familiar.delete(digest(provider, credential));
      refused.set(digest(provider, credential), now() + times.refusalMs);
    },
  };
}
