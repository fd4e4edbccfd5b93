/** What all of them come to. Throws what one of them threw when all have ended: nothing is on the wire then. */
export async function atOnce<T>(steps: readonly Promise<T>[]): Promise<T[]> {
  await Promise.allSettled(steps);
  return Promise.all(steps);
}
