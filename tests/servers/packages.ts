import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { reachableFolder } from '../../functions/local/mail-server/server-folder.ts';

const run = promisify(execFile);
const cacheFolder = fileURLToPath(new URL('../../.cache/servers', import.meta.url));

export interface Installer {
  /** Fetches the system's package lists, as `apt-get update` does. */
  readonly updatePackageLists: () => void;
  /** Takes what is being done, one line at a time. */
  readonly say: (line: string) => void;
}

/** For packages that the keeper has unpacked before any test runs. */
export const unpackedBefore: Installer = {
  updatePackageLists: () => {
    throw new Error('A package of the tests is not unpacked');
  },
  say: () => {},
};

export interface Unpacked {
  /** The folder that stands for "/" in the packages. */
  readonly root: string;
  /** A search path of the libraries that the system does not have, for LD_LIBRARY_PATH. */
  readonly libraryPath: string;
}

/**
 * Debian packages that cannot be installed next to Dovecot, or that nobody but the tests needs, are downloaded and unpacked into a folder of their own,
 * together with the libraries they need and the system does not have. Nothing is installed; done once per clone.
 */
export async function unpackPackages(
  name: string,
  packages: readonly string[],
  installer: Installer,
): Promise<Unpacked> {
  // Another list of packages is another folder.
  const list = createHash('sha256').update(packages.join(' ')).digest('hex').slice(0, 8);
  const folder = path.join(await reachableFolder(cacheFolder), `${name}-${list}`);
  if (!existsSync(folder)) await downloadInto(folder, packages, installer);
  const parents = [`${folder}/usr/lib`, `${folder}/lib`].filter((parent) => existsSync(parent));
  const libraries = await Promise.all(
    parents.map(async (parent) => {
      const entries = await readdir(parent);
      return [parent, ...entries.filter((entry) => entry.endsWith('-gnu')).map((entry) => path.join(parent, entry))];
    }),
  );
  return { root: folder, libraryPath: libraries.flat().join(':') };
}

async function downloadInto(folder: string, packages: readonly string[], { say, updatePackageLists }: Installer) {
  say(`Unpacking into .cache, not installing: ${packages.join(' ')}`);
  const part = `${folder}.${process.pid}`;
  await mkdir(part, { recursive: true });
  try {
    try {
      await download(part, packages);
    } catch {
      say('Fetching the package lists with apt-get update');
      updatePackageLists();
      await download(part, packages);
    }
    const root = path.join(part, 'root');
    for (const file of await readdir(part)) await run('dpkg-deb', ['-x', path.join(part, file), root]);
    await rename(root, folder).catch((error) => {
      // Another run was faster.
      if (!existsSync(folder)) throw error;
    });
  } finally {
    await rm(part, { recursive: true, force: true });
  }
}

async function download(folder: string, packages: readonly string[]): Promise<void> {
  const wanted = [...packages, ...(await missingLibraries(packages))];
  await run('apt-get', ['-q', '-o', 'APT::Sandbox::User=root', 'download', ...wanted], { cwd: folder });
}

/** What apt would install in addition: lines as "Inst libical3 (3.0.16 …)"; with "[" in third place it is an upgrade. */
async function missingLibraries(packages: readonly string[]): Promise<string[]> {
  const { stdout } = await run('apt-get', ['--simulate', '--no-install-recommends', 'install', ...packages]);
  return stdout.split('\n').flatMap((line) => {
    const [verb, name = '', third = ''] = line.split(' ');
    return verb === 'Inst' && name.startsWith('lib') && !third.startsWith('[') ? [name] : [];
  });
}
