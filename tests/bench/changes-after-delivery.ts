import { type Bench, mediansOf } from './compare.ts';
import type { MeasuredPostern } from './measured-postern.ts';
import type { Counts } from './postern.ts';
import { statePoll, whatIsNew } from './requests.ts';
import { maximum, median } from './samples.ts';

export type ChangesAfterDelivery = {
  readonly ms: number;
  readonly imapCommands: number;
  readonly storeUnits: number;
  /** By a process that has not seen the account before; its login is not counted. */
  readonly fresh: { readonly imapCommands: number; readonly storeUnits: number };
  /** Not among the figures of the JSON line: what the dearest sample cost, and the time of a fresh process with its login. */
  readonly more: {
    readonly most: { readonly imapCommands: number; readonly storeUnits: number };
    readonly fresh: { readonly ms: number; readonly imapCommands: number; readonly storeUnits: number };
  };
};

type Sample = { readonly ms: number; readonly counts: Counts };

/** One delivery, then Email/changes and Email/get of what is new, in one request. */
export async function measureChangesAfterDelivery(
  { postern, outside, samples }: Pick<Bench, 'postern' | 'outside' | 'samples'>,
  startFresh: () => Promise<MeasuredPostern>,
): Promise<ChangesAfterDelivery> {
  const sampleOf = await deliveries({ postern, outside });
  const warm: Sample[] = [];
  const fresh: Sample[] = [];
  await sampleOf(postern);
  for (let sample = 0; sample < samples; sample += 1) {
    warm.push(await sampleOf(postern));
    const process = await startFresh();
    fresh.push(await sampleOf(process));
    await process.stop();
  }
  return {
    ms: median(warm.map(({ ms }) => ms)),
    ...mediansOf(warm.map(({ counts }) => counts)),
    fresh: mediansOf(fresh.map(({ counts }) => counts)),
    more: {
      most: mostOf(warm),
      fresh: { ms: median(fresh.map(({ ms }) => ms)), ...mostOf(fresh) },
    },
  };
}

/** Median of what that takes a process that has seen the account, in milliseconds. */
export async function changesAfterDeliveries({
  postern,
  outside,
  samples,
}: Pick<Bench, 'postern' | 'outside' | 'samples'>): Promise<number> {
  const sampleOf = await deliveries({ postern, outside });
  const taken: number[] = [];
  for (let sample = 0; sample < samples; sample += 1) taken.push((await sampleOf(postern)).ms);
  return median(taken);
}

/** Delivers a message, and asks a process what is new. */
async function deliveries({ postern, outside }: Pick<Bench, 'postern' | 'outside'>) {
  const [polled] = await postern.api(statePoll);
  let state = String(polled?.state);
  return async (process: MeasuredPostern): Promise<Sample> => {
    await outside.deliver();
    const { ms, answers, counts } = await process.request(whatIsNew(state));
    const [changes, emails] = answers;
    const found = Array.isArray(emails?.list) ? emails.list.length : 0;
    if (found !== 1) throw new Error(`One message was delivered, and ${found} came`);
    state = String(changes?.newState);
    return { ms, counts };
  };
}

function mostOf(samples: readonly Sample[]): { imapCommands: number; storeUnits: number } {
  return {
    imapCommands: maximum(samples.map(({ counts }) => counts.imapCommands.length)),
    storeUnits: maximum(samples.map(({ counts }) => counts.storeUnits)),
  };
}
