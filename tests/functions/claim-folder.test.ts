import { spawnSync } from 'node:child_process';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { claimFolder } from '../../functions/local/claim-folder.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'postern-claim-'));
});
afterEach(() => rm(folder, { recursive: true }));
const ownedBy = (processId: string | number) => writeFile(path.join(folder, 'process-id'), String(processId));

describe('a data folder', () => {
  test('is made, claimed and given back', async () => {
    const inner = path.join(folder, 'a/b');
    const release = await claimFolder(inner);
    expect(await readdir(inner)).toEqual(['process-id']);
    await release();
    expect(await readdir(inner)).toEqual([]);
  });

  test('of another process that runs is refused', async () => {
    await ownedBy(process.ppid);
    await expect(claimFolder(folder)).rejects.toThrow(`process ${process.ppid} uses it`);
  });

  test.each<[string, () => string | number]>([
    ['a process that ended without giving it back', () => spawnSync('true').pid],
    ['a process of the same id in an earlier life', () => process.pid],
    ['nobody that can be', () => 'x'],
    ['everybody', () => -1],
  ])('of %s is taken over', async (_, owner) => {
    await ownedBy(owner());
    await (await claimFolder(folder))();
    expect(await readdir(folder)).toEqual([]);
  });
});
