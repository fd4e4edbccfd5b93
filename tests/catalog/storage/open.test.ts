import { describe, expect, test } from '@jest/globals';
import { createBlockCache } from '../../../shared/catalog/storage/block-cache.ts';
import { createMemoryStore } from '../../../shared/catalog/storage/memory-store.ts';
import { openCatalog } from '../../../shared/catalog/storage/open.ts';
import type { CatalogEdit } from '../../../shared/catalog/view.ts';
import type { Id } from '../../../shared/jmap/scalars.ts';

const nothing: CatalogEdit = {
  mailboxes: new Map(),
  emails: new Map(),
  threads: new Map(),
  messageIds: new Map(),
  log: [],
  newEpoch: false,
};

function start() {
  let counter = 0;
  const surroundings = {
    now: () => 1_700_000_000_000,
    randomKey: () => `key${(counter++).toString().padStart(12, '0')}`,
  };
  const store = createMemoryStore({ now: surroundings.now });
  const reopen = () =>
    openCatalog({ store, account: 'alice', surroundings, cache: createBlockCache({ maxBytes: 1e7 }) });
  return { store, reopen };
}

describe('a catalog', () => {
  test('does not exist before it is created', async () => {
    expect(await start().reopen().open()).toBeNull();
  });

  test('holds what was committed, in another process', async () => {
    const { reopen } = start();
    const id = 'Ea' as Id;
    const email = {
      id,
      threadId: 'Ta' as Id,
      receivedAt: 5,
      size: 6,
      hasAttachment: null,
      rows: [{ mailbox: 1, uid: 7, keywords: ['$seen'], deleted: false }],
    };
    const made = await reopen().create({ scheme: 'xguid', threads: 'derived' }, nothing, null);
    if (made.kind !== 'committed') throw new Error(made.kind);
    const catalog = reopen();
    const base = await catalog.open();
    if (base === null) throw new Error('no head');
    const outcome = await catalog.commit(base, {
      ...nothing,
      emails: new Map([[id, { before: null, after: email }]]),
      threads: new Map([[email.threadId, [id]]]),
      messageIds: new Map([['mid', email.threadId]]),
    });
    expect(outcome.kind).toBe('committed');
    const view = await reopen().open();
    expect(await view?.emails([id, 'Eb' as Id])).toEqual(new Map([[id, email]]));
    expect(await view?.emailIdsAt(1, [7, 8])).toEqual(new Map([[7, id]]));
    expect(await view?.threadEmails(['Ta' as Id])).toEqual(new Map([['Ta', [id]]]));
    expect(await view?.threadsByMessageId(['mid'])).toEqual(new Map([['mid', 'Ta']]));
  });

  test('is advanced by one of two writers who start from the same version', async () => {
    const { reopen } = start();
    await reopen().create({ scheme: 'xguid', threads: 'derived' }, nothing, null);
    const [one, two] = [reopen(), reopen()];
    const [first, second] = [await one.open(), await two.open()];
    if (first === null || second === null) throw new Error('no head');
    expect((await one.commit(first, nothing)).kind).toBe('committed');
    expect((await two.commit(second, nothing)).kind).toBe('conflict');
  });
});
