import { mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { Unavailable } from '../../shared/jmap/errors.ts';
import type { Outbox } from '../../shared/vault/outbox.ts';

/** Sealed messages as files of one folder. What `put` resolved survives a crash of the machine. */
export async function openFolderOutbox(folder: string): Promise<Outbox> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const fileOf = (account: string, id: string) => path.join(folder, `${account}.${id}`);
  return {
    put: (account, id, sealed) =>
      succeeding(async () => {
        const file = fileOf(account, id);
        const handle = await open(`${file}.part`, 'w', 0o600);
        try {
          await handle.writeFile(sealed);
          await handle.sync();
        } finally {
          await handle.close();
        }
        await rename(`${file}.part`, file);
        const names = await open(folder);
        await names.sync().finally(() => names.close());
      }),
    get: (account, id) =>
      succeeding(async () => {
        try {
          return await readFile(fileOf(account, id));
        } catch (error) {
          if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
          throw error;
        }
      }),
    remove: (account, id) => succeeding(() => rm(fileOf(account, id), { force: true })),
  };
}

/** What fails on the disk is `Unavailable`. */
async function succeeding<T>(operation: () => Promise<T>): Promise<T> {
  try {
    return await operation();
  } catch (cause) {
    throw new Unavailable('the folder of messages that wait to be sent failed', { cause });
  }
}
