import { beforeEach, describe, expect, test } from '@jest/globals';
import { changesSince, stateOf } from '../../shared/catalog/changes.ts';
import { inboxId } from '../../shared/catalog/ids.ts';
import { keywordsOf, mailboxesOf } from '../../shared/catalog/keywords.ts';
import type { MailSource } from '../../shared/catalog/source.ts';
import { sync } from '../../shared/catalog/sync.ts';
import { OutOfTime, type SyncContext } from '../../shared/catalog/sync-context.ts';
import type { CatalogView, IdentityScheme } from '../../shared/catalog/view.ts';
import type { Id } from '../../shared/jmap/scalars.ts';
import {
  contentOf,
  type FakeContent,
  type FakeEvent,
  type FakeMailServer,
  type FakeOptions,
  fakeMailServer,
} from './fake-mail-server.ts';
import { type ModelCatalog, modelCatalog } from './model-catalog.ts';
import { holdsWhatServerHolds } from './server-laws.ts';
import { allEmails } from './snapshot.ts';

const date = 1_767_261_600;
let catalog: ModelCatalog;
let server: FakeMailServer;
let clock: number;

beforeEach(() => {
  catalog = modelCatalog();
  clock = 1_800_000_000_000;
  start({});
});

function start(options: Partial<FakeOptions>): void {
  server = fakeMailServer({ tier: 'qresync', scheme: 'digest', threads: 'derived', ...options });
  for (const name of ['INBOX', 'Archive', 'Trash']) server.create(name);
}

function contextOf(source: MailSource, more: Partial<SyncContext> = {}): SyncContext {
  return {
    catalog,
    source,
    surroundings: { now: () => clock },
    isOver: () => false,
    enough: () => false,
    refusals: new Map(),
    ...more,
  };
}

const hasInbox: SyncContext['enough'] = (mailboxes) =>
  [...mailboxes.values()].some(({ id, vector }) => id === inboxId && vector !== null);

/** One sync; `before` is told of every command. */
function synced(before?: (event: FakeEvent) => void, more?: Partial<SyncContext>): Promise<CatalogView> {
  return sync(contextOf(server.connect(before), more));
}

function deliver(mailbox = 'INBOX', content: Partial<FakeContent> = {}, flags: readonly string[] = []): number {
  return server.append(mailbox, contentOf(content), { internalDate: date, flags });
}

async function idAt(view: CatalogView, mailbox: string, uid: number): Promise<Id | undefined> {
  const entry = [...(await view.mailboxes()).values()].find(({ name }) => name === mailbox);
  return entry && (await view.emailIdsAt(entry.key, [uid])).get(uid);
}

async function changesOf(view: CatalogView, since: CatalogView, type: 'Email' | 'Mailbox' | 'Thread' = 'Email') {
  const answer = await changesSince(view, type, stateOf(since, type), null);
  if (!answer.ok) throw new Error(answer.error.type);
  const { created, updated, destroyed } = answer.value;
  return { created, updated, destroyed };
}

const nothing = { created: [], updated: [], destroyed: [] };

