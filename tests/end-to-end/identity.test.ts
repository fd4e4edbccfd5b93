import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Id } from '../../shared/jmap/scalars.ts';
import { dovecot, type TestServer, type TestUser } from '../servers/servers.ts';
import { backends, courierBackend, type Process, type Product, startProduct } from './harness.ts';
import { type ImapActor, imapActor } from './imap-actor.ts';
import type { ChangesResponse, JmapClient } from './jmap-client.ts';
import { expectExactChanges, expectExactCounts, expectExactThreads, expectSameQueries } from './laws.ts';
import { letter } from './letter.ts';
import { mailboxNamed, namesOf, type Question, type Snapshot, type Type, takeSnapshot, types } from './snapshot.ts';

/** The account before anything happens: INBOX holds a (UID 1), its answer b (2) and c (3), Work holds d (1), Play nothing. */
async function fill(actor: ImapActor): Promise<void> {
  await actor.create('Work');
  await actor.create('Play');
  const at = (day: number) => ({ receivedAt: new Date(Date.UTC(2025, 0, day)) });
  await actor.deliver('INBOX', letter({ token: 'a' }), { ...at(1), flags: ['\\Seen'] });
  await actor.deliver('INBOX', letter({ token: 'b', answers: ['a'] }), at(2));
  await actor.deliver('INBOX', letter({ token: 'c' }), at(3));
  await actor.deliver('Work', letter({ token: 'd' }), { ...at(4), flags: ['\\Seen'] });
}

/** What `/changes` has to say after an action: Emails by their tokens, Threads by that of their first Email, Mailboxes by their names. */
type Told = { readonly [T in Type]?: { readonly [K in 'created' | 'updated' | 'destroyed']?: readonly string[] } };

type Row = readonly [what: string, act: (actor: ImapActor) => Promise<unknown>, told: Told];

const actions: readonly Row[] = [
  [
    'a delivery',
    (actor) => actor.deliver('INBOX', letter({ token: 'e' })),
    { Email: { created: ['e'] }, Thread: { created: ['e'] }, Mailbox: { updated: ['INBOX'] } },
  ],
  [
    'an answer that is delivered',
    (actor) => actor.deliver('INBOX', letter({ token: 'e', answers: ['a', 'b'] })),
    { Email: { created: ['e'] }, Thread: { updated: ['a'] }, Mailbox: { updated: ['INBOX'] } },
  ],
  [
    'a move',
    (actor) => actor.move('INBOX', [3], 'Work'),
    { Email: { updated: ['c'] }, Mailbox: { updated: ['INBOX', 'Work'] } },
  ],
  [
    'a copy',
    (actor) => actor.copy('INBOX', [3], 'Work'),
    { Email: { updated: ['c'] }, Mailbox: { updated: ['Work'] } },
  ],
  ['a flag', (actor) => actor.flag('INBOX', [2, 3], ['\\Flagged']), { Email: { updated: ['b', 'c'] } }],
  [
    'a flag that is taken away',
    (actor) => actor.unflag('Work', [1], ['\\Seen']),
    { Email: { updated: ['d'] }, Mailbox: { updated: ['Work'] } },
  ],
  [
    'reading a message',
    (actor) => actor.flag('INBOX', [3], ['\\Seen']),
    { Email: { updated: ['c'] }, Mailbox: { updated: ['INBOX'] } },
  ],
  [
    'marking as deleted',
    (actor) => actor.markDeleted('INBOX', [2, 3]),
    { Email: { destroyed: ['b', 'c'] }, Thread: { updated: ['a'], destroyed: ['c'] }, Mailbox: { updated: ['INBOX'] } },
  ],
  [
    'an expunge',
    (actor) => actor.expunge('INBOX', [1, 3]),
    { Email: { destroyed: ['a', 'c'] }, Thread: { updated: ['a'], destroyed: ['c'] }, Mailbox: { updated: ['INBOX'] } },
  ],
  ['a mailbox that is created', (actor) => actor.create('Home'), { Mailbox: { created: ['Home'] } }],
  ['a mailbox that is renamed', (actor) => actor.rename('Work', 'Home'), { Mailbox: { updated: ['Home'] } }],
  [
    'a mailbox that is moved below another',
    (actor) => actor.rename('Work', 'Play/Work'),
    { Mailbox: { updated: ['Play/Work'] } },
  ],
  [
    'a mailbox that is deleted',
    (actor) => actor.remove('Work'),
    { Email: { destroyed: ['d'] }, Thread: { destroyed: ['d'] }, Mailbox: { destroyed: ['Work'] } },
  ],
  ['a subscription', (actor) => actor.unsubscribe('Work'), { Mailbox: { updated: ['Work'] } }],
  [
    'a move there and a copy back',
    async (actor) => {
      await actor.move('INBOX', [3], 'Work');
      await actor.copy('Work', [2], 'INBOX');
    },
    { Email: { updated: ['c'] }, Mailbox: { updated: ['Work'] } },
  ],
  [
    'a message that comes and goes',
    async (actor) => {
      const uid = await actor.deliver('INBOX', letter({ token: 'e' }));
      await actor.expunge('INBOX', [uid]);
    },
    {},
  ],
  [
    'deliveries, moves and flags at once',
    async (actor) => {
      await actor.deliver('Work', letter({ token: 'e' }));
      await actor.move('INBOX', [1, 2], 'Play');
      await actor.flag('Play', [1], ['$Forwarded']);
      await actor.expunge('INBOX', [3]);
    },
    {
      Email: { created: ['e'], updated: ['a', 'b'], destroyed: ['c'] },
      Thread: { created: ['e'], destroyed: ['c'] },
      Mailbox: { updated: ['INBOX', 'Play', 'Work'] },
    },
  ],
];

