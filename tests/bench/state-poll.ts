import { mediansOf } from './compare.ts';
import type { Measured, MeasuredPostern } from './measured-postern.ts';
import { statePoll } from './requests.ts';
import { median } from './samples.ts';

export type StatePoll = { readonly ms: number; readonly imapCommands: number; readonly storeReads: number };

/** Asks for the state of the Emails, a moment after the mail server was asked. */
export async function measureStatePoll(postern: MeasuredPostern, samples: number): Promise<StatePoll> {
  const polls: Measured[] = [];
  for (let sample = 0; sample < samples; sample += 1) {
    await postern.api(statePoll);
    polls.push(await postern.request(statePoll));
  }
  const counts = polls.map((poll) => poll.counts);
  const { imapCommands } = mediansOf(counts);
  return {
    ms: median(polls.map(({ ms }) => ms)),
    imapCommands,
    storeReads: median(counts.map(({ storeReads }) => storeReads)),
  };
}
