import type { Due, Queue } from '../sending/queue.ts';

export type SendTimer = {
  /** Something was put into the queue. */
  readonly wake: (due: Due) => void;
  /** Begins nothing more, and waits for what is under way. */
  readonly stop: () => Promise<void>;
};

/** How often the queue is looked through, and how far ahead; timers cannot be set for much longer anyway. */
const scanEveryMs = 60_000;
const horizonMs = 90_000;
const dueAtOnce = 1_000;
/** Submissions that are looked after at the same time. */
const atOnceMax = 8;

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
  const armed = new Map<string, NodeJS.Timeout>();
  const waiting: Due[] = [];
  const underWay = new Set<Promise<void>>();
  let isStopped = false;

  const arm = (due: Due) => {
    const name = `${due.account}/${due.id}`;
    if (isStopped || armed.has(name) || due.at > now() + horizonMs) return;
    const timer = setTimeout(
      () => {
        armed.delete(name);
        waiting.push(due);
        work();
      },
      Math.max(0, due.at - now()),
    );
    timer.unref();
    armed.set(name, timer);
  };
  const work = () => {
    while (!isStopped && underWay.size < atOnceMax) {
      const due = waiting.shift();
      if (due === undefined) return;
      const done = queue
        .attendTo(due)
        .then((next) => {
          if (next !== null) arm(next);
        })
        .catch(onFailure)
        .finally(() => {
          underWay.delete(done);
          work();
        });
      underWay.add(done);
    }
  };
  const scan = async () => {
    for (const due of await queue.dueUntil(now() + horizonMs, dueAtOnce)) arm(due);
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
      for (const each of armed.values()) clearTimeout(each);
      await Promise.all(underWay);
    },
  };
}
