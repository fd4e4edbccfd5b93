import { describe, expect, test } from '@jest/globals';
import type { JsonObject } from '../../../shared/jmap/scalars.ts';
import { vacationResponse } from '../../../shared/methods/VacationResponse/index.ts';
import type { VacationPorts, VacationResponse } from '../../../shared/methods/VacationResponse/record.ts';
import { inMemoryScripts } from '../in-memory-scripts.ts';
import { callMethod } from '../mail-account.ts';

const name = 'postern-vacation';
const off = {
  id: 'singleton',
  isEnabled: false,
  ...{ fromDate: null, toDate: null, subject: null, textBody: null, htmlBody: null },
};

function account(...initial: Parameters<typeof inMemoryScripts>) {
  const server = inMemoryScripts(...initial);
  const ports: VacationPorts = { scripts: server.manager, ownAddresses: ['anna@example.org'] };
  const call = (verb: 'get' | 'set', args: JsonObject = {}) =>
    callMethod<VacationPorts>(vacationResponse.methods[verb], args, ports);
  const get = async () => (await call('get', { ids: null })) as unknown as { state: string; list: VacationResponse[] };
  const set = (update: JsonObject, more: JsonObject = {}) => call('set', { update: { singleton: update }, ...more });
  return { server, call, get, set };
}

const refused = (type: string, description: unknown = expect.any(String)) => ({
  updated: null,
  notUpdated: { singleton: { type, description } },
});

describe('VacationResponse/get (RFC 8621 §8.1)', () => {
  test('shows the one there is, from the beginning', async () => {
    const { call, get } = account({ main: 'keep;' }, { active: 'main' });
    expect((await get()).list).toEqual([off]);
    const { state } = await get();
    expect(await call('get', { ids: ['singleton', 'x'], properties: ['isEnabled'] })).toMatchObject({
      state,
      list: [{ id: 'singleton', isEnabled: false }],
      notFound: ['x'],
    });
    expect(await call('get', { ids: [] })).toMatchObject({ state, list: [] });
  });

  test('shows what another client did to it', async () => {
    const { server, get, set } = account();
    await set({ isEnabled: true, subject: 'Away' });
    const { state } = await get();
    const script = server.shown().scripts[name] ?? '';
    server.change({ [name]: script.replace('"Away"', '"Gone"') });
    expect((await get()).list[0]).toEqual({ ...off, isEnabled: true, subject: 'Gone' });
    server.change({}, null);
    expect((await get()).list[0]).toMatchObject({ isEnabled: false, subject: 'Gone' });
    server.change({ [name]: null });
    expect((await get()).list[0]).toEqual(off);
    expect((await get()).state).not.toBe(state);
  });
});

describe('VacationResponse/set (RFC 8621 §8.2)', () => {
  test('answers mail when it is enabled, with everything that was set', async () => {
    const { server, get, set } = account();
    const before = await get();
    const update = {
      ...{ isEnabled: true, fromDate: '2026-03-01T08:00:00Z', toDate: '2026-03-15T00:00:00Z' },
      ...{ subject: 'Away "now"', textBody: 'Until Monday.\n', htmlBody: '<p>Until <b>Monday</b>.</p>' },
    };
    const answer = await set(update, { ifInState: before.state });
    const after = await get();
    expect(answer).toMatchObject({ oldState: before.state, newState: after.state, updated: { singleton: null } });
    expect(after.list).toEqual([{ id: 'singleton', ...update }]);
    expect(server.shown().active).toBe(name);
    expect(server.shown().scripts[name]).toContain(':addresses ["anna@example.org"]');
    expect(await set({ subject: 'x' }, { ifInState: before.state })).toMatchObject({
      error: { type: 'stateMismatch' },
    });
  });

  test('keeps what was set while it is not enabled, and is gone when there is nothing to keep', async () => {
    const { server, get, set } = account();
    await set({ textBody: 'Away' });
    expect(server.shown().active).toBeNull();
    expect((await get()).list[0]).toMatchObject({ isEnabled: false, textBody: 'Away' });
    await set({ isEnabled: true });
    await set({ isEnabled: false });
    expect((await get()).list[0]).toMatchObject({ isEnabled: false, textBody: 'Away' });
    await set({ textBody: null });
    expect(server.shown()).toEqual({ active: null, scripts: {} });
    expect((await get()).list).toEqual([off]);
  });

  test('says what became of a value that it does not keep as it is', async () => {
    const { get, set } = account();
    const given = { textBody: 'a\r\nb\rc', fromDate: '2026-03-01T08:00:00.25Z', htmlBody: '<p>\n</p>' };
    expect(await set(given)).toMatchObject({
      updated: { singleton: { textBody: 'a\nb\nc', fromDate: '2026-03-01T08:00:01Z' } },
    });
    expect((await get()).list[0]).toMatchObject({
      textBody: 'a\nb\nc',
      fromDate: '2026-03-01T08:00:01Z',
      htmlBody: '<p>\n</p>',
    });
  });

  test.each<[string, JsonObject, string[]]>([
    ['a subject of several lines', { subject: 'a\r\nBcc: x@example.com' }, ['subject']],
    ['NUL in a subject', { subject: 'a\0b' }, ['subject']],
    ['a subject that is too long', { subject: 'x'.repeat(501) }, ['subject']],
    ['NUL in a text', { textBody: 'a\0b' }, ['textBody']],
    ['half a character', { htmlBody: 'a\ud800' }, ['htmlBody']],
    ['a date that is none', { fromDate: 'tomorrow' }, ['fromDate']],
    ['a date of another zone', { toDate: '2026-03-01T08:00:00+01:00' }, ['toDate']],
    ['a property of its own', { days: 3 }, ['days']],
    ['another id', { id: 'other' }, ['id']],
  ])('refuses %s', async (_, update, properties) => {
    const { server, set } = account();
    expect(await set(update)).toMatchObject({ notUpdated: { singleton: { type: 'invalidProperties', properties } } });
    expect(server.done).toEqual([]);
  });

  test('there is only one, which is neither created nor destroyed', async () => {
    const { call } = account();
    const answer = await call('set', {
      create: { a: { isEnabled: true } },
      destroy: ['singleton'],
      update: { other: { isEnabled: true } },
    });
    expect(answer).toMatchObject({
      notCreated: { a: { type: 'singleton' } },
      notDestroyed: { singleton: { type: 'singleton' } },
      notUpdated: { other: { type: 'notFound' } },
    });
  });
});

