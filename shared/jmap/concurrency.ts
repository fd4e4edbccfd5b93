import { RequestError } from './errors.ts';

/**
 * Counts the requests that are being processed, per user. `enter` counts one more and returns the function that counts it
 * out again, which may be called more than once; beyond `max` it throws `RequestError` `limit`, with status 429.
 */
export function concurrencyLimit(name: 'maxConcurrentRequests' | 'maxConcurrentUpload', max: number) {
  const running = new Map<string, number>();
  return {
    enter: (user: string): (() => void) => {
      const count = running.get(user) ?? 0;
      if (count >= max) {
        throw new RequestError('limit', `More than ${max} requests at a time`, { limit: name, status: 429 });
      }
      running.set(user, count + 1);
      let left = false;
      return () => {
        if (left) return;
        left = true;
        const others = (running.get(user) ?? 1) - 1;
        if (others === 0) running.delete(user);
        else running.set(user, others);
      };
    },
  };
}