describe('first contact', () => {
  test('brings in every mailbox, and leaves out virtual ones', async () => {
    server.create('Everything', { attributes: ['\\All'] });
    server.create('Node', { selectable: false });
    deliver('INBOX');
    deliver('Archive');
    deliver('Everything');
    const view = await synced();
    expect([...(await view.mailboxes()).values()].map(({ name }) => name).sort()).toEqual([
      'Archive',
      'INBOX',
      'Node',
      'Trash',
    ]);
    expect((await allEmails(view)).size).toBe(2);
    expect(view.provisional).toBe(false);
  });

  test('has the inbox in first, and a caller who needs no more has it at once', async () => {
    deliver('Archive');
    deliver('INBOX');
    const view = await synced(undefined, { enough: hasInbox });
    expect(view.provisional).toBe(true);
    expect((await allEmails(view)).size).toBe(1);
  });

  test('goes on in another process from where the time was up, and reads no message twice', async () => {
    start({ batch: 5 });
    for (let count = 0; count < 20; count += 1) deliver('INBOX', count > 0 ? { references: '<root@x>' } : {});
    let fetches = 0;
    const countFetches = ({ command }: FakeEvent) => {
      if (command === 'fetch') fetches += 1;
    };
    await expect(synced(countFetches, { isOver: () => fetches >= 2 })).rejects.toThrow(OutOfTime);
    await expect(synced(countFetches, { isOver: () => fetches >= 3 })).rejects.toThrow(OutOfTime);
    const view = await synced(countFetches);
    expect(fetches).toBe(4);
    await holdsWhatServerHolds(view, server);
  });

  test('starts a lasting epoch with its last mailbox: no state from before can be continued', async () => {
    deliver('INBOX');
    deliver('Archive');
    const early = await synced(undefined, { enough: hasInbox });
    const view = await synced();
    expect(view.epoch).not.toBe(early.epoch);
    expect(await changesSince(view, 'Email', stateOf(early, 'Email'), null)).toMatchObject({
      error: { type: 'cannotCalculateChanges' },
    });
    expect((await synced()).epoch).toBe(view.epoch);
  });

  test('gives the same threads as a catalog that saw the messages arrive', async () => {
    start({ tier: 'qresync' });
    await synced();
    const arrivals: [string, Partial<FakeContent>][] = [
      ['Archive', { messageId: '<a@x>' }],
      ['INBOX', { messageId: '<b@x>', references: '<a@x>' }],
      ['Archive', { messageId: '<c@x>', inReplyTo: '<b@x>' }],
      ['INBOX', { messageId: '<d@x>', references: '<gone@x> <c@x>' }],
    ];
    for (const [index, [mailbox, content]] of arrivals.entries()) {
      server.append(mailbox, contentOf(content), { internalDate: date + index });
      await synced();
    }
    const threadsOf = async (view: CatalogView) =>
      Object.fromEntries([...(await allEmails(view)).values()].map(({ id, threadId }) => [id, threadId]));
    const before = await threadsOf(await synced());
    expect(new Set(Object.values(before)).size).toBe(1);
    catalog.loseAll();
    expect(await threadsOf(await synced())).toEqual(before);
  });

  test('an Email that lies in two mailboxes has the earlier of their dates, whichever was read first', async () => {
    const uid = deliver('INBOX');
    const [message] = server.messages('INBOX');
    if (message === undefined) throw new Error('no message');
    start({ scheme: 'xguid' });
    server.append('INBOX', message.content, { internalDate: date + 100 });
    server.copy('INBOX', uid, 'Archive');
    const view = await synced();
    expect([...(await allEmails(view)).values()].map(({ receivedAt }) => receivedAt)).toEqual([date + 100]);
  });
});

describe('an unchanged account', () => {
  test('costs one survey and no write', async () => {
    deliver();
    await synced();
    const commits = catalog.commits().length;
    const connection = server.connect();
    await sync(contextOf(connection));
    expect(connection.commands).toEqual(['LIST']);
    expect(catalog.commits().length).toBe(commits);
  });
});

