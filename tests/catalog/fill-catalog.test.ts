import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, test } from '@jest/globals';
import { seededRandom } from '../../functions/local/sample-mail/random.ts';
import { inboxId } from '../../shared/catalog/ids.ts';
import type { MailSource } from '../../shared/catalog/source.ts';
import { sync } from '../../shared/catalog/sync.ts';
import { OutOfTime, type SyncContext } from '../../shared/catalog/sync-context.ts';
import type { Catalog, CatalogView, IdentityScheme } from '../../shared/catalog/view.ts';
import { Unavailable } from '../../shared/jmap/errors.ts';
import {
  contentOf,
  type FakeContent,
  type FakeEvent,
  type FakeMailServer,
  fakeMailServer,
} from './fake-mail-server.ts';
import { holdsWhatServerHolds } from './server-laws.ts';
import { allEmails, snapshotOf } from './snapshot.ts';
import { createWorld } from './storage/world.ts';

const date = 1_767_261_600;

function synced(
  server: FakeMailServer,
  catalog: Catalog,
  more: Partial<SyncContext> = {},
  before?: (event: FakeEvent) => void,
): Promise<CatalogView> {
  return sync({
    catalog,
    source: server.connect(before),
    surroundings: { now: () => date * 1000 },
    isOver: () => false,
    enough: () => false,
    refusals: new Map(),
    ...more,
  });
}

const hasInbox: SyncContext['enough'] = (mailboxes) =>
  [...mailboxes.values()].some(({ id, vector }) => id === inboxId && vector !== null);

/** Conversations over several mailboxes, copies in and between them, twins of equal content, and `\Deleted` ones among them. */
function filledServer(seed: number, scheme: IdentityScheme, threads: 'server' | 'derived'): FakeMailServer {
  const server = fakeMailServer({ tier: 'qresync', scheme, threads, batch: 7 });
  const random = seededRandom(seed);
  const names = ['INBOX', 'Archive', 'Trash', 'Empty', 'Work'];
  for (const name of names) server.create(name);
  const contents: FakeContent[] = [];
  for (let count = 0; count < 150; count += 1) {
    const earlier = random.chance(0.6) && contents.length > 0 ? random.pick(contents) : null;
    const content =
      earlier !== null && random.chance(0.2)
        ? earlier
        : contentOf(
            earlier === null
              ? {}
              : random.chance(0.7)
                ? { references: `${earlier.references} ${earlier.messageId}` }
                : { inReplyTo: earlier.messageId },
          );
    contents.push(content);
    const name = random.pick(['INBOX', 'INBOX', 'Archive', 'Trash', 'Work']);
    const flags = ['\\Seen', '\\Flagged', '\\Deleted', 'later'].filter(() => random.chance(0.25));
    // Every other server has messages of more than a century.
    const internalDate = date + random.below(50) * (seed % 2 === 0 ? 200_000_000 : 1);
    const uid = server.append(name, content, { internalDate, flags });
    if (random.chance(0.2)) server.copy(name, uid, random.pick(names.filter((other) => other !== 'Empty')));
    if (random.chance(0.1)) server.expunge(name, uid);
  }
  return server;
}

/** What is the same in every catalog of the account. */
async function recordsOf(view: CatalogView) {
  const { records } = await snapshotOf(view);
  return { ...records, emails: await allEmails(view) };
}

