/** Milliseconds that an action took. */
export async function timed(act: () => Promise<unknown>): Promise<number> {
  const begunAt = performance.now();
  await act();
  return performance.now() - begunAt;
}

/** The middle one; the mean of both where there are two. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const [upper = Number.NaN, lower = upper] = [sorted[middle], sorted[middle - 1]];
  return sorted.length % 2 === 1 ? upper : (lower + upper) / 2;
}

export function maximum(values: readonly number[]): number {
  return values.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
}

/**
 * Takes samples of two ways of doing the same, in turns, and the other one first every other time: what else the machine does
 * hits both alike.
 */
export async function alternating(
  count: number,
  ours: () => Promise<void>,
  theirs: () => Promise<void>,
): Promise<void> {
  for (let sample = 0; sample < count; sample += 1) {
    const [first, second] = sample % 2 === 0 ? [ours, theirs] : [theirs, ours];
    await first();
    await second();
  }
}