describe('what other clients do', () => {
  let before: CatalogView;
  let uid: number;
  let id: Id | undefined;

  beforeEach(async () => {
    uid = deliver();
    deliver();
    before = await synced();
    id = await idAt(before, 'INBOX', uid);
  });

  test('a delivery is created, and so is its thread', async () => {
    const added = deliver();
    const view = await synced();
    expect(await changesOf(view, before)).toEqual({ ...nothing, created: [await idAt(view, 'INBOX', added)] });
    expect((await changesOf(view, before, 'Thread')).created.length).toBe(1);
    expect(await changesOf(view, before, 'Mailbox')).toEqual({ ...nothing, updated: [inboxId] });
  });

  test('what is read of it is asked for by what the survey told', async () => {
    deliver();
    deliver('Archive');
    const source = server.connect();
    const asked: unknown[] = [];
    const read: MailSource['read'] = (name, known, facts, told) => {
      asked.push([name, known?.vector.uidNext ?? null, told?.uidNext ?? null]);
      return source.read(name, known, facts, told);
    };
    await sync(contextOf({ ...source, read }));
    expect(asked).toEqual([
      ['Archive', null, 2],
      ['INBOX', 3, 4],
    ]);
  });

  test('a move is an update of the Email, whose thread is untouched', async () => {
    const to = server.move('INBOX', uid, 'Archive');
    const view = await synced();
    expect(await idAt(view, 'Archive', to)).toBe(id);
    expect(await changesOf(view, before)).toEqual({ ...nothing, updated: [id] });
    expect(await changesOf(view, before, 'Thread')).toEqual(nothing);
  });

  test('a copy is the same Email in two mailboxes', async () => {
    const to = server.copy('INBOX', uid, 'Archive');
    const view = await synced();
    expect(await idAt(view, 'Archive', to)).toBe(id);
    const email = (await allEmails(view)).get(id as Id);
    expect(mailboxesOf(email ?? null).length).toBe(2);
    expect(await changesOf(view, before)).toEqual({ ...nothing, updated: [id] });
  });

  test('a flag is an update that moves the Mailbox only when it counts', async () => {
    server.setFlags('INBOX', uid, ['\\Flagged']);
    const flagged = await synced();
    expect(await changesOf(flagged, before)).toEqual({ ...nothing, updated: [id] });
    expect(stateOf(flagged, 'Mailbox')).toBe(stateOf(before, 'Mailbox'));
    server.setFlags('INBOX', uid, ['\\Flagged', '\\Seen']);
    const seen = await synced();
    expect(stateOf(seen, 'Mailbox')).not.toBe(stateOf(before, 'Mailbox'));
    expect(stateOf(seen, 'Thread')).toBe(stateOf(before, 'Thread'));
  });

  test('\\Deleted destroys, its removal creates under the old id', async () => {
    server.setFlags('INBOX', uid, ['\\Deleted']);
    const gone = await synced();
    expect(await changesOf(gone, before)).toEqual({ ...nothing, destroyed: [id] });
    server.setFlags('INBOX', uid, []);
    const back = await synced();
    expect(await changesOf(back, gone)).toEqual({ ...nothing, created: [id] });
    expect(await changesOf(back, before)).toEqual({ ...nothing, updated: [id] });
  });

  test('an expunge destroys the Email and its thread', async () => {
    server.expunge('INBOX', uid);
    const view = await synced();
    expect(await changesOf(view, before)).toEqual({ ...nothing, destroyed: [id] });
    expect((await changesOf(view, before, 'Thread')).destroyed.length).toBe(1);
  });

  test('a message that returns is created under its old id', async () => {
    const [message] = server.messages('INBOX');
    if (message === undefined) throw new Error('no message');
    server.expunge('INBOX', uid);
    const gone = await synced();
    server.append('Archive', message.content, { internalDate: date });
    expect(await changesOf(await synced(), gone)).toEqual({ ...nothing, created: [id] });
  });

  test('a rename keeps the Mailbox, its Emails and all their states', async () => {
    server.move('INBOX', uid, 'Archive');
    const moved = await synced();
    server.rename('Archive', 'Kept');
    const view = await synced();
    expect(await changesOf(view, moved)).toEqual(nothing);
    expect((await changesOf(view, moved, 'Mailbox')).updated.length).toBe(1);
    await holdsWhatServerHolds(view, server);
  });

  test('the inbox is told of when all others are below it from now on, or are not any more', async () => {
    server = fakeMailServer({ tier: 'qresync', scheme: 'digest', threads: 'derived', delimiter: '.' });
    catalog = modelCatalog();
    server.create('INBOX');
    const alone = await synced();
    server.create('INBOX.Home');
    const view = await synced();
    expect((await changesOf(view, alone, 'Mailbox')).updated).toEqual([inboxId]);
    server.create('Elsewhere');
    expect((await changesOf(await synced(), view, 'Mailbox')).updated).toContain(inboxId);
  });

  test('two mailboxes that swap their names keep their ids', async () => {
    const idsOf = async (view: CatalogView) =>
      Object.fromEntries([...(await view.mailboxes()).values()].map((entry) => [entry.name, entry.id]));
    const { Archive, Trash } = await idsOf(before);
    server.rename('Archive', 'x');
    server.rename('Trash', 'Archive');
    server.rename('x', 'Trash');
    expect(await idsOf(await synced())).toMatchObject({ Archive: Trash, Trash: Archive });
  });

  test('a mailbox that is deleted takes its Emails with it, one that is made anew is another', async () => {
    server.move('INBOX', uid, 'Archive');
    const moved = await synced();
    server.remove('Archive');
    const gone = await synced();
    expect(await changesOf(gone, moved)).toEqual({ ...nothing, destroyed: [id] });
    server.create('Archive');
    const made = await synced();
    const mailboxes = await changesOf(made, moved, 'Mailbox');
    expect([mailboxes.created.length, mailboxes.destroyed.length]).toEqual([1, 1]);
  });

  test('a mailbox whose messages are moved out before it is deleted takes none', async () => {
    const to = server.move('INBOX', uid, 'Archive');
    const moved = await synced();
    server.create('New');
    server.move('Archive', to, 'New');
    server.remove('Archive');
    expect(await changesOf(await synced(), moved)).toEqual({ ...nothing, updated: [id] });
  });

  test('a change of UIDVALIDITY changes no id', async () => {
    server.resetUidValidity('INBOX');
    const view = await synced();
    for (const type of ['Email', 'Mailbox', 'Thread'] as const)
      expect(await changesOf(view, before, type)).toEqual(nothing);
    await holdsWhatServerHolds(view, server);
  });

  test('a subscription is an update of the Mailbox with more than its counts', async () => {
    server.subscribe('Archive', false);
    const answer = await changesSince(await synced(), 'Mailbox', stateOf(before, 'Mailbox'), null);
    expect(answer).toMatchObject({ value: { updated: [expect.anything()], updatedProperties: null } });
  });

  test('another trash changes what is unread elsewhere', async () => {
    deliver('Archive', { messageId: '<t@x>' });
    deliver('INBOX', { references: '<t@x>' }, ['\\Seen']);
    await synced();
    server.mark('Archive', ['\\Trash']);
    await holdsWhatServerHolds(await synced(), server);
    server.mark('Archive', []);
    await holdsWhatServerHolds(await synced(), server);
  });
});

