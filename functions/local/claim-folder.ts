import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { ConfigurationError } from '../../shared/configuration-error.ts';

/**
 * Makes the folder this process's own: two at once would destroy the store in it. Answers the function that gives it
 * back. A folder whose owner died is taken over. Throws `ConfigurationError` when it is in use.
 */
export async function claimFolder(folder: string): Promise<() => Promise<void>> {
  await mkdir(folder, { recursive: true });
  const file = path.join(folder, 'process-id');
  const claim = () => writeFile(file, String(process.pid), { flag: 'wx' });
  try {
    await claim();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    const owner = Number(await readFile(file, 'utf8').catch(() => ''));
    if (owner !== process.pid && isRunning(owner)) {
      const advice = `stop that, choose another folder with --data, or remove "${file}" if it is something else`;
      throw new ConfigurationError(`The data folder "${folder}" cannot be used`, [
        `process ${owner} uses it: ${advice}`,
      ]);
    }
    await rm(file, { force: true });
    await claim();
  }
  return () => rm(file, { force: true });
}

function isRunning(pid: number): boolean {
  if (!Number.isSafeInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // It is there, and belongs to somebody else.
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
