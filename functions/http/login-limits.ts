import { isIPv6 } from 'node:net';
import { lastUsed } from '../last-used.ts';

/** How many refused logins are too many, within `windowMs`. */
export type LoginLimits = {
  readonly windowMs: number;
  readonly perAddress: number;
  readonly perUser: number;
  readonly perProvider: number;
};

/** Who tries to log in, from where, at which provider. `isFamiliar`: with a credential that was right before, and so is no guess. */
export type Attempt = {
  readonly clientAddress: string;
  readonly provider: string;
  readonly user: string;
  readonly isFamiliar: boolean;
};

/** Counts refused logins of one process, so that it is of no use for guessing passwords. */
export type LoginCounter = {
  /**
   * Counts an attempt before its outcome is known, so that a thousand at once are not all let through; the outcome is to
   * be told, whatever it is. Answers the seconds to wait instead when there were too many.
   */
  readonly begin: (attempt: Attempt) => { readonly waitSeconds: number } | { readonly end: (outcome: Outcome) => void };
};
export type Outcome = 'refused' | 'notRefused';

const maxRememberedCounts = 50_000;

/**
 * A counter of its own for each client address, user and provider; what is no guess is not held up by those of others, or a stranger
 * could lock a user out. `now` in milliseconds.
 */
export function createLoginCounter(limits: LoginLimits, now: () => number): LoginCounter {
  const counts = lastUsed<{ refused: number; pending: number; readonly endsAt: number }>(maxRememberedCounts);
  const countOf = (key: string) => {
    const found = counts.get(key);
    if (found !== undefined && found.endsAt > now()) return found;
    const fresh = { refused: 0, pending: 0, endsAt: now() + limits.windowMs };
    counts.set(key, fresh);
    return fresh;
  };
  return {
    begin: ({ clientAddress, provider, user, isFamiliar }) => {
      const ofAll = [
        { counted: countOf(`address ${networkOf(clientAddress)}`), most: limits.perAddress },
        { counted: countOf(`user ${provider} ${user}`), most: limits.perUser },
        { counted: countOf(`provider ${provider}`), most: limits.perProvider },
      ];
      const all = isFamiliar ? ofAll.slice(0, 1) : ofAll;
      const full = all.filter(({ counted, most }) => counted.refused + counted.pending >= most);
      if (full.length > 0) {
        const waits = full.map(({ counted, most }) => (counted.refused >= most ? counted.endsAt - now() : 1000));
        return { waitSeconds: Math.ceil(Math.max(...waits) / 1000) };
      }
      for (const { counted } of all) counted.pending += 1;
      return {
        end: (outcome) => {
          for (const { counted } of all) {
            counted.pending -= 1;
            if (outcome === 'refused') counted.refused += 1;
          }
        },
      };
    },
  };
}

/** One household has one IPv4 address, or 2^64 IPv6 ones: those count as one. */
function networkOf(address: string): string {
  const mapped = /^::ffff:([\d.]+)$/i.exec(address)?.[1];
  if (mapped !== undefined || !isIPv6(address)) return mapped ?? address;
  const [head = '', tail] = address.split('::');
  const groups = head === '' ? [] : head.split(':');
  const missing = tail === undefined ? [] : Array<string>(8).fill('0');
  return [...groups, ...missing].slice(0, 4).join(':').toLowerCase();
}
