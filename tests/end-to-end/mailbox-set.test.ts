import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import type { MailboxNaming } from '../../functions/local/mail-server/dovecot-configuration.ts';
import type { Id, JsonObject } from '../../shared/jmap/scalars.ts';
import { courier, cyrus, dovecot, ownDovecot, type TestServer } from '../servers/servers.ts';
import { type Process, type Product, startProduct } from './harness.ts';
import { type ImapActor, imapActor } from './imap-actor.ts';
import type { ChangesResponse, JmapClient } from './jmap-client.ts';
import { letter } from './letter.ts';
import { type MailboxRecord, namesOf, takeSnapshot } from './snapshot.ts';

jest.setTimeout(60_000);

type Refusals = {
  readonly [id: string]: { readonly type: string; readonly properties?: string[] } & JsonObject;
} | null;
type SetResponse = {
  readonly oldState: string;
  readonly newState: string;
  readonly created: { readonly [creationId: string]: JsonObject & { readonly id: Id } } | null;
  readonly updated: { readonly [id: string]: JsonObject | null } | null;
  readonly destroyed: Id[] | null;
  readonly notCreated: Refusals;
  readonly notUpdated: Refusals;
  readonly notDestroyed: Refusals;
};

type Kind = {
  readonly title: string;
  readonly start: () => Promise<TestServer & { readonly stop?: () => Promise<void> }>;
  /** QUIRK(courier): RENAME takes two seconds and makes another UIDVALIDITY. */
  readonly renamesMax: number;
};
/** Each message is a file, and the levels of names are parted by dots on the disk. */
const dovecotWithFiles = (title: string, naming: MailboxNaming): Kind => ({
  ...{ title, renamesMax: 100 },
  start: () => ownDovecot({ format: 'maildir', naming }),
});
const withFiles = [
  dovecotWithFiles('Dovecot with files', { separator: '/', prefix: '' }),
  dovecotWithFiles('Dovecot with files and dots', { separator: '.', prefix: '' }),
  dovecotWithFiles('Dovecot with files, dots and all below the inbox', { separator: '.', prefix: 'INBOX.' }),
];
const onFiles = withFiles.map(({ title }) => title);
const servers: readonly Kind[] = [
  { title: 'Dovecot', start: dovecot, renamesMax: 100 },
  ...withFiles,
  { title: 'Cyrus', start: cyrus, renamesMax: 100 },
  { title: 'Courier', start: courier, renamesMax: 1 },
];

