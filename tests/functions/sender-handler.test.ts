import type { SQSClient } from '@aws-sdk/client-sqs';
import { describe, expect, test } from '@jest/globals';
import type { Due } from '../../functions/sending/queue.ts';
import { sqsClock } from '../../functions/sending/sqs-clock.ts';
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

test('a call goes into the queue of its provider, and of one that has none into the common queue', async () => {
  const sent: string[] = [];
  const client = { send: async ({ input }: { input: { QueueUrl: string } }) => void sent.push(input.QueueUrl) };
  const call = sqsClock({
    ...{ client: client as unknown as SQSClient, queueUrl: 'https://q', lanes: new Set(['p', 'q']), now: Date.now },
  });
  for (const provider of ['p', 'q', 'gone', '']) await call({ ...due(Date.now()), provider });
  expect(sent).toEqual(['https://q-p', 'https://q-q', 'https://q', 'https://q']);
});

describe('how late a message is sent, by the schedule and the queue alone,', () => {
  const second = 1_000;
  /** Holds a message; when the first call for it arrives that comes at its time or later, in milliseconds after that time. */
  async function lateness(
    { aheadMs, phaseMs }: { aheadMs: number; phaseMs: number },
    { isTickLost = () => false, isCallLost = () => false }: Losses = {},
  ): Promise<number> {
    let clock = 10 ** 12;
    const now = () => clock;
    const [heldAt, message] = [clock, due(clock + aheadMs)];
    const arrivals: number[] = [];
    const client = {
      send: async ({ input }: { input: { DelaySeconds: number } }) => {
        if (!isCallLost(clock - message.at)) arrivals.push(clock + input.DelaySeconds * second);
      },
    } as unknown as SQSClient;
    const call = sqsClock({ client, queueUrl: 'q', lanes: new Set(), now });
    const handler = createSenderHandler({
      queue: {
        dueUntil: async (ms, _, after) => (message.at <= ms && after == null ? [message] : []),
        attendTo: async () => null,
      },
      ...{ call, now, rest: async () => {} },
    });
    await call(message);
    for (let tick = 0; clock < message.at + 10 * minute; tick += 1) {
      clock = heldAt + phaseMs + tick * minute;
      if (!isTickLost(tick)) await handler({});
    }
    // Who comes less than two seconds too early waits.
    const inTime = arrivals.filter((at) => at > message.at - 2 * second);
    return Math.max(0, Math.min(...inTime) - message.at);
  }
  type Losses = {
    readonly isTickLost?: (tick: number) => boolean;
    readonly isCallLost?: (lateMs: number) => boolean;
  };
  const minutesAhead = [0.01, 1, 14.99, 15, 15.001, 15.99, 16, 16.5, 17, 61.3];
  const phases = [1, 10 * second, 29_999, 30 * second, 59_999];
  const cases = minutesAhead.flatMap((ahead) =>
    phases.map((phaseMs) => ({ aheadMs: Math.round(ahead * minute), phaseMs })),
  );

  test('is nothing at all where each call arrives', async () => {
    for (const each of cases) expect([each, await lateness(each)]).toEqual([each, 0]);
  });

  test('is nothing at all where every other tick of the schedule is left out', async () => {
    for (const odd of [0, 1]) {
      const isTickLost = (tick: number) => tick % 2 === odd;
      for (const each of cases) expect([each, await lateness(each, { isTickLost })]).toEqual([each, 0]);
    }
  });

  test('is four minutes at most where no call arrives that was made in time', async () => {
    const isCallLost = (lateMs: number) => lateMs < 0;
    let most = 0;
    for (const each of cases) most = Math.max(most, await lateness(each, { isCallLost }));
    expect(most).toBeGreaterThan(3 * minute);
    expect(most).toBeLessThanOrEqual(4 * minute);
  });
});
