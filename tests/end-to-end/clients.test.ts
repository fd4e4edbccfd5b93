import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Id, JsonObject } from '../../shared/jmap/scalars.ts';
import { cyrus, dovecot, type TestUser } from '../servers/servers.ts';
import { type Process, type Product, startProduct } from './harness.ts';
import { type ImapActor, imapActor } from './imap-actor.ts';
import { answerOf, type Invocation, type JmapClient, type QueryResponse } from './jmap-client.ts';
import { letter } from './letter.ts';
import { types } from './snapshot.ts';

/** What real clients do, each with its own reading of the RFC. */

/** INBOX holds t00 to t19, Archive t20 to t29, one a day; t10 to t14 answer t00. Every third is read, every fifth flagged. */
const all = Array.from({ length: 30 }, (_, index) => `t${String(index).padStart(2, '0')}`);
const inInbox = all.slice(0, 20);
const conversation = ['t00', 't10', 't11', 't12', 't13', 't14'];
const flagged = all.filter((_, index) => index % 5 === 0);
const dateOf = (index: number) => new Date(Date.UTC(2025, 0, 1 + index));
const newest = (tokens: readonly string[]) => [...tokens].sort().reverse();

async function fill(actor: ImapActor): Promise<void> {
  for (const [index, token] of all.entries()) {
    const flags = [...(index % 3 === 0 ? ['\\Seen'] : []), ...(index % 5 === 0 ? ['\\Flagged'] : [])];
    const answers = conversation.includes(token) && token !== 't00' ? ['t00'] : [];
    const spec = {
      token,
      answers,
      lines: 30 - index,
      subject: index === 7 ? '=?utf-8?q?Quittengelee_f=C3=BCr_alle?=' : `Letter ${token}`,
    };
    await actor.deliver(index < 20 ? 'INBOX' : 'Archive', letter(spec), { flags, receivedAt: dateOf(index) });
  }
}