const renames = new Set(['a mailbox that is renamed', 'a mailbox that is moved below another']);

const newestFirst = [{ property: 'receivedAt', isAscending: false }];
const questions: Question[] = [
  { filter: null, sort: newestFirst, collapseThreads: false },
  { filter: { notKeyword: '$seen' }, sort: newestFirst, collapseThreads: true },
];

/** One user's account, seen from both sides. */
type Account = {
  readonly server: TestServer;
  readonly user: TestUser;
  readonly actor: ImapActor;
  readonly client: JmapClient;
  /** Takes a snapshot of what is there now, through the warm process or another client. */
  readonly look: (through?: JmapClient) => Promise<Snapshot>;
  /** Ids of the contents seen so far. */
  readonly idOf: (token: string) => Id;
};

describe.each([...backends, courierBackend])('on $title', (backend) => {
  let product: Product;
  let warm: Process;
  beforeAll(async () => {
    product = startProduct(await backend.start(), backend);
    warm = await product.startProcess();
  });
  afterAll(() => product.stop());

  async function withAccount(act: (account: Account) => Promise<void>): Promise<void> {
    const server = await backend.start();
    const user = await server.freshUser();
    const actor = await imapActor(server, user);
    await fill(actor);
    const ids = new Map<string, Id>();
    const client = await warm.client(user);
    const look = async (through = client): Promise<Snapshot> => {
      await product.seeAll(through);
      const snapshot = await takeSnapshot(through, questions);
      const list = await tokensOf(through, [...snapshot.Email.keys()]);
      for (const [id, token] of list) ids.set(token, id);
      return snapshot;
    };
    const idOf = (token: string) => ids.get(token) ?? (`no ${token}` as Id);
    try {
      await act({ server, user, actor, client, look, idOf });
    } finally {
      await actor.close();
    }
  }

  const comparable = actions.filter(([what]) => backend.keepsRenamed || !renames.has(what));
  test.each(comparable)('%s is all that /changes tells, in this process and in another', async (_, act, told) => {
    await withAccount(async ({ user, actor, client, look, idOf }) => {
      const before = await look();
      await act(actor);
      const after = await look();
      const history = [before, after];
      const another = await (await product.startProcess()).client(user);
      for (const each of [client, another]) {
        for (const type of types) {
          const changes = await each.changes(type, before.states[type]);
          expect({ type, ...named(changes, type, history, idOf) }).toEqual({ type, ...completed(told[type]) });
        }
        await expectExactChanges(each, history, [0, 1], backend.hasModseqs);
        await expectSameQueries(each, history, questions, [0]);
      }
      expectExactCounts(after);
      expectExactThreads(after);
    });
  });

  if (!backend.keepsRenamed) {
    test('a mailbox that is renamed is another one, with the Emails it had', async () => {
      await withAccount(async ({ actor, client, look, idOf }) => {
        const before = await look();
        await actor.rename('Work', 'Home');
        const after = await look();
        const [work, home] = [mailboxNamed(before, 'Work').id, mailboxNamed(after, 'Home').id];
        expect(after.Email.get(idOf('d'))).toEqual({ ...before.Email.get(idOf('d')), mailboxIds: { [home]: true } });
        const changes = await client.changes('Mailbox', before.states.Mailbox);
        expect(changes).toMatchObject({ created: [home], updated: [], destroyed: [work] });
        await expectExactChanges(client, [before, after]);
        await expectSameQueries(client, [before, after], questions, [0]);
      });
    });
  }

  test('a message that is undeleted comes back under its old id', async () => {
    await withAccount(async ({ actor, client, look, idOf }) => {
      const first = await look();
      const c = idOf('c');
      await actor.markDeleted('INBOX', [3]);
      const second = await look();
      expect(second.Email.has(c)).toBe(false);
      await actor.undelete('INBOX', [3]);
      const third = await look();
      expect(third.Email.get(c)).toEqual(first.Email.get(c));
      expect(await client.changes('Email', second.states.Email)).toMatchObject({
        created: [c],
        updated: [],
        destroyed: [],
      });
      expect(await client.changes('Email', first.states.Email)).toMatchObject({
        created: [],
        updated: [c],
        destroyed: [],
      });
    });
  });

  test.each([
    ['made anew with the same messages', (actor: ImapActor) => actor.recreate('Work')],
    ...(backend.start !== dovecot
      ? []
      : [
          [
            'given another UIDVALIDITY by its administrator',
            (_: ImapActor, user: TestUser) => resetUidValidity(user, 'Work'),
          ] as const,
        ]),
  ] as const)('Email ids stay when a mailbox is %s', async (_, act) => {
    await withAccount(async ({ user, actor, client, look, idOf }) => {
      const before = await look();
      const [d, work] = [idOf('d'), mailboxNamed(before, 'Work').id];
      await act(actor, user);
      const after = await look();
      expect(idOf('d')).toBe(d);
      expect([...after.Email.keys()].sort()).toEqual([...before.Email.keys()].sort());
      // A server's own id of the mailbox tells that it is another one; a derived one stays.
      expect(mailboxNamed(after, 'Work').id === work).toBe(backend.scheme !== 'objectid');
      await expectExactChanges(client, [before, after]);
      await expectSameQueries(client, [before, after], questions, [0]);
      await actor.flag('Work', await actor.uids('Work'), ['\\Flagged']);
      const flagged = await look();
      expect(flagged.Email.get(d)?.keywords).toEqual({ $seen: true, $flagged: true });
      await expectExactChanges(client, [before, after, flagged]);
    });
  });

  test('nobody reads another message under the id of one whose mailbox was replaced a moment ago', async () => {
    await withAccount(async ({ actor, client, look, idOf }) => {
      await look();
      const d = idOf('d');
      await actor.remove('Work');
      await actor.create('Work');
      await actor.deliver('Work', letter({ token: 'x' }));
      // The clock stands still: the catalog is taken for fresh.
      expect([...(await tokensOf(client, [d])).values()].filter((token) => token !== 'd')).toEqual([]);
      await look();
      expect(idOf('x')).not.toBe(d);
      expect((await client.get('Email', { ids: [d] })).notFound).toEqual([d]);
    });
  });

  test('a message that was moved a moment ago is read where it is now', async () => {
    await withAccount(async ({ actor, client, look, idOf }) => {
      await look();
      await actor.move('INBOX', [3], 'Play');
      expect(await tokensOf(client, [idOf('c')])).toEqual(new Map([[idOf('c'), 'c']]));
    });
  });

  test('a forged message is another Email, wherever it lies and whatever became of the original', async () => {
    await withAccount(async ({ user, actor, client, look, idOf }) => {
      const forged = (token: string) => letter({ token, claims: 'd' });
      const at = { receivedAt: new Date(Date.UTC(2025, 0, 4)) };
      await look();
      const d = idOf('d');
      await actor.deliver('Work', forged('e'), at);
      await actor.deliver('Play', forged('f'), at);
      await look();
      await actor.deliver('Play', forged('g'), at);
      await actor.expunge('Work', [1]);
      const seen = await look();
      const forgeries = ['e', 'f', 'g'].map(idOf);
      expect(new Set([d, ...forgeries]).size).toBe(4);
      expect(seen.Email.has(d)).toBe(false);
      product.store.dropAccount(client.accountId);
      const again = await look(await (await product.startProcess()).client(user));
      expect(['e', 'f', 'g'].map(idOf)).toEqual(forgeries);
      expect([...again.Email.keys()].sort()).toEqual([...seen.Email.keys()].sort());
    });
  });

  test('with the table lost, every id names the same again, and older states are refused', async () => {
    await withAccount(async ({ user, actor, client, look }) => {
      await actor.copy('INBOX', [1], 'Work');
      await actor.rename('Play', 'Home');
      const before = await look();
      product.store.dropAccount(client.accountId);
      const after = await look(await (await product.startProcess()).client(user));
      expect(after.Email).toEqual(before.Email);
      expect(after.Thread).toEqual(before.Thread);
      expect(after.Mailbox).toEqual(before.Mailbox);
      for (const type of types) {
        expect(after.states[type]).not.toBe(before.states[type]);
        const changes = client.changes(type, before.states[type]);
        await expect(changes).rejects.toMatchObject({ type: 'cannotCalculateChanges' });
      }
    });
  });

  test('the order in which a conversation arrives does not split it', async () => {
    await withAccount(async ({ actor, client, look, idOf }) => {
      const first = await look();
      const history = [first];
      for (const [token, answers] of [
        ['z', ['w', 'x', 'y']],
        ['x', ['w']],
        ['y', ['w', 'x']],
        ['w', []],
      ] as const) {
        await actor.deliver('Play', letter({ token, answers }));
        history.push(await look());
      }
      const last = history.at(-1) ?? first;
      const threads = ['w', 'x', 'y', 'z'].map((token) => last.Email.get(idOf(token))?.threadId);
      expect(new Set(threads).size).toBe(1);
      expectExactThreads(last);
      await expectExactChanges(client, history);
    });
  });

  test('requests that arrive at once at several processes agree', async () => {
    await withAccount(async ({ user, actor, look }) => {
      const processes = await Promise.all([1, 2, 3].map(() => product.startProcess()));
      const clients = await Promise.all(processes.map((process) => process.client(user)));
      product.advanceClock(10_000);
      const first = await Promise.all(clients.map((client) => takeSnapshot(client, questions)));
      expect(new Set(first.map(({ states }) => JSON.stringify(states))).size).toBe(1);
      await actor.move('INBOX', [1, 2], 'Work');
      await actor.deliver('INBOX', letter({ token: 'e' }));
      product.advanceClock(10_000);
      const second = await Promise.all(clients.map((client) => takeSnapshot(client, questions)));
      const settled = await look();
      for (const [index, client] of clients.entries()) {
        const history = [first[index], second[index]].filter((snapshot) => snapshot !== undefined);
        expect(second[index]).toEqual(settled);
        await expectExactChanges(client, history);
      }
    });
  });
});

