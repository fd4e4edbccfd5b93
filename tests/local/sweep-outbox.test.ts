import { mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { type FolderOutbox, openFolderOutbox } from '../../functions/local/folder-outbox.ts';
import { type KeyFileVault, openKeyFileVault } from '../../functions/local/key-file-vault.ts';
import { startSweeping, sweepOutbox } from '../../functions/local/sweep-outbox.ts';
import type { Id } from '../../shared/jmap/scalars.ts';
import { emailSubmission } from '../../shared/methods/EmailSubmission/index.ts';
import { singleProvider } from '../../shared/providers.ts';
import { createMemoryRecordStore, type MemoryRecordStore } from '../../shared/records/memory-store.ts';
import { contextFor } from '../methods/context.ts';
import { createSender, type Sender } from '../sending/sender.ts';

const [hour, day] = [3_600_000, 24 * 3_600_000];
const account = 'a1' as Id;
const nowhere = { host: '127.0.0.1', port: 1, tls: 'plaintext', ca: null } as const;
let folder: string;
let ahead: number;
let store: MemoryRecordStore;
let outbox: FolderOutbox;
let vault: KeyFileVault;
let sender: Sender;
const now = () => Date.now() + ahead;

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'postern-sweep-'));
  ahead = 0;
  store = createMemoryRecordStore({ now });
  outbox = await openFolderOutbox(path.join(folder, 'outbox'));
  vault = await openKeyFileVault({ file: path.join(folder, 'keys.json'), now });
  const providers = [singleProvider('test', { imap: nowhere, smtp: nowhere, sieve: null })] as const;
  sender = createSender({ store, vault, outbox, providers, now });
});
afterEach(() => rm(folder, { recursive: true }));

async function hold(days: number): Promise<Id> {
  const ports = sender.portsOf(account);
  const mailFrom = { email: 'anna@example.com', parameters: { HOLDFOR: String(days * 86_400) } };
  const envelope = { mailFrom, rcptTo: [{ email: 'bob@example.net' }] };
  const create = { k: { identityId: 'Idefault', emailId: 'e1', envelope } };
  const answer = await emailSubmission.methods.set.run({ accountId: account, create }, ports, contextFor(ports));
  return ((answer.ok && answer.value.response.created) as { k: { id: Id } }).k.id;
}
const sweep = () => sweepOutbox({ outbox, vault, store, queue: sender.queue, now });
const files = async () => (await readdir(path.join(folder, 'outbox'))).sort();
const keys = async (): Promise<{ id: string }[]> =>
  JSON.parse(await readFile(path.join(folder, 'keys.json'), 'utf8')).keys;

describe('a sweep of what waits to be sent', () => {
  test('erases a message that it is too late to send, though nobody reads the submission, and no other', async () => {
    const [short, long] = [await hold(1), await hold(60)];
    ahead = 14 * day;
    await sweep();
    expect(await files()).toEqual([`${account}.${short}`, `${account}.${long}`].sort());
    ahead = 15 * day + hour;
    const { stop } = startSweeping({ outbox, vault, store, queue: sender.queue, now }, (error) =>
      expect(error).toBeNull(),
    );
    await stop();
    expect(await files()).toEqual([`${account}.${long}`]);
    expect(await sender.queue.heldOf(account).message(long)).not.toBeNull();
  });

  test('leaves a message alone of which nothing else is known, until its time must be over', async () => {
    await outbox.put(account, 'S1', await vault.seal(Buffer.from('x'), { account, purpose: 'p', id: 'S1' }));
    await sweep();
    expect(await files()).toEqual([`${account}.S1`]);
    ahead = 379 * day;
    await sweep();
    expect(await files()).toEqual([`${account}.S1`]);
    ahead = 380 * day + hour;
    await sweep();
    expect(await files()).toEqual([]);
  });

  test('erases what is left of a message that was sent or canceled', async () => {
    const id = await hold(1);
    const sealed = await outbox.get(account, id);
    const ports = sender.portsOf(account);
    const update = { [id]: { undoStatus: 'canceled' } };
    await emailSubmission.methods.set.run({ accountId: account, update }, ports, contextFor(ports));
    await outbox.put(account, id, sealed ?? Buffer.alloc(0));
    await sweep();
    expect(await files()).toEqual([]);
  });

  test('removes what somebody who vanished left half written, and not what is being written', async () => {
    const draft = path.join(folder, 'outbox', `${account}.S1.part`);
    await writeFile(draft, 'half');
    await sweep();
    expect(await files()).toEqual([`${account}.S1.part`]);
    const before = new Date(now() - 2 * hour);
    await utimes(draft, before, before);
    await sweep();
    expect(await files()).toEqual([]);
  });

  test('removes a key when nothing that waits is sealed under it any more', async () => {
    const id = await hold(80);
    const [old] = await keys();
    ahead = 79 * day;
    const late = await hold(60);
    ahead = 90 * day;
    const fresh = await hold(1);
    await sweep();
    // What was sealed under the old key has not been sent yet.
    ahead += 2 * day;
    await sweep();
    expect((await keys()).map((key) => key.id)).toContain(old?.id);
    for (const each of [id, late, fresh]) expect(await sender.queue.heldOf(account).message(each)).not.toBeNull();
    for (const each of [id, late]) await sender.queue.heldOf(account).forget(each);
    await sweep();
    expect(await keys()).toHaveLength(1);
    expect((await keys()).map((key) => key.id)).not.toContain(old?.id);
    expect(await sender.queue.heldOf(account).message(fresh)).not.toBeNull();
    const again = await openKeyFileVault({ file: path.join(folder, 'keys.json'), now });
    expect(
      await again.open((await outbox.get(account, fresh)) ?? Buffer.alloc(0), {
        ...{ account, purpose: 'submission/message', id: fresh },
      }),
    ).toBeDefined();
  });

  test('leaves a key that another one has only just replaced: what was sealed under it may be on its way', async () => {
    ahead = 90 * day;
    await hold(1);
    await sweep();
    expect(await keys()).toHaveLength(2);
    ahead += day;
    await sweep();
    expect(await keys()).toHaveLength(1);
  });
});
