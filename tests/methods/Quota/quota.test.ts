import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { AccountMethod } from '../../../shared/jmap/method.ts';
import type { Id, JsonObject } from '../../../shared/jmap/scalars.ts';
import { mailCapability, quotaCapability } from '../../../shared/methods/capabilities.ts';
import { quota } from '../../../shared/methods/Quota/index.ts';
import type { QuotaPorts, QuotaResource } from '../../../shared/methods/Quota/record.ts';
import { contextFor } from '../context.ts';
import { callMethod } from '../mail-account.ts';

const storage: QuotaResource = { root: 'User quota', resource: 'STORAGE', usage: 104, limit: 10_923_847 };
const messages: QuotaResource = { root: 'User quota', resource: 'MESSAGE', usage: 42, limit: 1_000 };
const mailboxes: QuotaResource = { root: 'Archive', resource: 'MAILBOX', usage: 7, limit: 50 };

/** An account whose quotas can be set otherwise at any time. */
function account(told: readonly QuotaResource[], using: readonly string[] = [mailCapability, quotaCapability]) {
  const server = { told };
  const ports: QuotaPorts = { quotas: async () => server.told };
  const context = { ...contextFor(ports), using: new Set(using) };
  const call = (verb: keyof typeof quota.methods, args: JsonObject = {}) =>
    callMethod(quota.methods[verb] as AccountMethod<QuotaPorts>, args, ports, context);
  const get = async (args: JsonObject = { ids: null }) =>
    (await call('get', args)) as { state: string; list: (JsonObject & { id: Id })[]; notFound: Id[] };
  const idOf = async (resource: QuotaResource) => {
    const { list } = await account([resource]).get();
    return list[0]?.id ?? ('none' as Id);
  };
  return { server, call, get, idOf };
}

describe('Quota/get (RFC 9425 §4.2)', () => {
  test('shows what the mail server limits, in octets and objects', async () => {
    const { get } = account([storage, messages, mailboxes]);
    const { list, notFound } = await get();
    const rest = { scope: 'account', warnLimit: null, softLimit: null, description: null };
    const shown = list.map(({ id: _, ...others }) => others);
    expect(shown).toHaveLength(3);
    expect(shown).toEqual(
      expect.arrayContaining([
        {
          ...rest,
          name: 'User quota',
          resourceType: 'octets',
          used: 106_496,
          hardLimit: 11_186_019_328,
          types: ['Email'],
        },
        { ...rest, name: 'User quota', resourceType: 'count', used: 42, hardLimit: 1_000, types: ['Email'] },
        { ...rest, name: 'Archive', resourceType: 'count', used: 7, hardLimit: 50, types: ['Mailbox'] },
      ]),
    );
    expect(notFound).toEqual([]);
  });

  test('shows the asked properties of the asked Quotas', async () => {
    const { get, idOf } = account([storage, messages]);
    const id = await idOf(messages);
    expect(await get({ ids: [id, 'q0'], properties: ['used'] })).toMatchObject({
      list: [{ id, used: 42 }],
      notFound: ['q0'],
    });
  });

  const hidden: [string, QuotaResource[], string[]][] = [
    ['a server without quotas', [], [mailCapability, quotaCapability]],
    ['a resource that concerns no data type', [{ ...storage, resource: 'ANNOTATION-STORAGE' }], [mailCapability]],
    ['a request that does not use mail', [storage, messages], [quotaCapability]],
  ];
  test.each(hidden)('shows nothing of %s', async (_, told, using) => {
    expect(await account(told, using).get()).toMatchObject({ list: [], notFound: [] });
  });

  test('keeps to numbers that JSON can hold, and to a number of Quotas', async () => {
    const huge = { ...storage, limit: Number.MAX_SAFE_INTEGER };
    expect((await account([huge]).get()).list).toMatchObject([{ hardLimit: Number.MAX_SAFE_INTEGER }]);
    const many = Array.from({ length: 100 }, (_, index) => ({ ...storage, root: `root ${index}` }));
    expect((await account(many).get()).list).toHaveLength(16);
  });

  test('has ids that stay, and a state that changes with what it tells of and with nothing else', async () => {
    const { server, get } = account([storage, messages]);
    const before = await get();
    server.told = [messages, storage];
    expect(await get()).toEqual(before);
    server.told = [messages, { ...storage, usage: 105 }];
    const after = await get();
    expect(after.list.map(({ id }) => id)).toEqual(before.list.map(({ id }) => id));
    expect(after.state).not.toBe(before.state);
    expect((await get({ ids: [] })).state).toBe(after.state);
  });
});

