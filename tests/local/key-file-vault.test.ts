import { mkdtemp, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { openKeyFileVault } from '../../functions/local/key-file-vault.ts';
import { headerOf } from '../../shared/vault/sealed.ts';
import { SealBroken } from '../../shared/vault/vault.ts';

const context = { account: 'a', purpose: 'p', id: 'S1' };
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

  test('takes another key while it is open, one for all who seal at the same time', async () => {
    let at = 0;
    const vault = await openKeyFileVault({ file, now: () => at });
    const old = await vault.seal(Buffer.from('old'), context);
    at = 90 * day;
    const fresh = await Promise.all(['a', 'b', 'c'].map((text) => vault.seal(Buffer.from(text), context)));
    const ids = new Set(fresh.map((sealed) => headerOf(sealed).keyId));
    expect(ids.size).toBe(1);
    expect(ids).not.toContain(headerOf(old).keyId);
    expect(JSON.parse(await readFile(file, 'utf8')).keys).toHaveLength(2);
    const again = await openKeyFileVault({ file, now: () => at });
    for (const sealed of [old, ...fresh]) {
      expect(await again.open(sealed, context)).toEqual(await vault.open(sealed, context));
    }
  });

  test('goes on with the old key where another cannot be written', async () => {
    let at = 0;
    const vault = await openKeyFileVault({ file, now: () => at });
    at = 90 * day;
    await rename(folder, `${folder}.away`);
    const sealed = await vault.seal(Buffer.from('secret'), context);
    await rename(`${folder}.away`, folder);
    expect(Buffer.from(await (await openKeyFileVault({ file, now: () => 0 })).open(sealed, context)).toString()).toBe(
      'secret',
    );
    expect(headerOf(await vault.seal(Buffer.from('x'), context)).keyId).not.toBe(headerOf(sealed).keyId);
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
