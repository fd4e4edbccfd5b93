import { describe, expect, test } from '@jest/globals';
import type { Due } from '../../functions/sending/queue.ts';
import { createSenderHandler } from '../../functions/submission-sender/sender-handler.ts';
import { Unavailable } from '../../shared/jmap/errors.ts';
import type { Id } from '../../shared/jmap/scalars.ts';

const minute = 60_000;
const due = (at: number, id = 'S1'): Due => ({ at, account: 'a' as Id, id: id as Id, provider: 'p' });

function start({
  waiting = [],
  next = null,
  fails = false,
}: {
  waiting?: Due[];
  next?: Due | null;
  fails?: boolean;
} = {}) {
  const called: Due[] = [];
  const attended: { id: string; at: number }[] = [];
  let rests = 0;
  const handler = createSenderHandler({
    queue: {
      dueUntil: async (ms) => waiting.filter(({ at }) => at <= ms),
      attendTo: async ({ id }) => {
        if (fails) throw new Unavailable('the store');
        attended.push({ id, at: Date.now() });
        return next;
      },
    },
    call: async (each) => void called.push(each),
    now: Date.now,
    rest: async () => {
      rests += 1;
    },
  });
  return { handler, called, attended, rests: () => rests };
}
const record = (each: Due) => ({ Records: [{ body: JSON.stringify(each) }] });

describe('the sender', () => {
  test('is called for what comes into reach, and again for what was lost on its way, and for nothing else', async () => {
    const now = Date.now();
    const waiting = [
      due(now - 5 * minute, 'lost'),
      due(now - minute, 'under way'),
      due(now + 5 * minute, 'called already'),
      due(now + 14 * minute, 'in reach'),
      due(now + 16 * minute, 'later'),
    ];
    const { handler, called, attended, rests } = start({ waiting });
    await handler({});
    expect(called.map(({ id }) => id)).toEqual(['lost', 'in reach']);
    expect(attended).toEqual([]);
    expect(rests()).toBe(1);
  });

  test('looks after what it is called for, at its time and not before', async () => {
    const { handler, attended } = start();
    const at = Date.now() + 50;
    await handler(record(due(at)));
    expect(attended[0]?.at).toBeGreaterThanOrEqual(at);
    expect(attended[0]?.at).toBeLessThan(at + 2_000);
  });

  test('is called again for what it came too early for, and for what is not done', async () => {
    const early = due(Date.now() + minute);
    const tooEarly = start();
    await tooEarly.handler(record(early));
    expect([tooEarly.called, tooEarly.attended]).toEqual([[early], []]);
    const later = due(Date.now() + 2 * minute);
    const unfinished = start({ next: later });
    await unfinished.handler(record(due(Date.now() - 1)));
    expect(unfinished.called).toEqual([later]);
  });

  test('fails where it must be called again, and logs out of the mail servers even so', async () => {
    const { handler, rests } = start({ fails: true });
    await expect(handler(record(due(0)))).rejects.toThrow(Unavailable);
    await expect(handler({ Records: [{ body: '{"at": 1}' }] })).rejects.toThrow();
    expect(rests()).toBe(2);
  });
});
