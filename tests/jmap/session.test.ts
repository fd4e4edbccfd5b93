import { createHash } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import type { Id } from '../../shared/jmap/scalars.ts';
import { type Account, buildSession, coreUri } from '../../shared/jmap/session.ts';
import { limits } from './bakery.ts';

const mail = 'urn:ietf:params:jmap:mail';
const account: Account = {
  name: 'me@example.com',
  isPersonal: true,
  isReadOnly: false,
  accountCapabilities: { [mail]: { maxMailboxDepth: null } },
};
const given = {
  username: 'Me@Example.com',
  core: limits,
  capabilities: { [mail]: {} },
  accounts: new Map([
    ['shared' as Id, { ...account, name: 'team', isPersonal: false }],
    ['mine' as Id, account],
    ['other' as Id, { ...account, name: 'old' }],
  ]),
  urls: {
    apiUrl: 'https://x/api',
    downloadUrl: 'https://x/d',
    uploadUrl: 'https://x/u',
    eventSourceUrl: 'https://x/e',
  },
  strict: false,
  hash: (text: string) => createHash('sha256').update(text).digest('base64url').slice(0, 12),
};

describe('buildSession', () => {
  test('has core with all limits among the capabilities of the server and of every account', () => {
    const session = buildSession(given);
    expect(session.capabilities).toEqual({ [coreUri]: limits, [mail]: {} });
    for (const each of Object.values(session.accounts)) {
      expect(each.accountCapabilities).toEqual({ [coreUri]: {}, [mail]: { maxMailboxDepth: null } });
    }
  });

  test('echoes the user name and the URLs', () => {
    expect(buildSession(given)).toMatchObject({ username: 'Me@Example.com', ...given.urls });
  });

  test('names the first personal account that has a capability as its primary account', () => {
    expect(buildSession(given).primaryAccounts).toEqual({ [coreUri]: 'mine', [mail]: 'mine' });
  });

  test('has no primary account for core when it is strict', () => {
    expect(buildSession({ ...given, strict: true }).primaryAccounts).toEqual({ [mail]: 'mine' });
  });

  test('has no primary account where none is personal', () => {
    const accounts = new Map([['shared' as Id, { ...account, isPersonal: false }]]);
    expect(buildSession({ ...given, accounts }).primaryAccounts).toEqual({});
  });

  test('has the same state for the same content, in whatever order', () => {
    const accounts = new Map([...given.accounts].sort(([a], [b]) => (a < b ? -1 : 1)));
    expect(buildSession({ ...given, accounts }).state).toBe(buildSession(given).state);
  });

  test.each([
    ['a limit', { core: { ...limits, maxObjectsInGet: 7 } }],
    ['an account', { accounts: new Map([['mine' as Id, { ...account, isReadOnly: true }]]) }],
    ['a capability', { capabilities: {} }],
    ['the user name', { username: 'me@example.com' }],
    ['a URL', { urls: { ...given.urls, apiUrl: 'https://y/api' } }],
  ])('has another state when %s changes', (_what, change) => {
    expect(buildSession({ ...given, ...change }).state).not.toBe(buildSession(given).state);
  });
});
