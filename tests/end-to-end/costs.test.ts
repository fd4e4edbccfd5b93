import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { appendMessages, type MessageToAppend } from '../../functions/local/append-messages.ts';
import { bulkMessages } from '../../functions/local/sample-mail/bulk-messages.ts';
import type { Id, JsonObject } from '../../shared/jmap/scalars.ts';
import type { Call } from '../bench/postern.ts';
import { fullMessage, openInbox, statePoll, whatIsNew } from '../bench/requests.ts';
import { dovecot, type TestUser } from '../servers/servers.ts';
import { type Product, startProduct } from './harness.ts';
import { type ImapActor, imapActor } from './imap-actor.ts';
import { answerOf, type JmapClient } from './jmap-client.ts';
import { letter } from './letter.ts';

/** What the requests of a client cost in an account of 200 mailboxes on Dovecot. The table is what was measured: a rise fails. */

const mailboxes = 200;
const messagesElsewhere = 3;
/** 100000 takes three minutes. */
const messagesInInbox = Number(process.env.POSTERN_TEST_COSTS_MESSAGES ?? 1_000);
jest.setTimeout(60_000 + messagesInInbox * 5);
const freshnessMs = 1_000;

type Scene = { readonly inbox: Id; readonly newest: Id; readonly state: string };

/** What is asked for, and what another client did just before. */
type Request = {
  readonly outside?: (actor: ImapActor) => Promise<unknown>;
  readonly calls: (scene: Scene) => readonly Call[];
  /** How many records the last answer has. */
  readonly records: number;
};

const changed = (sinceState: string): readonly Call[] => {
  const ids = { resultOf: 'changes', name: 'Email/changes', path: '/updated' };
  return [
    ['Email/changes', { sinceState }, 'changes'],
    ['Email/get', { '#ids': ids, properties: ['keywords', 'mailboxIds'] }, 'emails'],
  ];
};
const search = (filter: JsonObject): readonly Call[] => [['Email/query', { filter, limit: 50 }, 'query']];

let flagged = 0;
let delivered = 0;
let moved = 0;
const another = {
  delivers: (actor: ImapActor) => actor.deliver('INBOX', letter({ token: `new${++delivered}` })),
  flags: (actor: ImapActor) => actor.flag('INBOX', [++flagged], ['$Forwarded']),
  moves: (actor: ImapActor) => actor.move('INBOX', [500 + ++moved], 'Archive'),
};

const requests = {
  'state of Emails': { calls: () => statePoll, records: 0 },
  'state of Threads': { calls: () => [['Thread/get', { ids: [] }, 'a']], records: 0 },
  'ids of all Mailboxes': { calls: () => [['Mailbox/get', { properties: ['id'] }, 'a']], records: mailboxes },
  'all Mailboxes': { calls: () => [['Mailbox/get', { ids: null }, 'a']], records: mailboxes },
  'open inbox': { calls: ({ inbox }) => openInbox(inbox), records: 50 },
  'open inbox, one flagged': { outside: another.flags, calls: ({ inbox }) => openInbox(inbox), records: 50 },
  'a delivery': { outside: another.delivers, calls: ({ state }) => whatIsNew(state), records: 1 },
  'a flag change': { outside: another.flags, calls: ({ state }) => changed(state), records: 1 },
  'a move': { outside: another.moves, calls: ({ state }) => changed(state), records: 1 },
  'a whole message': { calls: ({ newest }) => fullMessage(newest), records: 1 },
  'a word in the inbox': { calls: ({ inbox }) => search({ inMailbox: inbox, text: 'lorry' }), records: 50 },
  'a rare word anywhere': { calls: () => search({ text: 'medlar' }), records: 0 },
  'many words, in any field, anywhere': {
    calls: () => {
      const anyField = ['from', 'to', 'subject', 'body'].map((field) => ({ [field]: 'medlar jelly' }));
      return search({
        operator: 'AND',
        conditions: [
          { operator: 'OR', conditions: anyField },
          { notKeyword: '$draft', text: 'loquat' },
        ],
      });
    },
    records: 0,
  },
  'a word anywhere': { calls: () => search({ text: 'lorry' }), records: 50 },
} as const satisfies { [name: string]: Request };

/**
 * `polled`: a process that showed the inbox and has asked the mail server within `freshnessMs`; `warm`: one that has not asked
 * since; `fresh`: one that has done nothing yet but log in.
 */
type Process = 'polled' | 'warm' | 'fresh';

/** IMAP commands after login and ENABLE, by the first of each name, and units of the store at most: with 1,000 messages as with 100,000. */
type Cost = readonly [
  request: keyof typeof requests,
  process: Process,
  commands: string,
  reads: number,
  writes: number,
];

