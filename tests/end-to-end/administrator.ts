import { startDovecot } from '../../functions/local/dovecot.ts';
import type { DovecotQuota } from '../../functions/local/mail-server/dovecot-configuration.ts';
import { cyrus, dovecot, type TestServer, type TestUser } from '../servers/servers.ts';
import { imapClient } from './imap-client.ts';

/** A user, and what the administrator of his mail server can do about him. */
export type Administered = {
  readonly server: TestServer;
  readonly user: TestUser;
  /** Of a mailbox the user has these rights (letters of RFC 4314 §2.1), and no others. */
  readonly setRights: (mailbox: string, rights: string) => Promise<void>;
  readonly stop: () => Promise<void>;
};

/** A new user; `quota`: how much he may have, where that is limited. */
export type Administer = (quota?: DovecotQuota) => Promise<Administered>;

/** Dovecot lets the user set his rights himself; its quota is for all users, so it is a Dovecot of its own then. */
export const administeredDovecot: Administer = async (quota) => {
  const of = (server: TestServer, user: TestUser, stop: () => Promise<void>): Administered => ({
    ...{ server, user, stop },
    setRights: (mailbox, rights) => command(server, user, 'SETACL', [mailbox, user.user, rights].map(string)),
  });
  if (quota === undefined) {
    const server = await dovecot();
    return of(server, await server.freshUser(), async () => {});
  }
  const user = { user: 'ada', password: 'secret' };
  const server = await startDovecot({ users: [user], acl: true, quota });
  return of({ ...server, freshUser: async () => user }, user, server.stop);
};

/** Cyrus lets nobody set the rights of a mailbox's owner but an administrator, who sees mailboxes as `user/ada/Work`. */
export const administeredCyrus: Administer = async (quota) => {
  const server = await cyrus();
  const user = await server.freshUser();
  if (quota !== undefined) {
    // His inbox comes into being with his first login.
    await command(server, user, 'NOOP', []);
    const { storageMegabytes, messages } = quota;
    const limits = ['STORAGE', storageMegabytes * 1024, 'MESSAGE', messages].map((value) => atom(String(value)));
    await command(server, server.administrator, 'SETQUOTA', [string(`user/${user.user}`), limits]);
  }
  return {
    ...{ server, user, stop: async () => {} },
    setRights: (mailbox, rights) => {
      const parameters = [`user/${user.user}/${mailbox}`, user.user, rights].map(string);
      return command(server, server.administrator, 'SETACL', parameters);
    },
  };
};

const string = (value: string) => ({ type: 'STRING', value });
const atom = (value: string) => ({ type: 'ATOM', value });

/** One command on a connection of its own. Throws when it is refused. */
async function command(server: TestServer, user: TestUser, name: string, parameters: readonly object[]): Promise<void> {
  const client = await imapClient(server, user);
  const { exec } = client as unknown as {
    exec: (name: string, parameters: readonly object[]) => Promise<{ next: () => void }>;
  };
  (await exec.call(client, name, parameters)).next();
  await client.logout();
}
