import { beforeEach, describe, expect, test } from '@jest/globals';
import { type Adopted, adopt } from '../../shared/catalog/adopt.ts';
import { changesSince, stateOf } from '../../shared/catalog/changes.ts';
import type { KeptFacts, MailboxEntry } from '../../shared/catalog/mailbox.ts';
import type { OwnStructure } from '../../shared/catalog/own-structure.ts';
import type { MailSource } from '../../shared/catalog/source.ts';
import { sync } from '../../shared/catalog/sync.ts';
import type { SyncContext } from '../../shared/catalog/sync-context.ts';
import type { CatalogView, ChangingType } from '../../shared/catalog/view.ts';
import type { Id } from '../../shared/jmap/scalars.ts';
import { contentOf, type FakeMailServer, type FakeOptions, fakeMailServer } from './fake-mail-server.ts';
import { type ModelCatalog, modelCatalog } from './model-catalog.ts';
import { holdsWhatServerHolds, isConsistent } from './server-laws.ts';
import { allEmails, changingTypes, followChanges, snapshotOf } from './snapshot.ts';

let catalog: ModelCatalog;
let server: FakeMailServer;
let kept: ReadonlyMap<Id, KeptFacts>;

beforeEach(() => start({}));

function start(options: Partial<FakeOptions>): void {
  catalog = modelCatalog();
  kept = new Map();
  server = fakeMailServer({ tier: 'qresync', scheme: 'digest', threads: 'derived', ...options });
  for (const name of ['INBOX', 'Old', 'Old/Part', 'Gone', 'Sent Items']) server.create(name);
  server.create('Node', { selectable: false });
  server.create('Node/Below');
}

function contextOf(source: MailSource): SyncContext {
  return {
    ...{ catalog, source, kept: async () => kept, surroundings: { now: () => 1_800_000_000_000 } },
    ...{ isOver: () => false, enough: () => false, refusals: new Map() },
  };
}

const synced = () => sync(contextOf(server.connect()));
const deliver = (mailbox: string) => server.append(mailbox, contentOf(), { internalDate: 1_767_261_600 });

async function entryOf(view: CatalogView, name: string): Promise<MailboxEntry> {
  const entry = [...(await view.mailboxes()).values()].find((each) => each.name === name);
  if (entry === undefined) throw new Error(`There is no mailbox "${name}"`);
  return entry;
}

async function keyOf(view: CatalogView, name: string): Promise<number> {
  return (await entryOf(view, name)).key;
}

async function namesIn(view: CatalogView): Promise<string[]> {
  return [...(await view.mailboxes()).values()].map(({ name }) => name).sort();
}

/** Adopts, and checks what holds whatever happened: both ranges are told exactly, and the next sync finds what the server holds. */
async function adopted(view: CatalogView, own: Partial<OwnStructure>, source = server.connect()): Promise<Adopted> {
  const nothing = {
    created: new Map(),
    renamed: new Map(),
    subscribed: new Set<number>(),
    destroyed: new Map<number, number | null>(),
  };
  const structure = { ...nothing, kept: new Map(), ...own };
  const result = await adopt(contextOf(source), view, { mailboxes: new Map(), structure });
  const { before, after, latest } = result;
  await isConsistent(after, await allEmails(after));
  const settled = await synced();
  await holdsWhatServerHolds(settled, server);
  for (const type of changingTypes) {
    await followChanges(after, await snapshotOf(after), await snapshotOf(before), type, null);
    await followChanges(latest, await snapshotOf(latest), await snapshotOf(before), type, null);
    await followChanges(settled, await snapshotOf(settled), await snapshotOf(before), type, null);
    await followChanges(settled, await snapshotOf(settled), await snapshotOf(after), type, null);
  }
  return result;
}

/** That the server said a mailbox is gone. */
async function destructionOf(view: CatalogView, name: string): Promise<readonly [number, number]> {
  const { key, vector } = await entryOf(view, name);
  return [key, vector?.uidValidity ?? 0];
}

