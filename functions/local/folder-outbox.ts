import { mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { Unavailable } from '../../shared/jmap/errors.ts';
import type { Id } from '../../shared/jmap/scalars.ts';
import type { Outbox } from '../../shared/vault/outbox.ts';

/** A message that waits, and since when: in milliseconds. */
export type Waiting = { readonly account: Id; readonly id: Id; readonly since: number };

export type FolderOutbox = Outbox & {
  /** All that wait. What was never put in whole is removed on the way, where nobody can be writing it any more. `now` in milliseconds. */
  readonly waiting: (now: number) => Promise<readonly Waiting[]>;
};

/** What stands in the place of a message while it is written, and how long that may take. */
const draftSuffix = '.part';
const draftMs = 3_600_000;

/** Sealed messages as files of one folder. What `put` resolved survives a crash of the machine. */
export async function openFolderOutbox(folder: string): Promise<FolderOutbox> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const fileOf = (account: string, id: string) => path.join(folder, `${account}.${id}`);
  return {
    waiting: (now) =>
      succeeding(async () => {
        const waiting: Waiting[] = [];
        for (const name of await readdir(folder)) {
          const file = path.join(folder, name);
          const since = await timeOf(file);
          if (since === null) continue;
          const isDraft = name.endsWith(draftSuffix);
          const [account = '', id = ''] = name.split('.');
          if (!isDraft) waiting.push({ account: account as Id, id: id as Id, since });
          else if (since + draftMs < now) await rm(file, { force: true });
        }
        return waiting;
      }),
    put: (account, id, sealed) =>
      succeeding(async () => {
        const file = fileOf(account, id);
        const draft = `${file}${draftSuffix}`;
        const handle = await open(draft, 'w', 0o600);
        try {
          await handle.writeFile(sealed);
          await handle.sync();
        } finally {
          await handle.close();
        }
        await rename(draft, file);
        const names = await open(folder);
        await names.sync().finally(() => names.close());
      }),
    get: (account, id) => succeeding(() => readFile(fileOf(account, id)).catch(nullIfGone)),
    remove: (account, id) => succeeding(() => rm(fileOf(account, id), { force: true })),
  };
}

/** When a file was written, in milliseconds; null: it is gone. */
async function timeOf(file: string): Promise<number | null> {
  return stat(file).then(({ mtimeMs }) => mtimeMs, nullIfGone);
}

function nullIfGone(error: NodeJS.ErrnoException): null {
  if (error.code === 'ENOENT') return null;
  throw error;
}

/** What fails on the disk is `Unavailable`. */
async function succeeding<T>(operation: () => Promise<T>): Promise<T> {
  try {
    return await operation();
  } catch (cause) {
    throw new Unavailable('the folder of messages that wait to be sent failed', { cause });
  }
}