describe('an account that is read at once', () => {
  const kinds: [IdentityScheme, 'server' | 'derived'][] = [
    ['digest', 'derived'],
    ['xguid', 'derived'],
    ['objectid', 'server'],
    ['objectid', 'derived'],
  ];
  describe.each(kinds)('by %s, threads %s', (scheme, threads) => {
    test.each([1, 2, 3, 4, 5, 6])('is what it is when its mailboxes come one after the other (%i)', async (seed) => {
      const server = filledServer(seed, scheme, threads);
      const atOnce = await synced(server, createWorld().freshProcess());
      await holdsWhatServerHolds(atOnce, server);

      const catalog = createWorld().freshProcess();
      await synced(server, catalog, { enough: hasInbox });
      const inSteps = await synced(server, catalog);
      expect(await recordsOf(atOnce)).toEqual(await recordsOf(inSteps));
    });

    test('goes on like all others: changes, flags and replies find what they belong to', async () => {
      const server = filledServer(7, scheme, threads);
      const world = createWorld();
      await synced(server, world.freshProcess());
      const [first] = server.messages('INBOX');
      if (first === undefined) throw new Error('The inbox is empty');
      server.append('INBOX', contentOf({ references: first.content.messageId }), { internalDate: date + 99 });
      server.setFlags('INBOX', first.uid, ['\\Answered']);
      for (const { uid } of server.messages('Archive')) server.move('Archive', uid, 'Work');
      const view = await synced(server, world.freshProcess());
      await holdsWhatServerHolds(view, server);
      const fresh = await synced(server, createWorld().freshProcess());
      expect((await recordsOf(view)).Thread.size).toBe((await recordsOf(fresh)).Thread.size);
    });
  });

  test('costs one version beside the first', async () => {
    const server = filledServer(1, 'digest', 'derived');
    const catalog = createWorld().freshProcess();
    const first = await synced(server, catalog, { enough: () => true });
    expect((await synced(server, catalog)).version).toBe(first.version + 1);
  });

  test('asks for small mailboxes together once, also for those that are left out', async () => {
    const server = fakeMailServer({ tier: 'qresync', scheme: 'digest', threads: 'derived' });
    const names = ['INBOX', ...Array.from({ length: 20 }, (_, index) => `Folder ${index + 10}`)];
    for (const name of names) {
      server.create(name);
      server.append(name, contentOf({}), { internalDate: date });
    }
    const groups: string[][] = [];
    const read: string[] = [];
    const source = server.connect();
    const counting: MailSource = {
      ...source,
      readTogether: async (mailboxes, facts) => {
        groups.push(mailboxes.map(({ name }) => name));
        const readings = new Map(await source.readTogether(mailboxes, facts));
        for (const name of names.slice(3, 9)) readings.delete(name);
        return readings;
      },
      read: (name, ...more) => {
        read.push(name);
        return source.read(name, ...more);
      },
    };
    const view = await synced(server, createWorld().freshProcess(), { source: counting });
    expect(groups).toEqual([names.slice(1, 17), names.slice(17)]);
    expect(read).toEqual(['INBOX', ...names.slice(3, 9)]);
    await holdsWhatServerHolds(view, server);
  });

  test.each([
    ['more and more', 'answers soon', 10, [16, 32, 64, 128, 59]],
    ['few', 'takes its time', 1_500, Array.from({ length: 19 }, (_, index) => (index < 18 ? 16 : 11))],
  ])('asks for %s mailboxes together while the server %s', async (_, __, ms, sizes) => {
    const server = fakeMailServer({ tier: 'qresync', scheme: 'digest', threads: 'derived' });
    for (const name of ['INBOX', ...Array.from({ length: 299 }, (_, index) => `Folder ${index}`)]) {
      server.create(name);
      server.append(name, contentOf({}), { internalDate: date });
    }
    const groups: number[] = [];
    let now = date * 1000;
    const source = server.connect();
    const slow: MailSource = {
      ...source,
      readTogether: (mailboxes, facts) => {
        groups.push(mailboxes.length);
        now += ms;
        return source.readTogether(mailboxes, facts);
      },
    };
    await synced(server, createWorld().freshProcess(), { source: slow, surroundings: { now: () => now } });
    expect(groups).toEqual(sizes);
  });

  test('does not ask for many more mailboxes together than it has seen the server tell of soon', async () => {
    const server = fakeMailServer({ tier: 'qresync', scheme: 'digest', threads: 'derived' });
    for (const name of ['INBOX', ...Array.from({ length: 60 }, (_, index) => `Folder ${index + 10}`)]) {
      server.create(name);
      const messages = Number(name.slice(7)) < 19 ? 600 : 1;
      for (let count = 0; count < messages; count += 1) server.append(name, contentOf({}), { internalDate: date });
    }
    const groups: number[] = [];
    const source = server.connect();
    const counting: MailSource = {
      ...source,
      readTogether: (mailboxes, facts) => {
        groups.push(mailboxes.length);
        return source.readTogether(mailboxes, facts);
      },
    };
    await synced(server, createWorld().freshProcess(), { source: counting });
    expect(groups).toEqual([3, 3, 16, 32, 6]);
  });

  test('is kept as far as it came when a mailbox cannot be read', async () => {
    const server = filledServer(1, 'digest', 'derived');
    const catalog = createWorld().freshProcess();
    let isAway = true;
    const drop = ({ command, mailbox }: FakeEvent) => {
      if (isAway && command === 'examine' && mailbox === 'Trash') throw new Error('The connection broke');
    };
    await expect(synced(server, catalog, {}, drop)).rejects.toThrow('The connection broke');
    isAway = false;
    const examined: string[] = [];
    const view = await synced(server, catalog, {}, ({ command, mailbox }) => {
      if (command === 'examine') examined.push(mailbox);
    });
    expect(examined).not.toContain('INBOX');
    await holdsWhatServerHolds(view, server);
  });

  test('is read again where a message vanishes meanwhile', async () => {
    const server = filledServer(1, 'digest', 'derived');
    let isFirst = true;
    const view = await synced(server, createWorld().freshProcess(), {}, ({ command, mailbox }) => {
      if (!isFirst || command !== 'fetch' || mailbox !== 'INBOX') return;
      isFirst = false;
      for (const { uid } of server.messages('INBOX').slice(-3)) server.expunge('INBOX', uid);
    });
    await holdsWhatServerHolds(view, server);
  });

  describe('is surveyed again while it is committed', () => {
    /** What a sync works with, whose surveys and fillings are told of as they begin and end. */
    function surveyed(server: FakeMailServer, before?: (event: FakeEvent) => void) {
      const catalog = createWorld().freshProcess();
      const source = server.connect(before);
      const events: string[] = [];
      const told = async <T>(what: string, work: () => Promise<T>): Promise<T> => {
        events.push(`${what} begins`);
        try {
          return await work();
        } finally {
          events.push(`${what} ends`);
        }
      };
      const fill: Catalog['fill'] = (base, filling) => told('filling', () => catalog.fill(base, filling));
      return {
        events,
        source: { ...source, survey: () => told('survey', () => source.survey()) },
        catalog: { ...catalog, fill },
      };
    }
    /** A source before whose third survey something happens. */
    function thirdSurvey(source: MailSource, happen: () => void) {
      let surveys = 0;
      const survey = async () => {
        surveys += 1;
        if (surveys === 3) happen();
        return source.survey();
      };
      return { surveys: () => surveys, source: { ...source, survey } };
    }
    const twice = ['survey begins', 'survey ends', 'survey begins', 'survey ends'];

    test('and once', async () => {
      const server = filledServer(4, 'xguid', 'derived');
      const { events, source, catalog } = surveyed(server);
      const view = await synced(server, catalog, { source });
      expect(events.slice(0, 6)).toEqual([...twice, 'survey begins', 'filling begins']);
      expect(events.slice(6).sort()).toEqual(['filling ends', 'survey ends']);
      await holdsWhatServerHolds(view, server);
    });

    test('so that what came meanwhile is there', async () => {
      const server = filledServer(4, 'xguid', 'derived');
      const { source, catalog } = surveyed(server);
      const delivering = thirdSurvey(source, () => {
        server.append('Archive', contentOf({}), { internalDate: date + 99 });
      });
      await holdsWhatServerHolds(await synced(server, catalog, { source: delivering.source }), server);
      expect(delivering.surveys()).toBe(3);
    });

    test('and anew when another writer was first to commit what came', async () => {
      const server = filledServer(4, 'xguid', 'derived');
      const { source, catalog } = surveyed(server);
      const delivering = thirdSurvey(source, () => {
        server.append('Archive', contentOf({}), { internalDate: date + 99 });
      });
      let commits = 0;
      const overtaken: Catalog = {
        ...catalog,
        commit: async (base, edit) => {
          commits += 1;
          return commits === 1 ? { kind: 'conflict' } : catalog.commit(base, edit);
        },
      };
      await holdsWhatServerHolds(await synced(server, overtaken, { source: delivering.source }), server);
      expect([delivering.surveys(), commits]).toEqual([4, 2]);
    });

    test('and kept when that fails', async () => {
      const server = filledServer(4, 'xguid', 'derived');
      const { source, catalog } = surveyed(server);
      const breaking = thirdSurvey(source, () => {
        throw new Error('The connection broke');
      });
      const fill: Catalog['fill'] = async (base, filling) => {
        await delay(20);
        return catalog.fill(base, filling);
      };
      const unhandled: unknown[] = [];
      const onUnhandled = (reason: unknown) => unhandled.push(reason);
      process.on('unhandledRejection', onUnhandled);
      const syncing = synced(server, { ...catalog, fill }, { source: breaking.source });
      await expect(syncing).rejects.toThrow('The connection broke');
      process.off('unhandledRejection', onUnhandled);
      expect(unhandled).toEqual([]);
      expect((await catalog.open())?.provisional).toBe(false);
    });

    test('but not while mailboxes are missing', async () => {
      const server = filledServer(4, 'xguid', 'derived');
      const { events, source, catalog } = surveyed(server);
      await synced(server, catalog, { source, enough: hasInbox });
      expect(events).toEqual([...twice, 'filling begins', 'filling ends']);
    });

    test('but not when the time is up', async () => {
      const server = fakeMailServer({ tier: 'qresync', scheme: 'xguid', threads: 'derived' });
      server.create('INBOX');
      server.append('INBOX', contentOf({}), { internalDate: date });
      let isOver = false;
      const { events, source, catalog } = surveyed(server, ({ command }) => {
        isOver ||= command === 'fetch';
      });
      await expect(synced(server, catalog, { source, isOver: () => isOver })).rejects.toThrow(Unavailable);
      expect(events).toEqual([...twice, 'filling begins', 'filling ends']);
    });
  });

  test('is left in the middle of a mailbox when the time is up, and goes on from there', async () => {
    const server = filledServer(2, 'xguid', 'derived');
    const catalog = createWorld().freshProcess();
    let fetches = 0;
    const count = ({ command }: FakeEvent) => {
      if (command === 'fetch') fetches += 1;
    };
    await expect(synced(server, catalog, { isOver: () => fetches >= 3 }, count)).rejects.toThrow(OutOfTime);
    const view = await synced(server, catalog);
    await holdsWhatServerHolds(view, server);
    expect(await recordsOf(view)).toEqual(await recordsOf(await synced(server, createWorld().freshProcess())));
  });

  test('has what another writer filled it with, when that one was first', async () => {
    const server = filledServer(3, 'digest', 'derived');
    const world = createWorld();
    const views = await Promise.all([synced(server, world.freshProcess()), synced(server, world.freshProcess())]);
    for (const view of views) await holdsWhatServerHolds(view, server);
    expect(views[0]?.epoch).toBe(views[1]?.epoch);
  });
});

test('a mailbox that is never opened does not keep the others out', async () => {
  const server = filledServer(1, 'digest', 'derived');
  server.refuseExamine('Archive', true);
  const view = await synced(server, createWorld().freshProcess());
  const selectable = [...(await view.mailboxes()).values()].filter((entry) => entry.selectable);
  expect(
    selectable
      .filter(({ vector }) => vector !== null)
      .map(({ name }) => name)
      .sort(),
  ).toEqual([...['Empty', 'INBOX', 'Trash', 'Work']]);
});