async function changesOf(view: CatalogView, since: CatalogView, type: ChangingType = 'Mailbox') {
  const answer = await changesSince(view, type, stateOf(since, type), null);
  if (!answer.ok) throw new Error(answer.error.type);
  const { created, updated, destroyed } = answer.value;
  return { created, updated, destroyed };
}

const none = { created: [], updated: [], destroyed: [] };

describe('own changes of mailboxes lie between the two states, and those of others after them:', () => {
  test('created, renamed with what is below, and destroyed with its Emails', async () => {
    deliver('Old/Part');
    deliver('Gone');
    const view = await synced();
    const [part, gone] = [await entryOf(view, 'Old/Part'), await entryOf(view, 'Gone')];
    server.create('Foreign');
    server.create('Work');
    server.rename('Old', 'New');
    server.rename('Old/Part', 'New/Part');
    server.remove('Gone');
    const { before, after } = await adopted(view, {
      created: new Map([['Work', { sortOrder: 3, role: null }]]),
      renamed: new Map([
        [await keyOf(view, 'Old'), 'New'],
        [part.key, 'New/Part'],
      ]),
      destroyed: new Map([await destructionOf(view, 'Gone')]),
    });
    expect(await namesIn(after)).toEqual(['INBOX', 'New', 'New/Part', 'Node', 'Node/Below', 'Sent Items', 'Work']);
    expect((await entryOf(after, 'New/Part')).id).toBe(part.id);
    const work = await entryOf(after, 'Work');
    expect(work).toMatchObject({ kept: { sortOrder: 3, role: null }, rights: { letters: 'lrswipkxte' } });
    expect((await changesOf(after, before, 'Email')).destroyed).toHaveLength(1);
    expect(await changesOf(after, before)).toEqual({
      created: [work.id],
      updated: [(await entryOf(after, 'New')).id],
      destroyed: [gone.id],
    });
    expect((await changesOf(await synced(), after)).created).toHaveLength(1);
  });

  test('a node that cannot be selected keeps its id when it is renamed, and nobody else gets it', async () => {
    const view = await synced();
    const { id, key } = await entryOf(view, 'Node');
    server.rename('Node', 'Other');
    server.rename('Node/Below', 'Other/Below');
    const renamed = new Map([
      [key, 'Other'],
      [await keyOf(view, 'Node/Below'), 'Other/Below'],
    ] as const);
    const { after } = await adopted(view, { renamed });
    expect((await entryOf(after, 'Other')).id).toBe(id);
    server.create('Node', { selectable: false });
    expect((await entryOf(await synced(), 'Node')).id).not.toBe(id);
  });

  test('what the server does not show is not believed', async () => {
    const view = await synced();
    const { before, after } = await adopted(view, {
      created: new Map([['Never', null]]),
      renamed: new Map([[await keyOf(view, 'Old'), 'New']]),
      destroyed: new Map([await destructionOf(view, 'Gone')]),
    });
    expect(await changesOf(after, before)).toEqual(none);
  });

  test('a mailbox that the server makes anew as soon as it is destroyed is another one', async () => {
    deliver('Gone');
    const view = await synced();
    const gone = await entryOf(view, 'Gone');
    server.remove('Gone');
    server.create('Gone');
    const { before, after } = await adopted(view, { destroyed: new Map([await destructionOf(view, 'Gone')]) });
    expect(await changesOf(after, before)).toEqual({ ...none, destroyed: [gone.id] });
    expect((await changesOf(after, before, 'Email')).destroyed).toHaveLength(1);
    const anew = await synced();
    expect(await changesOf(anew, after)).toEqual({ ...none, created: [(await entryOf(anew, 'Gone')).id] });
    expect((await entryOf(anew, 'Gone')).id).not.toBe(gone.id);
  });

  test.each(['digest', 'objectid'] as const)(
    'whoever gets the name of one that is destroyed is not that one, new or not (%s)',
    async (scheme) => {
      start({ scheme });
      // The one with the last key, too.
      for (const name of ['Gone', 'Node/Below']) deliver(name);
      deliver('Old/Part');
      const view = await synced();
      const [gone, below, part] = await Promise.all(
        ['Gone', 'Node/Below', 'Old/Part'].map((name) => entryOf(view, name)),
      );
      server.remove('Gone');
      server.remove('Node/Below');
      server.create('Node/Below');
      server.rename('Old/Part', 'Gone');
      const { before, after } = await adopted(view, {
        created: new Map([['Node/Below', { sortOrder: 3, role: null }]]),
        renamed: new Map([[part?.key ?? 0, 'Gone']]),
        destroyed: new Map([await destructionOf(view, 'Gone'), await destructionOf(view, 'Node/Below')]),
      });
      const anew = await entryOf(after, 'Node/Below');
      expect((await entryOf(after, 'Gone')).id).toBe(part?.id);
      expect([anew.id === below?.id, anew.key === below?.key, anew.kept]).toEqual([
        ...[false, false],
        { sortOrder: 3, role: null },
      ]);
      const { destroyed, ...others } = await changesOf(after, before);
      expect(others).toEqual({ created: [anew.id], updated: [part?.id] });
      expect([...destroyed].sort()).toEqual([gone?.id, below?.id].sort());
      expect((await changesOf(after, before, 'Email')).destroyed).toHaveLength(2);
    },
  );

  test('one that is elsewhere, and may be destroyed there, is there as long as the server shows it', async () => {
    deliver('Gone');
    const view = await synced();
    const { id, key } = await entryOf(view, 'Gone');
    server.rename('Gone', 'Aside');
    server.create('Gone');
    const { before, after } = await adopted(view, {
      created: new Map([['Gone', null]]),
      renamed: new Map([[key, 'Aside']]),
      destroyed: new Map([[key, null]]),
    });
    expect((await entryOf(after, 'Aside')).id).toBe(id);
    const created = [(await entryOf(after, 'Gone')).id];
    expect(await changesOf(after, before)).toEqual({ created, updated: [id], destroyed: [] });
  });

  test('attributes that the server gives to names stay with the name', async () => {
    server.create('Bin', { attributes: ['\\trash'] });
    const view = await synced();
    const { key } = await entryOf(view, 'Bin');
    server.rename('Bin', 'Old Bin');
    server.mark('Old Bin', []);
    const { after } = await adopted(view, { renamed: new Map([[key, 'Old Bin']]) });
    expect(await entryOf(after, 'Old Bin')).toMatchObject({ key, attributes: [] });
  });

  test('one of which the server did not say that it is gone may have got new UIDs', async () => {
    const view = await synced();
    server.remove('Gone');
    server.create('Gone');
    const { before, after } = await adopted(view, { destroyed: new Map([[await keyOf(view, 'Gone'), null]]) });
    expect(await changesOf(after, before)).toEqual(none);
  });

  test('a message that is delivered into a new mailbox at once is there later', async () => {
    const view = await synced();
    server.create('Work');
    deliver('Work');
    const { before, after, latest } = await adopted(view, { created: new Map([['Work', null]]) });
    expect((await entryOf(after, 'Work')).counts.totalEmails).toBe(0);
    expect((await changesOf(after, before)).created).toHaveLength(1);
    expect((await entryOf(latest, 'Work')).counts.totalEmails).toBe(1);
  });

  test('keys of new mailboxes are given without gaps', async () => {
    const view = await synced();
    const last = Math.max(...(await view.mailboxes()).keys(), view.versions.Mailbox);
    for (const name of ['A', 'B', 'Mine']) server.create(name);
    const { after } = await adopted(view, { created: new Map([['Mine', null]]) });
    expect(await keyOf(after, 'Mine')).toBe(last + 1);
  });

  test('a subscription is taken over, and what others did to the same mailbox is told later', async () => {
    const view = await synced();
    server.subscribe('Gone', false);
    server.subscribe('Old', false);
    server.mark('Gone', ['\\archive']);
    const { before, after } = await adopted(view, { subscribed: new Set([await keyOf(view, 'Gone')]) });
    expect(await entryOf(after, 'Gone')).toMatchObject({ subscribed: false, attributes: [] });
    expect(await changesOf(after, before)).toEqual({ ...none, updated: [(await entryOf(view, 'Gone')).id] });
    expect((await changesOf(await synced(), after)).updated).toHaveLength(2);
  });

  test('what is kept of a mailbox needs no word from the server, and is told', async () => {
    const view = await synced();
    const source = server.connect();
    const entry = await entryOf(view, 'Old');
    const facts = { sortOrder: 9, role: 'archive' } as const;
    const { before, after } = await adopted(view, { kept: new Map([[entry.key, facts]]) }, source);
    expect(source.commands).toEqual([]);
    expect((await entryOf(after, 'Old')).kept).toEqual(facts);
    expect(await changesOf(after, before)).toEqual({ ...none, updated: [entry.id] });
  });

  test('what the server tells of a role is not kept beside it', async () => {
    const view = await synced();
    server.create('A', { attributes: ['\\Archive'] });
    server.create('J', { attributes: ['\\Junk'] });
    const { after } = await adopted(view, {
      created: new Map([
        ['A', { sortOrder: null, role: 'archive' }],
        ['J', { sortOrder: 5, role: 'junk' }],
      ]),
    });
    expect((await entryOf(after, 'A')).kept).toBeNull();
    expect((await entryOf(after, 'J')).kept).toEqual({ sortOrder: 5, role: null });
  });

  test('the log names first what was asked for, then whom that concerns', async () => {
    server.create('Sent');
    const view = await synced();
    server.remove('Sent');
    const sent = await entryOf(view, 'Sent');
    const { before, after } = await adopted(view, { destroyed: new Map([await destructionOf(view, 'Sent')]) });
    const ids: Id[] = [];
    for await (const batch of after.log('Mailbox', before.versions.Mailbox)) ids.push(...batch.map(({ id }) => id));
    expect(ids).toEqual([sent.id, (await entryOf(view, 'Sent Items')).id]);
  });
});