describe.each(servers)('Mailbox/set on $title', ({ title, start, renamesMax }) => {
  let server: Awaited<ReturnType<typeof start>>;
  let product: Product;
  let process: Process;
  let client: JmapClient;
  let actor: ImapActor;

  beforeAll(async () => {
    server = await start();
    product = startProduct(server);
  });
  afterAll(async () => {
    await product.stop();
    await server.stop?.();
  });
  afterEach(() => actor.close());

  beforeEach(async () => {
    const user = await server.freshUser();
    actor = await imapActor(server, user);
    process = await product.startProcess();
    client = await process.client(user);
  });

  /** The call, and what it says against what the account then is. */
  async function set(args: JsonObject): Promise<SetResponse> {
    const before = await mailboxes();
    const response = await client.one<SetResponse>('Mailbox/set', args);
    const after = await mailboxes();
    for (const [creationId, answer] of Object.entries(response.created ?? {})) {
      const asked = (args.create as { [id: string]: JsonObject })[creationId];
      expect(after.get(answer.id)).toEqual({ isSubscribed: true, ...withIds(asked ?? {}, response), ...answer });
    }
    for (const [id, answer] of Object.entries(response.updated ?? {})) {
      const asked = (args.update as { [id: string]: JsonObject })[id] ?? {};
      const reset = Object.fromEntries(Object.entries(asked).filter(([, value]) => value !== null || true));
      expect(after.get(id as Id)).toMatchObject({ ...withIds(reset, response), ...answer });
      expect(before.has(id as Id)).toBe(true);
    }
    for (const id of response.destroyed ?? []) expect(after.has(id)).toBe(false);
    const told = await changesSince(response.oldState);
    const named = {
      created: Object.values(response.created ?? {}).map(({ id }) => id),
      updated: Object.keys(response.updated ?? {}) as Id[],
      destroyed: response.destroyed ?? [],
    };
    for (const what of ['created', 'destroyed'] as const)
      expect(told[what]).toEqual(expect.arrayContaining(named[what]));
    // A client that takes over the new state knows all that led to it.
    const left = await changesSince(response.newState);
    const known = new Set([...named.created, ...named.updated, ...named.destroyed]);
    for (const what of ['created', 'updated', 'destroyed'] as const) {
      for (const id of told[what]) if (!known.has(id)) expect(left[what]).toContain(id);
    }
    return response;
  }

  async function mailboxes(): Promise<ReadonlyMap<Id, MailboxRecord>> {
    product.advanceClock(2_000);
    const { list } = await client.get<MailboxRecord>('Mailbox', { ids: null });
    return new Map(list.map((mailbox) => [mailbox.id, mailbox]));
  }
  const changesSince = (state: string): Promise<ChangesResponse> => client.changes('Mailbox', state);
  async function tree(): Promise<string[]> {
    return [...namesOf((await takeSnapshot(client, [])).Mailbox).values()].sort();
  }
  async function idOf(name: string): Promise<Id> {
    for (const [id, fullName] of namesOf((await takeSnapshot(client, [])).Mailbox)) if (fullName === name) return id;
    throw new Error(`There is no "${name}"`);
  }
  async function create(...names: string[]): Promise<Id[]> {
    const ids: Id[] = [];
    for (const name of names) {
      const at = name.lastIndexOf('/');
      const parentId = at === -1 ? null : await idOf(name.slice(0, at));
      const { created, notCreated } = await set({ create: { a: { name: name.slice(at + 1), parentId } } });
      expect(notCreated).toBeNull();
      ids.push(created?.a?.id as Id);
    }
    return ids;
  }
  const onServer = async () => (await actor.observe()).map(({ name }) => name).sort();

  test('a tree is created in one call, whatever its order, and other clients see it', async () => {
    const { created, notCreated } = await set({
      create: {
        leaf: { name: 'Leaf', parentId: '#twig', sortOrder: 3, isSubscribed: false },
        twig: { name: 'Twig', parentId: '#root' },
        root: { name: 'Root' },
      },
    });
    expect(notCreated).toBeNull();
    expect(created?.root).toMatchObject({
      ...{ parentId: null, role: null, sortOrder: 0, totalEmails: 0, unreadThreads: 0 },
      myRights: { mayCreateChild: true, mayDelete: true, mayRename: true, mayReadItems: true },
    });
    expect(await onServer()).toEqual(expect.arrayContaining(['Root', 'Root/Twig', 'Root/Twig/Leaf']));
    const observed = new Map((await actor.observe()).map((mailbox) => [mailbox.name, mailbox.subscribed]));
    expect([observed.get('Root'), observed.get('Root/Twig/Leaf')]).toEqual([true, false]);
  });

  test('a Mailbox is renamed and moved with all that is below it; ids, subscriptions and Emails stay', async () => {
    const [a, b, c, d, e] = await create('A', 'A/B', 'A/B/C', 'D', 'A/B/E');
    await actor.deliver('A/B/C', letter({ token: 'inside' }));
    await set({ update: { [e as Id]: { isSubscribed: false } } });
    const { updated } = await set({ update: { [a as Id]: { name: 'Z', parentId: d as Id } } });
    expect(updated).toEqual({ [a as Id]: null });
    expect(await tree()).toEqual(expect.arrayContaining(['D', 'D/Z', 'D/Z/B', 'D/Z/B/C']));
    const now = await mailboxes();
    expect([a, b, c, e].map((id) => now.get(id as Id)?.isSubscribed)).toEqual([true, true, true, false]);
    expect(now.get(c as Id)).toMatchObject({ name: 'C', totalEmails: 1 });
    const observed = (await actor.observe()).filter(({ subscribed }) => subscribed).map(({ name }) => name);
    expect(observed).toEqual(expect.arrayContaining(['D', 'D/Z', 'D/Z/B/C']));
    for (const stale of ['A', 'A/B', 'D/Z/B/E']) expect(observed).not.toContain(stale);
  });

  if (renamesMax > 1)
    test('two Mailboxes exchange their names, and a parent becomes the child of its child', async () => {
      const [a, b, c] = await create('A', 'B', 'A/C');
      await actor.deliver('A', letter({ token: 'of-a' }));
      const { updated, notUpdated } = await set({ update: { [a as Id]: { name: 'B' }, [b as Id]: { name: 'A' } } });
      expect([Object.keys(updated ?? {}).sort(), notUpdated]).toEqual([[a, b].sort(), null]);
      const now = await mailboxes();
      expect([now.get(a as Id), now.get(b as Id)]).toMatchObject([
        { name: 'B', totalEmails: 1 },
        { name: 'A', totalEmails: 0 },
      ]);
      await set({ update: { [a as Id]: { parentId: c as Id }, [c as Id]: { parentId: null } } });
      expect(await tree()).toEqual(expect.arrayContaining(['A', 'C', 'C/B']));
    });

  test('names that a call frees are taken by the same call, and everything lies where it was said to', async () => {
    const [a, b, c, d] = (await create('A', 'B', 'B/C', 'D')) as [Id, Id, Id, Id];
    for (const name of ['A', 'B/C', 'D']) await actor.deliver(name, letter({ token: `in-${name}` }));
    product.advanceClock(2_000);
    const moved = await set({
      create: { x: { name: 'A' }, y: { name: 'Y', parentId: '#x' } },
      update: { [a]: { name: 'Old', parentId: '#x' } },
    });
    expect([moved.notCreated, moved.notUpdated]).toEqual([null, null]);
    const ended = await set({
      create: { b: { name: 'B' }, d: { name: 'D' } },
      update: { [c]: { parentId: '#b' } },
      destroy: [b, d],
      onDestroyRemoveEmails: true,
    });
    expect([ended.notCreated, ended.notUpdated, ended.notDestroyed]).toEqual([null, null, null]);
    const taken = await set({ update: { [c]: { name: 'D', parentId: null } }, destroy: [ended.created?.d?.id as Id] });
    expect([taken.notUpdated, taken.notDestroyed]).toEqual([null, null]);

    const fresh = [moved.created?.x?.id, moved.created?.y?.id, ended.created?.b?.id];
    expect([a, b, c, d].filter((id) => fresh.includes(id))).toEqual([]);
    const now = await mailboxes();
    const held = new Map([...now.values()].map(({ id, totalEmails }) => [id, totalEmails]));
    expect([...[a, c].map((id) => held.get(id)), ...fresh.map((id) => held.get(id as Id))]).toEqual([1, 1, 0, 0, 0]);
    const subscribed = [a, c, ...fresh].map((id) => now.get(id as Id)?.isSubscribed);
    expect(subscribed).toEqual([true, true, true, true, true]);
    const own = (await tree()).filter((name) => /^[ABD]\b/.test(name));
    expect(own).toEqual(['A', 'A/Old', 'A/Y', 'B', 'D']);
  });

  test('a Mailbox whose parent is renamed is destroyed in the same call', async () => {
    const [a, b] = (await create('A', 'A/B')) as [Id, Id];
    await actor.deliver('A/B', letter({ token: 'below' }));
    product.advanceClock(2_000);
    const answer = await set({ update: { [a]: { name: 'Z' } }, destroy: [b], onDestroyRemoveEmails: true });
    expect(answer).toMatchObject({ updated: { [a]: null }, destroyed: [b] });
    expect(await onServer()).toEqual(expect.not.arrayContaining(['Z/B', 'A', 'A/B']));
  });

  test('a mere node is destroyed when what was below it leaves, also where the server forgets it then', async () => {
    for (const name of ['One/Below', 'Two/Below']) {
      await actor.create(name);
      await actor.deliver(name, letter({ token: name.replace('/', '-') }));
    }
    product.advanceClock(2_000);
    // Not every server shows such nodes.
    if (!(await tree()).includes('One')) return;
    const [one, oneBelow] = [await idOf('One'), await idOf('One/Below')];
    const moved = await set({ update: { [oneBelow]: { name: 'Free', parentId: null } }, destroy: [one] });
    expect(moved).toMatchObject({ updated: { [oneBelow]: null }, destroyed: [one] });
    const [two, twoBelow] = [await idOf('Two'), await idOf('Two/Below')];
    const replaced = await set({
      create: { two: { name: 'Two' } },
      update: { [twoBelow]: { parentId: '#two' } },
      destroy: [two],
    });
    expect(replaced).toMatchObject({ updated: { [twoBelow]: null }, destroyed: [two], notCreated: null });
    expect(await actor.uids('Two/Below')).toHaveLength(1);
    expect((await onServer()).filter((name) => name.includes('--postern'))).toEqual([]);
  });

  test('a role that a call frees is taken by a Mailbox that it makes', async () => {
    const { created } = await set({ create: { s: { name: 'Mine', role: 'scheduled' } } });
    const given = await set({
      create: { t: { name: 'Theirs', role: 'scheduled' } },
      update: { [created?.s?.id as Id]: { role: null } },
    });
    expect([given.notCreated, given.notUpdated]).toEqual([null, null]);
    const ended = await set({
      create: { u: { name: 'Theirs', role: 'scheduled' } },
      destroy: [given.created?.t?.id as Id],
    });
    expect([ended.notCreated, ended.notDestroyed]).toEqual([null, null]);
    const roles = new Map([...(await mailboxes()).values()].map(({ role, id }) => [role, id]));
    expect(roles.get('scheduled')).toBe(ended.created?.u?.id);
  });

  test('what is in a Mailbox goes with it only if that is asked for', async () => {
    const [a, b] = await create('A', 'B');
    await actor.deliver('A', letter({ token: 'only' }));
    await actor.deliver('A', letter({ token: 'both' }));
    await actor.copy('A', [2], 'B');
    product.advanceClock(2_000);
    const before = await takeSnapshot(client, []);
    const refused = await set({ destroy: [a as Id] });
    expect(refused.notDestroyed).toMatchObject({ [a as Id]: { type: 'mailboxHasEmail' } });
    expect(await onServer()).toContain('A');

    const { destroyed } = await set({ destroy: [a as Id], onDestroyRemoveEmails: true });
    expect(destroyed).toEqual([a]);
    const after = await takeSnapshot(client, []);
    const emails = await client.changes('Email', before.states.Email);
    const ofMailbox = (mailbox: Id) => [...before.Email.values()].filter(({ mailboxIds }) => mailboxIds[mailbox]);
    const both = ofMailbox(b as Id).map(({ id }) => id);
    const only = ofMailbox(a as Id)
      .map(({ id }) => id)
      .filter((id) => !both.includes(id));
    expect(emails).toMatchObject({ created: [], destroyed: only, updated: both });
    expect(after.Email.get(both[0] as Id)?.mailboxIds).toEqual({ [b as Id]: true });
    expect(await onServer()).not.toContain('A');
  });

  test('mail that is marked as deleted by another client is not destroyed unasked', async () => {
    const [a] = await create('A');
    await actor.deliver('A', letter({ token: 'hidden' }), { flags: ['\\Deleted'] });
    expect((await mailboxes()).get(a as Id)).toMatchObject({ totalEmails: 0 });
    const { notDestroyed } = await set({ destroy: [a as Id] });
    expect(notDestroyed).toMatchObject({ [a as Id]: { type: 'mailboxHasEmail' } });
    expect(await actor.uids('A')).toEqual([1]);
  });

  test('a parent goes after its children, and not before', async () => {
    const [a, b, c] = await create('A', 'A/B', 'A/B/C');
    const { notDestroyed } = await set({ destroy: [b as Id] });
    expect(notDestroyed).toMatchObject({ [b as Id]: { type: 'mailboxHasChild' } });
    const { destroyed } = await set({ destroy: [a, c, b] as Id[] });
    expect([...(destroyed ?? [])].sort()).toEqual([a, b, c].sort());
    expect((await onServer()).filter((name) => name.includes('A') && !name.includes('Archive'))).toEqual([]);
  });

  test('roles and sort orders are kept, through renaming and the loss of the catalog', async () => {
    const [a] = await create('A');
    const { updated } = await set({ update: { [a as Id]: { role: 'snoozed', sortOrder: 7 } } });
    expect(updated).toEqual({ [a as Id]: null });
    if (renamesMax > 1) await set({ update: { [a as Id]: { name: 'B' } } });
    const { created } = await set({ create: { m: { name: 'Plain', role: 'memos', sortOrder: 5 } } });
    // QUIRK(courier): a mailbox without messages has another UIDVALIDITY each time.
    if (title !== 'Courier') product.store.dropAccount(client.accountId);
    const now = await mailboxes();
    expect(now.get(a as Id)).toMatchObject({ role: 'snoozed', sortOrder: 7 });
    expect(now.get(created?.m?.id as Id)).toMatchObject({ name: 'Plain', role: 'memos', sortOrder: 5 });
  });

  test('a role is taken from one Mailbox and given to another in one call; no two have it', async () => {
    const { created } = await set({ create: { s: { name: 'Mine', role: 'scheduled' }, o: { name: 'Other' } } });
    const [s, o] = [created?.s?.id as Id, created?.o?.id as Id];
    const refused = await set({ update: { [o]: { role: 'scheduled' } } });
    expect(refused.notUpdated).toMatchObject({ [o]: { type: 'invalidProperties', properties: ['role'] } });
    const { updated } = await set({ update: { [o]: { role: 'scheduled' }, [s]: { role: null } } });
    expect(Object.keys(updated ?? {}).sort()).toEqual([o, s].sort());
    const roles = [...(await mailboxes()).values()].map(({ role }) => role).filter((role) => role !== null);
    expect(roles).toHaveLength(new Set(roles).size);
  });

  if (title === 'Dovecot')
    test('a role goes with a Mailbox that is renamed here; where another client renames it, the server says who has it', async () => {
      const [sent, trash] = [await idOf('Sent'), await idOf('Trash')];
      expect(await set({ update: { [sent]: { name: 'Gone out' } } })).toMatchObject({ updated: { [sent]: null } });
      await actor.rename('Trash', 'Thrown away');
      const now = await mailboxes();
      const roles = (name: string) =>
        [...now.values()].filter((mailbox) => mailbox.name === name).map(({ role }) => role);
      // The server makes both anew.
      expect([now.get(sent)?.role, roles('Sent')]).toEqual(['sent', [null]]);
      expect([now.get(trash)?.role, roles('Trash')]).toEqual([null, ['trash']]);
      expect(now.get(trash)?.name).toBe('Thrown away');
      const [drafts, junk] = [await idOf('Drafts'), await idOf('Junk')];
      const update = { [drafts]: { name: 'Begun', role: null }, [junk]: { role: null, parentId: '#junk' } };
      const { created, updated } = await set({ create: { junk: { name: 'Junk' } }, update });
      const others = { sortOrder: expect.any(Number) };
      expect(updated).toEqual({ [drafts]: others, [junk]: others });
      expect(created).toMatchObject({ junk: { role: null } });
    });

  if (title === 'Dovecot')
    test('a Mailbox that the server makes anew as soon as it is destroyed is another one', async () => {
      const trash = await idOf('Trash');
      await actor.deliver('Trash', letter({ token: 'thrown' }));
      product.advanceClock(2_000);
      const before = await takeSnapshot(client, []);
      expect(await set({ destroy: [trash], onDestroyRemoveEmails: true })).toMatchObject({ destroyed: [trash] });
      expect(await actor.uids('Trash')).toEqual([]);
      product.advanceClock(2_000);
      const anew = await idOf('Trash');
      expect(anew).not.toBe(trash);
      expect(await client.changes('Mailbox', before.states.Mailbox)).toMatchObject({
        created: [anew],
        destroyed: [trash],
      });
    });

  test('names are given exactly, or refused; none of them is a command', async () => {
    const create = Object.fromEntries(Object.keys(names).map((what) => [what, { name: names[what]?.name ?? '' }]));
    const { created, notCreated } = await set({ create });
    const now = await mailboxes();
    for (const [what, { name, refusedBy = [] }] of Object.entries(names)) {
      const isRefused = refusedBy === 'us' || refusedBy.includes(title);
      const error = { type: 'invalidProperties', properties: ['name'] };
      expect([what, created?.[what]?.id !== undefined]).toEqual([what, !isRefused]);
      if (isRefused) expect(notCreated?.[what]).toMatchObject(error);
      else expect(now.get(created?.[what]?.id as Id)?.name).toBe(name);
    }
    const ids = Object.values(created ?? {})
      .map(({ id }) => id)
      .slice(0, renamesMax);
    const update = Object.fromEntries(ids.map((id, index) => [id, { name: `plain ${index}` }]));
    expect((await set({ update })).notUpdated).toBeNull();
    const plain = ids.map((_, index) => `plain ${index}`);
    expect(await onServer()).toEqual(expect.arrayContaining(plain));
    expect(await set({ destroy: ids })).toMatchObject({ notDestroyed: null });
  });

  test('a decomposed name is given composed, and the client is told', async () => {
    const { created } = await set({ create: { a: { name: 'Cafe\u0301' } } });
    expect(created?.a?.name).toBe('Café');
  });

  test('what cannot be is refused, and changes nothing', async () => {
    const [a, b] = (await create('A', 'A/B')) as [Id, Id];
    const inbox = await idOf('INBOX');
    const state = (await client.get('Mailbox', { ids: [] })).state;
    const observed = await onServer();
    const { notCreated } = await set({
      create: {
        twin: { name: 'A' },
        inbox: { name: 'inBOX' },
        orphan: { name: 'x', parentId: 'nowhere' },
        role: { name: 'x', role: 'captain' },
        second: { name: 'x', role: 'inbox' },
        order: { name: 'x', sortOrder: 2 ** 31 },
        ours: { name: 'x', totalEmails: 5 },
        nameless: {},
      },
    });
    expect(notCreated).toMatchObject({
      twin: { type: 'alreadyExists', existingId: a },
      inbox: { type: 'alreadyExists', existingId: inbox },
      orphan: { type: 'invalidProperties', properties: ['parentId'] },
      role: { type: 'invalidProperties', properties: ['role'] },
      second: { type: 'invalidProperties', properties: ['role'] },
      order: { type: 'invalidProperties', properties: ['sortOrder'] },
      ours: { type: 'invalidProperties', properties: ['totalEmails'] },
      nameless: { type: 'invalidProperties', properties: ['name'] },
    });
    const { notUpdated, notDestroyed } = await set({
      update: {
        [a]: { parentId: b },
        [inbox]: { name: 'Outbox' },
        [b]: { name: 'inbox', parentId: null },
        nothere: { name: 'x' },
      },
      destroy: [inbox, 'nothere'],
    });
    expect(notUpdated).toMatchObject({
      [a]: { type: 'invalidProperties', properties: ['parentId'] },
      [inbox]: { type: 'willDestroy' },
      [b]: { type: 'alreadyExists', existingId: inbox },
      nothere: { type: 'willDestroy' },
    });
    expect(notDestroyed).toMatchObject({ [inbox]: { type: 'forbidden' }, nothere: { type: 'notFound' } });
    const { notUpdated: kept } = await set({ update: { [inbox]: { name: 'Outbox' } } });
    expect(kept).toMatchObject({ [inbox]: { type: 'forbidden' } });
    expect((await client.get('Mailbox', { ids: [] })).state).toBe(state);
    expect(await onServer()).toEqual(observed);
  });

  test('ifInState holds against what others did a moment ago', async () => {
    const { state } = await client.get('Mailbox', { ids: [] });
    await actor.create('Theirs');
    await expect(set({ ifInState: state, create: { a: { name: 'Mine' } } })).rejects.toMatchObject({
      type: 'stateMismatch',
    });
    expect(await onServer()).not.toContain('Mine');
  });
});

