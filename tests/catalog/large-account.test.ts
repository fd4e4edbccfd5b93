import { beforeAll, describe, expect, jest, test } from '@jest/globals';
import { changesSince, type NetChanges, stateOf } from '../../shared/catalog/changes.ts';
import { sync } from '../../shared/catalog/sync.ts';
import type { Catalog, CatalogView } from '../../shared/catalog/view.ts';
import type { Id } from '../../shared/jmap/scalars.ts';
import { contentOf, type FakeMailServer, fakeMailServer } from './fake-mail-server.ts';
import { allEmails } from './snapshot.ts';
import { createWorld, type World } from './storage/world.ts';

jest.setTimeout(600_000);

const receivedAt = 1_767_261_600;

function synced(server: FakeMailServer, catalog: Catalog): Promise<CatalogView> {
  return sync({
    catalog,
    source: server.connect(),
    surroundings: { now: () => receivedAt * 1000 },
    isOver: () => false,
    enough: () => false,
    refusals: new Map(),
  });
}

async function changesOf(view: CatalogView, sinceState: string, maxChanges: number | null): Promise<NetChanges> {
  const answer = await changesSince(view, 'Email', sinceState, maxChanges);
  if (!answer.ok) throw new Error(answer.error.type);
  return answer.value;
}

describe('100,000 flag changes', () => {
  const messages = 100_000;
  const maxChanges = 4096;
  let server: FakeMailServer;
  let world: World;
  let catalog: Catalog;
  let before: CatalogView;
  let after: CatalogView;
  let ids: Set<Id>;

  beforeAll(async () => {
    server = fakeMailServer({ tier: 'qresync', scheme: 'objectid', threads: 'server', batch: 5000 });
    server.create('INBOX');
    for (let index = 0; index < messages; index += 1) {
      server.append('INBOX', contentOf(), { internalDate: receivedAt + index });
    }
    world = createWorld();
    catalog = world.freshProcess();
    before = await synced(server, catalog);
    for (const { uid } of server.messages('INBOX')) server.setFlags('INBOX', uid, ['\\Seen']);
    after = await synced(server, catalog);
    expect(after.version).toBe(before.version + 1);
    ids = new Set((await allEmails(after)).keys());
    expect(ids.size).toBe(messages);
  });

  test('are told in one answer', async () => {
    const { created, updated, destroyed, hasMoreChanges, newState } = await changesOf(
      after,
      stateOf(before, 'Email'),
      null,
    );
    expect([created.length, updated.length, destroyed.length, hasMoreChanges]).toEqual([0, messages, 0, false]);
    expect(new Set(updated)).toEqual(ids);
    expect(newState).toBe(stateOf(after, 'Email'));
  });

  test('are told in pages by one reading of the log', async () => {
    let readings = 0;
    const counting: CatalogView = {
      ...after,
      log: (type, since) => {
        readings += 1;
        return after.log(type, since);
      },
    };
    let sinceState = stateOf(before, 'Email');
    let pages = 0;
    for (let more = true; more; pages += 1) {
      const page = await changesOf(counting, sinceState, maxChanges);
      [sinceState, more] = [page.newState, page.hasMoreChanges];
    }
    expect({ pages, readings }).toEqual({ pages: Math.ceil(messages / maxChanges), readings: 1 });
  });

  test('are told in pages, each Email once, though the account goes on changing', async () => {
    const told: Id[] = [];
    const states = new Set([stateOf(before, 'Email')]);
    let view = after;
    let sinceState = stateOf(before, 'Email');
    for (let more = true; more; ) {
      const page = await changesOf(view, sinceState, maxChanges);
      expect([page.oldState, page.created, page.destroyed]).toEqual([sinceState, [], []]);
      expect(page.updated.length).toBeLessThanOrEqual(maxChanges);
      expect(states).not.toContain(page.newState);
      states.add(page.newState);
      told.push(...page.updated);
      sinceState = page.newState;
      more = page.hasMoreChanges;
      if (states.size === 3) {
        // Another process sees one more change before the client asks for its next page.
        server.setFlags('INBOX', 1, []);
        view = await synced(server, world.freshProcess());
      }
    }
    expect(sinceState).toBe(stateOf(view, 'Email'));
    expect(told.length).toBe(messages + 1);
    expect(new Set(told)).toEqual(ids);
  });
});