test('who loses the race for the catalog claims nothing that the winner has found, and keeps what only he knows', async () => {
  const view = await synced();
  server.create('Work');
  const won = await synced();
  const facts = { sortOrder: 3, role: null };
  const { before, after } = await adopted(view, { created: new Map([['Work', facts]]) });
  expect(before.version).toBe(won.version);
  expect(await changesOf(after, before)).toEqual({ ...none, updated: [(await entryOf(won, 'Work')).id] });
  expect((await entryOf(after, 'Work')).kept).toEqual(facts);
});

describe('what is kept of a mailbox is there again', () => {
  test('in a new catalog', async () => {
    kept = new Map([[(await entryOf(await synced(), 'Old')).id, { sortOrder: 9, role: 'archive' }]]);
    catalog = modelCatalog();
    expect((await entryOf(await synced(), 'Old')).kept).toEqual({ sortOrder: 9, role: 'archive' });
  });

  test('when another client brings the mailbox back', async () => {
    start({ scheme: 'objectid' });
    const old = await entryOf(await synced(), 'Old');
    server.rename('Old', 'Hidden');
    server.mark('Hidden', ['\\All']);
    await synced();
    kept = new Map([[old.id, { sortOrder: 9, role: null }]]);
    server.mark('Hidden', []);
    expect(await entryOf(await synced(), 'Hidden')).toMatchObject({ id: old.id, kept: { sortOrder: 9 } });
  });
});