/** Names, and which servers refuse them (`us`: before they are sent). */
const names: { readonly [what: string]: { readonly name: string; readonly refusedBy?: 'us' | readonly string[] } } = {
  beyondAscii: { name: 'Entwürfe 下書き' },
  ampersand: { name: 'R&D' },
  modifiedUtf7: { name: '&AOk-' },
  wildcards: { name: 'all * of % it', refusedBy: ['Cyrus'] },
  quotes: { name: 'a "b" c', refusedBy: ['Cyrus'] },
  backslash: { name: 'a \\ b', refusedBy: ['Cyrus'] },
  literal: { name: '{5}', refusedBy: ['Cyrus'] },
  parentheses: { name: '(a) [b] <c>', refusedBy: ['Cyrus'] },
  blanks: { name: ' a ' },
  dot: { name: 'v1.2', refusedBy: ['Courier', ...onFiles] },
  slash: { name: 'a/b', refusedBy: 'us' },
  emoji: { name: '\u2709\ufe0f \u{1f422}', refusedBy: ['Courier'] },
  lineBreak: { name: 'a\r\nDELETE INBOX', refusedBy: 'us' },
  nul: { name: 'a\u0000b', refusedBy: 'us' },
  tab: { name: 'a\tb', refusedBy: 'us' },
  nothing: { name: '', refusedBy: 'us' },
  octets120: { name: 'é'.repeat(60) },
  octets121: { name: `${'é'.repeat(60)}a`, refusedBy: 'us' },
};

/** What was asked for, with the ids that references stand for. */
function withIds(asked: JsonObject, { created }: SetResponse): JsonObject {
  const { parentId } = asked;
  if (typeof parentId !== 'string' || !parentId.startsWith('#')) return asked;
  return { ...asked, parentId: created?.[parentId.slice(1)]?.id ?? null };
}
