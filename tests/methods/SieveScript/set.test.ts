import { describe, expect, test } from '@jest/globals';
import type { JsonObject } from '../../../shared/jmap/scalars.ts';
import { vacationResponse } from '../../../shared/methods/VacationResponse/index.ts';
import type { VacationPorts } from '../../../shared/methods/VacationResponse/record.ts';
import { callMethod } from '../mail-account.ts';
import { scriptAccount } from './script-account.ts';

const two = { one: 'keep;', two: 'discard;' };

describe('SieveScript/set (RFC 9661 §2.4)', () => {
  test('creates scripts, with the name that was asked for or one of its own', async () => {
    const { call, get, upload, server } = scriptAccount({ 'Script 1': 'keep;' });
    const before = await get();
    const answer = await call('set', {
      ifInState: before.state,
      create: { a: { name: 'mine', blobId: await upload('stop;') }, b: { name: null, blobId: await upload('keep;') } },
    });
    const { list, state } = await get();
    const [, mine, second] = list;
    expect(answer).toMatchObject({
      oldState: before.state,
      newState: state,
      created: {
        a: { id: mine?.id, name: 'mine', blobId: mine?.blobId, isActive: false },
        b: { id: second?.id, name: 'Script 2', isActive: false },
      },
      notCreated: null,
    });
    expect(server.shown()).toEqual({
      active: null,
      scripts: { 'Script 1': 'keep;', mine: 'stop;', 'Script 2': 'keep;' },
    });
  });

  test('changes content and name, and the id stays', async () => {
    const { call, get, idOf, upload, server } = scriptAccount(two, { active: 'one' });
    const id = await idOf('one');
    const answer = await call('set', { update: { [id]: { name: 'first', blobId: await upload('stop;') } } });
    const { list, state } = await get();
    const script = list.find((each) => each.name === 'first');
    expect(script).toMatchObject({ id, isActive: true });
    expect(answer).toMatchObject({ newState: state, updated: { [id]: { blobId: script?.blobId } }, notUpdated: null });
    expect(server.shown()).toEqual({ active: 'first', scripts: { two: 'discard;', first: 'stop;' } });
  });

  test('an id survives every rename, whoever takes the old name', async () => {
    const { call, get, idOf, upload, server } = scriptAccount(two);
    const id = await idOf('one');
    for (const name of ['a', 'b', 'one', 'c']) {
      expect(await call('set', { update: { [id]: { name } } })).toMatchObject({ updated: { [id]: null } });
      expect(await idOf(name)).toBe(id);
    }
    const created = await call('set', { create: { x: { name: 'one', blobId: await upload('stop;') } } });
    const other = (created.created as JsonObject & { x: { id: string } }).x.id;
    expect(other).not.toBe(id);
    expect(await idOf('one')).toBe(other);
    expect(await idOf('c')).toBe(id);
    // The first one goes; the id of the other does not fall back to what follows from its name.
    await call('set', { destroy: [id] });
    expect(await idOf('one')).toBe(other);
    // A script that another client makes under a name that was given up.
    server.change({ b: 'keep;' });
    expect((await get()).list.map((script) => script.id)).toHaveLength(3);
  });

  test('a script that gets no name gets one', async () => {
    const { call, idOf } = scriptAccount(two);
    const id = await idOf('one');
    expect(await call('set', { update: { [id]: { name: null } } })).toMatchObject({
      updated: { [id]: { name: 'Script 1' } },
    });
  });

  test('destroys scripts, but not the active one', async () => {
    const { call, idOf, get, server } = scriptAccount(two, { active: 'one' });
    const [one, second] = [await idOf('one'), await idOf('two')];
    const answer = await call('set', { destroy: [one, second, 's0'] });
    expect(answer).toMatchObject({
      destroyed: [second],
      notDestroyed: { [one]: { type: 'sieveIsActive' }, s0: { type: 'notFound' } },
      newState: (await get()).state,
    });
    expect(server.shown()).toEqual({ active: 'one', scripts: { one: 'keep;' } });
  });

  test('holds scripts to the limits that the operator told, also where the server would take them', async () => {
    const { call, upload, server, idOf } = scriptAccount(two, { limits: { maxSizeScript: 6, maxNumberScripts: 3 } });
    const blobIds = { fits: await upload('keep;\n'), large: await upload('keep; \n') };
    const one = await idOf('one');
    expect(
      await call('set', {
        create: {
          large: { name: 'large', blobId: blobIds.large },
          third: { name: 'third', blobId: blobIds.fits },
          fourth: { name: 'fourth', blobId: blobIds.fits },
        },
        update: { [one]: { blobId: blobIds.large } },
      }),
    ).toMatchObject({
      created: { third: {} },
      notCreated: { large: { type: 'tooLarge' }, fourth: { type: 'overQuota' } },
      notUpdated: { [one]: { type: 'tooLarge' } },
    });
    expect(await call('validate', { blobId: blobIds.large })).toMatchObject({ error: { type: 'tooLarge' } });
    expect(server.done).toEqual(['put third']);
  });

  const refusals: [string, JsonObject, JsonObject][] = [
    [
      'what is no Sieve',
      { name: 'x', text: 'nonsense;' },
      { type: 'invalidSieve', description: expect.any(String) as unknown as string },
    ],
    ['an empty script', { name: 'x', text: '' }, { type: 'invalidSieve' }],
    ['a name that is taken', { name: 'one', text: 'stop;' }, { type: 'alreadyExists', existingId: 'ONE' }],
    ['a script that is too large', { name: 'x', text: `#${'x'.repeat(60_000)}` }, { type: 'tooLarge' }],
    [
      'a name that the server does not take',
      { name: 'a/b', text: 'keep;' },
      { type: 'invalidProperties', properties: ['name'] },
    ],
    ['an empty name', { name: '', text: 'keep;' }, { type: 'invalidProperties', properties: ['name'] }],
    [
      'a name of several lines',
      { name: 'a\r\nLOGOUT', text: 'keep;' },
      { type: 'invalidProperties', properties: ['name'] },
    ],
    ['NUL', { name: 'a\0b', text: 'keep;' }, { type: 'invalidProperties', properties: ['name'] }],
    ['a C1 control', { name: 'a\u0085b', text: 'keep;' }, { type: 'invalidProperties', properties: ['name'] }],
    ['a line separator', { name: 'a\u2028b', text: 'keep;' }, { type: 'invalidProperties', properties: ['name'] }],
    [
      'a name that is too long',
      { name: 'ä'.repeat(257), text: 'keep;' },
      { type: 'invalidProperties', properties: ['name'] },
    ],
    ['a blob that is not there', { name: 'x', blobId: 'u0' }, { type: 'blobNotFound', notFound: ['u0'] }],
    ['no blob', { name: 'x' }, { type: 'invalidProperties', properties: ['blobId'] }],
    [
      'another property',
      { name: 'x', text: 'keep;', isActive: true },
      { type: 'invalidProperties', properties: ['isActive'] },
    ],
    [
      'the name of the vacation response',
      { name: 'postern-vacation', text: 'keep;' },
      { type: 'invalidProperties', properties: ['name'] },
    ],
  ];

  test.each(refusals)('refuses %s, in new scripts and in old ones', async (_, { text, ...given }, error) => {
    const { call, idOf, upload, server } = scriptAccount(two);
    const expected = { ...error, ...(error.existingId === 'ONE' ? { existingId: await idOf('one') } : {}) };
    const before = server.shown();
    const record = { ...given, ...(typeof text === 'string' ? { blobId: await upload(text) } : {}) };
    expect(await call('set', { create: { a: record } })).toMatchObject({ created: null, notCreated: { a: expected } });
    if (Object.keys(record).length > 1) {
      const id = await idOf('two');
      expect(await call('set', { update: { [id]: record } })).toMatchObject({
        updated: null,
        notUpdated: { [id]: expected },
      });
    }
    expect(server.shown()).toEqual(before);
  });

  test('refuses what is more than the server keeps', async () => {
    const { call, upload } = scriptAccount(two, { scriptsMax: 2 });
    expect(await call('set', { create: { a: { name: 'x', blobId: await upload('keep;') } } })).toMatchObject({
      notCreated: { a: { type: 'overQuota' } },
    });
  });

  test('half of an update is undone', async () => {
    const { call, idOf, upload, server, get } = scriptAccount(two);
    const id = await idOf('one');
    const before = await get();
    const update = { [id]: { name: 'new', blobId: await upload('stop;') } };
    server.fail('rename', { reason: 'badName', description: 'no such name' });
    expect(await call('set', { update })).toMatchObject({ notUpdated: { [id]: { type: 'invalidProperties' } } });
    expect(await get()).toEqual(before);
    server.fail('rename', 'unavailable');
    await expect(call('set', { update })).rejects.toThrow('nothing was done');
    expect(await get()).toEqual(before);
  });

  test('what was done before the world failed keeps its answer', async () => {
    const { call, upload, server, get } = scriptAccount();
    const create = { a: { name: 'a', blobId: await upload('keep;') }, b: { name: 'b', blobId: await upload('keep;') } };
    const { manager } = server;
    let puts = 0;
    const put = manager.put;
    Object.assign(manager, {
      put: (name: string, octets: Uint8Array) => {
        if (++puts === 2) server.fail('put', 'unavailable');
        return put(name, octets);
      },
    });
    const answer = await call('set', { create });
    expect(answer).toMatchObject({
      created: { a: { name: 'a' } },
      notCreated: { b: { type: 'serverUnavailable' } },
      newState: (await get()).state,
    });
  });

  test('an outcome that nobody knows is said to be that', async () => {
    const { call, upload, server } = scriptAccount();
    server.fail('put', { reason: 'unknown', description: 'the connection was lost' });
    const answer = await call('set', { create: { a: { name: 'a', blobId: await upload('keep;') } } });
    expect(answer).toMatchObject({
      notCreated: { a: { type: 'serverUnavailable', description: 'the connection was lost' } },
    });
  });
});

