import { afterEach, describe, expect, test } from '@jest/globals';
import { startDovecot } from '../../functions/local/dovecot.ts';
import { atom, list, string } from '../../shared/imap/arguments.ts';
import { imapQuotas } from '../../shared/imap/quota.ts';
import { courier, cyrus, dovecot, type TestUser } from '../servers/servers.ts';
import { imapServer, message, oneSession, otherClient, passwordOf } from './rig.ts';

const stops: (() => unknown)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
});

type Place = Parameters<typeof imapServer>[0];

async function quotasOf(server: Place, user: TestUser) {
  const { use, session, commands } = await oneSession(imapServer(server), passwordOf(user));
  stops.push(() => session.leave());
  return { quotas: await imapQuotas(use)(), commands };
}

describe('quotas (RFC 9208)', () => {
  test('of a Dovecot that limits octets and messages', async () => {
    const user = { user: 'ada', password: 'secret' };
    const server = await startDovecot({ users: [user], quota: { storageMegabytes: 5, messages: 20 } });
    stops.push(server.stop);
    const actor = await otherClient({ ...server, freshUser: async () => user }, user);
    await actor.append('INBOX', message('one', {}, 'x'.repeat(3_000)));
    await actor.append('Archive', message('two'));
    await actor.logout();
    const { quotas, commands } = await quotasOf(server, user);
    expect(quotas).toEqual([
      { root: 'User quota', resource: 'STORAGE', usage: expect.any(Number), limit: 5_120 },
      { root: 'User quota', resource: 'MESSAGE', usage: 2, limit: 20 },
    ]);
    expect(quotas[0]?.usage).toBeGreaterThanOrEqual(3);
    expect(commands).toEqual(['GETQUOTAROOT']);
  });

  test('of a Cyrus whose administrator set some', async () => {
    const server = await cyrus();
    const user = await server.freshUser();
    const administrator = { user: 'cyrus', password: 'secret' };
    await server.addUser(administrator);
    await (await otherClient(server, user)).logout();
    const actor = await otherClient(server, administrator);
    const limits = list(...['STORAGE', '2048', 'MESSAGE', '30'].map(atom));
    const { next } = await actor.exec('SETQUOTA', [string(`user/${user.user}`), limits]);
    next();
    await actor.logout();
    expect((await quotasOf(server, user)).quotas).toEqual(
      expect.arrayContaining([
        { root: 'INBOX', resource: 'STORAGE', usage: 0, limit: 2_048 },
        { root: 'INBOX', resource: 'MESSAGE', usage: 0, limit: 30 },
      ]),
    );
  });

  test.each([
    ['a Dovecot without the plugin is not asked', dovecot, []],
    ['a Courier without limits is', courier, ['GETQUOTAROOT']],
  ] as const)('of none: %s', async (_, start, asked) => {
    const server = await start();
    const { quotas, commands } = await quotasOf(server, await server.freshUser());
    expect(quotas).toEqual([]);
    expect(commands).toEqual(asked);
  });
});
