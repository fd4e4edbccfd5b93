import { Unavailable } from '../jmap/errors.ts';

/** What DynamoDB calls too much traffic; the SDK has tried again by then. */
const throttling = new Set([
  'ProvisionedThroughputExceededException',
  'RequestLimitExceeded',
  'ThrottlingException',
  'LimitExceededException',
]);

/** Whether the store refused a call because there were too many. */
export function isThrottling(error: unknown): boolean {
  return error instanceof Error && throttling.has(error.name);
}

/** Runs a call of the store; whatever fails in it is `Unavailable`, with the time to wait where the store is busy. */
export async function asUnavailable<T>(call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    if (error instanceof Unavailable) throw error;
    const name = error instanceof Error ? error.name : String(error);
    throw new Unavailable(`the store failed: ${name}`, {
      cause: error,
      ...(isThrottling(error) && { retryAfterSeconds: 5 }),
    });
  }
}