describe.each([
  ['Dovecot', dovecot],
  ['Cyrus', cyrus],
] as const)('on %s', (_, startServer) => {
  let product: Product;
  let process: Process;
  let user: TestUser;
  let actor: ImapActor;
  let client: JmapClient;
  let accountId: string;
  const idOf = new Map<string, Id>();
  const tokenOf = new Map<Id, string>();
  const mailboxes = new Map<string, Id>();

  beforeAll(async () => {
    const server = await startServer();
    user = await server.freshUser();
    actor = await imapActor(server, user);
    await fill(actor);
    product = startProduct(server);
    process = await product.startProcess();
    client = await process.client(user);
    accountId = client.accountId;
    const property = 'header:X-Token:asText';
    const { ids } = await client.query('Email', {});
    const { list } = await client.get<{ id: Id; [property]: string }>('Email', {
      ids: [...ids],
      properties: [property],
    });
    for (const { id, [property]: token } of list) {
      idOf.set(token, id);
      tokenOf.set(id, token);
    }
    const { list: boxes } = await client.get<{ id: Id; role: string }>('Mailbox', { properties: ['role'] });
    for (const { id, role } of boxes) mailboxes.set(role, id);
  }, 60_000);
  afterAll(async () => {
    await actor.close();
    await product.stop();
  });

  const inbox = () => ({ inMailbox: mailboxes.get('inbox') ?? '' });
  const newestFirst = [{ property: 'receivedAt', isAscending: false }];
  /** The answer to Email/query, with tokens in the place of ids. */
  async function query(args: JsonObject): Promise<Omit<QueryResponse, 'ids'> & { readonly tokens: string[] }> {
    const { ids, ...rest } = await client.query('Email', { sort: newestFirst, ...args });
    return { ...rest, tokens: ids.map((id) => tokenOf.get(id) ?? id) };
  }

  test('every id is one that can be a file name, beside another', async () => {
    const { list } = await client.get<JsonObject & { id: Id }>('Email', {
      ids: [...idOf.values()],
      properties: ['threadId', 'blobId', 'mailboxIds', 'attachments', 'textBody'],
    });
    const ids = JSON.stringify(list).matchAll(/"(?:id|threadId|blobId)":"([^"]*)"/g);
    const names = [...ids].map(([, id]) => id ?? '').concat([...mailboxes.values(), accountId]);
    expect(names.length).toBeGreaterThan(100);
    expect(names.filter((id) => !/^[A-Za-z][A-Za-z0-9_-]{0,65}$/.test(id))).toEqual([]);
  });

  test('states are short, and the same as long as nothing changes, in whatever process', async () => {
    const statesIn = async (each: JmapClient) =>
      Promise.all(types.map(async (type) => (await each.get(type, { ids: [] })).state));
    const before = await statesIn(client);
    expect(before.every((state) => state.length <= 50)).toBe(true);
    // These make the catalog remember something.
    await client.get('Mailbox', { properties: ['myRights'] });
    await client.get('Email', { ids: [...idOf.values()], properties: ['hasAttachment', 'preview'] });
    await client.query('Email', { filter: { hasAttachment: false } });
    product.advanceClock(5 * 60_000);
    expect(await statesIn(client)).toEqual(before);
    expect(await statesIn(await (await product.startProcess()).client(user))).toEqual(before);
    const session = await fetch(`${process.url}/jmap/session`, { headers: { Authorization: authorization() } });
    expect(await session.json()).toMatchObject({ state: client.session.state });
  });
  const authorization = () => `Basic ${Buffer.from(`${user.user}:${user.password}`).toString('base64')}`;

  const windows: [what: string, args: () => JsonObject, answer: object][] = [
    ['nothing at all asked for: all ids', () => ({}), { position: 0, tokens: newest(all) }],
    [
      'filter and sort null',
      () => ({ filter: null, sort: newestFirst, calculateTotal: true, limit: 1, anchor: null }),
      { position: 0, total: 30, tokens: newest(all).slice(0, 1) },
    ],
    [
      'the first page, counted',
      () => ({ filter: inbox(), position: 0, limit: 5, calculateTotal: true }),
      { position: 0, total: 20, tokens: newest(inInbox).slice(0, 5) },
    ],
    [
      'no ids but the total',
      () => ({ filter: inbox(), limit: 0, calculateTotal: true }),
      { position: 0, total: 20, tokens: [] },
    ],
    ['a page past the end', () => ({ filter: inbox(), position: 50, calculateTotal: true }), { total: 20, tokens: [] }],
    ['the last page', () => ({ filter: inbox(), position: -3 }), { position: 17, tokens: newest(inInbox).slice(-3) }],
    [
      'more than there are from the end',
      () => ({ filter: inbox(), position: -300, limit: 2 }),
      { position: 0, tokens: newest(inInbox).slice(0, 2) },
    ],
    [
      'what is around an Email',
      () => ({ filter: inbox(), anchor: idOf.get('t09') ?? '', anchorOffset: -1, limit: 3 }),
      { position: 9, tokens: ['t10', 't09', 't08'] },
    ],
    [
      'what is before an Email, beyond the beginning',
      () => ({ filter: inbox(), anchor: idOf.get('t19') ?? '', anchorOffset: -9, limit: 2, position: 7 }),
      { position: 0, tokens: ['t19', 't18'] },
    ],
    [
      'one Email of each conversation',
      () => ({ filter: inbox(), collapseThreads: true, calculateTotal: true }),
      {
        position: 0,
        total: 15,
        tokens: newest(inInbox).filter((token) => token === 't14' || !conversation.includes(token)),
      },
    ],
    ['account-wide, by keyword', () => ({ filter: { hasKeyword: '$flagged' } }), { tokens: newest(flagged) }],
    ['account-wide, without a keyword', () => ({ filter: { notKeyword: '$flagged' }, limit: 1 }), { tokens: ['t29'] }],
    [
      'other mailboxes than these',
      () => ({ filter: { inMailboxOtherThan: [inbox().inMailbox, mailboxes.get('trash') ?? ''] } }),
      { tokens: newest(all.slice(20)) },
    ],
    [
      'dates with fractions of a second',
      () => ({ filter: { after: '2025-01-05T00:00:00.000Z', before: '2025-01-08T00:00:00.000Z' } }),
      { tokens: ['t06', 't05', 't04'] },
    ],
    [
      'two conditions with the same key',
      () => ({
        filter: {
          operator: 'AND',
          conditions: [
            inbox(),
            { hasKeyword: '$flagged' },
            { operator: 'NOT', conditions: [{ hasKeyword: '$seen' }, { hasKeyword: '$draft' }] },
          ],
        },
      }),
      { tokens: ['t10', 't05'] },
    ],
    [
      'collation null, and a keyword before the date',
      () => ({
        filter: inbox(),
        limit: 5,
        sort: [
          { property: 'hasKeyword', keyword: '$flagged', isAscending: false, collation: null },
          { property: 'receivedAt', isAscending: false, collation: null },
        ],
      }),
      { tokens: ['t15', 't10', 't05', 't00', 't19'] },
    ],
    [
      'conversations with a flag',
      () => ({ filter: { someInThreadHaveKeyword: '$flagged', ...inbox() } }),
      { tokens: newest([...conversation, 't05', 't15']) },
    ],
    [
      'the largest first',
      () => ({ sort: [{ property: 'size', isAscending: false }], limit: 2 }),
      { tokens: ['t00', 't01'] },
    ],
    [
      'by subject',
      () => ({ filter: inbox(), sort: [{ property: 'subject', collation: 'i;unicode-casemap' }], limit: 2 }),
      { tokens: ['t00', 't01'] },
    ],
    ['a word', () => ({ filter: { text: 'Quittengelee' } }), { tokens: ['t07'] }],
    ['the beginning of a word, with a star', () => ({ filter: { text: 'quitten*' } }), { tokens: ['t07'] }],
    ['a word of another script', () => ({ filter: { ...inbox(), subject: 'für' } }), { tokens: ['t07'] }],
    ['a field', () => ({ filter: { header: ['X-Token', 't23'] } }), { tokens: ['t23'] }],
  ];
  test.each(windows)('Email/query answers %s', async (_, args, expected) => {
    const answer = await query(args());
    expect(answer).toMatchObject(expected);
    // Told only where the server reduced it: then the client knows that there is more.
    expect(answer.limit).toBeUndefined();
    expect(answer.canCalculateChanges).toBe(true);
  });

  test('an anchor that is not among the results is not found', async () => {
    const asked = query({ filter: { hasKeyword: '$flagged' }, anchor: idOf.get('t01') ?? '' });
    await expect(asked).rejects.toMatchObject({ type: 'anchorNotFound' });
  });

  test('one request takes a client from the mailboxes to what it shows', async () => {
    const reference = (resultOf: string, name: string, path: string) => ({ resultOf, name, path });
    const responses = await client.call([
      ['Mailbox/query', { accountId, filter: { role: 'inbox' } }, 'role'],
      ['Mailbox/get', { accountId, '#ids': reference('role', 'Mailbox/query', '/ids') }, 'mailbox'],
      ['Email/query', { accountId, filter: inbox(), sort: newestFirst, collapseThreads: true, limit: 3 }, 'query'],
      ['Email/get', { accountId, '#ids': reference('query', 'Email/query', '/ids'), properties: ['threadId'] }, 'one'],
      ['Thread/get', { accountId, '#ids': reference('one', 'Email/get', '/list/*/threadId') }, 'threads'],
      [
        'Email/get',
        { accountId, '#ids': reference('threads', 'Thread/get', '/list/*/emailIds'), properties: ['from', 'subject'] },
        'all',
      ],
    ]);
    expect(responses.map(([name]) => name)).not.toContain('error');
    const { list } = answerOf<{ list: { id: Id }[] }>('Email/get', responses[5]);
    expect(list.map(({ id }) => tokenOf.get(id))).toEqual(['t19', 't18', 't17']);
  });

  test('one request takes a client from an old state to what is new', async () => {
    const [emails, boxes] = await Promise.all([client.get('Email', { ids: [] }), client.get('Mailbox', { ids: [] })]);
    const old = await client.query('Email', { filter: inbox(), sort: newestFirst });
    await actor.deliver('INBOX', letter({ token: 'new' }));
    product.advanceClock(10_000);
    const reference = (resultOf: string, name: string, path: string) => ({ resultOf, name, path });
    const responses = await client.call([
      ['Email/changes', { accountId, sinceState: emails.state, maxChanges: 50 }, 'changes'],
      [
        'Email/get',
        { accountId, '#ids': reference('changes', 'Email/changes', '/created'), properties: ['subject'] },
        'created',
      ],
      [
        'Email/get',
        { accountId, '#ids': reference('changes', 'Email/changes', '/updated'), properties: ['keywords'] },
        'updated',
      ],
      ['Mailbox/changes', { accountId, sinceState: boxes.state }, 'boxes'],
      [
        'Mailbox/get',
        {
          accountId,
          '#ids': reference('boxes', 'Mailbox/changes', '/updated'),
          '#properties': reference('boxes', 'Mailbox/changes', '/updatedProperties'),
        },
        'counts',
      ],
      [
        'Email/queryChanges',
        { accountId, filter: inbox(), sort: newestFirst, sinceQueryState: old.queryState },
        'results',
      ],
      [
        'Email/get',
        { accountId, '#ids': reference('results', 'Email/queryChanges', '/added/*/id'), properties: ['subject'] },
        'added',
      ],
    ]);
    const lists = responses.map(([, args]) => args.list);
    expect(lists[1]).toEqual([{ id: expect.any(String), subject: 'Letter new' }]);
    expect(lists[2]).toEqual([]);
    expect(lists[4]).toEqual([
      { id: inbox().inMailbox, totalEmails: 21, unreadEmails: 14, totalThreads: 16, unreadThreads: expect.any(Number) },
    ]);
    expect(lists[6]).toEqual(lists[1]);

    // What else changed is told with null: then all properties are fetched.
    const state = answerOf<{ newState: string }>('Mailbox/changes', responses[3]).newState;
    await actor.create('Extra');
    product.advanceClock(10_000);
    const again: Invocation[] = [
      ['Mailbox/changes', { accountId, sinceState: state }, 'boxes'],
      [
        'Mailbox/get',
        {
          accountId,
          '#ids': reference('boxes', 'Mailbox/changes', '/created'),
          '#properties': reference('boxes', 'Mailbox/changes', '/updatedProperties'),
        },
        'whole',
      ],
    ];
    const [, whole] = await client.call(again);
    expect(whole?.[1].list).toEqual([
      expect.objectContaining({ name: 'Extra', totalEmails: 0, myRights: expect.anything() }),
    ]);
  });

  test('Mailboxes have roles, one each, and every right of an owner', async () => {
    const { list } = await client.get<JsonObject & { role: string | null }>('Mailbox', {});
    const roles = list.flatMap(({ role }) => role ?? []).sort();
    expect(roles).toEqual(['archive', 'drafts', 'inbox', 'junk', 'sent', 'trash']);
    for (const { myRights } of list) {
      expect(myRights).toMatchObject({ mayReadItems: true, mayAddItems: true, mayRemoveItems: true, maySetSeen: true });
    }
  });

  test('totalEmails of a mailbox is the total of a query for it', async () => {
    const { list } = await client.get<{ id: Id; totalEmails: number; totalThreads: number }>('Mailbox', {});
    for (const { id, totalEmails, totalThreads } of list) {
      const filter = { inMailbox: id };
      const { total } = await query({ filter, calculateTotal: true, limit: 0 });
      const collapsed = await query({ filter, calculateTotal: true, limit: 0, collapseThreads: true });
      expect({ id, total, collapsed: collapsed.total }).toEqual({ id, total: totalEmails, collapsed: totalThreads });
    }
  });
});
