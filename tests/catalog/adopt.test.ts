import { beforeEach, describe, expect, test } from '@jest/globals';
import { type Adopted, adopt } from '../../shared/catalog/adopt.ts';
import { changesSince, stateOf } from '../../shared/catalog/changes.ts';
import { keywordsOf } from '../../shared/catalog/keywords.ts';
import type { MailboxEntry } from '../../shared/catalog/mailbox.ts';
import { noOwnChanges, type OwnChanges, type OwnMailboxChanges } from '../../shared/catalog/own-changes.ts';
import type { MailSource } from '../../shared/catalog/source.ts';
import { sync } from '../../shared/catalog/sync.ts';
import type { SyncContext } from '../../shared/catalog/sync-context.ts';
import type { CatalogView, ChangingType } from '../../shared/catalog/view.ts';
import type { Id } from '../../shared/jmap/scalars.ts';
import { contentOf, type FakeMailServer, type FakeOptions, fakeMailServer } from './fake-mail-server.ts';
import { type ModelCatalog, modelCatalog } from './model-catalog.ts';
import { holdsWhatServerHolds, isConsistent } from './server-laws.ts';
import { allEmails, changingTypes, followChanges, snapshotOf } from './snapshot.ts';

const date = 1_767_261_600;
let catalog: ModelCatalog;
let server: FakeMailServer;

beforeEach(() => start({}));

function start(options: Partial<FakeOptions>): void {
  catalog = modelCatalog();
  server = fakeMailServer({ tier: 'qresync', scheme: 'digest', threads: 'derived', ...options });
  for (const name of ['INBOX', 'Archive', 'Trash']) server.create(name);
}

function contextOf(source: MailSource): SyncContext {
  return {
    ...{ catalog, source, surroundings: { now: () => 1_800_000_000_000 } },
    ...{ isOver: () => false, enough: () => false, refusals: new Map() },
  };
}

const synced = () => sync(contextOf(server.connect()));
const deliver = (mailbox = 'INBOX', flags: readonly string[] = []) =>
  server.append(mailbox, contentOf(), { internalDate: date, flags });

async function entryOf(view: CatalogView, name: string): Promise<MailboxEntry> {
  const entry = [...(await view.mailboxes()).values()].find((each) => each.name === name);
  if (entry === undefined) throw new Error(`There is no mailbox "${name}"`);
  return entry;
}

async function idAt(view: CatalogView, name: string, uid: number): Promise<Id> {
  const id = (await view.emailIdsAt((await entryOf(view, name)).key, [uid])).get(uid);
  if (id === undefined) throw new Error(`There is no Email at ${name} ${uid}`);
  return id;
}

async function ownIn(
  view: CatalogView,
  changes: Readonly<Record<string, Partial<OwnMailboxChanges>>>,
): Promise<OwnChanges> {
  const mailboxes = new Map<number, OwnMailboxChanges>();
  for (const [name, own] of Object.entries(changes)) {
    mailboxes.set((await entryOf(view, name)).key, { ...noOwnChanges, ...own });
  }
  return { mailboxes };
}

/** Adopts, and checks what holds whatever happened: both ranges are told exactly, and the newest version is what the server holds. */
async function adopted(view: CatalogView, own: OwnChanges, source = server.connect()): Promise<Adopted> {
  const result = await adopt(contextOf(source), view, own);
  const { before, after, latest } = result;
  await isConsistent(after, await allEmails(after));
  for (const type of changingTypes) {
    await followChanges(after, await snapshotOf(after), await snapshotOf(before), type, null);
    await followChanges(latest, await snapshotOf(latest), await snapshotOf(after), type, null);
    await followChanges(latest, await snapshotOf(latest), await snapshotOf(before), type, null);
  }
  const settled = await synced();
  await holdsWhatServerHolds(settled, server);
  for (const type of changingTypes) {
    await followChanges(settled, await snapshotOf(settled), await snapshotOf(before), type, null);
    await followChanges(settled, await snapshotOf(settled), await snapshotOf(after), type, null);
  }
  return result;
}

async function changesOf(view: CatalogView, since: CatalogView, type: ChangingType = 'Email') {
  const answer = await changesSince(view, type, stateOf(since, type), null);
  if (!answer.ok) throw new Error(answer.error.type);
  const { created, updated, destroyed } = answer.value;
  return { created, updated, destroyed };
}

const nothing = { created: [], updated: [], destroyed: [] };

