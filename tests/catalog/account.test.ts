import { beforeEach, describe, expect, test } from '@jest/globals';
import { type AccountCatalogOptions, accountCatalog, accountMemory } from '../../shared/catalog/account.ts';
import { stateOf } from '../../shared/catalog/changes.ts';
import { inboxId } from '../../shared/catalog/ids.ts';
import { AuthenticationFailed, Unavailable } from '../../shared/jmap/errors.ts';
import type { Id } from '../../shared/jmap/scalars.ts';
import { contentOf, type FakeEvent, type FakeMailServer, fakeMailServer } from './fake-mail-server.ts';
import { type ModelCatalog, modelCatalog } from './model-catalog.ts';
import { allEmails } from './snapshot.ts';

let catalog: ModelCatalog;
let server: FakeMailServer;
let clock: number;
let commands: string[];
let memory: ReturnType<typeof accountMemory>;

beforeEach(() => {
  catalog = modelCatalog();
  clock = 1_800_000_000_000;
  commands = [];
  memory = accountMemory();
  server = fakeMailServer({ tier: 'qresync', scheme: 'digest', threads: 'derived', batch: 5 });
  server.create('INBOX');
  server.create('Archive');
  deliver();
});

function deliver(mailbox = 'INBOX'): number {
  return server.append(mailbox, contentOf(), { internalDate: 1_767_261_600 });
}

/** The catalog as one request of this process sees it. */
function request(
  more: Partial<AccountCatalogOptions> = {},
  before: (event: FakeEvent) => void | Promise<void> = () => {},
) {
  return accountCatalog({
    catalog,
    source: async () => {
      const connection = server.connect(before);
      return {
        ...connection,
        survey: () => {
          commands.push('LIST');
          return connection.survey();
        },
      };
    },
    surroundings: { now: () => clock },
    freshnessMs: 1_000,
    deadline: Number.POSITIVE_INFINITY,
    memory,
    ...more,
  });
}

/** A promise and what settles it. */
function gate() {
  let open: () => void = () => {};
  const passed = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { passed, open };
}

const never = () => Promise.reject(new Error('The mail server was asked'));

describe('a recent answer', () => {
  test('is given without the mail server while this process asked it recently', async () => {
    const { version } = await request().view('recent');
    clock += 1_000;
    expect((await request({ source: never }).view('recent')).version).toBe(version);
  });

  test('asks when that was too long ago', async () => {
    await request().view('recent');
    clock += 1_001;
    await expect(request({ source: never }).view('recent')).rejects.toThrow('was asked');
  });

  test('asks in a process that never did, though the catalog is there', async () => {
    await request().view('recent');
    await expect(request({ source: never, memory: accountMemory() }).view('recent')).rejects.toThrow('was asked');
  });

  test('sees what another process committed', async () => {
    await request().view('recent');
    deliver();
    await request({ memory: accountMemory() }).view('now');
    expect((await allEmails(await request({ source: never }).view('recent'))).size).toBe(2);
  });

  test('asks when the catalog is lost', async () => {
    await request().view('recent');
    catalog.loseAll();
    expect((await allEmails(await request().view('recent'))).size).toBe(1);
  });
});

test('an answer of now always asks', async () => {
  await request().view('now');
  await expect(request({ source: never }).view('now')).rejects.toThrow('was asked');
});

describe('requests at the same time', () => {
  beforeEach(async () => {
    await request().view('now');
    clock += 10_000;
    commands = [];
  });

  test('share one sync', async () => {
    await Promise.all([1, 2, 3].map(() => request().view('recent')));
    expect(commands).toEqual(['LIST']);
  });

  test('share it not when they need a later one: what happened after it began would be missed', async () => {
    const [asked, go] = [gate(), gate()];
    const first = request({}, async () => {
      asked.open();
      await go.passed;
    }).view('recent');
    await asked.passed;
    const late = [request().view('now'), request().view('now')];
    go.open();
    await Promise.all([first, ...late]);
    expect(commands).toEqual(['LIST', 'LIST']);
  });

  test('do not share a failure: each asks with its own connection', async () => {
    const refused = request({ source: () => Promise.reject(new AuthenticationFailed('no')) }).view('recent');
    const other = request().view('recent');
    await expect(refused).rejects.toThrow(AuthenticationFailed);
    expect((await other).provisional).toBe(false);
  });
});

