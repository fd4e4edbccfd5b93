import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { openKeyFileVault } from '../../functions/local/key-file-vault.ts';
import { headerOf } from '../../shared/vault/sealed.ts';
import { SealBroken } from '../../shared/vault/vault.ts';

const context = { account: 'a', purpose: 'p' };
const day = 24 * 3_600_000;
let folder: string;
let file: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'postern-vault-'));
  file = path.join(folder, 'keys.json');
});
afterEach(() => rm(folder, { recursive: true }));

describe('a vault with its keys in a file', () => {
  test('makes the file once, for its owner only', async () => {
    await openKeyFileVault({ file, now: () => 0 });
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    const first = await readFile(file, 'utf8');
    await openKeyFileVault({ file, now: () => day });
    expect(await readFile(file, 'utf8')).toBe(first);
  });

  test('opens what it sealed, also when it is opened again', async () => {
    const sealed = await (await openKeyFileVault({ file, now: () => 0 })).seal(Buffer.from('secret'), context);
    const again = await openKeyFileVault({ file, now: () => 0 });
    expect(Buffer.from(await again.open(sealed, context)).toString()).toBe('secret');
    await expect(again.open(sealed, { ...context, account: 'b' })).rejects.toThrow(SealBroken);
    expect(await readFile(file, 'utf8')).not.toContain('secret');
  });

  test('takes another key after three months, and still opens what the old one sealed', async () => {
    const old = await openKeyFileVault({ file, now: () => 0 });
    const sealed = await old.seal(Buffer.from('old'), context);
    const rotated = await openKeyFileVault({ file, now: () => 91 * day });
    const fresh = await rotated.seal(Buffer.from('new'), context);
    expect(headerOf(fresh).keyId).not.toBe(headerOf(sealed).keyId);
    expect(Buffer.from(await rotated.open(sealed, context)).toString()).toBe('old');
    await expect(old.open(fresh, context)).rejects.toThrow('is not there');
  });

  test.each(['{}', '{"keys": []}', '{"keys": [{"id": "a", "madeAt": 0, "key": "short"}]}', 'no JSON'])(
    'does not write over a file that it cannot use: %s',
    async (text) => {
      await writeFile(file, text);
      await expect(openKeyFileVault({ file, now: () => 0 })).rejects.toThrow();
      expect(await readFile(file, 'utf8')).toBe(text);
    },
  );
});
