import { describe, expect, test } from '@jest/globals';
import type { Due } from '../../functions/sending/queue.ts';
import { Unavailable } from '../../shared/jmap/errors.ts';
import type { Id, JsonObject } from '../../shared/jmap/scalars.ts';
import { currentSubmissions } from '../../shared/methods/EmailSubmission/current.ts';
import { emailSubmission } from '../../shared/methods/EmailSubmission/index.ts';
import type { Ledger } from '../../shared/methods/EmailSubmission/ledger.ts';
import type { KeptSubmission } from '../../shared/methods/EmailSubmission/record.ts';
import { attend } from '../../shared/methods/EmailSubmission/transmit.ts';
import { createRandom } from '../catalog/storage/random.ts';
import { contextFor } from '../methods/context.ts';
import {
  createWorld,
  type Fate,
  gate,
  Killed,
  largeBody,
  type ProcessOptions,
  type SendingProcess,
  type Stage,
  type World,
} from './world.ts';

const minute = 60_000;
const submissions = 10_000;
const perWorld = 50;

/** What came of one world of submissions. */
type Tally = { readonly [K in Ledger['state'] | 'nothing' | Window | 'crashes' | 'overlaps' | 'fetched']: number };
/** Between which two moments a process ended that was sending a message. */
type Window = 'noted and not ended' | 'ended and not answered' | 'answered and not stored';
const windows: { readonly [S in Stage]: Window } = {
  noting: 'noted and not ended',
  ended: 'ended and not answered',
  answered: 'answered and not stored',
};

/** Sends some messages, now and later, with processes that end at any step, until nothing is left to do. */
async function play(seed: number): Promise<Tally> {
  const { below, chance, pick } = createRandom(seed);
  // Half of what goes out is saved in Sent; always the same half.
  const saved = new Map<string, boolean>();
  const world = createWorld(
    (messageId) => {
      const isSaved = saved.get(messageId) ?? chance(0.5);
      saved.set(messageId, isSaved);
      return isSaved;
    },
    seed % 4 === 0 ? largeBody : undefined,
  );
  /** Those whose process ended after it was noted that the end goes out, and before it was noted what the answer was. */
  const inDoubt = new Map<string, Window>();
  let crashes = 0;
  let overlaps = 0;

  const fates: readonly Fate[] = [
    ...Array.from({ length: 15 }, (): Fate => 'accept'),
    ...(['accept, and lose the answer', 'refuse for a while', 'refuse', 'be away', 'be away'] as const),
  ];
  const start = (mayEnd: boolean, stall?: ProcessOptions['stall']) =>
    world.startProcess({
      endsAt: mayEnd && chance(0.5) ? 1 + below(40) : null,
      fate: () => pick(fates),
      losesAnswer: () => chance(0.03),
      fetches: () => chance(0.7),
      ...(stall === undefined ? {} : { stall }),
    });

  /** Does something in a process that may end meanwhile; then notes what it left behind. */
  async function attempt(account: Id, process: SendingProcess, act: () => Promise<unknown>): Promise<void> {
    try {
      await act();
    } catch (error) {
      // Whoever loses an answer where nothing is found out leaves the rest to the next one.
      if (!(error instanceof Killed || error instanceof Unavailable)) throw error;
    }
    if (process.isAlive()) return;
    crashes += 1;
    for (const { ledger, messageId } of (await world.kept(account)).values()) {
      if (ledger.state !== 'sending' || ledger.by !== process.worker) continue;
      const stage = process.stageOf(messageId);
      if (stage === null) throw new Error('A message is noted as being sent by somebody who was not');
      inDoubt.set(messageId, windows[stage]);
    }
  }

  /** One looks after it and stalls until his claim is over, another takes over and stalls too, and a third one comes by. */
  async function overlap(due: Due): Promise<void> {
    overlaps += 1;
    const attendBy = (at: 'begin' | 'answer') => {
      const [reached, goOn] = [gate(), gate()];
      const process = start(true, async (place) => {
        if (place !== at) return;
        reached.open();
        await goOn.isOpen;
      });
      const done = attempt(due.account, process, () => process.queue.attendTo(due));
      return { stalled: Promise.race([reached.isOpen, done]), goOn: goOn.open, done };
    };
    const first = attendBy('begin');
    await first.stalled;
    world.advanceTo(world.now() + 7 * minute);
    const second = attendBy('answer');
    await second.stalled;
    first.goOn();
    await first.done;
    world.advanceTo(world.now() + 2 * minute);
    const third = start(true);
    await attempt(due.account, third, () => lookAfter(third, due.account));
    second.goOn();
    await second.done;
  }

  async function lookAfter(process: SendingProcess, account: Id): Promise<void> {
    for (const [id] of await world.kept(account)) await attend(id, process.portsOf(account));
    if (!process.isAlive()) throw new Killed('the process has ended');
  }

  const accounts = Array.from({ length: perWorld }, (_, n) => `a${seed}x${n}` as Id);
  for (const account of accounts) {
    const isLater = chance(0.7);
    const process = start(true);
    const parameters = isLater ? { HOLDFOR: String(1 + below(600)) } : null;
    const envelope = { mailFrom: { email: 'anna@example.com', parameters }, rcptTo: [{ email: 'bob@example.net' }] };
    const create = { k: { identityId: 'Idefault', emailId: 'e1', envelope } };
    await attempt(account, process, () => set(process, account, { create }));
    if (isLater && chance(0.1)) {
      const canceling = start(true);
      const [id] = (await world.kept(account)).keys();
      if (id !== undefined)
        await attempt(account, canceling, () =>
          set(canceling, account, { update: { [id]: { undoStatus: 'canceled' } } }),
        );
    }
  }

  const looking = world.startProcess();
  const isOpen = ({ ledger }: KeptSubmission) => ledger.state === 'queued' || ledger.state === 'sending';
  const open = new Set(accounts);
  for (let round = 0, left = 1; open.size + left > 0 && round < 500; round += 1) {
    world.advanceTo(world.now() + 7 * minute);
    for (const each of await looking.queue.dueUntil(world.now(), perWorld)) {
      if (chance(0.1)) {
        await overlap(each);
        continue;
      }
      const process = start(round < 20);
      await attempt(each.account, process, () => process.queue.attendTo(each));
    }
    for (const account of open) {
      const process = start(round < 5);
      await attempt(account, process, () => currentSubmissions(process.portsOf(account)));
      if (![...(await world.kept(account)).values()].some(isOpen)) open.delete(account);
    }
    left = (await looking.queue.dueUntil(world.now() + 100 * 24 * 60 * minute, 1)).length;
  }

  const counted = {
    ...{ queued: 0, sending: 0, sent: 0, failed: 0, uncertain: 0, canceled: 0, nothing: 0 },
    ...{ 'noted and not ended': 0, 'ended and not answered': 0, 'answered and not stored': 0 },
  };
  const uncertain = new Set<string>();
  for (const account of accounts) {
    const kept = [...(await world.kept(account)).values()];
    if (kept.length === 0) counted.nothing += 1;
    for (const { ledger, messageId } of kept) {
      counted[ledger.state] += 1;
      const times = world.sent.get(messageId) ?? 0;
      if (ledger.state === 'uncertain') {
        uncertain.add(messageId);
        // Of all that are in doubt, those did not go out whose process ended before their end was sent.
        expect(times).toBe(inDoubt.get(messageId) === 'noted and not ended' ? 0 : 1);
      }
      if (ledger.state === 'sent') expect(times).toBe(1);
      if (ledger.state === 'failed' || ledger.state === 'canceled') expect(times).toBe(0);
    }
  }
  for (const times of world.sent.values()) expect(times).toBe(1);
  expectNothingLeft(world);
  for (const window of inDoubt.values()) counted[window] += 1;
  const notFound = [...inDoubt.keys(), ...world.unanswered].filter((messageId) => !world.hasCopy(messageId));
  expect([...uncertain].sort()).toEqual([...new Set(notFound)].sort());
  return { ...counted, crashes, overlaps, fetched: world.fetched.size };
}

