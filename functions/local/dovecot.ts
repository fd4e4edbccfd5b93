import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { ensureCertificate } from './mail-server/certificate.ts';
import {
  type DovecotQuota,
  dovecotConfiguration,
  type MailboxNaming,
  type MailFormat,
  passwordDictionary,
} from './mail-server/dovecot-configuration.ts';
import { inSocketFolder, mailOwner, reachableFolder } from './mail-server/server-folder.ts';
import { startOnPorts } from './mail-server/start-on-ports.ts';
import { superviseProcess } from './mail-server/supervised-process.ts';

export interface DovecotUser {
  readonly user: string;
  readonly password: string;
}

export interface DovecotOptions {
  /**
   * Where configuration, certificate, users, log and mail are kept. Created when missing; an existing one is resumed.
   * Absent: a temporary one, which is gone when Dovecot has ended.
   */
  readonly folder?: string;
  readonly users?: readonly DovecotUser[];
  /** Port for IMAP with optional STARTTLS; 0 or absent picks a free one. */
  readonly imapPort?: number;
  /** Port for IMAP over TLS; 0 or absent picks a free one. */
  readonly imapsPort?: number;
  /** true: mail is synced to the disk. false (the default) is several times faster and loses mail only if the machine dies. */
  readonly durable?: boolean;
  /** `mdbox` where absent. The mail of a user is in `mail/<user>/mail` below the folder. */
  readonly format?: MailFormat;
  /** Slashes and no prefix where absent. */
  readonly naming?: MailboxNaming;
  /** Offers ACL (RFC 4314) and a shared namespace "Shared/<user>/". */
  readonly acl?: boolean;
  /** Offers QUOTA (RFC 9208), with these limits for each user. */
  readonly quota?: DovecotQuota;
  /** Offers ManageSieve (RFC 5804), and LMTP for mail to be delivered through the scripts. Pigeonhole has to be installed. */
  readonly sieve?: boolean;
  /** Has mailboxes without mod-sequences, which are those whose names begin with `Unindexed`. */
  readonly unindexed?: boolean;
  /**
   * Offers submission (RFC 6409) with BURL (RFC 4468), which gives messages on to an SMTP server at this port of 127.0.0.1; and URLAUTH
   * (RFC 4467). `programs`: the folder of `submission` and `submission-login`, which need not be installed.
   */
  readonly submission?: { readonly relayPort: number; readonly programs: string };
}

