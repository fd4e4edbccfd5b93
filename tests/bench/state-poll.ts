import { mediansOf } from './compare.ts';
import type { Counts, RunningPostern } from './postern.ts';
import { statePoll } from './requests.ts';
import { median, timed } from './samples.ts';

export type StatePoll = { readonly ms: number; readonly imapCommands: number; readonly storeReads: number };

/** Asks for the state of the Emails, a moment after the mail server was asked. */
export async function measureStatePoll(postern: RunningPostern, samples: number): Promise<StatePoll> {
  const times: number[] = [];
  const counts: Counts[] = [];
  for (let sample = 0; sample < samples; sample += 1) {
    await postern.api(statePoll);
    postern.counts();
    times.push(await timed(() => postern.api(statePoll)));
    counts.push(postern.counts());
  }
  const { imapCommands } = mediansOf(counts);
  return { ms: median(times), imapCommands, storeReads: median(counts.map(({ storeReads }) => storeReads)) };
}