describe("beside a user's own script", () => {
  const main = 'require "fileinto";\r\nfileinto "Work";\r\n';

  test('it runs that one too while it is enabled, and makes it the active one again', async () => {
    const { server, set } = account({ main, other: 'keep;' }, { active: 'main' });
    const before = server.shown();
    await set({ isEnabled: true, textBody: 'Away' });
    expect(server.shown().active).toBe(name);
    expect(server.shown().scripts[name]).toMatch(/vacation [\s\S]*;\r\ninclude :personal :optional "main";\r\n$/);
    // What is set meanwhile leaves that as it is.
    await set({ textBody: 'Still away' });
    expect(server.shown().scripts[name]).toMatch(/Still away[\s\S]*include :personal :optional "main";\r\n$/);
    await set({ isEnabled: false, textBody: null });
    expect(server.shown()).toEqual(before);
  });

  test('it leaves things as they are when that one is gone meanwhile, or another is active', async () => {
    const { server, set } = account({ main, other: 'keep;' }, { active: 'main' });
    await set({ isEnabled: true, textBody: 'Away' });
    server.change({ main: null });
    await set({ isEnabled: false });
    expect(server.shown().active).toBeNull();
    await set({ isEnabled: true });
    expect(server.shown().scripts[name]).not.toContain('include');
    server.change({}, 'other');
    await set({ textBody: 'Changed' });
    expect(server.shown().active).toBe('other');
    await set({ isEnabled: true });
    expect(server.shown().scripts[name]).toContain('include :personal :optional "other";');
  });

  test('it finds that one again when another client has renamed it', async () => {
    const { server, set } = account({ main, other: 'keep;' }, { active: 'main' });
    await set({ isEnabled: true, textBody: 'Away' });
    server.change({ main: null, mine: main });
    await set({ textBody: 'Still away' });
    expect(server.shown().scripts[name]).toMatch(/include :personal :optional "mine";\r\n$/);
    server.change({ mine: null, again: main });
    await set({ isEnabled: false });
    expect(server.shown().active).toBe('again');
    await set({ isEnabled: true });
    server.change({ again: null, 'and again': main });
    await set({ isEnabled: false, textBody: null });
    expect(server.shown()).toEqual({ active: 'and again', scripts: { 'and again': main, other: 'keep;' } });
  });

  test.each<[string, Record<string, string>, string]>([
    ['answers mail itself', { main: 'require ["vacation"];\r\nvacation "x";' }, 'vacation'],
    ['refuses mail', { main: 'require "reject";\r\nreject "x";' }, 'reject'],
    ['includes one that does', { main: 'require "include"; include "sub";', sub: 'require "ereject";' }, 'ereject'],
    ['cannot be read', { main: 'keep; "' }, 'cannot be read'],
    ['cannot be included under its name', { 'drei ü': 'keep;' }, 'drei ü'],
  ])('it is not enabled where that one %s, and breaks nothing', async (_, scripts, word) => {
    const active = Object.keys(scripts)[0] ?? '';
    const { server, set } = account(scripts, { active });
    const before = server.shown();
    expect(await set({ isEnabled: true })).toMatchObject(refused('forbidden', expect.stringContaining(word)));
    expect(server.shown()).toEqual(before);
    // What is not run is in nobody's way.
    expect(await set({ textBody: 'Later' })).toMatchObject({ updated: { singleton: null } });
    expect(server.shown().active).toBe(active);
  });

  test.each<[string, string[], JsonObject, string, object]>([
    ['does not answer mail', ['include'], { isEnabled: true }, 'main', refused('forbidden')],
    ['cannot run one script from another', ['vacation'], { isEnabled: true }, 'main', refused('forbidden')],
    [
      'cannot compare dates',
      ['vacation', 'include'],
      { toDate: '2026-03-01T00:00:00Z' },
      'main',
      refused('invalidProperties'),
    ],
  ])('it is refused where the server %s', async (_, extensions, update, active, expected) => {
    const { server, set } = account({ main }, { active, extensions });
    const before = server.shown();
    expect(await set(update)).toMatchObject(expected);
    expect(server.shown()).toEqual(before);
  });

  test('it is enabled without the include extension where no script is active', async () => {
    const { server, set } = account({ main }, { extensions: ['vacation'] });
    expect(await set({ isEnabled: true })).toMatchObject({ updated: { singleton: null } });
    expect(server.shown().active).toBe(name);
  });

  test("a script of the user's that has the same name is left alone", async () => {
    const { server, get, set } = account({ [name]: 'keep;' }, { active: name });
    expect((await get()).list).toEqual([off]);
    expect(await set({ isEnabled: true })).toMatchObject(refused('forbidden', expect.stringContaining(name)));
    expect(server.shown().scripts).toEqual({ [name]: 'keep;' });
  });

  test('a script that was changed into something else is left alone, but can be taken off', async () => {
    const { server, get, set } = account({ main }, { active: 'main' });
    await set({ isEnabled: true, subject: 'Away', textBody: 'x' });
    const changed = `${server.shown().scripts[name]}keep;\r\n`;
    server.change({ [name]: changed });
    expect((await get()).list).toEqual([{ ...off, isEnabled: true }]);
    expect(await set({ textBody: 'y' })).toMatchObject(
      refused('forbidden', expect.stringContaining('changed by another')),
    );
    expect(await set({ isEnabled: false, textBody: 'y' })).toMatchObject(refused('forbidden'));
    expect(await set({ isEnabled: false })).toMatchObject({ updated: { singleton: null } });
    expect(server.shown()).toEqual({ active: 'main', scripts: { main, [name]: changed } });
  });
});

