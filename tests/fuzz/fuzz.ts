import fc from 'fast-check';
import { anyCase, type Case } from './cases.ts';
import { play } from './play.ts';

/** A case that broke a law, as small as it could be made. */
export type Finding = {
  readonly seed: number;
  readonly case: Case;
  /** The requests as they were sent. */
  readonly said: readonly string[];
  readonly error: unknown;
};

/** Plays a case, telling every request as it was sent; throws when a law is broken. */
export type Player = (each: Case, tell?: (request: string) => void) => Promise<void>;

/** Plays as many cases as are wanted of a seed, the same in every run; answers the first that breaks a law. */
export async function fuzz(seed: number, runs: number, player: Player = play): Promise<Finding | null> {
  const { counterexample } = await fc.check(
    fc.asyncProperty(anyCase, (each) => player(each)),
    { seed, numRuns: runs },
  );
  if (counterexample === null) return null;
  const [found] = counterexample;
  const said: string[] = [];
  const error = await player(found, (request) => said.push(request)).then(
    () => new Error('It was not broken again: something outlives a case'),
    (reason: unknown) => reason,
  );
  return { seed, case: found, said, error };
}

export function describeFinding({ seed, case: { server, messages, rounds }, said, error }: Finding): string {
  return [
    error instanceof Error ? (error.stack ?? error.message) : String(error),
    `server: ${JSON.stringify(server)}`,
    ...messages.map((message, index) => `message ${index + 1}: ${JSON.stringify(message)}`),
    ...rounds.map((round, index) => `round ${index + 1}: ${JSON.stringify(round)}`),
    ...said.map((request) => `sent: ${request}`),
    `Again with: npm run fuzz -- --seed ${seed}`,
  ].join('\n');
}
