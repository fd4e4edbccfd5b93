import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { chmod, chown, lstat, mkdir, mkdtemp, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { type DovecotSettings, dovecotConfiguration, passwordDictionary } from './dovecot-configuration.ts';

const run = promisify(execFile);

/** How long Dovecot may take to answer with its greeting before the start counts as failed. */
const startTimeoutMs = 10_000;
/** How long Dovecot may take to end by itself before its process group is killed. */
const stopTimeoutMs = 5_000;
/** A free port can be taken between being found and being used; then the start is tried again. */
const startAttempts = 5;

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
  readonly host: string;
  readonly imapPort: number;
  readonly imapsPort: number;
  /** PEM file with the self-signed certificate, good for "localhost" and 127.0.0.1. */
  readonly caFile: string;
  readonly users: readonly DovecotUser[];
  /** Process id of the supervisor, which leads the process group of everything started here. */
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
 * Starts Debian's Dovecot with a configuration of its own, on loopback only, as an ordinary child process.
 * Works as root (mail then belongs to the system user `mail`) and as any other user (everything runs as that user).
 * Dovecot ends when `stop()` is called and also when this process dies in any way.
 *
 * Throws when Dovecot is not installed (code ENOENT) or does not come up; the message then ends with its log.
 */
export async function startDovecot(options: DovecotOptions): Promise<DovecotServer> {
  const folder = await mailFolder(path.resolve(options.folder));
  const owner = await mailOwner();
  const certificate = await ensureCertificate(folder);
  const usersFolder = path.join(folder, 'users');
  await mkdir(usersFolder, { recursive: true, mode: 0o700 });
  await mkdir(path.join(folder, 'mail'), { recursive: true });
  if (owner) await chown(path.join(folder, 'mail'), owner.uid, owner.gid);

  const users = new Map<string, DovecotUser>();
  const addUser = async (user: DovecotUser): Promise<void> => {
    await writeUser(usersFolder, user);
    users.set(user.user, user);
  };
  for (const user of options.users ?? []) await addUser(user);

  for (let attempt = 1; ; attempt++) {
    const [imapPort, imapsPort] = await freePorts([options.imapPort ?? 0, options.imapsPort ?? 0]);
    const settings: DovecotSettings = {
      folder,
      runFolder: await shortTemporaryFolder(),
      certificate,
      imapPort,
      imapsPort,
      durable: options.durable ?? false,
      acl: options.acl ?? false,
      account: owner ? { kind: 'root', mailUser: 'mail' } : { kind: 'user', ...(await currentUser()) },
    };
    const configFile = path.join(folder, 'dovecot.conf');
    const logFile = path.join(folder, 'dovecot.log');
    await writeFile(configFile, dovecotConfiguration(settings), { mode: 0o600 });
    await writeFile(path.join(folder, 'passdb.conf'), passwordDictionary(usersFolder));
    await rm(logFile, { force: true });

    const supervisor = superviseDovecot(configFile, settings.runFolder);
    try {
      await Promise.race([greeting(imapPort), ended(supervisor)]);
    } catch (error) {
      await stopSupervisor(supervisor);
      const log = await readFile(logFile, 'utf8').catch(() => '');
      if (attempt < startAttempts && log.includes('Address already in use')) continue;
      throw new Error(`Dovecot in "${folder}" did not start: ${(error as Error).message}\n${log}`, { cause: error });
    }
    let stopping: Promise<void> | undefined;
    return {
      name: 'dovecot',
      host: '127.0.0.1',
      imapPort,
      imapsPort,
      caFile: certificate.certificateFile,
      get users() {
        return [...users.values()];
      },
      pid: supervisor.pid ?? 0,
      addUser,
      removeUser: async (user) => {
        await rm(userFile(usersFolder, user), { force: true });
        users.delete(user);
      },
      doveadm: async (...args) => (await run('doveadm', ['-c', configFile, ...args], { maxBuffer: 64 << 20 })).stdout,
      stop: () => {
        stopping ??= stopSupervisor(supervisor);
        return stopping;
      },
    };
  }
}

/**
 * A tiny shell stands between us and Dovecot: it ends Dovecot when its standard input closes, and that happens
 * however this process dies. It leads a process group of its own, so that Ctrl-C in a terminal reaches only us.
 */
const supervisorScript = `
PATH=$PATH:/usr/sbin:/sbin
exec 3<&0
dovecot -F -c "$1" 3<&- </dev/null &
dovecot=$!
( while read -r _ <&3; do :; done
  kill -TERM $dovecot
  tries=0
  while kill -0 $dovecot && [ $tries -lt ${stopTimeoutMs / 100} ]; do sleep 0.1; tries=$((tries + 1)); done
  kill -KILL $dovecot ) 2>/dev/null &
watcher=$!
wait $dovecot
status=$?
kill -TERM $watcher 2>/dev/null
rm -rf "$2"
exit $status
`;

function superviseDovecot(configFile: string, runFolder: string): ChildProcess {
  const supervisor = spawn('/bin/sh', ['-c', supervisorScript, 'dovecot-supervisor', configFile, runFolder], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  });
  supervisor.unref();
  (supervisor.stdin as Socket).unref();
  return supervisor;
}

