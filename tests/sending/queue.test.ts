import { describe, expect, test } from '@jest/globals';
import type { Due } from '../../functions/sending/queue.ts';
import { OutcomeUnknown, Unavailable } from '../../shared/jmap/errors.ts';
import type { Id, JsonObject } from '../../shared/jmap/scalars.ts';
import { emailSubmission } from '../../shared/methods/EmailSubmission/index.ts';
import { submissionKind } from '../../shared/methods/EmailSubmission/record.ts';
import { attend } from '../../shared/methods/EmailSubmission/transmit.ts';
import { accountRecords } from '../../shared/records/account-records.ts';
import type { RecordStore } from '../../shared/records/store.ts';
import { contextFor } from '../methods/context.ts';
import { copyId } from './sent-copies.ts';
import { createWorld, type Fate, gate, type SendingProcess } from './world.ts';

const account = 'a1' as Id;
const second = 1_000;
const day = 24 * 3_600_000;

function start(options: Parameters<ReturnType<typeof createWorld>['startProcess']>[0] = {}) {
  const world = createWorld();
  const process = world.startProcess(options);
  return { world, process };
}
async function call(process: SendingProcess, verb: 'get' | 'set' | 'changes', args: JsonObject): Promise<JsonObject> {
  const ports = process.portsOf(account);
  const answer = await emailSubmission.methods[verb].run({ accountId: account, ...args }, ports, contextFor(ports));
  return answer.ok ? answer.value.response : { error: answer.error };
}
const later = (parameters: { [name: string]: string }) => ({
  identityId: 'Idefault',
  emailId: 'e1',
  envelope: { mailFrom: { email: 'anna@example.com', parameters }, rcptTo: [{ email: 'bob@example.net' }] },
});
async function hold(process: SendingProcess, parameters: { [name: string]: string } = { HOLDFOR: '60' }): Promise<Id> {
  const { created } = await call(process, 'set', { create: { k: later(parameters) } });
  return (created as { k: { id: Id } }).k.id;
}
/** Ports whose records are in a store that fails, each call in its own way. */
function failingStore(
  world: ReturnType<typeof createWorld>,
  ports: ReturnType<SendingProcess['portsOf']>,
  { read = (real) => real(), write = (real) => real() }: Failures,
): void {
  const isOfSubmissions = (key: string) => key === 'records/EmailSubmission';
  const store: RecordStore = {
    ...world.store,
    read: (of, key) => (isOfSubmissions(key) ? read(() => world.store.read(of, key)) : world.store.read(of, key)),
    write: (of, key, ...others) => {
      const real = () => world.store.write(of, key, ...others);
      return isOfSubmissions(key) ? write(real) : real();
    },
  };
  let keys = 0;
  Object.assign(ports, { records: accountRecords({ store, account, randomKey: () => `own${++keys}` }) });
}
type Failures = {
  readonly read?: (real: () => ReturnType<RecordStore['read']>) => ReturnType<RecordStore['read']>;
  readonly write?: (real: () => ReturnType<RecordStore['write']>) => ReturnType<RecordStore['write']>;
};
const sentBy = (world: ReturnType<typeof createWorld>) => [...world.sent.values()].reduce((sum, each) => sum + each, 0);