describe('the active script', () => {
  test('is one that was just created, and the one before it is not any more', async () => {
    const { call, get, idOf, upload, server } = scriptAccount(two, { active: 'one' });
    const one = await idOf('one');
    const answer = await call('set', {
      create: { A: { name: 'new', blobId: await upload('stop;') } },
      onSuccessActivateScript: '#A',
    });
    expect(answer).toMatchObject({
      created: { A: { name: 'new', isActive: true } },
      updated: { [one]: { isActive: false } },
      newState: (await get()).state,
    });
    expect(server.shown().active).toBe('new');
  });

  test('is one that was just renamed, or one that was not touched', async () => {
    const { call, idOf, server } = scriptAccount(two);
    const id = await idOf('one');
    expect(await call('set', { update: { [id]: { name: 'x' } }, onSuccessActivateScript: id })).toMatchObject({
      updated: { [id]: { isActive: true } },
    });
    expect(server.shown().active).toBe('x');
    const other = await idOf('two');
    expect(await call('set', { onSuccessActivateScript: other })).toMatchObject({
      created: null,
      updated: { [other]: { isActive: true }, [id]: { isActive: false } },
    });
  });

  test('is none any more; and that is done before another becomes it', async () => {
    const { call, idOf, server, get } = scriptAccount(two, { active: 'one' });
    const [one, second] = [await idOf('one'), await idOf('two')];
    const answer = await call('set', { onSuccessDeactivateScript: true });
    expect(answer).toMatchObject({ updated: { [one]: { isActive: false } }, newState: (await get()).state });
    expect(server.shown().active).toBeNull();
    expect(await call('set', { onSuccessDeactivateScript: true })).toMatchObject({ updated: null });
    server.change({}, 'one');
    const both = { onSuccessDeactivateScript: true, onSuccessActivateScript: second };
    expect(await call('set', both)).toMatchObject({
      updated: { [one]: { isActive: false }, [second]: { isActive: true } },
    });
    expect(server.shown().active).toBe('two');
    expect(await call('set', { onSuccessDeactivateScript: true, onSuccessActivateScript: 's0' })).toMatchObject({
      updated: { [second]: { isActive: false } },
    });
  });

  test.each([
    ['an id that does not exist', 's0'],
    ['a creation id that does not exist', '#none'],
    ['what is no id', 'not an id'],
    ['null', null],
  ])('stays as it is with %s', async (_, onSuccessActivateScript) => {
    const { call, server } = scriptAccount(two, { active: 'one' });
    expect(await call('set', { onSuccessActivateScript })).toMatchObject({ updated: null, notUpdated: null });
    expect(await call('set', { onSuccessDeactivateScript: false })).toMatchObject({ updated: null, notUpdated: null });
    expect(server.shown().active).toBe('one');
    expect(server.done).toEqual([]);
  });

  test('stays as it is when anything is refused', async () => {
    const { call, idOf, server, upload } = scriptAccount(two, { active: 'one' });
    const [one, second] = [await idOf('one'), await idOf('two')];
    for (const failing of [
      { create: { a: { name: 'two', blobId: await upload('keep;') } } },
      { update: { s0: { name: 'x' } } },
      { update: { [one]: { name: 'two' } } },
      { destroy: [one] },
      { destroy: ['s0'] },
    ]) {
      await call('set', { ...failing, onSuccessActivateScript: second, onSuccessDeactivateScript: true });
      expect(server.shown().active).toBe('one');
    }
  });

  test('that cannot be activated is told of, and what was created is not lost', async () => {
    const { call, upload, server } = scriptAccount();
    server.fail('activate', { reason: 'refused', description: 'not today' });
    const answer = await call('set', {
      create: { A: { name: 'a', blobId: await upload('keep;') } },
      onSuccessActivateScript: '#A',
    });
    const id = (answer.created as { A: { id: string; isActive: boolean } }).A;
    expect(id.isActive).toBe(false);
    expect(answer.notUpdated).toEqual({ [id.id]: { type: 'forbidden', description: 'not today' } });
  });
});

