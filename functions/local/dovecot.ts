import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { ensureCertificate } from './mail-server/certificate.ts';
import { dovecotConfiguration, passwordDictionary } from './mail-server/dovecot-configuration.ts';
import { mailOwner, reachableFolder, socketFolder } from './mail-server/server-folder.ts';
import { startOnPorts } from './mail-server/start-on-ports.ts';
import { superviseProcess } from './mail-server/supervised-process.ts';

export interface DovecotUser {
  readonly user: string;
  readonly password: string;
}

export interface DovecotOptions {
  /** Where configuration, certificate, users, log and mail are kept. Created when missing; an existing one is resumed. */
  readonly folder: string;
  readonly users?: readonly DovecotUser[];
  /** Port for IMAP with optional STARTTLS; 0 or absent picks a free one. */
  readonly imapPort?: number;
  /** Port for IMAP over TLS; 0 or absent picks a free one. */
  readonly imapsPort?: number;
  /** true: mail is synced to the disk. false (the default) is several times faster and loses mail only if the machine dies. */
  readonly durable?: boolean;
  /** Offers ACL (RFC 4314) and a shared namespace "Shared/<user>/". */
  readonly acl?: boolean;
}

export interface DovecotServer {
  readonly name: 'dovecot';
  readonly host: '127.0.0.1';
  readonly imapPort: number;
  readonly imapsPort: number;
  /** PEM file with the self-signed certificate, good for "localhost" and 127.0.0.1. */
  readonly caFile: string;
  readonly users: readonly DovecotUser[];
  /** Process id of the supervisor. */
  readonly pid: number;
  /** Adds a user or replaces the password of one; the next login sees it. */
  addUser(user: DovecotUser): Promise<void>;
  /** The next login of this user fails; the mail is left. */
  removeUser(user: string): Promise<void>;
  /** Runs `doveadm` against this server and answers its standard output. */
  doveadm(...args: string[]): Promise<string>;
  /** Ends every process that was started; the folder stays. May be called twice. */
  stop(): Promise<void>;
}

/**
 * Starts Debian's Dovecot 2.3 with a configuration of its own, on loopback only, as an ordinary child process. Works
 * as root (mail then belongs to the system user `mail`) and as any other user (everything runs as that user).
 * Dovecot ends when `stop()` is called and also when this process dies in any way.
 *
 * Throws when Dovecot is not installed or does not come up; the message then ends with its log.
 */
export async function startDovecot(options: DovecotOptions): Promise<DovecotServer> {
  const folder = await reachableFolder(options.folder);
  const owner = await mailOwner();
  const certificate = await ensureCertificate(folder);
  const usersFolder = path.join(folder, 'users');
  const mailFolder = path.join(folder, 'mail');
  const configFile = path.join(folder, 'dovecot.conf');
  const logFile = path.join(folder, 'dovecot.log');
  await mkdir(usersFolder, { recursive: true, mode: 0o700 });
  await mkdir(mailFolder, { recursive: true });
  await owner.give?.(mailFolder);
  await writeFile(path.join(folder, 'passdb.conf'), passwordDictionary(usersFolder));

  const users = new Map<string, DovecotUser>();
  const addUser = async (user: DovecotUser): Promise<void> => {
    await writeUser(usersFolder, user);
    users.set(user.user, user);
  };
  for (const user of options.users ?? []) await addUser(user);

  const { server, ports } = await startOnPorts(
    `Dovecot in "${folder}"`,
    [options.imapPort ?? 0, options.imapsPort ?? 0],
    async ([imapPort, imapsPort]) => {
      const runFolder = await socketFolder();
      const { durable = false, acl = false } = options;
      const text = dovecotConfiguration({ folder, runFolder, certificate, imapPort, imapsPort, durable, acl, owner });
      await writeFile(configFile, text, { mode: 0o600 });
      await rm(logFile, { force: true });
      return superviseProcess({
        program: '/usr/sbin/dovecot',
        args: ['-F', '-c', configFile],
        temporaryFolder: runFolder,
      });
    },
    () => readFile(logFile, 'utf8').catch(() => ''),
  );
  const [imapPort, imapsPort] = ports;
  return {
    name: 'dovecot',
    host: '127.0.0.1',
    imapPort,
    imapsPort,
    caFile: certificate.certificateFile,
    get users() {
      return [...users.values()];
    },
    pid: server.pid,
    addUser,
    removeUser: async (user) => {
      await rm(userFile(usersFolder, user), { force: true });
      users.delete(user);
    },
    doveadm: async (...args) => {
      const { stdout } = await promisify(execFile)('doveadm', ['-c', configFile, ...args], { maxBuffer: 64 << 20 });
      return stdout;
    },
    stop: server.stop,
  };
}

/** Each user is one file, read anew at every login, so that a change holds at once. */
async function writeUser(usersFolder: string, { user, password }: DovecotUser): Promise<void> {
  const file = userFile(usersFolder, user);
  const temporary = path.join(usersFolder, `.${randomBytes(8).toString('hex')}`);
  await writeFile(temporary, JSON.stringify({ password: `{PLAIN}${password}` }), { mode: 0o600 });
  await rename(temporary, file);
}

function userFile(usersFolder: string, user: string): string {
  if (!/^[a-z0-9][a-z0-9._@-]*$/.test(user)) {
    throw new Error(`Not a user name for the local Dovecot "${user}": only a–z, 0–9 and . _ @ - are allowed`);
  }
  return path.join(usersFolder, user);
}
