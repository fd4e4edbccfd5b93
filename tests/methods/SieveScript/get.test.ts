import { describe, expect, test } from '@jest/globals';
import { blob } from '../../../shared/methods/Blob/index.ts';
import { blobCapability } from '../../../shared/methods/capabilities.ts';
import { callMethod } from '../mail-account.ts';
import { scriptAccount } from './script-account.ts';

const two = { one: 'keep;\r\n', two: 'discard;\r\n' };

describe('SieveScript/get (RFC 9661 §2.3)', () => {
  test('shows the scripts of the mail server', async () => {
    const { get, idOf } = scriptAccount(two, { active: 'two' });
    expect(await get()).toMatchObject({
      list: [
        { id: await idOf('one'), name: 'one', isActive: false, blobId: expect.stringMatching(/^s[0-9a-f]{40}$/) },
        { id: await idOf('two'), name: 'two', isActive: true, blobId: expect.stringMatching(/^s[0-9a-f]{40}$/) },
      ],
      notFound: [],
    });
  });

  test('shows the asked properties of the asked scripts', async () => {
    const { get, idOf } = scriptAccount(two);
    const id = await idOf('two');
    expect(await get({ ids: [id, 's0'], properties: ['name'] })).toMatchObject({
      list: [{ id, name: 'two' }],
      notFound: ['s0'],
    });
    expect((await get({ ids: [id], properties: ['name'] })).list).toEqual([{ id, name: 'two' }]);
  });

  test('has ids that stay, and a state that changes with everything that it shows and with nothing else', async () => {
    const { server, get } = scriptAccount(two, { active: 'two' });
    const before = await get();
    expect(await get()).toEqual(before);
    const states = new Set([before.state]);
    const changes: [Record<string, string | null>, string | null][] = [
      [{ one: 'stop;' }, 'two'],
      [{}, 'one'],
      [{}, null],
      [{ three: 'keep;' }, null],
      [{ two: null }, null],
    ];
    for (const [changed, active] of changes) {
      server.change(changed, active);
      const after = await get();
      expect(states.has(after.state)).toBe(false);
      states.add(after.state);
      expect(after.list[0]?.id).toBe(before.list[0]?.id);
    }
    server.change({ one: two.one, two: two.two, three: null }, 'two');
    expect((await get()).state).toBe(before.state);
  });

  test('gives blobs that can be read, whole and in part, for as long as a script has these octets', async () => {
    const { server, ports, context, get } = scriptAccount(two);
    const blobId = (await get()).list[0]?.blobId ?? 'none';
    const read = (args: object) =>
      callMethod(blob.methods.get, { ids: [blobId], ...args }, ports, {
        ...context,
        using: new Set([...context.using, blobCapability]),
      });
    expect(await read({})).toMatchObject({ list: [{ id: blobId, 'data:asText': two.one, size: 7 }], notFound: [] });
    expect(await read({ offset: 2, length: 3 })).toMatchObject({ list: [{ 'data:asText': 'ep;', size: 7 }] });
    server.change({ renamed: two.one, one: null });
    expect(await read({})).toMatchObject({ list: [{ 'data:asText': two.one }] });
    server.change({ renamed: 'stop;' });
    expect(await read({})).toMatchObject({ list: [], notFound: [blobId] });
  });
});

describe('SieveScript/query (RFC 9661 §2.5)', () => {
  const scripts = { b: '1', Ab: '2', c: '3', ab: '4' };

  test.each([
    ['no filter', {}, ['Ab', 'ab', 'b', 'c']],
    ['a name', { filter: { name: 'B' } }, ['Ab', 'ab', 'b']],
    ['what is active', { filter: { isActive: true } }, ['c']],
    ['what is not', { filter: { isActive: false } }, ['Ab', 'ab', 'b']],
    ['both', { filter: { isActive: true, name: 'b' } }, []],
    ['an operator', { filter: { operator: 'NOT', conditions: [{ name: 'a' }, { isActive: true }] } }, ['b']],
    ['a sort by name, backwards', { sort: [{ property: 'name', isAscending: false }] }, ['c', 'b', 'Ab', 'ab']],
    ['a sort by what is active', { sort: [{ property: 'isActive', isAscending: false }] }, ['c', 'Ab', 'ab', 'b']],
    ['a window', { position: 1, limit: 2 }, ['ab', 'b']],
  ])('with %s', async (_, args, names) => {
    const { call, get } = scriptAccount(scripts, { active: 'c' });
    const { list, state } = await get();
    const answer = await call('query', { ...args, calculateTotal: true });
    const nameOf = (id: unknown) => list.find((script) => script.id === id)?.name;
    expect((answer.ids as string[]).map(nameOf)).toEqual(names);
    expect(answer).toMatchObject({ queryState: state, canCalculateChanges: false });
  });

  test.each([
    ['another filter', { filter: { size: 1 } }, 'unsupportedFilter'],
    ['another sort', { sort: [{ property: 'blobId' }] }, 'unsupportedSort'],
  ])('refuses %s', async (_, args, type) => {
    expect(await scriptAccount(scripts).call('query', args)).toMatchObject({ error: { type } });
  });
});

describe('SieveScript/validate (RFC 9661 §2.6)', () => {
  test.each([
    ['a script', 'keep;', null],
    ['what is no Sieve', 'nonsense;', { type: 'invalidSieve', description: expect.stringContaining('line 1') }],
    ['what is no UTF-8', Buffer.from('# \xe9\r\nkeep;', 'latin1'), { type: 'invalidSieve' }],
    ['nothing', '', { type: 'invalidSieve' }],
  ])('tells of %s what is wrong with it, and keeps nothing', async (_, text, error) => {
    const { call, upload, server } = scriptAccount();
    const answer = await call('validate', { blobId: await upload(text) });
    if (error === null) expect(answer.error).toBeNull();
    else expect(answer.error).toMatchObject(error);
    expect(server.shown().scripts).toEqual({});
  });

  test('takes the blob of a script too, and tells of one that is not there', async () => {
    const { call, get } = scriptAccount({ one: 'keep;' });
    const blobId = (await get()).list[0]?.blobId ?? null;
    expect(await call('validate', { blobId })).toMatchObject({ error: null });
    expect(await call('validate', { blobId: 'u0' })).toMatchObject({
      error: { type: 'blobNotFound', notFound: ['u0'] },
    });
    expect(await call('validate', { blobId: '#none' })).toMatchObject({ error: { type: 'invalidArguments' } });
  });
});