describe('a survey is no snapshot', () => {
  /** Does something once, at the first event that fits. */
  const once = (fits: (event: FakeEvent) => boolean, act: () => void) => {
    let done = false;
    return (event: FakeEvent) => {
      if (done || !fits(event)) return;
      done = true;
      act();
    };
  };

  test('a message that moves behind its back is never gone', async () => {
    const uid = deliver('INBOX');
    const before = await synced();
    // Archive was asked before the message came, INBOX after it went.
    const moving = once(
      ({ command, mailbox }) => command === 'status' && mailbox === 'INBOX',
      () => {
        server.move('INBOX', uid, 'Archive');
      },
    );
    const view = await synced(moving);
    expect(await changesOf(view, before)).toMatchObject({ created: [], destroyed: [] });
    expect(await changesOf(await synced(), before)).toEqual({
      ...nothing,
      updated: [await idAt(before, 'INBOX', uid)],
    });
  });

  test('nor is one that another client moves by COPY and \\Deleted', async () => {
    const uid = deliver('INBOX');
    const before = await synced();
    const moving = once(
      ({ command, mailbox }) => command === 'status' && mailbox === 'INBOX',
      () => {
        server.copy('INBOX', uid, 'Archive');
        server.setFlags('INBOX', uid, ['\\Deleted']);
      },
    );
    expect(await changesOf(await synced(moving), before)).toEqual({
      ...nothing,
      updated: [await idAt(before, 'INBOX', uid)],
    });
  });

  test('nor is one that is expunged when its other copy has lost its \\Deleted flag', async () => {
    const uid = deliver('INBOX');
    const copied = server.copy('INBOX', uid, 'Archive');
    server.setFlags('Archive', copied, ['\\Deleted']);
    const before = await synced();
    const changing = once(
      ({ command, mailbox }) => command === 'status' && mailbox === 'INBOX',
      () => {
        server.setFlags('Archive', copied, []);
        server.expunge('INBOX', uid);
      },
    );
    expect(await changesOf(await synced(changing), before)).toEqual({
      ...nothing,
      updated: [await idAt(before, 'INBOX', uid)],
    });
  });

  test('a message that is moved on and on is held, and found in the end', async () => {
    let uid = deliver('INBOX');
    let at = 'INBOX';
    const before = await synced();
    const id = await idAt(before, 'INBOX', uid);
    let moves = 0;
    // It is never where one looks.
    const chased = await synced(({ mailbox }) => {
      if (mailbox !== at) return;
      const to = at === 'INBOX' ? 'Archive' : 'INBOX';
      uid = server.move(at, uid, to);
      at = to;
      moves += 1;
    });
    expect(moves).toBeGreaterThan(10);
    expect((await chased.emails([id as Id])).size).toBe(1);
    expect(await changesOf(chased, before)).toEqual(nothing);
    const view = await synced();
    expect(await idAt(view, at, uid)).toBe(id);
    expect(await changesOf(view, before)).toMatchObject({ created: [], destroyed: [] });
    await holdsWhatServerHolds(view, server);
  });

  test.each([
    ['that are empty', 0],
    ['with messages', 1],
  ])(
    'two mailboxes %s that swap their names during it, and have one UIDVALIDITY then, keep their ids',
    async (_, count) => {
      for (let left = count; left > 0; left -= 1) for (const name of ['Archive', 'Trash']) deliver(name);
      const idsOf = async (view: CatalogView) =>
        Object.fromEntries([...(await view.mailboxes()).values()].map((entry) => [entry.name, entry.id]));
      const { Archive, Trash } = await idsOf(await synced());
      const swapping = once(
        ({ command, mailbox }) => command === 'status' && mailbox === 'Trash',
        () => {
          server.rename('Archive', 'x');
          server.rename('Trash', 'Archive');
          server.rename('x', 'Trash');
        },
      );
      expect(await idsOf(await synced(swapping))).toMatchObject({ Archive: Trash, Trash: Archive });
      const view = await synced();
      expect(await idsOf(view)).toMatchObject({ Archive: Trash, Trash: Archive });
      await holdsWhatServerHolds(view, server);
    },
  );

  test.each([
    ['under neither name', 'Trash', 'Bin'],
    ['under both names', 'Archive', 'Zoo'],
  ])('a mailbox renamed during it is neither gone nor doubled: %s', async (_how, from, to) => {
    deliver('Trash');
    deliver('Archive');
    const before = await synced();
    const renaming = once(
      ({ command, mailbox }) => command === 'status' && mailbox === 'INBOX',
      () => server.rename(from, to),
    );
    const view = await synced(renaming);
    expect(await changesOf(view, before, 'Mailbox')).toMatchObject({ created: [], destroyed: [] });
    await holdsWhatServerHolds(view, server);
  });

  test('a mailbox that another one replaces before it is read is not taken for it', async () => {
    start({ scheme: 'objectid' });
    deliver('Archive');
    deliver('Trash');
    const swapping = once(
      ({ command }) => command === 'examine',
      () => {
        server.rename('Archive', 'x');
        server.rename('Trash', 'Archive');
        server.rename('x', 'Trash');
      },
    );
    const view = await synced(swapping);
    for (const { name, id } of (await view.mailboxes()).values()) expect(id).toBe(`x${server.mailboxId(name)}`);
    await holdsWhatServerHolds(view, server);
  });

  test('mailboxes of one UIDVALIDITY that exchange their names stay who they are', async () => {
    start({ scheme: 'objectid' });
    for (const name of ['One', 'Two']) server.create(name, { uidValidity: 7 });
    deliver('One');
    const before = await synced();
    server.rename('One', 'x');
    server.rename('Two', 'One');
    server.rename('x', 'Two');
    const view = await synced();
    for (const { name, id } of (await view.mailboxes()).values()) expect(id).toBe(`x${server.mailboxId(name)}`);
    expect(await changesOf(view, before)).toEqual(nothing);
    await holdsWhatServerHolds(view, server);
  });
});