describe('during first contact', () => {
  beforeEach(() => {
    for (let count = 0; count < 20; count += 1) deliver('Archive');
  });

  test('a caller who needs all waits to the deadline and is told to come back, and what was read is kept', async () => {
    const slow = (event: FakeEvent) => {
      if (event.command === 'fetch') clock += 1_000;
    };
    const deadline = clock + 2_500;
    await expect(request({ deadline }, slow).view('now')).rejects.toThrow(Unavailable);
    const kept = await catalog.open();
    expect(kept?.provisional).toBe(true);
    expect(kept && (await allEmails(kept)).size).toBeGreaterThan(5);
    expect((await allEmails(await request().view('now'))).size).toBe(21);
  });

  test('a caller who needs the inbox has it as soon as it is in', async () => {
    const view = await request().view('recent', (mailboxes) =>
      [...mailboxes.values()].some(({ id, vector }) => id === inboxId && vector !== null),
    );
    expect(view.provisional).toBe(true);
    expect((await request().view('recent')).provisional).toBe(false);
  });
});

describe('a lost block', () => {
  test('ends the answer that needed it, and the next one comes from a catalog made anew', async () => {
    const view = await request().view('recent');
    catalog.loseBlock();
    await expect(view.emails(['e1' as Id])).rejects.toThrow(Unavailable);
    const anew = await request().view('recent');
    expect(anew.epoch).not.toBe(view.epoch);
    expect((await allEmails(anew)).size).toBe(1);
  });

  test('is noticed wherever it lies', async () => {
    const view = await request().view('recent');
    const [key = 0] = (await view.mailboxes()).keys();
    catalog.loseBlock();
    const log = async () => {
      for await (const _ of view.log('Email', 0));
    };
    for (const reading of [
      view.rowBlocks(key),
      view.emailIdsAt(key, [1]),
      view.threadEmails([]),
      view.threadsByMessageId([]),
      log(),
    ]) {
      await expect(reading).rejects.toThrow(Unavailable);
    }
  });
});

describe('facts learned on the way', () => {
  test('are kept without any state change', async () => {
    const before = await request().view('now');
    const [id = '' as Id] = (await allEmails(before)).keys();
    const [key = 0] = (await before.mailboxes()).keys();
    await request().remember({ hasAttachment: new Map([[id, true]]), rights: new Map([[key, 'lrs']]) });
    const view = await request({ source: never }).view('recent');
    expect((await view.emails([id])).get(id)?.hasAttachment).toBe(true);
    expect((await view.mailboxes()).get(key)?.rights).toEqual({ letters: 'lrs', readAt: clock / 1000 });
    for (const type of ['Email', 'Thread', 'Mailbox'] as const) expect(stateOf(view, type)).toBe(stateOf(before, type));
  });

  test('that are known already are not written again', async () => {
    const [id = '' as Id] = (await allEmails(await request().view('now'))).keys();
    await request().remember({ hasAttachment: new Map([[id, false]]) });
    const commits = catalog.commits().length;
    await request().remember({ hasAttachment: new Map([[id, false]]) });
    await request().remember({});
    await request().remember({ hasAttachment: new Map([['unknown' as Id, true]]), rights: new Map([[999, 'lrs']]) });
    expect(catalog.commits().length).toBe(commits);
  });

  test('survive what happens to the Email', async () => {
    const [id = '' as Id] = (await allEmails(await request().view('now'))).keys();
    await request().remember({ hasAttachment: new Map([[id, true]]) });
    server.move('INBOX', 1, 'Archive');
    expect((await (await request().view('now')).emails([id])).get(id)?.hasAttachment).toBe(true);
  });

  test('are nothing where there is no catalog', async () => {
    await request().remember({ hasAttachment: new Map([['x' as Id, true]]) });
    expect(catalog.commits()).toEqual([]);
  });
});