async function resetUidValidity({ user }: TestUser, mailbox: string): Promise<void> {
  const server = await dovecot();
  await server.doveadm('mailbox', 'update', '-u', user, '--uid-validity', '1234567', mailbox);
}

async function tokensOf(client: JmapClient, ids: readonly Id[]): Promise<ReadonlyMap<Id, string>> {
  const property = 'header:X-Token:asText';
  const { list } = await client.get<{ id: Id; [property]: string }>('Email', { ids: [...ids], properties: [property] });
  return new Map(list.map((email) => [email.id, email[property]]));
}

/** The changes with names in the place of ids, those of a destroyed record as it was called before. */
function named(
  { created, updated, destroyed }: ChangesResponse,
  type: Type,
  [before, after]: readonly Snapshot[],
  idOf: (token: string) => Id,
) {
  const nameOf = (id: Id): string => {
    if (type === 'Mailbox') {
      const [now, then] = [after, before].map((snapshot) => namesOf(snapshot?.Mailbox ?? new Map()));
      return now?.get(id) ?? then?.get(id) ?? id;
    }
    const tokens = ['a', 'b', 'c', 'd', 'e'];
    const isIt = (token: string) =>
      type === 'Email'
        ? idOf(token) === id
        : [before, after].some((snapshot) => snapshot?.Email.get(idOf(token))?.threadId === id);
    return tokens.find(isIt) ?? id;
  };
  const names = (ids: readonly Id[]) => ids.map(nameOf).sort();
  return { created: names(created), updated: names(updated), destroyed: names(destroyed) };
}

function completed(told: Told[Type] = {}) {
  return { created: [], updated: [], destroyed: [], ...told };
}