describe('a forged message is always another Email', () => {
  const schemes: IdentityScheme[] = ['digest', 'xguid', 'objectid'];
  const original = contentOf({ messageId: '<a@bank>', from: 'bank', date: 'today', size: 99 });
  const forged = contentOf({ ...original, received: 'id of another delivery', body: 'forged' });

  test.each(schemes)('with all that a sender can choose, in a second and in the same mailbox (%s)', async (scheme) => {
    start({ scheme });
    const uid = server.append('INBOX', original, { internalDate: date });
    const twin = server.append('INBOX', forged, { internalDate: date });
    const other = server.append('Archive', forged, { internalDate: date });
    const view = await synced();
    const ids = [await idAt(view, 'INBOX', uid), await idAt(view, 'INBOX', twin), await idAt(view, 'Archive', other)];
    expect(ids[0]).toBeDefined();
    expect([ids[1], ids[2]]).not.toContain(ids[0]);

    catalog.loseAll();
    const again = await synced();
    expect(await idAt(again, 'INBOX', uid)).toBe(ids[0]);
    expect(await idAt(again, 'INBOX', twin)).toBe(ids[1]);
  });

  test.each(schemes)('also when the original is expunged before anybody looks (%s)', async (scheme) => {
    start({ scheme });
    const uid = server.append('INBOX', original, { internalDate: date });
    const before = await synced();
    server.expunge('INBOX', uid);
    const twin = server.append('INBOX', forged, { internalDate: date });
    const view = await synced();
    const id = await idAt(before, 'INBOX', uid);
    expect(await changesOf(view, before)).toEqual({
      created: [await idAt(view, 'INBOX', twin)],
      updated: [],
      destroyed: [id],
    });
  });
});

