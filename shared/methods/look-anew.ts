import { OutcomeUnknown, Unavailable } from '../jmap/errors.ts';

/**
 * What there is after changes that were made, whose outcome is not known. Asked twice, because one broken connection is no reason
 * to leave a client in doubt. Throws `OutcomeUnknown` when it cannot be seen.
 */
export function lookAnew<T>(look: () => Promise<T>): Promise<T> {
  return look()
    .catch((error: unknown) => {
      if (error instanceof Unavailable) return look();
      throw error;
    })
    .catch((error: unknown) => {
      if (!(error instanceof Unavailable)) throw error;
      throw new OutcomeUnknown('It could not be seen what became of the changes', { cause: error });
    });
}
