import { Unavailable } from '../jmap/errors.ts';

/** What DynamoDB calls too much traffic; the SDK has tried again by then. */
const throttling = new Set([
  'ProvisionedThroughputExceededException',
  'RequestLimitExceeded',
  'ThrottlingException',
  'LimitExceededException',
]);

/** Runs a call of the store; whatever fails in it is `Unavailable`, with the time to wait where the store is busy. */
export async function asUnavailable<T>(call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    if (error instanceof Unavailable) throw error;
    const name = error instanceof Error ? error.name : String(error);
    const retryAfterSeconds = throttling.has(name) ? 5 : undefined;
    throw new Unavailable(`the store failed: ${name}`, {
      cause: error,
      ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
    });
  }
}