describe('servers that are not to be trusted', () => {
  const appendMany = (count: number) => {
    for (let n = 0; n < count; n += 1) deliver();
  };

  test('a large part that is said to have vanished is asked for once more', async () => {
    appendMany(60);
    const before = await synced();
    const lying = server.connect();
    const view = await sync(
      contextOf({
        ...lying,
        read: async (...args) => ({ ...(await lying.read(...args)), vanished: [[1, 59]] }),
      }),
    );
    expect(await changesOf(view, before)).toEqual(nothing);
    server.setFlags('INBOX', 1, ['\\Seen']);
    const after = await sync(
      contextOf({ ...lying, read: async (...args) => ({ ...(await lying.read(...args)), vanished: [[1, 59]] }) }),
    );
    expect((await changesOf(after, before)).destroyed).toEqual([]);
    await holdsWhatServerHolds(after, server);
  });

  test('and believed when UID SEARCH says so too', async () => {
    appendMany(60);
    const before = await synced();
    for (let uid = 1; uid <= 55; uid += 1) server.expunge('INBOX', uid);
    const connection = server.connect();
    const view = await sync(contextOf(connection));
    expect((await changesOf(view, before)).destroyed.length).toBe(55);
    expect(connection.commands).toContain('UID SEARCH INBOX');
  });

  test('rows that do not number EXISTS are settled by UID SEARCH', async () => {
    appendMany(5);
    await synced();
    server.expunge('INBOX', 3);
    const silent = server.connect();
    const view = await sync(
      contextOf({ ...silent, read: async (...args) => ({ ...(await silent.read(...args)), vanished: [] }) }),
    );
    await holdsWhatServerHolds(view, server);
  });

  test('messages that no reading named are found', async () => {
    appendMany(5);
    const hiding = server.connect();
    const view = await sync(
      contextOf({
        ...hiding,
        read: async (name, known, facts) => {
          const reading = await hiding.read(name, known, facts);
          async function* allButTwo() {
            for await (const batch of reading.appeared)
              yield [...batch].filter(({ uid }) => known !== null || uid !== 2);
          }
          return catalog.commits().length < 2 ? { ...reading, appeared: allButTwo() } : reading;
        },
      }),
    );
    expect(view.provisional).toBe(false);
    await holdsWhatServerHolds(await synced(), server);
  });

  test('mod-sequences that went back are not trusted', async () => {
    appendMany(3);
    await synced();
    server.setFlags('INBOX', 1, ['\\Flagged']);
    server.resetModseq('INBOX');
    await holdsWhatServerHolds(await synced(), server);
  });

  test('NOMODSEQ makes every flag be compared', async () => {
    appendMany(3);
    await synced();
    server.setNoModseq('INBOX', true);
    server.setFlags('INBOX', 1, ['\\Flagged']);
    await holdsWhatServerHolds(await synced(), server);
  });

  test('under NOMODSEQ flags are read again after a while, whatever STATUS tells, and by their mod-sequences when there are some', async () => {
    appendMany(3);
    server.setNoModseq('INBOX', true);
    const before = await synced();
    server.setFlags('INBOX', 1, ['\\Flagged']);
    const connection = server.connect();
    expect(await changesOf(await sync(contextOf(connection)), before)).toEqual(nothing);
    expect(connection.commands).toEqual(['LIST']);
    server.setNoModseq('INBOX', false);
    clock += 301_000;
    await holdsWhatServerHolds(await synced(), server);
    server.setFlags('INBOX', 2, ['\\Flagged']);
    await holdsWhatServerHolds(await synced(), server);
  });

  test('a mailbox recreated under the same UIDVALIDITY is read anew', async () => {
    server.create('Same', { uidValidity: 5 });
    deliver('Same');
    deliver('Same');
    const before = await synced();
    server.remove('Same');
    server.create('Same', { uidValidity: 5 });
    const uid = deliver('Same');
    const view = await synced();
    expect(await idAt(view, 'Same', uid)).not.toBe(await idAt(before, 'Same', uid));
    await holdsWhatServerHolds(view, server);
  });

  test('a mailbox that cannot be opened is a node, and does not keep the others away', async () => {
    deliver('Archive');
    deliver('INBOX');
    server.refuseExamine('Archive', true);
    const view = await synced();
    expect(view.provisional).toBe(false);
    expect([...(await view.mailboxes()).values()].find(({ name }) => name === 'Archive')?.selectable).toBe(false);
    expect((await allEmails(view)).size).toBe(1);
    const commits = catalog.commits().length;
    await synced();
    expect(catalog.commits().length).toBe(commits);
    server.refuseExamine('Archive', false);
    await holdsWhatServerHolds(await synced(), server);
  });
});

