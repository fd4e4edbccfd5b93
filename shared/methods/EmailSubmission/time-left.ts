import type { CanSubmit } from './record.ts';

/** What it takes to note what became of a message, and to answer. */
const noteMs = 2_000;
/** In less time than this a submission server is not asked. */
const leastMs = 1_000;

/**
 * Milliseconds that a submission server may take of what is left of the request; 0: too few to begin with. Who is never answered does not
 * know that his message went out, and sends it again.
 */
export function timeLeft({ deadline, now }: Pick<CanSubmit, 'deadline' | 'now'>): number {
  const left = deadline - noteMs - now();
  return left < leastMs ? 0 : left;
}