const costs: readonly Cost[] = [
  ['state of Emails', 'polled', '', 1, 0],
  ['state of Threads', 'polled', '', 1, 0],
  ['ids of all Mailboxes', 'polled', '', 1, 0],
  ['all Mailboxes', 'polled', '', 1, 0],
  ['open inbox', 'polled', 'EXAMINE, UID FETCH, UNSELECT', 1, 0],
  ['a whole message', 'polled', 'EXAMINE, 2 UID FETCH, UNSELECT', 2, 0],
  // A second block of rows, where the newest one holds fewer messages than have to be looked at.
  ['a word in the inbox', 'polled', 'EXAMINE, UID SEARCH, UNSELECT', 1.5, 0],
  ['a word anywhere', 'polled', 'EXAMINE, UID SEARCH, UNSELECT', 1.5, 0],

  ['state of Emails', 'warm', 'LIST', 1, 0],
  ['all Mailboxes', 'warm', 'LIST', 1, 0],
  ['open inbox', 'warm', 'LIST, EXAMINE, UID FETCH, UNSELECT', 1, 0],
  ['open inbox, one flagged', 'warm', 'LIST, EXAMINE, UID FETCH, UNSELECT', 2.5, 2],
  ['a delivery', 'warm', 'LIST, EXAMINE, 2 UID FETCH, UNSELECT', 4, 2],
  ['a flag change', 'warm', 'LIST, EXAMINE, UNSELECT', 2.5, 2],
  ['a move', 'warm', '2 LIST, 2 EXAMINE, UID FETCH, UNSELECT', 5, 2],
  ['a whole message', 'warm', 'LIST, EXAMINE, 2 UID FETCH, UNSELECT', 2, 0],
  ['a word in the inbox', 'warm', 'LIST, EXAMINE, UID SEARCH, UNSELECT', 1.5, 0],
  ['a word anywhere', 'warm', 'LIST, EXAMINE, UID SEARCH, UNSELECT', 1.5, 0],

  ['state of Emails', 'fresh', 'LIST', 2.5, 0],
  ['all Mailboxes', 'fresh', 'LIST', 2.5, 0],
  ['open inbox', 'fresh', 'LIST, EXAMINE, UID FETCH, UNSELECT', 6, 0],
  ['open inbox, one flagged', 'fresh', 'LIST, EXAMINE, UID FETCH, UNSELECT', 7.5, 2],
  ['a delivery', 'fresh', 'LIST, EXAMINE, 2 UID FETCH, UNSELECT', 6, 2],
  ['a flag change', 'fresh', 'LIST, EXAMINE, UNSELECT', 4.5, 2],
  ['a move', 'fresh', '2 LIST, 2 EXAMINE, UID FETCH, UNSELECT', 8.5, 2],
  ['a whole message', 'fresh', 'LIST, EXAMINE, 2 UID FETCH, UNSELECT', 4.5, 0],
  ['a word in the inbox', 'fresh', 'LIST, EXAMINE, UID SEARCH, UNSELECT', 6, 0],
  // Not before the last row is it known that none matches.
  ['a rare word anywhere', 'fresh', 'LIST, 200 EXAMINE, 200 UID SEARCH, UNSELECT', 105 + messagesInInbox / 250, 0],
  [
    'many words, in any field, anywhere',
    'fresh',
    'LIST, 200 EXAMINE, 200 UID SEARCH, UNSELECT',
    105 + messagesInInbox / 250,
    0,
  ],
  ['a word anywhere', 'fresh', 'LIST, EXAMINE, UID SEARCH, UNSELECT', 6, 0],
];

let product: Product;
let user: TestUser;
let actor: ImapActor;

beforeAll(async () => {
  const server = await dovecot();
  user = await server.freshUser();
  await appendMessages({ host: server.host, imapPort: server.imapPort, ...user }, mail());
  actor = await imapActor(server, user);
  product = startProduct(server, {}, { freshnessMs, requestTimeoutSeconds: 900 });
  // Rights are asked for once an hour.
  const client = await (await product.startProcess()).client(user);
  await ask(client, requests['all Mailboxes'].calls());
});
afterAll(async () => {
  await product?.stop();
  await actor?.close();
});

function* mail(): Generator<MessageToAppend> {
  const now = new Date();
  const others = ['Drafts', 'Sent', 'Junk', 'Trash', 'Archive'];
  while (others.length < mailboxes - 1) others.push(`Folder ${others.length}`);
  yield* bulkMessages({ mailbox: ['INBOX'], count: messagesInInbox, seed: 1, now });
  for (const [index, name] of others.entries()) {
    yield* bulkMessages({ mailbox: [name], count: messagesElsewhere, seed: index + 2, now });
  }
}

/** The answers to the calls of one request. */
async function ask({ accountId, call }: JmapClient, calls: readonly Call[]): Promise<readonly JsonObject[]> {
  const responses = await call(calls.map(([name, args, callId]) => [name, { accountId, ...args }, callId]));
  return calls.map(([name], index) => answerOf(name, responses[index]));
}