describe('when the server fails half way', () => {
  const main = 'keep;';
  test.each(['refused', 'unavailable'] as const)('everything is as it was before: %s', async (how) => {
    const failure = how === 'refused' ? ({ reason: 'refused', description: 'no' } as const) : 'unavailable';
    const { server, get, set } = account({ main }, { active: 'main' });
    const attempt = async (update: JsonObject) => {
      const before = [server.shown(), await get()];
      server.fail('activate', failure);
      if (how === 'refused') expect(await set(update)).toMatchObject(refused('forbidden'));
      else await expect(set(update)).rejects.toThrow('nothing was done');
      expect([server.shown(), await get()]).toEqual(before);
    };
    await attempt({ isEnabled: true, textBody: 'Away' });
    await set({ textBody: 'Away' });
    await attempt({ isEnabled: true, textBody: 'Far away' });
    await set({ isEnabled: true });
    await attempt({ isEnabled: false, textBody: 'Not away' });
    await attempt({ isEnabled: false, textBody: null });
  });

  test('a script that is larger than the operator allows is not put', async () => {
    const { server, set } = account({}, { limits: { maxSizeScript: 5_000 } });
    expect(await set({ textBody: 'x'.repeat(5_000) })).toMatchObject(refused('tooLarge', 'more than 5000 octets'));
    expect(await set({ textBody: 'x' })).toMatchObject({ updated: { singleton: null } });
    expect(server.done).toEqual(['put postern-vacation']);
  });

  test.each([
    ['tooLarge', 'tooLarge'],
    ['overQuota', 'overQuota'],
    ['invalid', 'forbidden'],
    ['unknown', 'serverUnavailable'],
  ] as const)('a script that is refused as %s is told of as %s', async (reason, type) => {
    const { server, set } = account();
    server.fail('put', { reason, description: 'no' });
    expect(await set({ textBody: 'x' })).toMatchObject(refused(type));
    expect(server.shown()).toEqual({ active: null, scripts: {} });
  });
});