describe('beside a vacation response', () => {
  async function onVacation() {
    const account = scriptAccount(two, { active: 'one' });
    const ports: VacationPorts = { scripts: account.server.manager, ownAddresses: [] };
    const vacation = (verb: 'get' | 'set', args: JsonObject) =>
      callMethod<VacationPorts>(vacationResponse.methods[verb], args, ports);
    const set = (update: JsonObject) => vacation('set', { update: { singleton: update } });
    const isEnabled = async () =>
      ((await vacation('get', {})).list as unknown as { isEnabled: boolean }[])[0]?.isEnabled;
    expect(await set({ isEnabled: true, textBody: 'Away' })).toMatchObject({ updated: { singleton: null } });
    return { ...account, set, isEnabled, ours: await account.idOf('postern-vacation') };
  }

  test('its script is shown, and can be activated and deactivated (§4)', async () => {
    const { call, get, ours, server, isEnabled, idOf } = await onVacation();
    expect((await get()).list.map(({ name, isActive }) => [name, isActive])).toEqual([
      ['one', false],
      ['two', false],
      ['postern-vacation', true],
    ]);
    await call('set', { onSuccessDeactivateScript: true });
    expect(await isEnabled()).toBe(false);
    await call('set', { onSuccessActivateScript: ours });
    expect(await isEnabled()).toBe(true);
    await call('set', { onSuccessActivateScript: await idOf('two') });
    expect(await isEnabled()).toBe(false);
    expect(server.shown().active).toBe('two');
  });

  test('its script cannot be destroyed, renamed, or changed (§4)', async () => {
    const { call, ours, server, upload } = await onVacation();
    await call('set', { onSuccessDeactivateScript: true });
    const before = server.shown();
    expect(await call('set', { destroy: [ours] })).toMatchObject({ notDestroyed: { [ours]: { type: 'forbidden' } } });
    for (const update of [{ name: 'x' }, { blobId: await upload('keep;') }]) {
      expect(await call('set', { update: { [ours]: update } })).toMatchObject({
        notUpdated: { [ours]: { type: 'forbidden' } },
      });
    }
    expect(server.shown()).toEqual(before);
  });

  test('the script that it runs along with itself cannot be destroyed, and is run under a new name', async () => {
    const { call, idOf, set, server, get } = await onVacation();
    const one = await idOf('one');
    expect(await call('set', { destroy: [one] })).toMatchObject({ notDestroyed: { [one]: { type: 'sieveIsActive' } } });
    const answer = await call('set', { update: { [one]: { name: 'a "new" name' } } });
    expect(answer).toMatchObject({ updated: { [one]: null }, newState: (await get()).state });
    expect(server.shown().scripts['postern-vacation']).toContain('include :personal :optional "a \\"new\\" name";');
    expect(server.shown().scripts['postern-vacation']).not.toContain('"one"');
    expect(await set({ isEnabled: false })).toMatchObject({ updated: { singleton: null } });
    expect(server.shown().active).toBe('a "new" name');
  });

  test('that script is not changed into one that cannot be run together with it', async () => {
    const { call, idOf, server, upload, set } = await onVacation();
    const one = await idOf('one');
    const before = server.shown();
    const update = { [one]: { blobId: await upload('require "reject";\r\nreject "x";\r\n') } };
    expect(await call('set', { update })).toMatchObject({
      notUpdated: { [one]: { type: 'forbidden', description: expect.stringContaining('reject') } },
    });
    expect(server.shown()).toEqual(before);
    // What is not run is in nobody's way.
    await set({ isEnabled: false });
    expect(await call('set', { update })).toMatchObject({ notUpdated: null });
  });

  test('nor does it come to include such a script', async () => {
    const { call, idOf, upload } = await onVacation();
    const one = await idOf('one');
    const including = await upload('require "include";\r\ninclude :personal :optional "sub";\r\n');
    expect(await call('set', { update: { [one]: { blobId: including } } })).toMatchObject({ notUpdated: null });
    const blobId = await upload('require "vacation";\r\nvacation "x";\r\n');
    const create = { k: { name: 'sub', blobId }, l: { name: 'another', blobId } };
    expect(await call('set', { create })).toMatchObject({
      created: { l: {} },
      notCreated: { k: { type: 'forbidden', description: expect.stringContaining('vacation') } },
    });
  });

  test('that script is found again after it was changed here and renamed elsewhere', async () => {
    const { call, idOf, server, upload, set } = await onVacation();
    const one = await idOf('one');
    await call('set', { update: { [one]: { blobId: await upload('stop;') } } });
    server.change({ one: null, moved: 'stop;' });
    await set({ isEnabled: false });
    expect(server.shown().active).toBe('moved');
  });

  test('that script keeps a name under which it can be run', async () => {
    const { call, idOf, server } = await onVacation();
    const one = await idOf('one');
    const before = server.shown();
    expect(await call('set', { update: { [one]: { name: 'drei ü' } } })).toMatchObject({
      notUpdated: { [one]: { type: 'forbidden' } },
    });
    expect(server.shown()).toEqual(before);
  });

  test('a rename that fails leaves it running what it ran', async () => {
    const { call, idOf, server } = await onVacation();
    const one = await idOf('one');
    const before = server.shown();
    server.fail('rename', { reason: 'badName', description: 'no' });
    await call('set', { update: { [one]: { name: 'x' } } });
    expect(server.shown()).toEqual(before);
    server.fail('rename', 'unavailable');
    await expect(call('set', { update: { [one]: { name: 'x' } } })).rejects.toThrow();
    expect(server.shown()).toEqual(before);
  });

  test('a script of the user by the same name is his own', async () => {
    const { call, idOf, server, upload } = scriptAccount({ 'postern-vacation': 'keep;' });
    const id = await idOf('postern-vacation');
    expect(await call('set', { update: { [id]: { blobId: await upload('stop;') } } })).toMatchObject({
      notUpdated: null,
    });
    expect(server.shown().scripts).toEqual({ 'postern-vacation': 'stop;' });
    expect(await call('set', { update: { [id]: { name: 'mine' } } })).toMatchObject({ notUpdated: null });
    expect(await call('set', { destroy: [id] })).toMatchObject({ destroyed: [id] });
  });
});