/** What a client knows that has shown the inbox. */
async function sceneOf(client: JmapClient): Promise<Scene> {
  const { list } = await client.get<{ id: Id; role: string }>('Mailbox', { properties: ['role'] });
  const inbox = list.find(({ role }) => role === 'inbox')?.id ?? ('' as Id);
  const [, query] = await ask(client, openInbox(inbox));
  const { state } = await client.get('Email', { ids: [] });
  const [newest] = (query as { ids: Id[] }).ids;
  return { inbox, state, newest: newest ?? ('' as Id) };
}

/** What the request costs, with the records of its last answer. */
async function costOf(request: Request, kind: Process) {
  const first = await product.startProcess();
  const firstClient = await first.client(user);
  const scene = await sceneOf(firstClient);
  await request.outside?.(actor);
  const process = kind === 'fresh' ? await product.startProcess() : first;
  const client = kind === 'fresh' ? await process.client(user) : firstClient;
  if (kind !== 'polled') product.advanceClock(freshnessMs + 1);

  const before = kind === 'fresh' ? 0 : process.imap.commands.length;
  product.store.resetUnits();
  const answers = await ask(client, request.calls(scene));
  const { reads, writes } = product.store.units();
  const commands = tallied(process.imap.commands.slice(before));
  const connections = process.imap.connections;
  await Promise.all([...new Set([first, process])].map(({ stop }) => stop()));
  const { list, ids } = answers.at(-1) ?? {};
  return { commands, connections, reads, writes, records: ((list ?? ids) as unknown[]).length };
}

/** Each name once, with its number. */
function tallied(commands: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const name of commands) counts.set(name, (counts.get(name) ?? 0) + 1);
  return [...counts].map(([name, count]) => (count === 1 ? name : `${count} ${name}`)).join(', ');
}

test.each(costs)('%s, %s', async (name, process, commands, reads, writes) => {
  const request: Request = requests[name];
  const cost = await costOf(request, process);
  // The login is over the connection that the request has.
  expect(cost).toMatchObject({ commands, connections: 1, records: request.records });
  expect(cost.reads).toBeLessThanOrEqual(reads);
  expect(cost.writes).toBeLessThanOrEqual(writes);
});

type Change = readonly [
  what: string,
  emails: number,
  patch: (mailboxes: { readonly [role: string]: Id }) => JsonObject | null,
  commands: string,
  reads: number,
  writes: number,
];

/** Email/set in a warm process, of Emails in the inbox that the client has shown; null: they are destroyed. */
const changes: readonly Change[] = [
  ['a keyword', 1, () => ({ 'keywords/$flagged': true }), 'LIST, SELECT, UID STORE, UNSELECT', 1, 2],
  [
    'a keyword on a thousand',
    1000,
    () => ({ 'keywords/$answered': true }),
    'LIST, SELECT, UID STORE, UNSELECT',
    40,
    60,
  ],
  [
    ...(['a move', 1, ({ archive = '' }) => ({ mailboxIds: { [archive]: true } })] as const),
    ...(['LIST, SELECT, UID MOVE, EXAMINE, UID FETCH, UNSELECT', 5, 2] as const),
  ],
  ['a message destroyed', 1, () => null, 'LIST, SELECT, UID STORE, UID EXPUNGE, UNSELECT', 3, 2],
  [
    ...(['a thousand moved', 990, ({ archive = '' }) => ({ mailboxIds: { [archive]: true } })] as const),
    ...(['LIST, SELECT, UID MOVE, EXAMINE, UID FETCH, UNSELECT', 15, 60] as const),
  ],
  [
    ...(['a copy', 1, ({ archive = '' }) => ({ [`mailboxIds/${archive}`]: true })] as const),
    // By then a look-up run may have a level of pages more.
    ...(['LIST, SELECT, UID COPY, EXAMINE, UID FETCH, UNSELECT', 6, 2] as const),
  ],
];

