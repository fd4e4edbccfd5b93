import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmod, chown, lstat, mkdir, mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Under whose name a mail server works on its files. Mail servers refuse to do that as root. */
export interface MailOwner {
  readonly user: string;
  readonly group: string;
  /** Set when we are root: files have to be given to the owner. */
  readonly give: ((file: string) => Promise<void>) | undefined;
}

/** The system user `mail` when we are root, otherwise the user we are. */
export async function mailOwner(): Promise<MailOwner> {
  if (process.getuid?.() !== 0) {
    const [user, group] = await Promise.all([run('id', ['-un']), run('id', ['-gn'])]);
    return { user: user.stdout.trim(), group: group.stdout.trim(), give: undefined };
  }
  const line = (await readFile('/etc/passwd', 'utf8')).split('\n').find((entry) => entry.startsWith('mail:'));
  const [, , uid, gid] = (line ?? '').split(':');
  if (uid === undefined || gid === undefined) throw new Error('There is no system user "mail" to own the mail');
  return { user: 'mail', group: 'mail', give: (file) => chown(file, Number(uid), Number(gid)) };
}

/**
 * Creates the folder and answers its path. When we are root, others may pass through it afterwards, because the owner of
 * the mail has to; and when a parent is closed to others (a clone below /root, for example), it is a folder in /var/tmp
 * with a name derived from the one asked for, so that it is found again.
 */
export async function reachableFolder(asked: string): Promise<string> {
  const wanted = path.resolve(asked);
  await mkdir(wanted, { recursive: true, mode: 0o755 });
  if (process.getuid?.() !== 0) return wanted;
  if (await isOpen(path.dirname(wanted))) {
    await chmod(wanted, (await stat(wanted)).mode | 0o011);
    return wanted;
  }
  const name = createHash('sha256').update(wanted).digest('hex').slice(0, 16);
  const folder = path.join('/var/tmp', `postern-${name}`);
  await mkdir(folder, { recursive: true, mode: 0o755 });
  if ((await lstat(folder)).uid !== 0) throw new Error(`Not a folder of ours "${folder}": remove it`);
  return folder;
}

async function isOpen(folder: string): Promise<boolean> {
  const { mode } = await stat(folder);
  if ((mode & 0o001) === 0) return false;
  const parent = path.dirname(folder);
  return parent === folder || isOpen(parent);
}

/**
 * A temporary folder for a server's sockets, whose paths have at most 107 characters. The server removes it when it
 * ends; when it cannot be started, `start` throws and the folder is removed here.
 */
export async function inSocketFolder<S>(start: (folder: string) => Promise<S>): Promise<S> {
  const parent = tmpdir().length <= 40 ? tmpdir() : '/tmp';
  const folder = await mkdtemp(path.join(parent, 'postern-'));
  try {
    await chmod(folder, 0o755);
    return await start(folder);
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
}