async function stopSupervisor(supervisor: ChildProcess): Promise<void> {
  if (supervisor.pid === undefined || supervisor.exitCode !== null || supervisor.signalCode !== null) return;
  supervisor.ref();
  const group = -supervisor.pid;
  const lastResort = setTimeout(() => process.kill(group, 'SIGKILL'), 2 * stopTimeoutMs);
  const exited = new Promise((resolve) => supervisor.once('exit', resolve));
  supervisor.stdin?.end();
  await exited;
  clearTimeout(lastResort);
}

function ended(supervisor: ChildProcess): Promise<never> {
  return new Promise((_, reject) => {
    supervisor.once('error', reject);
    supervisor.once('exit', (code, signal) => reject(new Error(`ended with ${signal ?? `exit code ${code}`}`)));
  });
}

/** Resolves when an IMAP greeting arrives; a refused connection is tried again until the start timeout is over. */
async function greeting(port: number): Promise<void> {
  const deadline = Date.now() + startTimeoutMs;
  while (Date.now() < deadline) {
    if (await greetsAt(port)) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`no greeting within ${startTimeoutMs} ms`);
}

function greetsAt(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1', timeout: startTimeoutMs });
    const settle = (greeted: boolean) => {
      socket.destroy();
      resolve(greeted);
    };
    socket.once('data', (data) => settle(data.toString('latin1').startsWith('* OK')));
    socket.once('error', () => settle(false));
    socket.once('timeout', () => settle(false));
    socket.once('end', () => settle(false));
  });
}

/** Replaces every 0 by a port that is free now; they are found together, so that no two are the same. */
async function freePorts<const T extends readonly number[]>(wanted: T): Promise<{ [K in keyof T]: number }> {
  const servers = wanted.map((port) => (port === 0 ? createServer() : undefined));
  const ports = await Promise.all(
    servers.map(async (server, index) => {
      if (!server) return wanted[index] ?? 0;
      await new Promise<void>((resolve, reject) => {
        server.once('error', reject);
        server.listen(0, '127.0.0.1', resolve);
      });
      return (server.address() as AddressInfo).port;
    }),
  );
  await Promise.all(servers.map((server) => server && new Promise((resolve) => server.close(resolve))));
  return ports as { [K in keyof T]: number };
}

/** Sockets have paths of at most 107 characters, hence a place of its own; the supervisor removes it at the end. */
async function shortTemporaryFolder(): Promise<string> {
  const parent = tmpdir().length <= 40 ? tmpdir() : '/tmp';
  const folder = await mkdtemp(path.join(parent, 'postern-'));
  await chmod(folder, 0o755);
  return folder;
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
    throw new Error(
      `Not a user name for the local Dovecot "${user}": lower-case letters, digits and . _ @ - are allowed`,
    );
  }
  return path.join(usersFolder, user);
}

async function ensureCertificate(folder: string): Promise<{ certificateFile: string; keyFile: string }> {
  const certificateFile = path.join(folder, 'certificate.pem');
  const keyFile = path.join(folder, 'certificate-key.pem');
  if (!(await exists(certificateFile)) || !(await exists(keyFile))) {
    await run('openssl', [
      ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '3650'],
      ...['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1'],
      ...['-keyout', keyFile, '-out', certificateFile],
    ]);
  }
  return { certificateFile, keyFile };
}

/** Who owns the mail when we are root; Dovecot refuses to serve mail as root. undefined for an ordinary user. */
async function mailOwner(): Promise<{ uid: number; gid: number } | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  const line = (await readFile('/etc/passwd', 'utf8')).split('\n').find((entry) => entry.startsWith('mail:'));
  const [, , uid, gid] = (line ?? '').split(':');
  if (uid === undefined || gid === undefined) throw new Error('There is no system user "mail" to own the mail');
  return { uid: Number(uid), gid: Number(gid) };
}

async function currentUser(): Promise<{ user: string; group: string }> {
  const [user, group] = await Promise.all([run('id', ['-un']), run('id', ['-gn'])]);
  return { user: user.stdout.trim(), group: group.stdout.trim() };
}

/**
 * The folder asked for, unless we are root and a parent is closed to the owner of the mail (a clone below /root, for
 * example); then a folder in /var/tmp that belongs to that name, so that it is found again.
 */
async function mailFolder(asked: string): Promise<string> {
  await mkdir(asked, { recursive: true, mode: 0o755 });
  if (process.getuid?.() !== 0) return asked;
  for (let folder = asked; ; folder = path.dirname(folder)) {
    if (((await stat(folder)).mode & 0o001) === 0) break;
    if (folder === path.dirname(folder)) return asked;
  }
  const name = createHash('sha256').update(asked).digest('hex').slice(0, 16);
  const folder = path.join('/var/tmp', `postern-${name}`);
  await mkdir(folder, { recursive: true, mode: 0o755 });
  if ((await lstat(folder)).uid !== 0) throw new Error(`"${folder}" belongs to another user: remove it`);
  return folder;
}

const exists = (file: string): Promise<boolean> =>
  stat(file).then(
    () => true,
    () => false,
  );
