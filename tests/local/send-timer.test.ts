import { afterEach, describe, expect, jest, test } from '@jest/globals';
import { startSendTimer } from '../../functions/local/send-timer.ts';
import type { Due } from '../../functions/sending/queue.ts';
import type { Id } from '../../shared/jmap/scalars.ts';

const due = (at: number, id: string): Due => ({ at, account: 'a' as Id, id: id as Id, provider: 'p' });

/** A queue with these submissions in it; `attended` tells when each was looked after. */
function queueOf(waiting: Due[], next: (due: Due) => Due | null = () => null) {
  const attended: { id: string; lateMs: number }[] = [];
  const listeners: (() => void)[] = [];
  return {
    attended,
    hasAttended: async (count: number) => {
      while (attended.length < count) await new Promise<void>((resolve) => listeners.push(resolve));
    },
    queue: {
      dueUntil: async (ms: number) => waiting.filter(({ at }) => at <= ms),
      attendTo: async (each: Due) => {
        attended.push({ id: each.id, lateMs: Date.now() - each.at });
        for (const listener of listeners.splice(0)) listener();
        return next(each);
      },
    },
  };
}
const start = (queue: ReturnType<typeof queueOf>['queue']) =>
  startSendTimer({
    queue,
    now: Date.now,
    onFailure: (error) => {
      throw error;
    },
  });

afterEach(() => {
  jest.useRealTimers();
});

describe('the timer of what waits to be sent', () => {
  test('looks after what fell due before it started, and after what comes, each at its time', async () => {
    const now = Date.now();
    const { queue, attended, hasAttended } = queueOf([due(now - 1_000, 'old'), due(now + 10 ** 7, 'far')]);
    const timer = start(queue);
    await hasAttended(1);
    timer.wake(due(Date.now() + 60, 'soon'));
    timer.wake(due(Date.now() + 10 ** 7, 'far'));
    await hasAttended(2);
    await timer.stop();
    expect(attended.map(({ id }) => id)).toEqual(['old', 'soon']);
    expect(attended[1]?.lateMs).toBeGreaterThanOrEqual(-1);
    expect(attended[1]?.lateMs).toBeLessThan(2_000);
  });

  test('looks after a submission again when there is more to do about it', async () => {
    let left = 2;
    const again = ({ id }: Due) => (left-- > 0 ? due(Date.now() + 5, id) : null);
    const { queue, hasAttended, attended } = queueOf([due(0, 'x')], again);
    const timer = start(queue);
    await hasAttended(3);
    await timer.stop();
    expect(attended).toHaveLength(3);
  });

  test('keeps nobody waiting for a server that hangs, however much waits for that one', async () => {
    jest.useFakeTimers();
    const begin = Date.now();
    const hung = Array.from({ length: 2_500 }, (_, n) => ({ ...due(begin - 10_000, `h${n}`), provider: 'hung' }));
    const well = Array.from({ length: 20 }, (_, n) => due(begin + n * 1_000, `w${n}`));
    const all = [...hung, ...well];
    const attended: { id: string; lateMs: number }[] = [];
    const timer = startSendTimer({
      queue: {
        dueUntil: async (ms, limit, after = null) => {
          const from = after === null ? 0 : all.indexOf(after) + 1;
          return all.slice(from, from + limit).filter(({ at }) => at <= ms);
        },
        attendTo: async (each) => {
          attended.push({ id: each.id, lateMs: Date.now() - each.at });
          if (each.provider === 'hung') await new Promise<void>((resolve) => setTimeout(resolve, 600_000));
          all.splice(all.indexOf(each), 1);
          return null;
        },
      },
      now: Date.now,
      onFailure: (error) => {
        throw error;
      },
    });
    await jest.advanceTimersByTimeAsync(599_000);
    const ofWell = attended.filter(({ id }) => id.startsWith('w'));
    expect(ofWell.map(({ id }) => id)).toEqual(well.map(({ id }) => id));
    for (const { lateMs } of ofWell) expect(lateMs).toBeLessThan(2_000);
    // A look through the queue finds again what is under way, and does not begin it again.
    expect(attended).toHaveLength(well.length + 8);
    await jest.advanceTimersByTimeAsync(600_000);
    expect(attended).toHaveLength(well.length + 16);
    // Nor is the end kept waiting.
    const stopped = timer.stop();
    await jest.advanceTimersByTimeAsync(6_000);
    await stopped;
  });

  test('does nothing more when it is stopped', async () => {
    const { queue, attended, hasAttended } = queueOf([due(0, 'x')]);
    const timer = start(queue);
    await hasAttended(1);
    timer.wake(due(Date.now() + 20, 'y'));
    await timer.stop();
    timer.wake(due(0, 'z'));
    await new Promise((resolve) => setTimeout(resolve, 40));
    expect(attended).toHaveLength(1);
  });
});
