import type { Measured, MeasuredPostern } from './measured-postern.ts';
import type { OutsideClient } from './outside-client.ts';
import type { Counts } from './postern.ts';
import type { RawAnswer, RawClientProcess } from './raw.ts';
import { alternating, median } from './samples.ts';

export type Bench = {
  readonly postern: MeasuredPostern;
  readonly raw: RawClientProcess;
  readonly outside: OutsideClient;
  readonly samples: number;
};

/** A request next to the raw client doing the same work. Medians. */
export type Compared = {
  readonly ms: number;
  readonly rawMs: number;
  readonly ratio: number;
  readonly imapCommands: number;
  readonly storeUnits: number;
};

/** Samples taken before those that count: then the programs are compiled, and the server's caches filled by both. */
const warmUps = 30;

/**
 * Takes samples of both in turns; before each of them the outside client changes a message. `prepare` is not measured: it gives
 * both the same to do.
 */
export async function compare<T>(
  { outside, samples }: Pick<Bench, 'outside' | 'samples'>,
  work: {
    readonly prepare: (sample: number) => T;
    readonly ours: (what: T) => Promise<Measured>;
    readonly theirs: (what: T) => Promise<RawAnswer<unknown>>;
  },
): Promise<Compared> {
  const times: { ours: number[]; theirs: number[] } = { ours: [], theirs: [] };
  const counts: Counts[] = [];
  const takeSamples = async (count: number) => {
    const sample = { ours: 0, theirs: 0 };
    await alternating(
      count,
      async () => {
        const what = work.prepare(sample.ours++);
        await outside.change();
        const measured = await work.ours(what);
        times.ours.push(measured.ms);
        counts.push(measured.counts);
      },
      async () => {
        const what = work.prepare(sample.theirs++);
        await outside.change();
        times.theirs.push((await work.theirs(what)).ms);
      },
    );
  };
  await takeSamples(warmUps);
  for (const taken of [times.ours, times.theirs, counts]) taken.length = 0;
  await takeSamples(samples);
  const ms = median(times.ours);
  const rawMs = median(times.theirs);
  return { ms, rawMs, ratio: ms / rawMs, ...mediansOf(counts) };
}

/** Medians of what was counted. */
export function mediansOf(counts: readonly Counts[]): { imapCommands: number; storeUnits: number } {
  return {
    imapCommands: median(counts.map(({ imapCommands }) => imapCommands.length)),
    storeUnits: median(counts.map(({ storeUnits }) => storeUnits)),
  };
}
