import { setTimeout as delay } from 'node:timers/promises';
import { type Due, everythingDue, type Queue } from '../sending/queue.ts';

export type SendTimer = {
  /** Something was put into the queue. */
  readonly wake: (due: Due) => void;
  /** Begins nothing more, and waits for what is under way, but not for long: whoever ends in the midst of it leaves it to be found out. */
  readonly stop: () => Promise<void>;
};

/** How often the queue is looked through, and how far ahead; timers cannot be set for much longer anyway. */
const scanEveryMs = 60_000;
const horizonMs = 90_000;
/** Submissions of one provider that are looked after at the same time: a server that hangs holds up its own users and nobody else. */
const atOnceMax = 8;
const stopMs = 5_000;

/** Looks after what falls due in this process, each at its time. What was due while it did not run is looked after when it starts. */
export function startSendTimer({
  queue,
  now,
  onFailure,
}: {
  readonly queue: Pick<Queue, 'dueUntil' | 'attendTo'>;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly onFailure: (error: unknown) => void;
}): SendTimer {
  /** What waits for its time, for others or for the server; the timer of the first. */
  const known = new Map<string, NodeJS.Timeout | null>();
  const lanes = new Map<string, Lane>();
  let isStopped = false;

  const arm = (due: Due) => {
    const name = `${due.account}/${due.id}`;
    if (isStopped || known.has(name) || due.at > now() + horizonMs) return;
    const timer = setTimeout(
      () => {
        known.set(name, null);
        const lane = lanes.get(due.provider) ?? { waiting: [], underWay: new Set() };
        lanes.set(due.provider, lane);
        lane.waiting.push(due);
        work(lane);
      },
      Math.max(0, due.at - now()),
    );
    timer.unref();
    known.set(name, timer);
  };
  const work = (lane: Lane) => {
    const { waiting, underWay } = lane;
    while (!isStopped && underWay.size < atOnceMax) {
      const due = waiting.shift();
      if (due === undefined) return;
      const done = queue
        .attendTo(due)
        .finally(() => known.delete(`${due.account}/${due.id}`))
        .then((next) => {
          if (next !== null) arm(next);
        })
        .catch(onFailure)
        .finally(() => {
          underWay.delete(done);
          work(lane);
        });
      underWay.add(done);
    }
  };
  const scan = async () => {
    for await (const due of everythingDue(queue, now() + horizonMs)) arm(due);
  };
  const timer = setInterval(() => {
    scan().catch(onFailure);
  }, scanEveryMs);
  timer.unref();
  scan().catch(onFailure);

  return {
    wake: arm,
    stop: async () => {
      isStopped = true;
      clearInterval(timer);
      for (const each of known.values()) if (each !== null) clearTimeout(each);
      const underWay = [...lanes.values()].flatMap((lane) => [...lane.underWay]);
      const patience = new AbortController();
      const late = delay(stopMs, undefined, { signal: patience.signal }).catch(() => {});
      await Promise.race([Promise.all(underWay), late]);
      patience.abort();
    },
  };
}

/** What is due for one provider, and what of it is looked after now. */
type Lane = { readonly waiting: Due[]; readonly underWay: Set<Promise<void>> };