test.each(changes)('%s', async (_, count, patch, commands, reads, writes) => {
  const process = await product.startProcess();
  const client = await process.client(user);
  const { inbox } = await sceneOf(client);
  const { list } = await client.get<{ id: Id; role: string }>('Mailbox', { properties: ['role'] });
  const mailboxes = Object.fromEntries(list.map(({ id, role }) => [role, id]));
  const condition = patch(mailboxes)?.['keywords/$flagged'] ? { notKeyword: '$flagged' } : {};
  const { ids } = await client.query('Email', { filter: { inMailbox: inbox, ...condition }, limit: count });
  await client.get('Email', { ids: [...ids], properties: ['keywords'] });
  product.advanceClock(freshnessMs + 1);

  const before = process.imap.commands.length;
  product.store.resetUnits();
  const wanted = patch(mailboxes);
  const response = await client.one<{ updated: object | null; destroyed: Id[] | null }>('Email/set', {
    ...(wanted === null ? { destroy: [...ids] } : { update: Object.fromEntries(ids.map((id) => [id, wanted])) }),
  });
  const units = product.store.units();
  expect(Object.keys(response.updated ?? response.destroyed ?? {})).toHaveLength(ids.length);
  expect(tallied(process.imap.commands.slice(before))).toBe(commands);
  expect(ids.length).toBeGreaterThan(count * 0.98);
  expect(units.reads).toBeLessThanOrEqual(reads);
  expect(units.writes).toBeLessThanOrEqual(writes);
  await process.stop();
});

/** What a warm process asks the mail server for new Emails, by the way in which they come. */
const novelties: readonly (readonly [what: string, commands: string])[] = [
  ['an Email that is written', 'LIST, APPEND, EXAMINE, UID FETCH, UNSELECT'],
  ['an import', 'LIST, APPEND, EXAMINE, UID FETCH, UNSELECT'],
  // The structure is read once; where the blobs are, the server takes them from.
  ['five attachments of another Email', 'LIST, 2 EXAMINE, 2 UID FETCH, APPEND, UNSELECT'],
];

test.each(novelties)('%s', async (what, commands) => {
  const process = await product.startProcess();
  const client = await process.client(user);
  const { inbox } = await sceneOf(client);
  const mailboxIds = { [inbox]: true };
  const blobId = await client.upload(Buffer.from('Subject: upload\r\n\r\nHello\r\n'));
  const attachments = Array.from({ length: 5 }, (_, n) => ({ blobId, type: 'application/pdf', name: `${n}.pdf` }));
  const create = async (email: JsonObject) => {
    const args = { create: { k: { mailboxIds, ...email } } };
    return (await client.one<{ created: { k: { id: Id } } }>('Email/set', args)).created.k.id;
  };
  const original = await create({ subject: 'original', attachments });
  const { list } = await client.get<{ attachments: { blobId: Id; type: string }[] }>('Email', { ids: [original] });
  const taken = (list[0]?.attachments ?? []).map((part) => ({ blobId: part.blobId, type: part.type }));
  product.advanceClock(freshnessMs + 1);

  const before = process.imap.commands.length;
  if (what === 'an import') await client.one('Email/import', { emails: { k: { blobId, mailboxIds } } });
  else await create({ subject: 'new', ...(what.startsWith('five') ? { attachments: taken } : {}) });
  expect(tallied(process.imap.commands.slice(before))).toBe(commands);
  await process.stop();
});

/** What Mailbox/set costs in a warm process; the first LIST is the sync before it, the last one looks at what was done. */
const mailboxChanges: readonly (readonly [
  what: string,
  args: (id: Id) => JsonObject,
  commands: string,
  reads: number,
  writes: number,
])[] = [
  ['a Mailbox created', () => ({ create: { k: { name: 'New' } } }), '2 LIST, CREATE, SUBSCRIBE, MYRIGHTS', 3, 2],
  [
    'a Mailbox renamed',
    (id) => ({ update: { [id]: { name: 'Newer' } } }),
    '2 LIST, RENAME, SUBSCRIBE, UNSUBSCRIBE',
    3,
    2,
  ],
  ['a Mailbox ordered', (id) => ({ update: { [id]: { sortOrder: 7 } } }), 'LIST', 3, 2],
  ['a Mailbox unsubscribed', (id) => ({ update: { [id]: { isSubscribed: false } } }), '2 LIST, UNSUBSCRIBE', 3, 2],
  ['a Mailbox destroyed', (id) => ({ destroy: [id] }), '4 LIST, RENAME, DELETE, UNSUBSCRIBE', 3, 2],
];

test.each(mailboxChanges)('%s', async (what, args, commands, reads, writes) => {
  const process = await product.startProcess();
  const client = await process.client(user);
  await sceneOf(client);
  const name = what.replaceAll(' ', '-');
  const made = await client.one<{ created: { m: { id: Id } } }>('Mailbox/set', { create: { m: { name } } });
  await client.get('Mailbox', { ids: null });
  product.advanceClock(freshnessMs + 1);

  const before = process.imap.commands.length;
  product.store.resetUnits();
  const response = await client.one<JsonObject>('Mailbox/set', args(made.created.m.id));
  const units = product.store.units();
  expect(response).toMatchObject({ notCreated: null, notUpdated: null, notDestroyed: null });
  expect(tallied(process.imap.commands.slice(before))).toBe(commands);
  expect(units.reads).toBeLessThanOrEqual(reads);
  expect(units.writes).toBeLessThanOrEqual(writes);
  await process.stop();
});
