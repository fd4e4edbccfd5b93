import { readdir, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { DeleteObjectCommand, paginateListObjectsV2, type S3Client } from '@aws-sdk/client-s3';
import { asUnavailable } from '../../shared/aws/as-unavailable.ts';
import type { Id } from '../../shared/jmap/scalars.ts';

/** A file that is kept of an account; `keptAt` as a UTCDate. */
export type KeptFile = { readonly id: string; readonly octets: number; readonly keptAt: string };

/** The files of one account in one place. */
export type AccountFiles = {
  readonly list: () => Promise<readonly KeptFile[]>;
  /** Answers how many. */
  readonly erase: () => Promise<number>;
};

/** Files `<account>.<id>` of a folder, as the local server keeps them, those included that were never completed. */
export function filesInFolder(folder: string, account: Id): AccountFiles {
  const names = async () => {
    const all = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return [];
      throw error;
    });
    return all.filter((name) => name.startsWith(`${account}.`));
  };
  return {
    list: async () =>
      Promise.all(
        (await names()).map(async (name) => {
          const { size, mtime } = await stat(path.join(folder, name));
          return { id: name.slice(account.length + 1), octets: size, keptAt: mtime.toISOString() };
        }),
      ),
    erase: async () => {
      const all = await names();
      for (const name of all) await rm(path.join(folder, name), { force: true });
      return all.length;
    },
  };
}

/** Objects `<account>/<id>` of a bucket. */
export function filesInBucket(client: S3Client, Bucket: string, account: Id): AccountFiles {
  const Prefix = `${account}/`;
  const list = () =>
    asUnavailable(async () => {
      const files: KeptFile[] = [];
      for await (const { Contents = [] } of paginateListObjectsV2({ client }, { Bucket, Prefix })) {
        for (const { Key = '', Size = 0, LastModified } of Contents) {
          files.push({ id: Key.slice(Prefix.length), octets: Size, keptAt: LastModified?.toISOString() ?? '' });
        }
      }
      return files;
    });
  return {
    list,
    erase: async () => {
      const files = await list();
      for (const { id } of files) {
        await asUnavailable(() => client.send(new DeleteObjectCommand({ Bucket, Key: `${Prefix}${id}` })));
      }
      return files.length;
    },
  };
}
