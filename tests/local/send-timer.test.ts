import { describe, expect, test } from '@jest/globals';
import { startSendTimer } from '../../functions/local/send-timer.ts';
import type { Due } from '../../functions/sending/queue.ts';
import type { Id } from '../../shared/jmap/scalars.ts';

const due = (at: number, id: string): Due => ({ at, account: 'a' as Id, id: id as Id });

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