export interface DovecotServer {
  readonly name: 'dovecot';
  readonly host: '127.0.0.1';
  readonly imapPort: number;
  readonly imapsPort: number;
  /** ManageSieve with optional STARTTLS, and LMTP; null without `sieve`. */
  readonly sievePort: number | null;
  readonly lmtpPort: number | null;
  /** Submission with optional STARTTLS; null without `submission`. */
  readonly submissionPort: number | null;
  /** Folder of the messages that scripts have sent: one file each, its envelope in the first line. */
  readonly outbox: string;
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
  /** Puts a message into the mailbox of a user, through his scripts where there are any. Throws when it is not there. */
  deliver(mail: { readonly from: string; readonly to: string; readonly message: Uint8Array }): Promise<void>;
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
  const {
    users: firstUsers = [],
    durable = false,
    format = 'mdbox',
    naming = { separator: '/', prefix: '' },
    acl = false,
    quota = null,
    sieve = false,
    unindexed = false,
    submission = null,
  } = options;
  const owner = await mailOwner();
  const kept = options.folder === undefined ? undefined : await reachableFolder(options.folder);
  const { server, ports } = await startOnPorts(
    kept === undefined ? 'Dovecot' : `Dovecot in "${kept}"`,
    [options.imapPort ?? 0, options.imapsPort ?? 0, 0, 0, 0],
    ([imapPort, imapsPort, sievePort, lmtpPort, submissionPort]) =>
      inSocketFolder(async (temporaryFolder) => {
        const folder = kept ?? temporaryFolder;
        const runFolder = path.join(temporaryFolder, 'run');
        await mkdir(runFolder);
        const logFile = kept === undefined ? '/dev/stderr' : keptLog(kept);
        if (kept !== undefined) await rm(logFile, { force: true });
        const usersFolder = path.join(folder, 'users');
        await mkdir(usersFolder, { recursive: true, mode: 0o700 });
        for (const user of firstUsers) await writeUser(usersFolder, user);
        const mailFolder = path.join(folder, 'mail');
        await mkdir(mailFolder, { recursive: true });
        await owner.give?.(mailFolder);
        const outbox = path.join(folder, 'outbox');
        await mkdir(outbox, { recursive: true });
        await owner.give?.(outbox);
        const sendmail = path.join(folder, 'sendmail');
        await writeFile(sendmail, keepingSendmail(outbox), { mode: 0o755 });
        const certificate = await ensureCertificate(folder);
        const settings = {
          ...{
            folder,
            runFolder,
            logFile,
            certificate,
            imapPort,
            imapsPort,
            durable,
            format,
            naming,
            acl,
            quota,
            unindexed,
            owner,
          },
          sieve: sieve ? { sievePort, lmtpPort, sendmail } : null,
          submission: submission && { ...submission, submissionPort },
        };
        const configFile = path.join(folder, 'dovecot.conf');
        await writeFile(configFile, dovecotConfiguration(settings), { mode: 0o600 });
        await writeFile(path.join(folder, 'passdb.conf'), passwordDictionary(usersFolder));
        const process = superviseProcess({
          program: '/usr/sbin/dovecot',
          args: ['-F', '-c', configFile],
          temporaryFolder,
        });
        return { ...process, usersFolder, configFile, outbox, caFile: certificate.certificateFile };
      }),
    () => (kept === undefined ? '' : readFile(keptLog(kept), 'utf8').catch(() => '')),
  );
  const users = new Map(firstUsers.map((user) => [user.user, user]));
  const [imapPort, imapsPort, sievePort, lmtpPort, submissionPort] = ports;
  return {
    name: 'dovecot',
    host: '127.0.0.1',
    imapPort,
    imapsPort,
    sievePort: sieve ? sievePort : null,
    lmtpPort: sieve ? lmtpPort : null,
    submissionPort: submission ? submissionPort : null,
    outbox: server.outbox,
    caFile: server.caFile,
    get users() {
      return [...users.values()];
    },
    pid: server.pid,
    addUser: async (user) => {
      await writeUser(server.usersFolder, user);
      users.set(user.user, user);
    },
    removeUser: async (user) => {
      await rm(userFile(server.usersFolder, user), { force: true });
      users.delete(user);
    },
    doveadm: async (...args) => {
      const { stdout } = await promisify(execFile)('doveadm', ['-c', server.configFile, ...args], {
        maxBuffer: 64 << 20,
      });
      return stdout;
    },
    deliver: async ({ from, to, message }) => {
      const args = ['-c', server.configFile, '-d', to, '-f', from, '-e'];
      const delivering = promisify(execFile)('/usr/lib/dovecot/dovecot-lda', args);
      delivering.child.stdin?.on('error', () => {}).end(message);
      await delivering;
    },
    stop: server.stop,
  };
}

/** Whether what `sieve` takes is installed. */
export function hasPigeonhole(): boolean {
  return ['modules/lib90_sieve_plugin.so', 'managesieve', 'lmtp'].every((file) =>
    existsSync(`/usr/lib/dovecot/${file}`),
  );
}

const keptLog = (folder: string): string => path.join(folder, 'dovecot.log');

/** A `sendmail` that keeps each message, complete or not at all; the first line is how it was called. */
export const keepingSendmail = (outbox: string): string => `#!/bin/sh
set -e
file=$(mktemp '${outbox}/XXXXXXXXXX')
{ printf '%s\\n' "$*"; cat; } >"$file"
mv "$file" "$file.eml"
`;

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
