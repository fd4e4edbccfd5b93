import { type DovecotOptions, type DovecotServer, startDovecot } from '../../functions/local/dovecot.ts';
import { startCourier } from './courier.ts';
import type { CyrusServer } from './cyrus.ts';
import type { KeeperQuestion } from './keeper.ts';
import type { MailServer } from './mail-server.ts';

/** The real mail servers of this test run. Each starts when it is first asked for, once for all test files. */

export interface TestUser {
  readonly user: string;
  readonly password: string;
}

export interface TestServer extends Omit<MailServer, 'stop'> {
  /** A user that no other test has; the mailboxes are those of a new account. Cheap: one per test. */
  freshUser(): Promise<TestUser>;
}

/** Dovecot has TLS with a self-signed certificate, ACL, ManageSieve, LMTP, and `doveadm`. */
export type TestDovecot = TestServer &
  Pick<DovecotServer, 'imapsPort' | 'caFile' | 'doveadm' | 'outbox'> & {
    readonly sievePort: number;
    readonly lmtpPort: number;
  };

export async function dovecot(): Promise<TestDovecot> {
  const { imapsPort, caFile, outbox, sievePort, lmtpPort } = await ask<DovecotServer>({
    server: 'dovecot',
    action: 'start',
  });
  if (sievePort === null || lmtpPort === null) throw new Error('The Dovecot of the tests has no Sieve');
  return {
    ...(await testServer('dovecot')),
    ...{ imapsPort, caFile, outbox, sievePort, lmtpPort },
    doveadm: (...args) => ask({ server: 'dovecot', action: 'doveadm', args }),
  };
}

/** A Dovecot that is set up otherwise than the one that all tests share, and is stopped by who asked for it. */
export async function ownDovecot(
  options: Omit<DovecotOptions, 'folder' | 'users'>,
): Promise<TestServer & Pick<DovecotServer, 'stop' | 'submissionPort'>> {
  const server = await startDovecot(options);
  return {
    ...server,
    freshUser: async () => {
      const count = server.users.length + 1;
      const user = { user: `user${count}`, password: `secret-${count}` };
      await server.addUser(user);
      return user;
    },
  };
}

/** Cyrus has ManageSieve with a self-signed certificate, and LMTP. */
export type TestCyrus = TestServer &
  Pick<CyrusServer, 'sievePort' | 'lmtpPort' | 'caFile' | 'outbox' | 'administrator'>;

export async function cyrus(): Promise<TestCyrus> {
  const { sievePort, lmtpPort, caFile, outbox, administrator } = await ask<CyrusServer>({
    server: 'cyrus',
    action: 'start',
  });
  return { ...(await testServer('cyrus')), sievePort, lmtpPort, caFile, outbox, administrator };
}

export const courier = (): Promise<TestServer> => testServer('courier');

/** All of them: their names, and how to start them. */
export const everyServer: readonly [name: string, start: () => Promise<TestServer>][] = [
  ['Dovecot', dovecot],
  ['Cyrus', cyrus],
  ['Courier', courier],
];

/** A Courier that keeps no keywords but the flags that IMAP names; it is stopped by who asked for it. */
export async function courierWithoutKeywords(): Promise<TestServer & Pick<MailServer, 'stop'>> {
  // The packages are there: the keeper needs them too.
  const server = await startCourier({ updatePackageLists: () => {}, say: () => {} }, { keywords: false });
  const user = { user: 'user', password: 'secret' };
  return {
    ...server,
    freshUser: async () => {
      await server.addUser(user);
      return user;
    },
  };
}

async function testServer(server: MailServer['name']): Promise<TestServer> {
  const { host, imapPort } = await ask<MailServer>({ server, action: 'start' });
  return {
    name: server,
    host,
    imapPort,
    freshUser: () => ask({ server, action: 'freshUser' }),
    addUser: (user) => ask({ server, action: 'addUser', ...user }),
    removeUser: (user) => ask({ server, action: 'removeUser', user }),
  };
}

/** The keeper is in the process that runs jest; global-setup.mjs says where. */
async function ask<T>(question: KeeperQuestion): Promise<T> {
  const coordinates = process.env.POSTERN_TEST_SERVERS;
  if (coordinates === undefined) throw new Error('POSTERN_TEST_SERVERS is not set: run the tests with npm test');
  const { keeper } = JSON.parse(coordinates) as { keeper: string };
  const response = await fetch(keeper, { method: 'POST', body: JSON.stringify(question) });
  const { result, error } = (await response.json()) as { result: T; error?: string };
  if (error !== undefined) throw new Error(error);
  return result;
}