describe('a message for later', () => {
  test.each([
    { parameters: { HOLDFOR: '60' }, sendAt: '2026-05-01T00:01:00Z' },
    { parameters: { holdfor: '2592000' }, sendAt: '2026-05-31T00:00:00Z' },
    { parameters: { HOLDUNTIL: '2026-05-02T00:00:00Z' }, sendAt: '2026-05-02T00:00:00Z' },
    { parameters: { HOLDUNTIL: '2026-05-02T02:00:00+02:00' }, sendAt: '2026-05-02T00:00:00Z' },
  ])('waits as $parameters says, and can be seen to', async ({ parameters, sendAt }) => {
    const { world, process } = start();
    const before = await call(process, 'get', { ids: [] });
    const id = await hold(process, parameters);
    expect(await call(process, 'get', { ids: [id] })).toMatchObject({
      list: [
        {
          sendAt,
          undoStatus: 'pending',
          deliveryStatus: null,
          envelope: { mailFrom: { email: 'anna@example.com', parameters: {} } },
        },
      ],
    });
    expect(await call(process, 'changes', { sinceState: before.state as string })).toMatchObject({ created: [id] });
    expect(sentBy(world)).toBe(0);
  });

  test.each([{ parameters: { HOLDFOR: '0' } }, { parameters: { HOLDUNTIL: '2026-04-30T23:59:59Z' } }])(
    'that is already due is sent now: $parameters',
    async ({ parameters }) => {
      const { world, process } = start();
      expect(await call(process, 'set', { create: { k: later(parameters) } })).toMatchObject({
        created: { k: { undoStatus: 'final', sendAt: '2026-05-01T00:00:00Z' } },
      });
      expect(sentBy(world)).toBe(1);
    },
  );

  test.each<{ parameters: { [name: string]: string } }>([
    { parameters: { HOLDFOR: '7776001' } },
    { parameters: { HOLDFOR: '-1' } },
    { parameters: { HOLDFOR: 'soon' } },
    { parameters: { HOLDUNTIL: 'tomorrow' } },
    { parameters: { HOLDUNTIL: '2027-05-01T00:00:00Z' } },
    { parameters: { HOLDFOR: '60', HOLDUNTIL: '2026-05-02T00:00:00Z' } },
  ])('is refused with $parameters', async ({ parameters }) => {
    const { world, process } = start();
    expect(await call(process, 'set', { create: { k: later(parameters) } })).toMatchObject({
      notCreated: { k: { type: 'invalidProperties', properties: ['envelope'] } },
    });
    expect(world.outbox.size).toBe(0);
  });

  test('is sent when it is due and not before, by a process that knows nothing of it', async () => {
    const { world, process } = start();
    const id = await hold(process);
    const due = { at: world.now() + 60 * second, account, id, provider: 'test' };
    const other = world.startProcess();
    expect(await other.queue.dueUntil(due.at - 1, 10)).toEqual([]);
    expect(await other.queue.dueUntil(due.at, 10)).toEqual([due]);
    world.advanceTo(due.at - 1);
    expect(await other.queue.attendTo(due)).toEqual(due);
    expect(sentBy(world)).toBe(0);
    world.advanceTo(due.at);
    expect(await other.queue.attendTo(due)).toBeNull();
    expect(sentBy(world)).toBe(1);
    expect(await call(process, 'get', { ids: [id] })).toMatchObject({
      list: [
        {
          undoStatus: 'final',
          deliveryStatus: { 'bob@example.net': { delivered: 'unknown', smtpReply: '250 2.0.0 said so' } },
        },
      ],
    });
    expect(await other.queue.attendTo(due)).toBeNull();
    expect(await other.queue.dueUntil(due.at + 100 * day, 10)).toEqual([]);
    expect(sentBy(world)).toBe(1);
  });

  test('is kept sealed, with what it takes to send it, and no longer than that is needed', async () => {
    const { world, process } = start();
    const id = await hold(process);
    const stored = [...world.store.contents().values()].flatMap((items) => [...items.values()]);
    const all = Buffer.concat([...stored.map(({ bytes }) => bytes), ...world.outbox.values()]).toString('latin1');
    expect(all).not.toMatch(/the password|Hello/);
    expect(world.outbox.size).toBe(1);
    world.advanceTo(world.now() + 60 * second);
    await process.queue.attendTo({ at: world.now(), account, id, provider: 'test' });
    expect(world.outbox.size).toBe(0);
    expect([...(world.store.contents().get(account)?.keys() ?? [])]).toEqual(['records/EmailSubmission']);
    expect(world.store.contents().get('due')?.size).toBe(0);
  });

  describe('where the provider puts a copy into Sent, beside the Email that the client keeps there', () => {
    const startSaving = async () => {
      const provider = { isEarly: true };
      const world = createWorld(() => provider.isEarly);
      const process = world.startProcess();
      const id = await hold(process);
      const due = { at: world.now() + 60 * second, account, id, provider: 'test' };
      world.advanceTo(due.at);
      return { provider, world, process, due };
    };
    const isErased = (world: ReturnType<typeof createWorld>) => {
      expect([...(world.store.contents().get(account)?.keys() ?? [])]).toEqual(['records/EmailSubmission']);
      expect(world.store.contents().get('due')?.size).toBe(0);
    };

    test('the copy goes at once, and of the message no more is kept', async () => {
      const { world, process, due } = await startSaving();
      const next = await process.queue.attendTo(due);
      expect([...world.destroyed]).toEqual([copyId(0)]);
      expect(world.outbox.size).toBe(0);
      expect(next).toEqual({ ...due, at: world.now() + 30 * second });
      expect(await call(process, 'get', { ids: [due.id] })).toMatchObject({ list: [{ undoStatus: 'final' }] });

      world.advanceTo((next as Due).at);
      expect(await world.startProcess().queue.attendTo(next as Due)).toBeNull();
      expect(sentBy(world)).toBe(1);
      isErased(world);
    });

    test('a copy that comes late goes, too, and nothing is kept any longer', async () => {
      const { provider, world, process, due } = await startSaving();
      provider.isEarly = false;
      const next = (await process.queue.attendTo(due)) as Due;
      expect(world.destroyed.size).toBe(0);
      provider.isEarly = true;
      expect(await process.queue.attendTo(next)).toEqual(next);
      expect(world.destroyed.size).toBe(0);

      world.advanceTo(next.at);
      expect(await process.queue.attendTo(next)).toBeNull();
      expect([...world.destroyed]).toEqual([copyId(0)]);
      expect(sentBy(world)).toBe(1);
      isErased(world);
    });

    test('it is the only one, and stays, where the client keeps none', async () => {
      const { world, due } = await startSaving();
      const process = world.startProcess({ isInSent: false });
      const next = (await process.queue.attendTo(due)) as Due;
      world.advanceTo(next.at);
      expect(await process.queue.attendTo(next)).toBeNull();
      expect(world.destroyed.size).toBe(0);
      isErased(world);
    });

    test('it stays where the mail server is away, and the message is known to be sent', async () => {
      const { world, due } = await startSaving();
      const process = world.startProcess({ isAway: true });
      const next = (await process.queue.attendTo(due)) as Due;
      expect(await call(process, 'get', { ids: [due.id] })).toMatchObject({
        list: [{ deliveryStatus: { 'bob@example.net': { smtpReply: '250 2.0.0 said so' } } }],
      });
      world.advanceTo(next.at);
      expect(await process.queue.attendTo(next)).toBeNull();
      expect(sentBy(world)).toBe(1);
      isErased(world);
    });
  });

  test('that is canceled is not sent, and nothing of it is kept', async () => {
    const { world, process } = start();
    const id = await hold(process);
    expect(await call(process, 'set', { update: { [id]: { undoStatus: 'canceled' } } })).toMatchObject({
      updated: { [id]: null },
    });
    expect(world.outbox.size).toBe(0);
    const due = { at: world.now() + 60 * second, account, id, provider: 'test' };
    world.advanceTo(due.at);
    expect(await process.queue.attendTo(due)).toBeNull();
    expect(sentBy(world)).toBe(0);
    expect(await call(process, 'get', { ids: [id] })).toMatchObject({ list: [{ undoStatus: 'canceled' }] });
    expect(await call(process, 'set', { destroy: [id] })).toMatchObject({ destroyed: [id] });
  });

  test('leaves nothing behind, also where it is canceled by who logged in with an access token', async () => {
    const { world, process } = start();
    const id = await hold(process);
    const ports = process.portsOf(account);
    Object.assign(ports.submission, { queue: null });
    const update = { [id]: { undoStatus: 'canceled' } };
    await emailSubmission.methods.set.run({ accountId: account, update }, ports, contextFor(ports));
    expect(world.outbox.size).toBe(0);
    expect([...(world.store.contents().get(account)?.keys() ?? [])]).toEqual(['records/EmailSubmission']);
  });

  test('is not another one, though somebody who writes to the store has exchanged them', async () => {
    const { world, process } = start();
    const ids = [await hold(process), await hold(process)];
    const [one, other] = ids.map((id) => `${account}/${id}`) as [string, string];
    const outbox = world.outbox as Map<string, Uint8Array>;
    const [first, second] = [one, other].map((key) => outbox.get(key)) as [Uint8Array, Uint8Array];
    outbox.set(one, second);
    outbox.set(other, first);
    const due = { at: world.now() + 60_000, account, id: ids[0] as Id, provider: 'test' };
    world.advanceTo(due.at);
    expect(await process.queue.attendTo(due)).toBeNull();
    expect(sentBy(world)).toBe(0);
    expect(await call(process, 'get', { ids: [due.id] })).toMatchObject({
      list: [{ undoStatus: 'canceled', deliveryStatus: { 'bob@example.net': { delivered: 'no' } } }],
    });
  });

  test('is still sent where nothing is to be held any more', async () => {
    const { world, process } = start();
    const id = await hold(process);
    const other = world.startProcess({ maxDelaySeconds: 0 });
    expect(other.portsOf(account).submission.queue).toBeNull();
    const due = { at: world.now() + 60 * second, account, id, provider: 'test' };
    world.advanceTo(due.at);
    await other.queue.attendTo(due);
    expect(sentBy(world)).toBe(1);
  });

  test('can be canceled until the moment it is sent, and not from then on', async () => {
    const { world, process } = start();
    const id = await hold(process);
    world.advanceTo(world.now() + 60 * second);
    // While the server takes it, somebody wants it back.
    let answer: JsonObject = {};
    const sending = world.startProcess();
    const { relay } = sending.portsOf(account).submission;
    const ports = sending.portsOf(account);
    Object.assign(ports.submission, {
      relay: (request: Parameters<typeof relay>[0]) =>
        relay({
          ...request,
          beforeEnd: async () => {
            answer = await call(process, 'set', { update: { [id]: { undoStatus: 'canceled' } } });
            await request.beforeEnd();
          },
        }),
    });
    await attend(id, ports);
    expect(answer).toMatchObject({ notUpdated: { [id]: { type: 'cannotUnsend' } } });
    expect(sentBy(world)).toBe(1);
  });

  test('cannot be destroyed while it waits, for it would still be sent', async () => {
    const { process } = start();
    const id = await hold(process);
    expect(await call(process, 'set', { destroy: [id] })).toMatchObject({
      notDestroyed: { [id]: { type: 'forbidden' } },
    });
  });

  test('is sent once, though two processes look after it at the same time', async () => {
    const { world, process } = start();
    const id = await hold(process);
    const due = { at: world.now() + 60 * second, account, id, provider: 'test' };
    world.advanceTo(due.at);
    const processes = Array.from({ length: 5 }, () => world.startProcess());
    await Promise.all(processes.map(({ queue }) => queue.attendTo(due)));
    expect(sentBy(world)).toBe(1);
  });

  test('is sent though one who stalled is refused it after another took it over, who then vanishes', async () => {
    const { world, process } = start();
    const id = await hold(process);
    const due = { at: world.now() + 60 * second, account, id, provider: 'test' };
    world.advanceTo(due.at);
    const [begun, goOn] = [gate(), gate()];
    const stalled = world.startProcess({
      fate: () => 'refuse',
      stall: async (at) => {
        if (at !== 'begin') return;
        begun.open();
        await goOn.isOpen;
      },
    });
    const first = stalled.queue.attendTo(due);
    await begun.isOpen;
    world.advanceTo(world.now() + 7 * 60 * second);
    const vanishing = world.startProcess().portsOf(account);
    Object.assign(vanishing.submission, { relay: () => Promise.reject(new Error('killed')) });
    await expect(attend(id, vanishing)).rejects.toThrow('killed');
    goOn.open();
    const next = await first;
    world.advanceTo(world.now() + day);
    await process.queue.attendTo(next ?? due);
    expect(sentBy(world)).toBe(1);
  });

  test('is sent once, though one who stalled before he sent it fails while another sends it', async () => {
    const { world, process } = start();
    const id = await hold(process);
    world.advanceTo(world.now() + 60 * second);
    const [stalled, successor] = [world.startProcess().portsOf(account), world.startProcess().portsOf(account)];
    const [begun, ended, goOn, answer] = [gate(), gate(), gate(), gate()];
    Object.assign(stalled.submission, {
      relay: async () => {
        begun.open();
        await goOn.isOpen;
        throw new Unavailable('away');
      },
    });
    const { relay } = successor.submission;
    Object.assign(successor.submission, {
      relay: async (request: Parameters<typeof relay>[0]) => {
        const outcome = await relay(request);
        ended.open();
        await answer.isOpen;
        return outcome;
      },
    });
    const first = attend(id, stalled);
    await begun.isOpen;
    world.advanceTo(world.now() + 7 * 60 * second);
    const other = attend(id, successor);
    await ended.isOpen;
    goOn.open();
    await first;
    world.advanceTo(world.now() + 2 * 60 * second);
    await attend(id, world.startProcess().portsOf(account));
    answer.open();
    await other;
    expect(sentBy(world)).toBe(1);
    expect(await call(process, 'get', { ids: [id] })).toMatchObject({ list: [{ undoStatus: 'final' }] });
  });

  test('is tried again when the server is away or refuses it for a while, and goes out', async () => {
    const fates: Fate[] = ['be away', 'refuse for a while', 'accept'];
    const { world, process } = start({ fate: () => fates.shift() ?? 'accept' });
    const id = await hold(process);
    let due: Due | null = { at: world.now() + 60 * second, account, id, provider: 'test' };
    const pauses: number[] = [];
    while (due !== null) {
      world.advanceTo(due.at);
      const next: Due | null = await process.queue.attendTo(due);
      if (next !== null) pauses.push((next.at - due.at) / second);
      due = next;
    }
    expect(pauses).toEqual([60, 120]);
    expect(sentBy(world)).toBe(1);
  });

  test.each<{ fate: Fate; reply: string; most: number }>([
    { fate: 'refuse', reply: '550 2.0.0 said so', most: 1 },
    { fate: 'refuse for a while', reply: '451 2.0.0 said so', most: 13 },
    { fate: 'be away', reply: '451 4.4.1 The message could not be given to the submission server', most: 13 },
  ])('that fails for good ($fate) is said not to have been sent, with the reason', async ({ fate, reply, most }) => {
    const { world, process } = start({ fate: () => fate });
    const id = await hold(process);
    let due: Due | null = { at: world.now() + 60 * second, account, id, provider: 'test' };
    let times = 0;
    while (due !== null && times < 50) {
      world.advanceTo(due.at);
      due = await process.queue.attendTo(due);
      times += 1;
    }
    expect(times).toBe(most);
    expect(await call(process, 'get', { ids: [id] })).toMatchObject({
      list: [{ undoStatus: 'canceled', deliveryStatus: { 'bob@example.net': { delivered: 'no', smtpReply: reply } } }],
    });
    expect(sentBy(world)).toBe(0);
    expect(world.outbox.size).toBe(0);
  });

  test('is what it was when it was submitted, whatever happens to the Email', async () => {
    const { world, process } = start();
    const id = await hold(process);
    const ports = process.portsOf(account);
    // The mailbox is empty from now on, and nobody asks for it.
    Object.assign(ports.messages, { open: () => Promise.reject(new Error('not to be asked')) });
    world.advanceTo(world.now() + 60 * second);
    await process.queue.attendTo({ at: world.now(), account, id, provider: 'test' });
    expect(sentBy(world)).toBe(1);
  });

  test('whose keys or message are lost is told as not sent', async () => {
    const { world, process } = start();
    const id = await hold(process);
    const due = { at: world.now() + 60 * second, account, id, provider: 'test' };
    await world.store.remove(account, `held/${id}`, null);
    world.advanceTo(due.at + 20 * 60 * second);
    expect(await process.queue.attendTo(due)).toBeNull();
    expect(await call(process, 'get', { ids: [id] })).toMatchObject({
      list: [{ undoStatus: 'canceled', deliveryStatus: { 'bob@example.net': { delivered: 'no' } } }],
    });
  });

  test('is told as sent, though nobody heard that it was kept, and much has happened since', async () => {
    const { world, process } = start();
    const ports = process.portsOf(account);
    let isLost = false;
    const sendAt = world.now() + 60 * second;
    const meanwhile = async () => {
      const [id] = [...(await world.kept(account)).keys()] as [Id];
      world.advanceTo(sendAt);
      await world.startProcess().queue.attendTo({ at: sendAt, account, id, provider: 'test' });
      const { records } = world.startProcess().portsOf(account);
      for (let n = 0; n < 9; n += 1) {
        const another = { ...(await world.kept(account)).get(id), emailId: 'e9' };
        await records.change(submissionKind, () => ({ edits: [{ id: `S${n}` as Id, value: another }], answer: null }));
      }
    };
    failingStore(world, ports, {
      write: async (write) => {
        const isWritten = await write();
        if (isLost) return isWritten;
        isLost = true;
        await meanwhile();
        throw new Unavailable('the answer was lost');
      },
    });
    const create = { k: later({ HOLDFOR: '60' }) };
    const answer = await emailSubmission.methods.set.run({ accountId: account, create }, ports, contextFor(ports));
    expect(answer).toMatchObject({ value: { response: { created: { k: {} } } } });
    expect(sentBy(world)).toBe(1);
    const kept = [...(await world.kept(account)).values()].filter(({ emailId }) => emailId === 'e1');
    expect(kept).toMatchObject([{ undoStatus: 'final', ledger: { state: 'sent' } }]);
  });

  test('is not said to be refused where it cannot be seen whether it was kept, for then it would be sent twice', async () => {
    const { world, process } = start();
    const ports = process.portsOf(account);
    let isLost = false;
    failingStore(world, ports, {
      write: async (write) => {
        await write();
        isLost = true;
        throw new Unavailable('the answer was lost');
      },
      read: async (read) => {
        if (isLost) throw new Unavailable('the store is away');
        return read();
      },
    });
    const create = { k: later({ HOLDFOR: '60' }) };
    const answer = emailSubmission.methods.set.run({ accountId: account, create }, ports, contextFor(ports));
    await expect(answer).rejects.toThrow(OutcomeUnknown);
    world.advanceTo(world.now() + 60 * second);
    for (const due of await process.queue.dueUntil(world.now(), 10)) await process.queue.attendTo(due);
    expect(sentBy(world)).toBe(1);
  });

  test('is not said to be refused, and others of the same call that went out have what is to follow', async () => {
    const { world, process } = start();
    const ports = process.portsOf(account);
    let writes = 0;
    failingStore(world, ports, {
      write: async (write) => {
        writes += 1;
        // What is noted of the one that goes out at once is noted.
        if (writes <= 2) return write();
        throw new Unavailable('the store is away');
      },
    });
    const now = { identityId: 'Idefault', emailId: 'e1' };
    const args = {
      accountId: account,
      create: { now, later: later({ HOLDFOR: '60' }), last: now },
      onSuccessUpdateEmail: { '#now': { 'keywords/$draft': null }, '#later': { 'keywords/$seen': true } },
      onSuccessDestroyEmail: ['#last'],
    };
    expect(await emailSubmission.methods.set.run(args, ports, contextFor(ports))).toMatchObject({
      value: {
        doubt: expect.any(OutcomeUnknown),
        implicit: [{ name: 'Email/set', args: { update: { e1: { 'keywords/$draft': null } }, destroy: [] } }],
      },
    });
    expect(sentBy(world)).toBe(1);
  });

  test('that was never kept leaves nothing sealed behind for longer than a moment', async () => {
    const { world, process } = start();
    const ports = process.portsOf(account);
    failingStore(world, ports, { write: () => Promise.reject(new Unavailable('the store is away')) });
    const create = { k: later({ HOLDFOR: '2592000' }) };
    const answer = emailSubmission.methods.set.run({ accountId: account, create }, ports, contextFor(ports));
    await expect(answer).rejects.toThrow(OutcomeUnknown);
    expect(world.outbox.size).toBe(1);
    world.advanceTo(world.now() + 15 * 60 * second);
    for (const due of await process.queue.dueUntil(world.now(), 10)) await process.queue.attendTo(due);
    expect(world.outbox.size).toBe(0);
    expect([...(world.store.contents().get(account)?.keys() ?? [])]).toEqual([]);
  });

  test('is not opened before its time, though it is looked whether it was kept', async () => {
    const { world, process } = start();
    const id = await hold(process, { HOLDFOR: '2592000' });
    const [check, due] = (await process.queue.dueUntil(world.now() + 100 * day, 10)) as [Due, Due];
    world.advanceTo(check.at);
    await world.store.remove(account, `held/${id}`, null);
    expect(await process.queue.attendTo(check)).toEqual(due);
    expect(await process.queue.dueUntil(world.now() + 100 * day, 10)).toEqual([due]);
    expect(world.outbox.size).toBe(1);
    expect(await call(process, 'get', { ids: [id] })).toMatchObject({ list: [{ undoStatus: 'pending' }] });
  });

  test('that nobody looked after in time is told as not sent, and nothing of it is kept', async () => {
    const { world, process } = start();
    const id = await hold(process);
    world.advanceTo(world.now() + 60 * second + 14 * day - 1);
    expect(await call(process, 'get', { ids: [id] })).toMatchObject({ list: [{ undoStatus: 'pending' }] });
    world.advanceTo(world.now() + 1);
    expect(await call(process, 'get', { ids: [id] })).toMatchObject({
      list: [{ undoStatus: 'canceled', deliveryStatus: { 'bob@example.net': { delivered: 'no' } } }],
    });
    expect(world.outbox.size).toBe(0);
    for (const due of await process.queue.dueUntil(world.now(), 10)) await process.queue.attendTo(due);
    expect(sentBy(world)).toBe(0);
  });

  test('that ends each process which would send it is given up like one that the server never takes', async () => {
    const { world, process } = start();
    const id = await hold(process);
    let times = 0;
    const dying = () => {
      const ports = world.startProcess().portsOf(account);
      const relay = () => {
        times += 1;
        return Promise.reject(new Error('out of memory'));
      };
      Object.assign(ports.submission, { relay });
      return ports;
    };
    world.advanceTo(world.now() + 60 * second);
    for (let next: number | null = world.now(), round = 0; next !== null && round < 100; round += 1) {
      world.advanceTo(next);
      next = await attend(id, dying()).catch(() => world.now() + 6 * 60 * second);
    }
    expect(times).toBe(13);
    expect(await call(process, 'get', { ids: [id] })).toMatchObject({
      list: [{ undoStatus: 'canceled', deliveryStatus: { 'bob@example.net': { delivered: 'no' } } }],
    });
    expect(world.outbox.size).toBe(0);
  });

  test('tells whoever keeps the time', async () => {
    const told: Due[] = [];
    const { world, process } = start({ onHeld: async (due) => void told.push(due) });
    const id = await hold(process);
    expect(told).toEqual([{ at: world.now() + 60 * second, account, id, provider: 'test' }]);
  });
});

test('nothing is held for somebody who logs in with an access token', async () => {
  const { process, world } = start();
  const { provider } = await import('./world.ts');
  const credential = { kind: 'token', user: 'anna', accessToken: 't' } as const;
  expect(process.queue.of({ username: 'anna', accountId: account, provider, credential })).toBeNull();
  expect(world.outbox.size).toBe(0);
});