async function set(process: SendingProcess, account: Id, args: JsonObject): Promise<void> {
  const ports = process.portsOf(account);
  const context = { ...contextFor(ports), report: (error: unknown) => String(error) };
  await emailSubmission.methods.set.run({ accountId: account, ...args }, ports, context);
  if (!process.isAlive()) throw new Killed('the process has ended');
}

/** Neither a message nor a credential is kept when nothing needs it any more. */
function expectNothingLeft(world: World): void {
  const held = [...world.store.contents()].flatMap(([account, items]) =>
    [...items.keys()].filter((key) => key.startsWith('held/')).map((key) => `${account} ${key}`),
  );
  expect(held).toEqual([]);
  expect([...world.outbox.keys()]).toEqual([]);
}

describe(`of ${submissions} messages, sent by processes that end at any step,`, () => {
  test('none goes out twice, and none is in doubt but those whose answer nobody heard', async () => {
    const total = {
      queued: 0,
      sending: 0,
      sent: 0,
      failed: 0,
      uncertain: 0,
      canceled: 0,
      nothing: 0,
      crashes: 0,
      overlaps: 0,
      fetched: 0,
      ...{ 'noted and not ended': 0, 'ended and not answered': 0, 'answered and not stored': 0 },
    };
    for (let seed = 1; seed <= submissions / perWorld; seed += 1) {
      const tally = await play(seed);
      for (const name of Object.keys(total) as (keyof typeof total)[]) total[name] += tally[name];
    }
    expect(total.queued + total.sending).toBe(0);
    expect(total.sent + total.failed + total.uncertain + total.canceled + total.nothing).toBe(submissions);
    expect(total.crashes).toBeGreaterThan(submissions / 4);
    expect(total.sent).toBeGreaterThan(submissions / 4);
    expect(total.overlaps).toBeGreaterThan(submissions / 20);
    expect(total.fetched).toBeGreaterThan(submissions / 100);
    for (const window of Object.values(windows)) expect(total[window]).toBeGreaterThan(submissions / 200);
  }, 300_000);
});
