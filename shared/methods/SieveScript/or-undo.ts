import { type Result, Unavailable } from '../../jmap/errors.ts';

/** Does something, and undoes what was done before it when it is refused, or when the world fails. */
export async function orUndo<T, E>(
  act: () => Promise<Result<T, E>>,
  undo: () => Promise<unknown>,
): Promise<Result<T, E>> {
  try {
    const done = await act();
    if (!done.ok) await undo();
    return done;
  } catch (error) {
    if (error instanceof Unavailable) await undo();
    throw error;
  }
}