describe('Quota/changes (RFC 9425 §4.3)', () => {
  const changes: [string, QuotaResource[], QuotaResource[], JsonObject][] = [
    ['nothing', [storage], [storage], { created: [], updated: [], destroyed: [], updatedProperties: null }],
    ['how much is used', [storage], [{ ...storage, usage: 1 }], { updated: [storage], updatedProperties: ['used'] }],
    ['the limit', [storage], [{ ...storage, limit: 1 }], { updated: [storage], updatedProperties: null }],
    [
      'how much is used of one, and the limit of another',
      [storage, messages],
      [
        { ...storage, usage: 1 },
        { ...messages, limit: 1 },
      ],
      { updated: [storage, messages], updatedProperties: null },
    ],
    ['that there is one more', [storage], [storage, messages], { created: [messages], updatedProperties: null }],
    ['that there is one less', [storage, messages], [messages], { destroyed: [storage] }],
  ];
  test.each(changes)('tells %s', async (_, before, after, expected) => {
    const { server, get, call, idOf } = account(before);
    const { state: sinceState } = await get();
    server.told = after;
    const { state: newState } = await get();
    const answer = await call('changes', { sinceState });
    expect(answer).toMatchObject({ oldState: sinceState, newState, hasMoreChanges: false });
    for (const [name, value] of Object.entries(expected)) {
      const ids =
        name === 'updatedProperties' ? value : await Promise.all((value as unknown as QuotaResource[]).map(idOf));
      expect([name, sorted(answer[name])]).toEqual([name, sorted(ids)]);
    }
  });

  test.each([['nonsense'], ['Q1'], [''], ['Qq0123456789abcdefghi'], ['epoch-1']])(
    '"%s" is no state that there was',
    async (sinceState) => {
      expect(await account([storage]).call('changes', { sinceState })).toMatchObject({
        error: { type: 'cannotCalculateChanges' },
      });
    },
  );

  test('leads a client from any state to the present one, however few changes it takes at a time', async () => {
    const resource = fc.record({
      root: fc.constantFrom('a', 'b', ''),
      resource: fc.constantFrom('STORAGE', 'MESSAGE', 'MAILBOX', 'OTHER'),
      usage: fc.nat(3),
      limit: fc.nat(2),
    });
    const told = fc.uniqueArray(resource, { selector: (it) => `${it.root} ${it.resource}`, maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(
        fc.array(told, { minLength: 2, maxLength: 5 }),
        fc.integer({ min: 1, max: 3 }),
        async (history, maxChanges) => {
          const { server, get, call } = account([]);
          const views: Awaited<ReturnType<typeof get>>[] = [];
          for (const each of history) {
            server.told = each;
            views.push(await get());
          }
          const present = views.at(-1);
          for (const { state, list } of views) {
            const known = new Map(list.map((each) => [each.id, each]));
            let sinceState = state;
            for (let isDone = false; !isDone; ) {
              const answer = (await call('changes', { sinceState, maxChanges })) as {
                newState: string;
                hasMoreChanges: boolean;
                created: Id[];
                updated: Id[];
                destroyed: Id[];
                updatedProperties: string[] | null;
              };
              for (const id of answer.destroyed) expect(known.delete(id)).toBe(true);
              for (const id of answer.created) expect(known.has(id)).toBe(false);
              const fresh = await get({ ids: answer.created });
              for (const each of fresh.list) known.set(each.id, each);
              const changed = await get({ ids: answer.updated, properties: answer.updatedProperties });
              for (const each of changed.list) known.set(each.id, { ...known.get(each.id), ...each });
              sinceState = answer.newState;
              isDone = !answer.hasMoreChanges;
            }
            expect(sinceState).toBe(present?.state);
            expect([...known.values()].sort((a, b) => (a.id < b.id ? -1 : 1))).toEqual(present?.list);
          }
        },
      ),
      { numRuns: 60 },
    );
  });
});

describe('Quota/query (RFC 9425 §4.4)', () => {
  const found: [JsonObject, QuotaResource[]][] = [
    [{}, [mailboxes, storage, messages]],
    [{ filter: { name: 'user' } }, [storage, messages]],
    [{ filter: { name: 'quota', resourceType: 'count' } }, [messages]],
    [{ filter: { resourceType: 'octets' } }, [storage]],
    [{ filter: { type: 'Mailbox' } }, [mailboxes]],
    [{ filter: { scope: 'account', type: 'Email' } }, [storage, messages]],
    [{ filter: { scope: 'global' } }, []],
    [{ filter: { operator: 'NOT', conditions: [{ type: 'Email' }] } }, [mailboxes]],
    [{ sort: [{ property: 'used' }] }, [mailboxes, messages, storage]],
    [{ sort: [{ property: 'used', isAscending: false }] }, [storage, messages, mailboxes]],
    [{ sort: [{ property: 'used' }], position: 1, limit: 1 }, [messages]],
  ];
  test.each(found)('%j', async (args, expected) => {
    const { call, idOf } = account([storage, messages, mailboxes]);
    const ids = await Promise.all(expected.map(idOf));
    const { ids: results } = await call('query', args);
    // Quotas of one name go by their ids.
    const isOrdered = args.sort !== undefined || ids.length < 2;
    expect(isOrdered ? results : sorted(results)).toEqual(isOrdered ? ids : sorted(ids));
  });

  test.each([
    ['unsupportedFilter', { filter: { colour: 'red' } }],
    ['unsupportedSort', { sort: [{ property: 'hardLimit' }] }],
    ['invalidArguments', { filter: { name: 5 } }],
  ])('%s: %j', async (type, args) => {
    expect(await account([]).call('query', args as JsonObject)).toMatchObject({ error: { type } });
  });
});

describe('Quota/queryChanges (RFC 9425 §4.5)', () => {
  test.each([
    [{ sort: [{ property: 'used' }] }],
    [{ sort: [{ property: 'name' }], filter: { type: 'Email' } }],
    [{ filter: { resourceType: 'count' } }],
  ])('leads from the old results to the new: %j', async (query) => {
    const { server, call } = account([storage, messages, mailboxes]);
    const old = await call('query', query as JsonObject);
    const other = { ...mailboxes, root: 'New' };
    server.told = [{ ...messages, usage: 1 }, { ...storage, usage: 0 }, other];
    const now = await call('query', { ...query, calculateTotal: true } as JsonObject);
    const sinceQueryState = old.queryState as string;
    const answer = await call('queryChanges', { ...query, sinceQueryState, calculateTotal: true } as JsonObject);
    expect(answer).toMatchObject({ newQueryState: now.queryState, total: now.total });
    const results = (old.ids as Id[]).filter((id) => !(answer.removed as Id[]).includes(id));
    for (const { id, index } of answer.added as { id: Id; index: number }[]) results.splice(index, 0, id);
    expect(results).toEqual(now.ids);
  });

  test('cannotCalculateChanges: no state that there was', async () => {
    const answer = await account([]).call('queryChanges', { sinceQueryState: 'nonsense' });
    expect(answer).toMatchObject({ error: { type: 'cannotCalculateChanges' } });
  });
});

function sorted(value: unknown): unknown {
  return Array.isArray(value) ? value.toSorted() : value;
}