describe('own changes lie between the two states, and those of others after them:', () => {
  test('a keyword, when nobody else does anything: nothing is read, and the next sync finds nothing', async () => {
    const uid = deliver();
    const view = await synced();
    const vector = (await entryOf(view, 'INBOX')).vector;
    if (vector === null) throw new Error('The inbox was not read');
    server.setFlags('INBOX', uid, ['\\Seen']);
    const after = { ...vector, highestModseq: String(Number(vector.highestModseq) + 1) };
    const source = server.connect();
    const own = await ownIn(view, {
      INBOX: { keywords: new Map([[uid, { add: ['$seen'], remove: [] }]]), glimpses: [{ before: vector, after }] },
    });
    const { before, after: then, latest } = await adopted(view, own, source);
    expect(source.commands).toEqual([]);
    expect(await changesOf(then, before)).toEqual({ ...nothing, updated: [await idAt(view, 'INBOX', uid)] });
    expect((await changesOf(then, before, 'Mailbox')).updated).toEqual([(await entryOf(view, 'INBOX')).id]);
    expect((await synced()).version).toBe(latest.version);
  });

  test('what others flagged before and after, also the same message', async () => {
    const [one, two, three] = [deliver(), deliver(), deliver()];
    const view = await synced();
    server.setFlags('INBOX', one, ['\\Flagged']);
    server.setFlags('INBOX', two, ['\\Seen']);
    server.setFlags('INBOX', two, ['\\Seen', 'later']);
    server.setFlags('INBOX', three, ['\\Answered']);
    const own = await ownIn(view, { INBOX: { keywords: new Map([[two, { add: ['$seen'], remove: [] }]]) } });
    const { before, after, latest } = await adopted(view, own);
    const [first, second, third] = [
      await idAt(view, 'INBOX', one),
      await idAt(view, 'INBOX', two),
      await idAt(view, 'INBOX', three),
    ];
    expect(await changesOf(after, before)).toEqual({ ...nothing, updated: [second] });
    expect((await changesOf(latest, after)).updated.sort()).toEqual([first, second, third].sort());
    const keywords = async (at: CatalogView) => keywordsOf((await at.emails([second])).get(second) ?? fail());
    expect([await keywords(after), await keywords(latest)]).toEqual([['$seen'], ['$seen', 'later']]);
  });

  test('a keyword that somebody took off again at once is told twice', async () => {
    const uid = deliver();
    const view = await synced();
    server.setFlags('INBOX', uid, ['\\Seen']);
    server.setFlags('INBOX', uid, []);
    const own = await ownIn(view, { INBOX: { keywords: new Map([[uid, { add: ['$seen'], remove: [] }]]) } });
    const { before, after, latest } = await adopted(view, own);
    const id = await idAt(view, 'INBOX', uid);
    expect((await changesOf(after, before)).updated).toEqual([id]);
    expect((await changesOf(latest, after)).updated).toEqual([id]);
  });

  test('a move is an update of the Email, while others deliver to both mailboxes', async () => {
    const uid = deliver('INBOX', ['\\Seen']);
    const view = await synced();
    const id = await idAt(view, 'INBOX', uid);
    deliver('Archive');
    const moved = server.move('INBOX', uid, 'Archive');
    deliver();
    const own = await ownIn(view, {
      INBOX: { removed: new Set([uid]) },
      Archive: { arrived: new Map([[moved, { emailId: id, keywords: ['$seen'] }]]) },
    });
    const { before, after, latest } = await adopted(view, own);
    expect(await changesOf(after, before)).toEqual({ ...nothing, updated: [id] });
    expect(await changesOf(after, before, 'Thread')).toEqual(nothing);
    expect((await changesOf(latest, after)).created).toHaveLength(2);
    expect(await idAt(after, 'Archive', moved)).toBe(id);
  });

  test('a copy is the same Email though its date is another one', async () => {
    const uid = deliver();
    const view = await synced();
    const id = await idAt(view, 'INBOX', uid);
    const [message] = server.messages('INBOX');
    const copied = server.append('Archive', message?.content ?? contentOf(), { internalDate: date + 3600 });
    const arrived = new Map([[copied, { emailId: id, keywords: [] }]]);
    const { before, after, latest } = await adopted(view, await ownIn(view, { Archive: { arrived } }));
    expect(await changesOf(after, before)).toEqual({ ...nothing, updated: [id] });
    expect(await idAt(latest, 'Archive', copied)).toBe(id);
  });

  test.each([
    ['moves it on', (uid: number) => server.move('Archive', uid, 'Trash'), 'updated'],
    ['expunges it', (uid: number) => server.expunge('Archive', uid), 'destroyed'],
  ] as const)('somebody %s what was moved, before it was read', async (_, act, outcome) => {
    const uid = deliver();
    const view = await synced();
    const id = await idAt(view, 'INBOX', uid);
    const moved = server.move('INBOX', uid, 'Archive');
    act(moved);
    const own = await ownIn(view, {
      INBOX: { removed: new Set([uid]) },
      Archive: { arrived: new Map([[moved, { emailId: id, keywords: [] }]]) },
    });
    const { before, after } = await adopted(view, own);
    expect(await changesOf(after, before)).toEqual({ ...nothing, updated: [id] });
    expect(await changesOf(await synced(), after)).toEqual({ ...nothing, [outcome]: [id] });
  });

  test('what is expunged is destroyed, and so is what is only flagged as deleted', async () => {
    const [one, two] = [deliver(), deliver()];
    const view = await synced();
    const ids = [await idAt(view, 'INBOX', one), await idAt(view, 'INBOX', two)];
    server.expunge('INBOX', one);
    server.setFlags('INBOX', two, ['\\Deleted']);
    const own = await ownIn(view, { INBOX: { removed: new Set([one, two]) } });
    const { before, after } = await adopted(view, own);
    expect((await changesOf(after, before)).destroyed.sort()).toEqual(ids.sort());
  });

  test('what others move away is not destroyed', async () => {
    const [one, two] = [deliver(), deliver()];
    const view = await synced();
    server.setFlags('INBOX', one, ['\\Seen']);
    server.move('INBOX', two, 'Trash');
    const own = await ownIn(view, { INBOX: { keywords: new Map([[one, { add: ['$seen'], remove: [] }]]) } });
    const { after, latest } = await adopted(view, own);
    expect(await changesOf(latest, after)).toEqual(nothing);
    expect((await changesOf(await synced(), after)).updated).toEqual([await idAt(view, 'INBOX', two)]);
  });

  test('what is appended is created, and named by what it is', async () => {
    deliver();
    const view = await synced();
    const uid = deliver('INBOX', ['\\Draft']);
    deliver();
    const own = await ownIn(view, { INBOX: { arrived: new Map([[uid, { emailId: null, keywords: ['$draft'] }]]) } });
    const { before, after, latest } = await adopted(view, own);
    expect(await changesOf(after, before)).toEqual({ ...nothing, created: [await idAt(after, 'INBOX', uid)] });
    expect((await changesOf(latest, after)).created).toHaveLength(1);
  });
});