describe.each(['by EXAMINE', 'by STATUS and EXAMINE'] as const)('a mailbox that cannot be seen %s', (unseen) => {
  test('keeps what was in it, and does not keep the others away', async () => {
    deliver('Archive');
    const before = await synced();
    for (let count = 0; count < 30; count += 1) deliver('Archive');
    const uid = deliver('INBOX');
    server.unsee('Archive', unseen);
    const view = await synced();
    const created = await changesOf(view, before);
    expect(created).toEqual({ ...nothing, created: [await idAt(view, 'INBOX', uid)] });
    expect(await changesOf(view, before, 'Mailbox')).toEqual({ ...nothing, updated: [inboxId] });
    server.expunge('INBOX', uid);
    expect(await changesOf(await synced(), view)).toEqual({ ...nothing, destroyed: created.created });
    server.unsee('Archive', null);
    const after = await synced();
    expect((await changesOf(after, before)).created.length).toBe(30);
    await holdsWhatServerHolds(after, server);
  });

  test('is a node until it can, and does not keep the first contact from its end', async () => {
    deliver('Archive');
    deliver('INBOX');
    server.unsee('Archive', unseen);
    const view = await synced();
    expect(view.provisional).toBe(false);
    expect([...(await view.mailboxes()).values()].find(({ name }) => name === 'Archive')?.selectable).toBe(false);
    expect((await allEmails(view)).size).toBe(1);
    server.unsee('Archive', null);
    await holdsWhatServerHolds(await synced(), server);
  });
});

describe('without mod-sequences', () => {
  beforeEach(() => start({ tier: 'plain' }));

  test('flags are read again after a while, and what has not changed is no change', async () => {
    const uid = deliver();
    const before = await synced();
    server.setFlags('INBOX', uid, ['\\Seen']);
    expect(await changesOf(await synced(), before)).toEqual(nothing);
    clock += 301_000;
    const view = await synced();
    expect(await changesOf(view, before)).toEqual({ ...nothing, updated: [await idAt(view, 'INBOX', uid)] });
    clock += 301_000;
    expect(await changesOf(await synced(), view)).toEqual(nothing);
  });

  test('deliveries and expunges are seen at once', async () => {
    const uid = deliver();
    await synced();
    server.expunge('INBOX', uid);
    deliver();
    await holdsWhatServerHolds(await synced(), server);
  });
});

describe('racing writers', () => {
  test('the loser throws away what it read: what is gone stays gone', async () => {
    const uid = deliver();
    deliver();
    await synced();
    server.setFlags('INBOX', uid, ['\\Flagged']);
    let raced = false;
    const connection = server.connect();
    const view = await sync(
      contextOf({
        ...connection,
        read: async (...args) => {
          const reading = await connection.read(...args);
          if (!raced) {
            raced = true;
            server.expunge('INBOX', uid);
            await synced();
          }
          return reading;
        },
      }),
    );
    await holdsWhatServerHolds(view, server);
  });

  test('a sync that is overtaken again and again arrives in the end', async () => {
    await synced();
    deliver();
    let races = 0;
    const connection = server.connect();
    const view = await sync(
      contextOf({
        ...connection,
        read: async (...args) => {
          const reading = await connection.read(...args);
          races += 1;
          if (races <= 12) {
            deliver();
            await synced();
            deliver();
          }
          return reading;
        },
      }),
    );
    expect(races).toBeGreaterThan(12);
    await holdsWhatServerHolds(view, server);
  });

  test('two first contacts make one catalog', async () => {
    for (let count = 0; count < 5; count += 1) deliver(count % 2 === 0 ? 'INBOX' : 'Archive');
    const [a, b] = await Promise.all([synced(), synced()]);
    await holdsWhatServerHolds(a, server);
    await holdsWhatServerHolds(b, server);
  });
});