describe('who loses the race for the catalog', () => {
  test('asks again, and adds what is still missing of the own changes', async () => {
    const uid = deliver();
    const view = await synced();
    deliver('Archive');
    const won = await synced();
    server.setFlags('INBOX', uid, ['\\Seen']);
    const own = await ownIn(view, { INBOX: { keywords: new Map([[uid, { add: ['$seen'], remove: [] }]]) } });
    const { before, after } = await adopted(view, own);
    expect(before.version).toBe(won.version);
    expect(await changesOf(after, before)).toEqual({ ...nothing, updated: [await idAt(view, 'INBOX', uid)] });
  });

  test('claims nothing that the winner has found already', async () => {
    const uid = deliver();
    const view = await synced();
    server.setFlags('INBOX', uid, ['\\Seen']);
    const moved = server.move('INBOX', uid, 'Archive');
    const won = await synced();
    const own = await ownIn(view, {
      INBOX: { removed: new Set([uid]) },
      Archive: { arrived: new Map([[moved, { emailId: await idAt(view, 'INBOX', uid), keywords: ['$seen'] }]]) },
    });
    const { before, after } = await adopted(view, own);
    expect([before.version, await changesOf(after, before)]).toEqual([won.version, nothing]);
  });
});

test.each([
  ['another UIDVALIDITY', () => server.resetUidValidity('INBOX')],
  ['gone', () => server.remove('INBOX')],
] as const)('a mailbox that is %s meanwhile is synchronised, and nothing is claimed', async (_, act) => {
  const uid = deliver();
  const view = await synced();
  server.setFlags('INBOX', uid, ['\\Seen']);
  act();
  const own = await ownIn(view, { INBOX: { keywords: new Map([[uid, { add: ['$seen'], remove: [] }]]) } });
  const { before, after } = await adopted(view, own);
  expect([stateOf(before, 'Email'), stateOf(after, 'Email')]).toEqual([stateOf(view, 'Email'), stateOf(view, 'Email')]);
});

function fail(): never {
  throw new Error('There is no such Email');
}