test('a lost block starts a new epoch with the old ids', async () => {
  const uid = deliver();
  const before = await synced();
  catalog.loseBlock();
  deliver();
  const view = await synced();
  expect(view.epoch).not.toBe(before.epoch);
  expect(await idAt(view, 'INBOX', uid)).toBe(await idAt((await catalog.open()) ?? view, 'INBOX', uid));
  await holdsWhatServerHolds(view, server);
});

test('what is new costs what is new, not what is there', async () => {
  for (let count = 0; count < 500; count += 1) deliver('INBOX', { references: '<long@thread>' });
  for (let count = 0; count < 500; count += 1) deliver('Archive');
  await synced();
  const readBefore = catalog.emailsRead();
  deliver('Archive');
  server.setFlags('Archive', 7, ['\\Flagged']);
  const connection = server.connect();
  await sync(contextOf(connection));
  expect(connection.commands).toEqual(['LIST', 'EXAMINE Archive']);
  expect(catalog.emailsRead() - readBefore).toBeLessThan(5);
});

test('keywords are those of all rows', async () => {
  const uid = deliver('INBOX', {}, ['\\Seen']);
  const to = server.copy('INBOX', uid, 'Archive');
  server.setFlags('Archive', to, ['\\Flagged']);
  const [email] = (await allEmails(await synced())).values();
  expect(email && keywordsOf(email)).toEqual(['$flagged']);
});

test('an epoch ends before its mailbox keys do not fit into row keys any more', async () => {
  deliver();
  const first = await synced();
  const worn = { ...catalog, open: async () => aged(await catalog.open(), first.epoch) };
  const second = await synced(undefined, { catalog: worn });
  expect(second.epoch).not.toBe(first.epoch);
  expect(Math.max(...(await second.mailboxes()).keys())).toBeLessThan(100);
  expect((await allEmails(second)).size).toBe(1);

  function aged(view: CatalogView | null, epoch: string): CatalogView | null {
    if (view?.epoch !== epoch) return view;
    return new Proxy(view, {
      get: (target, name) =>
        name === 'versions' ? { ...target.versions, Mailbox: 2 ** 20 + 1 } : Reflect.get(target, name, target),
    });
  }
});

test('a large mailbox and a small one that appear at once are both taken in', async () => {
  start({ batch: 5 });
  deliver();
  const before = await synced();
  server.create('A small one');
  deliver('A small one');
  server.create('Large');
  for (let count = 0; count < 30; count += 1) deliver('Large');
  // The time is up while the large one is read: what was read of it stays, and the next sync goes on.
  let fetches = 0;
  const countFetches = ({ command, mailbox }: FakeEvent) => {
    if (command === 'fetch' && mailbox === 'Large') fetches += 1;
  };
  await expect(synced(countFetches, { isOver: () => fetches >= 2 })).rejects.toThrow(OutOfTime);
  const partly = await catalog.open();
  expect(partly?.provisional).toBe(false);
  const view = await synced(countFetches);
  expect(fetches).toBeLessThan(8);
  expect((await changesOf(view, before)).created.length).toBe(31);
  await holdsWhatServerHolds(view, server);
});

test('the key of a mailbox is never given to another one in the same epoch', async () => {
  deliver();
  await synced();
  server.create('Last');
  await synced();
  catalog.loseBlock();
  deliver();
  const { epoch } = await synced();
  const idOfKey = new Map<number, Id>();
  for (const name of ['a', 'b', 'c']) {
    server.create(name);
    const view = await synced();
    expect(view.epoch).toBe(epoch);
    for (const { key, id } of (await view.mailboxes()).values()) {
      expect(idOfKey.get(key) ?? id).toBe(id);
      idOfKey.set(key, id);
    }
    server.remove(name);
    await synced();
  }
});
